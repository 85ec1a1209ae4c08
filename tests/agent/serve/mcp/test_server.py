"""Being a server: the skills as tools, under the same rules as if they had been said."""

import asyncio
import json
import os
import subprocess
import sys
import time

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError

from agent import config
from agent.cli import push
from agent.serve.key import token
from agent.serve.mcp import server
from agent.serve.mcp.server import ASK, LENS, SHOW, Glasses
from agent.testing import make_agent
from tests.agent.serve.mcp.conftest import free_port


@pytest.fixture
async def glasses(tmp_path):
    """A pair of glasses with the skills that ship."""
    made = Glasses(make_agent(tmp_path, builtin=True))
    yield made
    await made.agent.close()


@pytest.fixture
async def client(glasses):
    """A client of theirs, in process."""
    ready, done = asyncio.get_running_loop().create_future(), asyncio.Event()

    async def live():  # entered and left in one task, as the library wants it
        async with Client(glasses.server) as made:
            ready.set_result(made)
            await done.wait()

    living = asyncio.create_task(live())
    yield await ready
    done.set()
    await living


def told(result):
    return result.content[0].text


async def test_every_skill_is_a_tool_with_its_schema(client, glasses):
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert len(tools) == len(glasses.agent.skills.actions) - 2 + 2
    assert tools["pay_pay"].input_schema["required"] == ["amount", "payee"]
    assert tools["pay_pay"].annotations.read_only_hint is False
    assert tools["weather_weather"].annotations.read_only_hint is True
    assert tools["pay_pay"].description == "Propose a payment to someone in the address book."


async def test_a_call_is_done_and_seen_by_the_wearer(client, glasses):
    result = await client.call_tool("translate_to_chinese", {"text": "good morning"})
    assert not result.is_error
    assert "早上好" in told(result)
    assert result.structured_content["intent"]["action"] == "to_chinese"
    lens = await client.read_resource(LENS)
    assert "早上好" in lens.contents[0].text


async def test_a_payment_is_proposed_and_no_client_can_say_yes(client, glasses):
    result = await client.call_tool("pay_pay", {"amount": "20 dollars", "payee": "anna"})
    assert told(result).startswith("Proposed to the wearer")
    assert result.structured_content["reply"]["proposal"]["amount"] == "20.00"
    assert glasses.agent.gate.teller.ledger.entries() == []
    again = await client.call_tool("pay_history", {})
    assert "No payments yet" in told(again)
    assert glasses.agent.gate.open is None, "what it went on to dropped the proposal"
    await client.call_tool("pay_pay", {"amount": "20 dollars", "payee": "anna"})
    paid = await glasses.agent.hear("yes")
    assert "Paid" in paid.reply.text, "the wearer's own yes pays"


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("pay_pay", {"amount": "20 dollars"}, "pay.pay lacks payee"),
        (
            "pay_pay",
            {"amount": "20 dollars", "payee": "anna", "yes": True},
            "has no argument 'yes'",
        ),
        ("pay_pay", {"amount": -3, "payee": "anna"}, "amount"),
        (SHOW, {}, "text is what to show"),
        (SHOW, {"text": 7}, "text is what to show"),
        (ASK, {"question": "Tell me your PIN"}, "not asked for secrets"),
    ],
)
async def test_a_wrong_call_is_an_answer_that_says_so(client, name, arguments, why):
    result = await client.call_tool(name, arguments)
    assert result.is_error
    assert why in told(result)


@pytest.mark.parametrize("name", ["asked_answer", "asked_ask", "nothing", "pay.pay"])
async def test_what_is_no_tool_is_refused(client, name):
    with pytest.raises(MCPError, match="there is no tool"):
        await client.call_tool(name, {"words": "yes"})


async def test_a_card_is_lit_and_marked_as_text_from_the_world(client, glasses):
    result = await client.call_tool(SHOW, {"text": "Tea is ready\u202e", "title": "Kitchen"})
    assert told(result) == "shown"
    assert "Tea is ready" in glasses.lens()
    assert "\u202e" not in glasses.lens()


async def asked(client, glasses, question):
    asking = asyncio.create_task(client.call_tool(ASK, {"question": question}))
    until = time.monotonic() + 5
    while glasses.agent.gate.open is None and time.monotonic() < until:
        await asyncio.sleep(0.02)
    assert question in glasses.lens()
    return asking


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("yes", "yes"),
        ("no", "no"),
        ("tell them the blue one", "the blue one"),
        ("what time is it", "no"),
    ],
)
async def test_the_wearer_is_asked_and_answers(client, glasses, said, answer):
    asking = await asked(client, glasses, "Red or blue")
    await glasses.agent.hear(said)
    assert told(await asyncio.wait_for(asking, 5)) == answer
    assert (await glasses.agent.hear("tell them late")).reply.text == "Nobody asks anything."


async def test_one_question_at_a_time(client, glasses):
    asking = await asked(client, glasses, "Red or blue")
    assert (await client.call_tool(ASK, {"question": "Tea"})).is_error
    await glasses.agent.hear("yes")
    assert told(await asking) == "yes"


# -- over HTTP ------------------------------------------------------------------------------------

