"""A model behind an OpenAI-style server: real connections on loopback, to good and bad servers."""

import json
import socket
import threading
import time
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route

from agent.errors import Cancelled, EngineError
from agent.messages import CancelScope
from agent.models.llm.model import Message, Model
from agent.models.llm.server import ServerModel

pytestmark = pytest.mark.slow  # servers and programs of its own

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}


def event(text=None, reason=None):
    delta = {} if text is None else {"content": text}
    told = {"choices": [{"delta": delta, "finish_reason": reason}]}
    return f"data: {json.dumps(told)}\n\n"


def words(*texts):
    return [*map(event, texts), event(reason="stop"), "data: [DONE]\n\n"]


class Server:
    """Answers with what it was given, and remembers what it was asked."""

    def __init__(self, events, status=200, pause_s=0.0):
        self.events, self.status, self.pause_s = events, status, pause_s
        self.asked, self.keys = [], []
        self.sent = 0

    def app(self):
        async def models(request):
            return JSONResponse({"data": [{"id": "qwen"}]})

        async def chat(request):
            self.asked.append(await request.json())
            self.keys.append(request.headers.get("authorization"))
            if self.status != 200:
                return JSONResponse({"error": {"message": self.events}}, self.status)
            return StreamingResponse(self.stream(), media_type="text/event-stream")

        routes = [
            Route("/v1/models", models),
            Route("/v1/chat/completions", chat, methods=["POST"]),
            Route("/text/v1/chat/completions", lambda _: PlainTextResponse("hi"), methods=["POST"]),
        ]
        return Starlette(routes=routes)

    async def stream(self):
        import asyncio

        for one in self.events:
            self.sent += 1
            yield one
            await asyncio.sleep(self.pause_s)


@contextmanager
def serving(server):
    config = uvicorn.Config(server.app(), port=0, log_level="critical", timeout_graceful_shutdown=0)
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.005)
    port = running.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        running.should_exit = True
        thread.join(5)


@pytest.fixture
def model():
    made = []

    def make(url, **options):
        made.append(ServerModel(url, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_words_come_as_they_are_said(model):
    server = Server(words("Home", "r wrote", " it."))
    with serving(server) as url:
        asked = (Message("system", "Be short."), Message("user", "who"))
        assert isinstance(model(url), Model)
        assert list(model(url).stream(asked, max_tokens=9)) == ["Home", "r wrote", " it."]
        assert model(url, key="k").complete("who") == "Homer wrote it."
    assert server.asked[0]["messages"] == [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "who"},
    ]
    assert server.asked[0]["model"] == "qwen"
    assert server.asked[0]["max_tokens"] == 9
    assert server.keys == [None, "Bearer k"]


def test_an_object_by_a_schema_that_the_server_is_told_and_not_believed(model):
    server = Server(words('{"a"', ": 1}"))
    with serving(server) as url:
        assert model(url).json("a", SCHEMA) == {"a": 1}
        told = server.asked[0]["response_format"]["json_schema"]["schema"]
        assert told == SCHEMA
        server.events = words('{"a": "one"}')
        with pytest.raises(EngineError):
            model(url).json("a", SCHEMA)


def test_thinking_is_not_seen(model):
    with serving(Server(words("<think>", "hm</think>", "Yes."))) as url:
        assert model(url).complete("who") == "Yes."


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([event("half")], "broke off in the middle"),
        (["data: {broken\n\n"], "no OpenAI-style event"),
        (["data: []\n\n"], "no OpenAI-style event"),
        (['data: {"choices": 3}\n\n'], "no OpenAI-style event"),
        (['data: {"error": {"message": "out of\\nmemory"}}\n\n'], "out of memory"),
        ([], "broke off"),
        (words("x" * (1 << 20), "y"), "longer than"),
    ],
)
def test_what_goes_wrong_is_one_line(model, events, told):
    with serving(Server(events)) as url, pytest.raises(EngineError, match=told) as raised:
        model(url).complete("who")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "told"), [(401, "401: no key"), (404, "404"), (500, "500: no key")]
)
def test_a_refusal_says_why(model, status, told):
    with serving(Server("no key", status)) as url, pytest.raises(EngineError, match=told):
        model(url).complete("who")


def test_what_is_no_model_at_all(model):
    with serving(Server([])) as url, pytest.raises(EngineError, match="broke off"):
        model(url.replace("/v1", "/text/v1")).complete("who")


def test_nobody_there_is_told_after_some_tries(model):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(EngineError, match="cannot be reached"):
        model(f"http://127.0.0.1:{port}/v1").complete("who")
    with pytest.raises(EngineError):
        model("http://[nonsense/v1").complete("who")


def test_a_server_that_hangs_is_out_of_time(model):
    with serving(Server(words("a", "b"), pause_s=30)) as url:
        began = time.monotonic()
        with pytest.raises(EngineError, match="no answer within"):
            model(url).complete("who", timeout_s=0.3)
        assert time.monotonic() - began < 2


def test_cancelling_ends_it_at_once_and_the_server_is_let_go(model):
    server, scope = Server(words(*"abcdefgh" * 50), pause_s=0.01), CancelScope()
    with serving(server) as url:
        pieces = model(url).stream("who", cancel=scope, timeout_s=20)
        next(pieces)
        scope.cancel()
        began = time.monotonic()
        with pytest.raises(Cancelled):
            list(pieces)
        assert time.monotonic() - began < 0.2
        time.sleep(0.2)
        sent = server.sent
        time.sleep(0.2)
        assert server.sent <= sent + 1 < 400


def test_closed_it_answers_no_more(model):
    with serving(Server(words("a"))) as url:
        closed = model(url)
        closed.close()
        closed.close()
        with pytest.raises(EngineError, match="closed"):
            closed.complete("who")
