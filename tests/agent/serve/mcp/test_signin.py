"""Signing in to a server that wants it, against the library's own authorization server."""

import asyncio
import json
import re
import threading
import time

import httpx2
import pytest
from keyring.backends import fail

from agent import config
from agent.cli import mcp as command
from agent.errors import EngineError
from agent.serve.mcp import kept, signin
from agent.serve.mcp.call import NotSignedIn, ServerError
from agent.serve.mcp.kept import Server
from agent.serve.mcp.line import Line
from agent.serve.mcp.signin import SignIn
from tests.agent.serve.mcp.conftest import free_port, opens, serving, taken
from tests.agent.serve.mcp.locked import KNOWN, SECRET
from tests.agent.serve.mcp.test_command import folder
from tests.pace import PATIENCE_S

pytestmark = pytest.mark.slow  # each server is a process


@pytest.fixture(scope="module")
def locked():
    """Return a function that begins a server, and gives its address."""
    begun = {}

    def begin(*how):
        if how not in begun:
            port = free_port()
            begun[how] = f"http://127.0.0.1:{port}/mcp", serving(port, *how, program="locked.py")
        return begun[how][0]

    yield begin
    for _, running in begun.values():
        running.kill()
        running.wait()


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch):
    monkeypatch.setattr("keyring.get_keyring", fail.Keyring)


@pytest.fixture
def signed(tmp_path, locked):
    """Return a server that is kept and signed in to, and what signing in gave."""
    server = taken(tmp_path, Server("locked", url=locked()))
    return server, kept.login(tmp_path, tmp_path, "locked")


def tools(server, login, show=None, **how):
    """Ask for the tools as a conversation does, or, with `show`, as a command does."""
    line = Line(server, dict, lambda: SignIn(server.url, login, show, **how))
    try:
        return [tool.name for tool in line.tools(PATIENCE_S)]
    finally:
        line.close()


def test_the_link_is_shown_and_the_tokens_are_nowhere_in_the_clear(run, locked, monkeypatch):
    shown = command._link
    monkeypatch.setattr(command, "_link", lambda *told: (shown(*told), opens(told[1])))
    out = run("add", "tides", locked())
    assert "tides wants you to sign in, in a browser of this machine:" in out
    assert re.search(r"^http://127\.0\.0\.1:\d+/authorize\?\S+code_challenge=", out, re.M)
    assert "get_tide  change, asks before its first use" in out
    settings = config.load()
    login = kept.login(folder(), settings.data, "tides")
    token = login.read()["tokens"]["access_token"]
    for root in (folder(), settings.data):
        for path in root.rglob("*"):
            assert not path.is_file() or token.encode() not in path.read_bytes(), path
    assert "tides is as you agreed to it" in run("test", "tides"), "without another link"
    assert "you are signed in to tides" in run("login", "tides")
    assert login.read()["tokens"]["access_token"] != token
    run("remove", "tides")
    assert login.read() == {}


def test_what_is_said_is_answered_with_what_signing_in_gave(signed, tmp_path):
    from agent.serve.mcp import skill
    from agent.testing import make_agent

    async def ask():
        plugin = skill.load(tmp_path, tmp_path, "locked")
        agent = make_agent(tmp_path / "data", [plugin])
        try:
            return await agent.call({"name": "locked.get_tide", "arguments": {"place": "Dover"}})
        finally:
            await agent.close()
            plugin.line.close()

    assert asyncio.run(ask()).reply.text == "High tide at Dover"


def test_a_token_is_renewed_before_it_ends_and_where_it_is_refused(signed):
    server, login = signed
    for change in ({"ends": time.time() + 1}, {"tokens": {"access_token": "gone"}}):
        before = login.read()
        new = {**before, **change}
        new["tokens"] = {**before["tokens"], **change.get("tokens", {})}
        login.write(new)
        assert tools(server, login) == ["get_tide"]
        assert login.read()["tokens"]["access_token"] != new["tokens"]["access_token"]
        assert login.read()["ends"] > time.time() + 60


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "locked wants you to sign in. On your computer: glasses mcp login locked"),
        ("zh", "locked需要登录。请在电脑上运行：glasses mcp login locked"),
    ],
)
def test_without_anything_to_renew_it_by_the_wearer_is_told(signed, tmp_path, language, told):
    from agent.serve.mcp import skill
    from agent.testing import make_agent

    _, login = signed
    login.write({"tokens": {"access_token": "gone", "token_type": "Bearer"}})

    async def ask():
        plugin = skill.load(tmp_path, tmp_path, "locked")
        agent = make_agent(tmp_path / "data", [plugin])
        try:
            call = {"name": "locked.get_tide", "arguments": {"place": "Dover"}}
            return await agent.call(call, language)
        finally:
            await agent.close()
            plugin.line.close()

    turn = asyncio.run(ask())
    assert (turn.reply.text, turn.reply.kind) == (told, "alert")


