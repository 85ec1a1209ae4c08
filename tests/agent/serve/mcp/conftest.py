"""What the tests of MCP share: an agent that has a server's tools."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner

from agent.cli.commands import main
from agent.serve.mcp import adding, kept, skill
from agent.serve.mcp.kept import Server
from agent.serve.mcp.line import Line
from agent.serve.mcp.signin import SignIn
from agent.testing import lens, make_agent
from tests.pace import PATIENCE_S

HERE = Path(__file__).parent
FRIEND = (sys.executable, str(HERE / "friend.py"))


def stranger(*way: str, name: str = "stranger", **more) -> Server:
    """A server that misbehaves."""
    return Server(name, (sys.executable, str(HERE / "stranger.py"), *way), **more)


def friend(**more) -> Server:
    return Server("friend", FRIEND, **more)


def opens(link: str) -> None:
    """Open a link as a browser does in which the wearer says yes to everything, and follow it."""
    threading.Thread(target=lambda: httpx2.get(link, follow_redirects=True), daemon=True).start()


def taken(
    folder: Path, server: Server, allowed: bool = True, installed=(), show=opens, client=None
) -> Server:
    """Ask a server for its tools and keep it, as `glasses mcp add` does; sign in where it wants."""
    sign_in = SignIn(server.url, kept.login(folder, folder, server.name), show, client)
    line = Line(server, dict, lambda: sign_in)
    try:
        tools = line.tools(PATIENCE_S) if server.url else line.tools()
        server, told = adding.take(server, tools, installed)
    finally:
        line.close()
        sign_in.close()
    tools = tuple(replace(tool, allowed=allowed) for tool in server.tools)
    adding.write(folder, replace(server, tools=tools), told)
    return kept.read(folder, server.name)


class Worn:
    """An agent with the tools of servers, and what it shows."""

    def __init__(
        self, folder: Path, servers, allowed: bool = True, builtin: bool = False, client=None
    ) -> None:
        self.folder = folder
        for server in servers:
            taken(folder, server, allowed, client=client)
        self.plugins = [skill.load(folder, folder, one.name, begin=True) for one in servers]
        self.agent = make_agent(folder / "data", self.plugins, builtin)

    async def __call__(self, text: str, language: str | None = None):
        return await asyncio.wait_for(self.agent.hear(text, language), 20)

    @property
    def lens(self) -> str:
        return lens(self.agent)

    async def close(self) -> None:
        await self.agent.close()
        for plugin in self.plugins:
            plugin.line.close()


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that runs a command in a home of its own."""
    from keyring.backends import fail

    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "GLASSES_DATA", "GLASSES_PLUGINS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("keyring.get_keyring", fail.Keyring)

    def command(*arguments: str, status: int = 0, typed: str = "") -> str:
        done = CliRunner().invoke(main, ["mcp", *arguments], input=typed)
        assert done.exit_code == status, done.output
        return done.output

    return command


@pytest.fixture
async def wear(tmp_path):
    """Return a function that makes an agent with servers."""
    made: list[Worn] = []

    def make(*servers: Server, **how) -> Worn:
        made.append(Worn(tmp_path, servers, **how))
        return made[-1]

    yield make
    for worn in made:
        await worn.close()


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


def serving(port: int, *more: str, program: str = "friend.py") -> subprocess.Popen[bytes]:
    """Begin a server over HTTP, the same by default, and return once it listens."""
    running = subprocess.Popen(
        [sys.executable, str(HERE / program), str(port), *more],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    return running


@pytest.fixture(scope="module")
def over_http():
    """The address of that server."""
    port = free_port()
    running = serving(port)
    yield f"http://127.0.0.1:{port}/mcp"
    running.kill()
    running.wait()
