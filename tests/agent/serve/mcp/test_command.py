"""`glasses mcp`: adding, listing, testing, allowing and removing servers."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from agent import config
from agent.cli.commands import main
from agent.serve.mcp import kept
from tests.agent.serve.mcp.conftest import FRIEND, HERE, free_port

STRANGER = (sys.executable, str(HERE / "stranger.py"))


def folder():
    return config.load().plugins.parent


def test_a_server_is_added_listed_tested_allowed_and_removed(run):
    out = run("add", "friend", *FRIEND)
    assert "get_tide  none, asks before its first use" in out
    assert "pay_bill  money\n" in out
    assert "friend  " in run("list")
    assert "friend is as you agreed to it" in run("test", "friend")
    assert "nothing has changed" in run("update", "friend")
    assert "get_tide  none\n" in run("allow", "friend.get_tide")
    assert "set_lamp  change, asks" in run("list", "friend"), "only the one that was named"
    assert "set_lamp  off" in run("allow", "friend.set_lamp", "--risk", "off")
    assert "get_tide  none, asks" in run("allow", "friend.get_tide", "--ask")
    assert "friend is removed" in run("remove", "friend")
    assert run("list") == ""


def test_a_key_is_asked_for_and_is_in_no_file_of_the_settings(run):
    run("add", "--env", "SOME_KEY", "keyed", *STRANGER, "kind", typed="s3cret-value\n")
    server = kept.read(folder(), "keyed")
    assert server.given == ("SOME_KEY",)
    assert kept.given(folder(), config.load().data, server) == {"SOME_KEY": "s3cret-value"}
    for root in (folder(), config.load().data):
        for path in root.rglob("*"):
            assert not path.is_file() or b"s3cret-value" not in path.read_bytes(), path
    run("remove", "keyed")
    assert kept.keys(folder(), config.load().data).names() == ()


def test_a_url_with_a_key_is_shown_without_it(run, over_http):
    url = f"{over_http}?key=s3cret-value"
    assert "s3cret" not in run("add", "friend", url)
    assert "s3cret" not in run("list")
    assert over_http in run("list")
    assert "as you agreed" in run("test", "friend")
    assert b"s3cret" not in (folder() / "mcp/friend/server.json").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("add", "Amap", "true"), "is no name for a server"),
        (("add", "../evil", "true"), "is no name for a server"),
        (("add", "them", "true"), "is no name for a server"),
        (("add", "music", *STRANGER, "kind"), "music is the name of a skill"),
        (("add", "gone", "/no/such/program"), "cannot be started: No such file"),
        (
            ("add", "gone", *STRANGER, "exits"),
            "ended with exit status 3: Error: SOME_KEY is not set",
        ),
        (("add", "gone", f"http://127.0.0.1:{free_port()}/mcp"), "cannot be reached"),
        (("add", "--header", "A=b", "gone", *STRANGER, "kind"), "--header is for a URL"),
        (("add", "--env", "A=b", "gone", "http://127.0.0.1:1/mcp"), "--env is for a command"),
        (("add", "gone", "http://[bad/mcp"), "is no URL"),
        (("test", "nobody"), "there is no MCP server nobody"),
        (("remove", "nobody"), "there is no MCP server nobody"),
        (("allow", "nobody"), "there is no MCP server nobody"),
    ],
)
def test_what_is_wrong_is_one_line_and_leaves_nothing(run, arguments, why):
    out = run(*arguments, status=1)
    assert why in out
    assert out.count("\n") == 1
    assert kept.names(folder()) == ()
    assert kept.keys(folder(), config.load().data).names() == ()


def test_what_is_wrong_with_a_tool_that_is_allowed(run):
    run("add", "kind", *STRANGER, "kind")
    assert "kind has no tool sing; it has: do_it" in run("allow", "kind.sing", status=1)
    assert "--risk is of one tool" in run("allow", "kind", "--risk", "none", status=1)
    assert "kind is there already" in run("add", "kind", *STRANGER, "kind", status=1)


def test_a_server_that_changed_is_told_and_asks_again(run):
    run("add", "--allow", "other", *STRANGER, "kind")
    path = folder() / "mcp/other/server.json"
    path.write_text(path.read_text().replace("Do something.", "Do nothing."))
    assert "do_it: is described otherwise" in run("test", "other", status=1)
    assert "do_it: is described otherwise" in run("update", "other")
    assert "do_it  change, asks before its first use" in run("list", "other")


def test_a_broken_file_is_one_line_and_the_others_are_used(run):
    run("add", "kind", *STRANGER, "kind")
    path = folder() / "mcp/broken/server.json"
    path.parent.mkdir()
    path.write_text('{"tools": 7}')
    assert "broken/server.json is broken" in run("list")
    assert "kind  1 of 1 tools" in run("list")
    done = CliRunner().invoke(main, ["skills", "kind"])
    assert "do_it" in done.output
    assert "broken/server.json is broken" in done.output.replace("\n", "")


def test_who_has_no_server_loads_nothing_of_the_protocol():
    heavy = {"mcp", "mcp_types", "anyio", "pydantic", "agent.serve.mcp.line"}
    code = (
        "import sys, agent.cli.compose as c, agent.cli.mcp as m\n"
        "from agent import config; from agent.plugins.skills import Skills\n"
        "m.install(Skills(), config.load({'HOME': '/nowhere'}))\n"
        f"print({heavy!r} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_tool_may_be_made_a_payment(run):
    run("add", "kind", *STRANGER, "kind")
    assert "do_it  money\n" in run("allow", "kind.do_it", "--risk", "money")
    done = CliRunner().invoke(main, ["say", "ask kind to do it"])
    assert "does not say how much" in " ".join(done.output.split())
