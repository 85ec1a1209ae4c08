"""The foreign client: a device of xiaozhi-sdk's, by its own handshake, Opus and OTA."""

import asyncio
import json
import os
import wave
from pathlib import Path

import pytest

from agent.listen.sphinx.engine import PocketSphinx
from agent.serve.xiaozhi.server import OTA
from tests.agent.serve.xiaozhi.test_device import PAY, QUIET, SPOKEN

HERE = Path(__file__).parent
GET = "pip install xiaozhi-sdk into a venv of its own, XIAOZHI names its folder"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def run(*arguments):
    """Run the device; a test that asks is not run where it is not there."""
    folder = os.environ.get("XIAOZHI")
    program = Path(folder or "") / "bin/python"
    if not folder or not program.is_file():
        pytest.skip(f"not run: no xiaozhi-sdk: {GET}")
    process = await asyncio.create_subprocess_exec(
        program, str(HERE / "sdk.py"), *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        out, _ = await asyncio.wait_for(process.communicate(), 90)
    except TimeoutError:
        process.kill()
        raise
    assert process.returncode == 0, out.decode()
    return [json.loads(line) for line in out.decode().splitlines() if line.startswith('{"')]


@pytest.mark.parametrize("token", [None, "s3cret"], ids=["by its address", "by OTA and a token"])
async def test_a_device_of_the_sdk_is_heard_and_answered(serve, tmp_path, token):
    glasses = await serve(PocketSphinx(), builtin=True, token=token)
    await glasses.ears.warm()
    path = tmp_path / "pay.wav"
    with wave.open(str(path), "wb") as written:
        written.setparams((1, 2, 16_000, 0, "NONE", ""))
        written.writeframes(QUIET + SPOKEN + QUIET)
    ota = f"http://127.0.0.1:{glasses.port}{OTA}{token}"
    where = (glasses.url, "") if token is None else ("", ota)
    messages = await run(*where, str(path))
    assert [one["text"] for one in messages if one["type"] == "stt"] == [
        PAY,
        "translate good morning to chinese",
    ]
    paid, translated = (one["text"] for one in messages if one.get("state") == "sentence_start")
    assert "$20.00 → Anna" in paid
    assert "早上好" in translated
    assert glasses.agent.gate.teller.ledger.entries() == []