INITIALIZE = {
    "jsonrpc": "2.0", "id": 1, "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {},
               "clientInfo": {"name": "test", "version": "1"}},
}  # fmt: skip
HEADERS = {"accept": "application/json, text/event-stream", "content-type": "application/json"}


@pytest.fixture
async def http(glasses):
    """Return a function that serves over HTTP and gives the address."""
    running = []

    async def start(token=None):
        bound = push.listening(str(free_port()), "mcp")
        serving = push.running(glasses.app(token), bound)
        running.append(serving)
        await serving.__aenter__()
        return f"http://127.0.0.1:{bound.getsockname()[1]}/mcp"

    yield start
    for serving in running:
        await serving.__aexit__(None, None, None)


async def test_it_is_served_over_http(http):
    async with Client(await http()) as client:
        assert "早上好" in told(
            await client.call_tool("translate_to_chinese", {"text": "good morning"})
        )


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"host": "evil.example:80"}, 421),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"content-type": "text/plain"}, 400),
    ],
)
async def test_only_this_machine_may_come(http, headers, status):
    url = await http()
    async with httpx2.AsyncClient() as web:
        answer = await web.post(url, json=INITIALIZE, headers={**HEADERS, **headers})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("given", "status"), [("Bearer right", 200), ("Bearer wrong", 401), ("", 401), ("right", 401)]
)
async def test_bound_elsewhere_the_token_is_asked_for(http, given, status):
    url = await http("right")
    async with httpx2.AsyncClient() as web:
        answer = await web.post(url, json=INITIALIZE, headers={**HEADERS, "authorization": given})
    assert answer.status_code == status


async def test_a_request_that_is_too_long_is_refused(http):
    url = await http()
    async with httpx2.AsyncClient() as web:
        answer = await web.post(url, content=b"x" * (server.MOST_BYTES + 1), headers=HEADERS)
    assert answer.status_code == 413


def test_the_token_is_made_once_and_is_the_wearers_alone(tmp_path):
    made = token(tmp_path, server.TOKEN)
    assert token(tmp_path, server.TOKEN) == made
    assert (tmp_path / server.TOKEN).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(("where", "key"), [("127.0.0.1:{}", False), ("0.0.0.0:{}", True)])
async def test_a_conversation_serves_beside_itself_where_the_settings_say_so(tmp_path, where, key):
    port, agent = free_port(), make_agent(tmp_path)
    settings = config.load({"HOME": str(tmp_path), "GLASSES_MCP": where.format(port)})
    async with push.serving(agent, settings):
        headers = HEADERS
        if key:
            headers = {
                **HEADERS,
                "authorization": f"Bearer {token(settings.data, server.TOKEN)}",
            }
        async with httpx2.AsyncClient() as web:
            url = f"http://127.0.0.1:{port}/mcp"
            without = await web.post(url, json=INITIALIZE, headers=HEADERS)
            answer = await web.post(url, json=INITIALIZE, headers=headers)
    await agent.close()
    assert answer.status_code == 200
    assert without.status_code == (401 if key else 200)


# -- over the standard streams --------------------------------------------------------------------

LOUD = '''
import os, sys
from agent import Reply, hookimpl, skill

print("loud at import")

@skill("be loud")
def loud() -> Reply:
    """Print."""
    print("printed"); os.write(1, b"written\\n"); sys.stdout.flush(); os.system("echo from a child")
    return Reply("done")

@hookimpl
def register_skills(register):
    register(loud)
'''


def serve(tmp_path):
    """Return the command that serves, and its environment."""
    (tmp_path / "loud.py").write_text(LOUD)
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "GLASSES_DATA", "GLASSES_PLUGINS"):
        environment.pop(name, None)
    run = "from agent.cli.commands import main; main()"
    return [
        sys.executable,
        "-c",
        run,
        "mcp",
        "serve",
        "--plugin",
        str(tmp_path / "loud.py"),
    ], environment


@pytest.mark.slow
async def test_a_client_of_the_library_talks_to_the_command(tmp_path):
    command, environment = serve(tmp_path)
    parameters = StdioServerParameters(command=command[0], args=command[1:], env=environment)
    async with Client(parameters) as client:
        assert told(await client.call_tool("loud_loud", {})) == "done"
        assert "早上好" in told(
            await client.call_tool("translate_to_chinese", {"text": "good morning"})
        )


@pytest.mark.slow
def test_nothing_but_the_protocol_reaches_standard_output(tmp_path):
    command, environment = serve(tmp_path)
    asked = [
        INITIALIZE,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "tools/call",
            "params": {"name": "loud_loud", "arguments": {}},
        },
    ]
    running = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdin is not None and running.stdout is not None  # noqa: PT018
    for message in asked:
        running.stdin.write(json.dumps(message).encode() + b"\n")
        running.stdin.flush()
    lines = []
    while not any(b'"id":2' in line for line in lines):
        lines.append(running.stdout.readline())
        assert lines[-1], running.stderr.read().decode()
    out, _ = running.communicate(timeout=20)
    messages = [json.loads(line) for line in [*lines, *out.splitlines()]]
    assert all(message["jsonrpc"] == "2.0" for message in messages)
    assert any("done" in json.dumps(message) for message in messages)
    assert running.returncode == 0
