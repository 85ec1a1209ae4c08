"""Pipecat's own clients: `pipecat eval run`, by text and by sound, and its frames."""

import asyncio
import json
import os
import wave
from pathlib import Path

import pytest

from agent.listen.sphinx.engine import PocketSphinx
from tests.agent.serve.rtvi.conftest import QUIET
from tests.agent.serve.rtvi.test_talk import PAY, SPOKEN

HERE = Path(__file__).parent
GET = "pip install 'pipecat-ai[evals]' websockets into a venv of its own, PIPECAT names its folder"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SCENARIO = """
name: pay
user: {{modality: {modality}}}
turns:
  - user: "pay twenty dollars to anna"
    {audio}
    expect:
      {heard}
      - event: function_call
        calls: [{{name: pay.pay, args: {{amount: 20}}}}]
        within_ms: 20000
      - event: response
        text_contains: "$20.00 → Anna"
        within_ms: 5000
"""
HEARD = """- event: user_transcription
        text_contains: "pay twenty dollars to anna"
        within_ms: 30000"""
NEVER = """  - user: "yes"
    expect:
      - event: response
        text_excludes: "Paid"
        within_ms: 5000
"""


async def run(command, *arguments):
    """Run a command of Pipecat's; a test that asks is not run where it is not there."""
    folder = os.environ.get("PIPECAT")
    program = Path(folder or "") / "bin" / command
    if not folder or not program.is_file():
        pytest.skip(f"not run: no Pipecat: {GET}")
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), 120)
    except TimeoutError:
        process.kill()
        raise
    return process.returncode, out.decode()


def clip(tmp_path):
    path = tmp_path / "pay.wav"
    with wave.open(str(path), "wb") as written:
        written.setparams((1, 2, 16_000, 0, "NONE", ""))
        written.writeframes(QUIET + SPOKEN + QUIET)
    return path


@pytest.mark.parametrize("modality", ["text", "audio"])
async def test_pipecat_eval_drives_the_agent(serve, tmp_path, modality):
    glasses = await serve(PocketSphinx(), builtin=True)
    await glasses.ears.warm()
    spoken = modality == "audio"
    written = SCENARIO.format(
        modality=modality,
        audio=f"audio: {clip(tmp_path)}" if spoken else "",
        heard=HEARD if spoken else "",
    )
    scenario = tmp_path / "pay.yaml"
    scenario.write_text(written + ("" if spoken else NEVER))
    code, out = await run(
        "pipecat", "eval", "run", str(scenario), "--bot-url", glasses.url, "-v",
        "--logs-dir", str(tmp_path),
    )  # fmt: skip
    assert code == 0, out
    assert "1/1 passed" in out
    assert glasses.agent.gate.teller.ledger.entries() == []


async def test_a_client_with_frames_is_served(serve, tmp_path):
    glasses = await serve(PocketSphinx(), builtin=True)
    await glasses.ears.warm()
    code, out = await run("python", str(HERE / "framed.py"), glasses.url, str(clip(tmp_path)))
    assert code == 0, out
    told = dict(json.loads(line) for line in out.splitlines() if line.startswith('["'))
    assert told["user-input"] == PAY
    assert "$20.00 → Anna" in told["bot-llm-text"]
    assert {"bot-ready", "user-started-speaking", "bot-output"} <= told.keys()
