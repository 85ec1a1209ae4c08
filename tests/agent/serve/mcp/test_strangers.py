"""Servers that misbehave: one clear line, in time, and the agent lives on."""

import asyncio
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from agent.errors import EngineError, Refused
from agent.language.world import WorldText
from agent.messages import Proposal
from agent.serve.mcp import kept
from agent.serve.mcp.call import NotSent
from agent.serve.mcp.kept import Server
from agent.serve.mcp.line import Line
from tests.agent.serve.mcp.conftest import free_port, stranger, taken

DO = "ask stranger to do it"


def refused(server, given=()):
    """Return why a server cannot be added."""
    line = Line(server, lambda: dict(given))
    try:
        with pytest.raises(EngineError) as told:
            line.tools()
    finally:
        line.close()
    assert "\n" not in str(told.value)
    return str(told.value)


# -- at the start ---------------------------------------------------------------------------------


def test_one_that_exits_is_told_with_what_it_said_last():
    assert refused(stranger("exits")) == (
        "stranger ended with exit status 3: Error: SOME_KEY is not set"
    )


def test_one_that_writes_rubbish_is_left():
    assert refused(stranger("rubbish")) == "stranger writes what is no message"


def test_one_line_without_end_is_left_after_two_megabytes():
    began = time.monotonic()
    assert refused(stranger("endless")) == "stranger said more than 2 MB at once"
    assert time.monotonic() - began < 3


def test_some_rubbish_is_forgiven(tmp_path):
    assert [tool.name for tool in taken(tmp_path, stranger("notes")).tools] == ["do_it"]


def test_one_that_is_not_there():
    server = Server("stranger", ("/no/such/program",))
    assert (
        refused(server) == "stranger /no/such/program cannot be started: No such file or directory"
    )


def test_a_wrong_address():
    told = refused(Server("stranger", url=f"http://127.0.0.1:{free_port()}/mcp"))
    assert "cannot be reached at http://127.0.0.1:" in told


@pytest.mark.slow
def test_one_that_hangs_at_the_start_is_given_ten_seconds():
    began = time.monotonic()
    assert refused(stranger("silent")) == "stranger did not greet within 10 s"
    assert time.monotonic() - began < 12


async def test_one_that_hangs_at_the_start_keeps_no_other_turn(wear, tmp_path):
    server = taken(tmp_path, stranger("kind"))
    kept.write(tmp_path, Server("stranger", stranger("silent").command, tools=server.tools,
                                timeout_s=1.0))  # fmt: skip
    from agent.serve.mcp import skill
    from agent.testing import make_agent

    began = time.monotonic()
    plugin = skill.load(tmp_path, tmp_path, "stranger", begin=True)
    agent = make_agent(tmp_path / "data", [plugin])
    assert time.monotonic() - began < 1, "nothing waits for it"
    turn = await agent.hear(DO)
    assert turn.reply.text == "stranger gave no answer within 1 s"
    assert time.monotonic() - began < 3
    await agent.close()
    plugin.line.close()


# -- over HTTP ------------------------------------------------------------------------------------


class Web(BaseHTTPRequestHandler):
    """Answers every request in one way."""

    status, body, endless = 200, b"", False

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(self.status)
        self.send_header("content-type", "application/json")
        self.end_headers()
        try:
            self.wfile.write(self.body)
            while self.endless:
                self.wfile.write(b"x" * 65536)
        except OSError:
            pass

    do_GET = do_DELETE = do_POST

    def log_message(self, *args):
        pass


