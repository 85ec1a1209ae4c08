"""The command, and the setting."""

import json
import os
import socket
import subprocess
import sys
import urllib.request

import pytest
from websockets.asyncio.client import connect

from agent.cli import push
from agent.config import load
from agent.errors import ConfigError
from agent.testing import ScriptedTranscriber, make_agent
from tests.agent.serve.xiaozhi.conftest import Device, told


@pytest.fixture
async def agent(tmp_path):
    made = make_agent(tmp_path / "data", transcriber=ScriptedTranscriber(), builtin=True)
    yield made
    await made.close()


def settings(tmp_path, **more):
    return load({"HOME": str(tmp_path), **{f"GLASSES_{k.upper()}": v for k, v in more.items()}})


async def test_it_is_served_beside_a_conversation_and_the_others(agent, tmp_path, capsys):
    async with push.serving(agent, settings(tmp_path, xiaozhi="0", rtvi="0", wyoming="0")):
        lines = capsys.readouterr().err.splitlines()
        assert [line.partition(":")[0] for line in lines] == ["Wyoming", "RTVI", "xiaozhi"]
        url = lines[-1].removeprefix("xiaozhi: http").replace("/ota/", "/v1/")
        async with connect(f"ws{url}") as socket:
            device = Device(socket)
            await device.hello()
            assert told(await device.type("what time is it"))


async def test_bound_elsewhere_it_wants_the_token_in_the_data_folder(agent, tmp_path, capsys):
    set_up = settings(tmp_path, xiaozhi="0.0.0.0:0")
    async with push.serving(agent, set_up):
        line, clear = capsys.readouterr().err.splitlines()
    assert clear.endswith("in the clear: add a certificate")
    assert line.endswith(f"/xiaozhi/ota/, token in {set_up.data / 'xiaozhi-token'}")
    assert len((set_up.data / "xiaozhi-token").read_text()) >= 24


async def test_a_setting_that_is_no_port_is_one_line(agent, tmp_path):
    with pytest.raises(ConfigError, match="xiaozhi is 'here': write PORT or HOST:PORT"):
        async with push.serving(agent, settings(tmp_path, xiaozhi="here")):
            pass


@pytest.mark.slow
async def test_the_command_serves(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    command = [
        sys.executable,
        "-c",
        "from agent.cli.commands import main; main()",
        "xiaozhi",
        "serve",
    ]
    running = subprocess.Popen(
        [*command, "--host", str(port), "--language", "en"],
        env=environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert running.stderr.readline() == f"xiaozhi: http://127.0.0.1:{port}/xiaozhi/ota/\n"
        async for client in connect(f"ws://127.0.0.1:{port}/xiaozhi/v1/"):
            device = Device(client)
            await device.hello()
            assert told(await device.type("what time is it"))
            await client.close()
            break
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/xiaozhi/ota/", timeout=20) as answer:
            assert json.load(answer)["websocket"]["url"] == f"ws://127.0.0.1:{port}/xiaozhi/v1/"
    finally:
        running.terminate()
        running.communicate(timeout=20)
