"""The command, and the setting."""

import asyncio
import json
import os
import socket
import subprocess
import sys

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from agent.cli import push
from agent.config import load
from agent.errors import ConfigError
from agent.testing import ScriptedTranscriber, make_agent
from tests.agent.serve.rtvi.conftest import Talk, text


@pytest.fixture
async def agent(tmp_path):
    made = make_agent(tmp_path / "data", transcriber=ScriptedTranscriber(), builtin=True)
    yield made
    await made.close()


def settings(tmp_path, **more):
    return load({"HOME": str(tmp_path), **{f"GLASSES_{k.upper()}": v for k, v in more.items()}})


async def test_it_is_served_beside_a_conversation(agent, tmp_path, capsys):
    async with push.serving(agent, settings(tmp_path, rtvi="0", wyoming="0")):
        *_, url = capsys.readouterr().err.split()
        async with connect(url) as socket:
            assert text(await Talk(socket).say("what time is it"))
    with pytest.raises(OSError, match="Connect call failed"):
        await connect(url)
    assert (await agent.hear("what time is it")).error is None


async def test_bound_elsewhere_it_wants_the_token_in_the_data_folder(agent, tmp_path, capsys):
    set_up = settings(tmp_path, rtvi="0.0.0.0:0")
    async with push.serving(agent, set_up):
        told, clear = capsys.readouterr().err.splitlines()
        assert clear.endswith("in the clear: add a certificate")
        url, _, path = told.removeprefix("RTVI: ").partition(", token in ")
        url = url.replace("0.0.0.0", "127.0.0.1")
        assert path == str(set_up.data / "rtvi-token")
        token = (set_up.data / "rtvi-token").read_text()
        assert len(token) >= 24
        assert token not in told
        with pytest.raises(InvalidStatus):
            await connect(url)
        async with connect(f"{url}?token={token}") as socket:
            assert text(await Talk(socket).say("what time is it"))


async def test_it_ends_while_clients_are_there(agent, tmp_path, capsys):
    async with push.serving(agent, settings(tmp_path, rtvi="0")):
        *_, url = capsys.readouterr().err.split()
        client = await connect(url)
        await Talk(client).say("what time is it")
    async with asyncio.timeout(5):
        await client.wait_closed()


@pytest.mark.parametrize("setting", ["here", "127.0.0.1:99999", "256.0.0.1:1"])
async def test_a_setting_that_is_no_port_is_one_line(agent, tmp_path, setting):
    with pytest.raises(ConfigError, match="rtvi is"):
        async with push.serving(agent, settings(tmp_path, rtvi=setting)):
            pass


@pytest.mark.slow
async def test_the_command_serves(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    command = [sys.executable, "-c", "from agent.cli.commands import main; main()", "rtvi", "serve"]
    running = subprocess.Popen(
        [*command, "--host", str(port), "--language", "en"],
        env=environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert running.stderr.readline() == f"RTVI: ws://127.0.0.1:{port}/ws\n"
        async for client in connect(f"ws://127.0.0.1:{port}/ws"):
            await client.send(json.dumps({"label": "rtvi-ai", "type": "client-ready", "id": "1"}))
            assert (await Talk(client).until("bot-ready"))[-1]["data"]["capabilities"]["audio_in"]
            assert text(await Talk(client).say("what time is it"))
            await client.close()
            break
    finally:
        running.terminate()
        running.communicate(timeout=20)