@pytest.fixture
def web():
    """Return a function that gives the address of a server that answers so."""
    running = []

    def start(**how):
        handler = type("Way", (Web,), how)
        running.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        running[-1].daemon_threads = True
        threading.Thread(target=running[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{running[-1].server_port}/mcp"

    yield start
    for one in running:
        one.shutdown()
        one.server_close()


@pytest.mark.parametrize(
    ("how", "why"),
    [
        (
            {"status": 401, "body": b"{}"},
            "stranger wants you to sign in: glasses mcp login stranger",
        ),
        ({"status": 404, "body": b"nothing"}, "stranger is not there (HTTP 404): look at the address"),
        ({"status": 500, "body": b"oh"}, "stranger failed (HTTP 500)"),
        ({"endless": True, "body": b'{"a": "'}, "stranger said more than 2 MB at once"),
    ],
)  # fmt: skip
def test_no_key_and_other_answers_over_http(web, how, why):
    assert refused(Server("stranger", url=web(**how))) == why


def test_a_wrong_key_is_named_as_that(web):
    url = web(status=401, body=b"{}")
    told = refused(Server("stranger", url=url), {"Authorization": "Bearer wrong"})
    assert told == "stranger refuses the key (HTTP 401)"


def test_one_that_wants_a_key_and_signs_nobody_in_says_what_helps(web, tmp_path):
    with pytest.raises(NotSent, match="stranger signs in nobody by itself: --client-id"):
        taken(tmp_path, Server("stranger", url=web(status=401, body=b"{}")))


def test_a_page_of_html_is_no_server(web):
    told = refused(Server("stranger", url=web(body=b"<html>hello</html>")))
    assert told.startswith("stranger ")


# -- in a call ------------------------------------------------------------------------------------


async def test_one_that_hangs_ends_in_its_time(wear):
    worn = wear(stranger("hangs", timeout_s=1.0))
    began = time.monotonic()
    turn = await worn(DO)
    assert turn.reply.text == "stranger gave no answer within 1 s"
    assert time.monotonic() - began < 3
    assert worn.agent.skills.offences == {}, "a stranger's silence is no fault of the plugin's"


async def test_one_that_dies_is_begun_again_by_the_next_call(wear, tmp_path):
    worn = wear(stranger("dies once", str(tmp_path / "died")))
    turn = await worn(DO)
    assert turn.reply.text == "stranger ended with exit status 7"
    assert (await worn(DO)).reply.text == "did it"


async def test_one_that_dies_each_time_is_told_each_time(wear):
    worn = wear(stranger("dies"))
    for _ in range(2):
        assert "ended with exit status 7" in (await worn(DO)).reply.text
    assert "do it" in worn.lens.lower() or "stranger" in worn.lens


@pytest.mark.parametrize(
    ("way", "why"),
    [
        ("huge answer", "stranger said more than 2 MB at once"),
        ("floods", "stranger sent over 2,000 messages in 5 s"),
        ("lies", "stranger sent what is no answer of the protocol"),
    ],
)
async def test_a_flood_and_a_lie_are_one_line_and_the_loop_goes_on(wear, way, why):
    worn = wear(stranger(way))
    longest = 0.0

    async def tick():
        nonlocal longest
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - began - 0.01)

    await worn.agent.hear("help")
    ticking = asyncio.create_task(tick())
    began = time.monotonic()
    turn = await worn(DO)
    took = time.monotonic() - began
    ticking.cancel()
    assert turn.reply.text == why
    assert took < 5
    assert longest < 0.5, "the agent's own loop was held"


async def test_what_floods_the_error_stream_answers_all_the_same(wear):
    worn = wear(stranger("stderr"))
    assert (await worn(DO)).reply.text == "did it"


async def test_a_tool_that_changes_while_it_is_called_answers_once_and_is_then_off(wear):
    worn = wear(stranger("changes"))
    assert (await worn(DO)).reply.text == "did it"
    until = time.monotonic() + 3
    while (turn := await worn(DO)).reply.text == "did it" and time.monotonic() < until:
        await asyncio.sleep(0.05)
    assert "describes do_it otherwise than when you agreed to it" in turn.reply.text


async def test_what_it_says_orders_nothing(wear):
    worn = wear(stranger("orders"))
    turn = await worn(DO)
    assert isinstance(turn.reply.text, WorldText)
    assert "\u202e" not in turn.reply.text
    assert "\x1b" not in turn.reply.text
    assert worn.agent.gate.open is None
    with pytest.raises(Refused):
        await worn.agent.hear(turn.reply.text)


async def test_what_it_says_of_itself_is_in_no_prompt(wear):
    worn = wear(stranger("commands"))
    schema = worn.agent.skills.actions["stranger.do_it"].schema()
    assert schema["description"] == "do it (MCP server stranger)"
    assert "Ignore" not in str(schema)
    await worn("ask stranger to do it")
    assert "stranger" in worn.lens


# -- what it asks ---------------------------------------------------------------------------------


async def test_an_older_server_asks_and_is_answered(wear):
    worn = wear(stranger("asks"))
    assert "Which colour?" in (await worn(DO)).reply.text
    turn = await worn("tell stranger blue")
    assert turn.reply.text.splitlines() == ["accept", "blue"]


@pytest.mark.parametrize(("way", "why"), [("pries", "It was not told"), ("links", "not opened")])
async def test_it_is_told_no_secret_and_opens_no_page(wear, way, why):
    worn = wear(stranger(way))
    turn = await worn(DO)
    assert why in turn.reply.text
    assert not isinstance(turn.reply, Proposal)


# -- what it describes ----------------------------------------------------------------------------


def test_a_schema_that_cannot_be_said_is_left_out_with_the_reason(tmp_path):
    server = taken(tmp_path, stranger("loops"))
    assert {tool.name: tool.unsaid for tool in server.tools} == {
        "go_round": "'a' refers to itself",
        "itself": "'a' is of a kind that cannot be said (object)",
        "unknown": "'a' is of a kind that cannot be said (quaternion)",
        "nested": "'a' is of a kind that cannot be said (object)",
        "fine": "",
        "huge": "its schema is too long",
    }


def test_a_list_of_tools_that_is_none_is_one_line():
    assert refused(stranger("nonsense")) == "stranger sent what is no answer of the protocol"


async def test_names_like_ours_are_its_own(wear):
    worn = wear(stranger("names"), builtin=True)
    actions = worn.agent.skills.actions
    assert "stranger.pay_pay" in actions
    assert actions["pay.pay"].source != "MCP server stranger"
    turn = await worn("pay 20 dollars to anna")
    assert turn.intent.name == "pay.pay", "what it calls itself takes nothing of ours"
    assert actions["stranger.pay_pay"].declaration.risk == "money"
    assert (await worn("stop")).intent is None or "stranger" not in str((await worn("stop")).intent)
    unsaid = {tool.name: tool.unsaid for tool in kept.read(worn.folder, "stranger").tools}
    assert unsaid["ship_it"] == ""
    assert unsaid["ship-it"] == "it is called as another of its tools"
    assert "stranger.tool_4" in actions, "a name without a Latin letter"


async def test_two_servers_with_the_same_tool_are_told_apart_by_name(wear):
    worn = wear(stranger("kind", name="north"), stranger("kind", name="south"))
    assert (await worn("ask south to do it")).intent.name == "south.do_it"
    assert (await worn("ask north to do it")).intent.name == "north.do_it"


def test_nothing_is_sent_where_it_was_not_reached():
    line = Line(Server("stranger", ("/no/such/program",)), dict)
    with pytest.raises(NotSent):
        line.tools()
    line.close()