def test_nobody_was_ever_signed_in(tmp_path, locked):
    login = kept.login(tmp_path, tmp_path, "locked")
    with pytest.raises(NotSignedIn, match="locked wants you to sign in: glasses mcp login locked"):
        tools(Server("locked", url=locked()), login)


def test_a_no_in_the_browser_is_one_line_and_keeps_nothing(run, locked, monkeypatch):
    monkeypatch.setattr(command, "_link", lambda _, link: opens(link))
    out = run("add", "tides", locked("--no"), status=1)
    assert out.strip().splitlines()[-1] == "Error: tides was not signed in to: access_denied"
    assert kept.login(folder(), config.load().data, "tides").read() == {}


def test_one_that_registers_nobody_says_what_helps(run, locked, monkeypatch):
    monkeypatch.setattr(command, "_link", lambda _, link: opens(link))
    out = run("add", "tides", locked("--closed"), status=1)
    assert "tides signs in nobody by itself: --client-id says who you are" in out
    known = "--client-id", KNOWN, "--client-secret"
    assert "get_tide" in run("add", *known, "tides", locked("--closed"), typed=f"{SECRET}\n")
    assert SECRET not in (folder() / "mcp/tides/server.json").read_text()


def test_who_comes_back_with_another_link_changes_nothing(tmp_path, locked):
    found, browser = [], []

    def show(link):
        asked = httpx2.URL(link).params
        back, state = asked["redirect_uri"], asked["state"]

        def browse():
            for query in ("", "?code=x&state=y", f"?code=x&state={state[:-1]}", "?error=no"):
                found.append(httpx2.get(back + query).status_code)
            found.append(httpx2.get(back.replace("callback", "else")).status_code)
            found.append(httpx2.get(link, follow_redirects=True).status_code)

        browser.append(threading.Thread(target=browse, daemon=True))
        browser[0].start()

    login = kept.login(tmp_path, tmp_path, "locked")
    assert tools(Server("locked", url=locked()), login, show) == ["get_tide"]
    browser[0].join(PATIENCE_S)
    assert found == [404, 404, 404, 404, 404, 200]


def test_who_never_comes_back_is_not_waited_for_for_ever(tmp_path, locked, monkeypatch):
    monkeypatch.setattr(signin, "SIGN_IN_S", 0.2)
    login = kept.login(tmp_path, tmp_path, "locked")
    with pytest.raises(ServerError, match="locked was not signed in to within 0.2 s"):
        tools(Server("locked", url=locked()), login, lambda link: None)


async def test_a_link_that_anybody_could_read_is_not_shown(tmp_path):
    shown = []
    sign_in = SignIn("http://127.0.0.1/mcp", kept.login(tmp_path, tmp_path, "it"), shown.append)
    sign_in.auth()
    for link in ("http://tides.example/authorize?state=x", "file:///etc/passwd", "javascript:x"):
        with pytest.raises(EngineError, match="where anybody could listen"):
            await sign_in._asked(link)
    sign_in.close()
    assert shown == []


def test_what_a_tool_wanted_is_asked_for_with_the_next_link():
    link = "https://tides.example/authorize?state=x&scope=read+write"
    wider = httpx2.URL(signin._wider(link, "pay read")).params
    assert (wider["scope"], wider["state"]) == ("read write pay", "x")
    assert signin._wider(link, "") == link


def test_a_broken_login_is_no_end(tmp_path, signed):
    server, login = signed
    login.write({"tokens": {"access_token": 7}, "server": {"issuer": "no"}, "client": []})
    with pytest.raises(NotSignedIn):
        tools(server, login)
    assert json.dumps(login.read())
