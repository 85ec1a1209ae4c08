"""The command, the setting, and being found."""

import asyncio
import os
import socket
import subprocess
import sys

import pytest
from wyoming.asr import Transcript
from wyoming.client import AsyncTcpClient
from wyoming.info import Describe
from zeroconf import ServiceStateChange
from zeroconf.asyncio import AsyncServiceBrowser, AsyncZeroconf

from agent.cli import home, push
from agent.config import load
from agent.errors import ConfigError
from agent.serve.wyoming import found
from agent.serve.wyoming.found import SERVICE, announced
from agent.testing import ScriptedTranscriber, make_agent


@pytest.fixture
async def agent(tmp_path):
    made = make_agent(tmp_path / "data", transcriber=ScriptedTranscriber(), builtin=True)
    yield made
    await made.close()


def settings(tmp_path, **more):
    return load({"HOME": str(tmp_path), **{f"GLASSES_{k.upper()}": v for k, v in more.items()}})


async def test_it_is_served_beside_a_conversation(agent, tmp_path, capsys):
    async with push.serving(agent, settings(tmp_path, wyoming="0")):
        told = capsys.readouterr().err.split()
        host, _, port = told[1].partition(":")
        async with AsyncTcpClient(host, int(port), read_timeout=20) as client:
            await client.write_event(Transcript("what time is it").event())
            assert (await client.read_event()).type == "handled"
    with pytest.raises(OSError, match="Connect call failed"):
        await asyncio.open_connection(host, int(port))
    assert (await agent.hear("what time is it")).error is None


async def test_bound_elsewhere_it_says_who_may_come(agent, tmp_path, capsys, monkeypatch):
    asked = []

    class Found:
        def __init__(self, *told):
            asked.append(told[:2])

        async def __aenter__(self):
            return None

        async def __aexit__(self, *error):
            return None

    monkeypatch.setattr(found, "announced", Found)
    for guests, told in (
        ("", "for this machine and nobody else: name them in GLASSES_WYOMING_FROM"),
        ("10.0.0.0/8, 192.168.1.5", "for this machine and 10.0.0.0/8, 192.168.1.5"),
    ):
        bound = push.listening("0.0.0.0:0", "wyoming")
        port = bound.getsockname()[1]
        async with home.beside(agent, settings(tmp_path, wyoming_from=guests), bound, None):
            assert capsys.readouterr().err == f"Wyoming: 0.0.0.0:{port}, {told}\n"
        assert asked.pop() == ("0.0.0.0", port)
    bound = push.listening("0.0.0.0:0", "wyoming")
    async with home.beside(agent, settings(tmp_path), bound, None, hidden=True):
        assert asked == []


@pytest.mark.parametrize("setting", ["here", "127.0.0.1:99999", "256.0.0.1:1"])
async def test_a_setting_that_is_no_port_is_one_line(agent, tmp_path, setting):
    with pytest.raises(ConfigError, match="wyoming is"):
        async with push.serving(agent, settings(tmp_path, wyoming=setting)):
            pass


async def test_a_name_in_wyoming_from_is_one_line(agent, tmp_path):
    with pytest.raises(ConfigError, match="wyoming_from has 'kitchen'"):
        async with push.serving(agent, settings(tmp_path, wyoming="0", wyoming_from="kitchen")):
            pass


async def browse(name):
    """What a browser on this machine finds under a name, within ten seconds."""
    there = asyncio.get_running_loop().create_future()

    def changed(zeroconf, service_type, name, state_change):
        if state_change is ServiceStateChange.Added and called in name and not there.done():
            there.set_result(name)

    called = name
    async with AsyncZeroconf(interfaces=["127.0.0.1"]) as zeroconf:
        browser = AsyncServiceBrowser(zeroconf.zeroconf, SERVICE, handlers=[changed])
        try:
            found = await asyncio.wait_for(there, 10)
            return await zeroconf.async_get_service_info(SERVICE, found, timeout=5_000)
        finally:
            await browser.async_cancel()


@pytest.mark.slow
async def test_a_browser_finds_it_by_zeroconf():
    lines = []
    name = f"Glasses test {os.getpid()}"
    async with announced("127.0.0.1", 10_345, lines.append, name):
        service = await browse(name)
    assert lines == []
    assert service.port == 10_345
    assert service.parsed_addresses() == ["127.0.0.1"]


@pytest.mark.parametrize("host", ["203.0.113.9", "2001:db8::1"])
async def test_where_it_cannot_be_found_that_is_one_line(host):
    lines = []
    async with announced(host, 10_345, lines.append):
        pass
    (line,) = lines
    assert line.startswith("Wyoming: nobody finds it by itself (")
    assert line.endswith("enter its address by hand")


async def test_without_zeroconf_that_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "zeroconf", None)
    lines = []
    async with announced("127.0.0.1", 1, lines.append):
        pass
    assert lines == [
        "Wyoming: nobody finds it by itself: pip install zeroconf, or enter its address"
    ]


@pytest.mark.slow
async def test_the_command_serves_the_librarys_client(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    command = [
        sys.executable,
        "-c",
        "from agent.cli.commands import main; main()",
        "wyoming",
        "serve",
    ]
    running = subprocess.Popen(
        [*command, "--host", str(port), "--language", "en"],
        env=environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert running.stderr.readline() == f"Wyoming: 127.0.0.1:{port}\n"
        async with AsyncTcpClient("127.0.0.1", port, read_timeout=60) as client:
            await client.write_event(Describe().event())
            info = await client.read_event()
            assert info.data["asr"][0]["models"][0]["languages"] == ["en"]
            await client.write_event(Transcript("what time is it").event())
            assert (await client.read_event()).type == "handled"
    finally:
        running.terminate()
        running.communicate(timeout=20)
