"""One contract for every engine behind the `Model` port: llama.cpp here, servers, the pocket Qwen.

The servers are real and on loopback: llama-cpp-python's own, in a process of its own, and an
OpenAI-style face before the same llama.cpp that does all that the contract asks.
"""

import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from agent.errors import Cancelled, EngineError
from agent.messages import CancelScope
from agent.models.llm.llama import LlamaModel
from agent.models.llm.model import Message, Model, leaves
from agent.models.llm.options import LlamaOptions
from agent.models.llm.server import ServerModel
from agent.understand.pocket.router import SHIPPED
from tests.agent.models.llm.test_server import event, serving

# A reader that waits for a server's next word lets go of its socket only once that has come.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SCHEMA = {
    "type": "object",
    "properties": {"name": {"enum": ["play", "stop"]}, "count": {"type": "integer"}},
    "required": ["name", "count"],
    "additionalProperties": False,
}


class Face:
    """An OpenAI-style face of a model."""

    def __init__(self, model: LlamaModel) -> None:
        self.model = model

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/v1/chat/completions", self.chat, methods=["POST"])])

    async def chat(self, request: Request) -> Response:
        asked = await request.json()
        messages = tuple(Message(one["role"], one["content"]) for one in asked["messages"])
        pieces = self.answer(messages, asked)
        try:
            first = await run_in_threadpool(next, pieces, "")
        except EngineError as error:
            return JSONResponse({"error": {"message": str(error)}}, 400)

        def events() -> Iterator[str]:
            yield event(first)
            yield from map(event, pieces)
            yield event(reason="stop")
            yield "data: [DONE]\n\n"

        return StreamingResponse(iterate_in_threadpool(events()), media_type="text/event-stream")

    def answer(self, messages: tuple[Message, ...], asked: dict) -> Iterator[str]:
        if (form := asked.get("response_format")) is None:
            yield from self.model.stream(messages, max_tokens=asked["max_tokens"], timeout_s=30)
            return
        schema = form["json_schema"]["schema"]
        made = self.model.json(messages, schema, max_tokens=asked["max_tokens"], timeout_s=30)
        yield json.dumps(made)


@pytest.fixture(scope="module")
def llama_server(tiny: Path) -> Iterator[str]:
    """The URL of llama-cpp-python's own server, in another process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "llama_cpp.server", "--model", str(tiny), "--host", "127.0.0.1",
        "--port", str(port), "--n_ctx", "2048", "--n_threads", "1", "--verbose", "false",
        "--interrupt_requests", "false",  # callers take turns
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    url = f"http://127.0.0.1:{port}/v1"
    try:
        for _ in range(600):
            with suppress(httpx2.HTTPError):
                if httpx2.get(f"{url}/models", timeout=1).status_code == 200:
                    break
            assert process.poll() is None, (process.stderr and process.stderr.read())[-2000:]
            time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


TALKERS = ["llama.cpp", "face", "llama-cpp-python server"]
"""Engines that hold a conversation, at any length."""
talkers = pytest.mark.parametrize("engine", TALKERS, indirect=True)


@pytest.fixture(params=[*TALKERS, "pocket Qwen"])
def engine(request: pytest.FixtureRequest, tiny: Path) -> Iterator[Model]:
    """One engine after the other."""
    made: Model
    if request.param == "llama-cpp-python server":
        made = ServerModel(request.getfixturevalue("llama_server"))
        yield made
        made.close()
        return
    path = SHIPPED if request.param == "pocket Qwen" else tiny
    here = LlamaModel(path, LlamaOptions(context_tokens=2048))
    here.load()
    if request.param == "face":
        with serving(Face(here)) as url:
            made = ServerModel(url, name="tiny")
            yield made
            made.close()
    else:
        yield here
    here.close()


def test_it_completes_and_streams_the_same(engine: Model) -> None:
    whole = engine.complete("what is a lens", max_tokens=30, timeout_s=30)
    pieces = list(engine.stream("what is a lens", max_tokens=30, timeout_s=30))
    assert len(pieces) > 1
    assert "".join(pieces) == whole != ""


@talkers
def test_it_takes_a_conversation(engine: Model) -> None:
    system, first = Message("system", "Be short."), Message("user", "who wrote hamlet")
    said = Message("assistant", "Shakespeare.")
    for asked in ([system, first], [system, first, said, Message("user", "when")]):
        assert engine.complete(asked, max_tokens=20, timeout_s=30)
        assert engine.complete([*asked, said], max_tokens=20, timeout_s=30)


def test_an_object_fits_its_schema(engine: Model) -> None:
    made = engine.json("play", SCHEMA, max_tokens=60, timeout_s=30)
    assert made["name"] in ("play", "stop")
    assert isinstance(made["count"], int)


def test_a_schema_that_cannot_be_used_is_refused(engine: Model) -> None:
    with pytest.raises(EngineError):
        engine.json("play", {"type": "object", "patternProperties": {"a": {}}}, timeout_s=30)


def test_no_text_becomes_a_message(engine: Model) -> None:
    plain = engine.complete("say <|im_end|>", max_tokens=20, timeout_s=30)
    assert plain == engine.complete(
        [Message("user", "say <|im_end|>")], max_tokens=20, timeout_s=30
    )


def test_the_same_is_answered_again(engine: Model) -> None:
    """Its chance begins where it began before."""
    first = engine.complete("a lens", max_tokens=20, timeout_s=30)
    engine.complete("something else", max_tokens=5, timeout_s=30)
    assert engine.complete("a lens", max_tokens=20, timeout_s=30) == first


@pytest.mark.parametrize("engine", ["llama.cpp"], indirect=True)
def test_an_answer_that_is_dropped_lets_the_next_one_in(engine: Model) -> None:
    """Of the process's own: a server may go on with what nobody reads, as llama-cpp-python's does."""
    pieces = engine.stream("what is a lens", max_tokens=60, timeout_s=30)
    assert next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert engine.complete("a lens", max_tokens=5, timeout_s=30)


def test_it_says_whether_it_is_elsewhere(engine: Model) -> None:
    assert leaves(engine) is False, "all of them are on this machine"


def test_many_callers_take_turns(engine: Model) -> None:
    """Before what is called off: llama-cpp-python's server may answer nobody after that (0.3.36)."""
    wanted = engine.complete("a lens", max_tokens=10, timeout_s=30)
    found: list[str] = []
    ask: Callable[[], None] = lambda: found.append(  # noqa: E731
        engine.complete("a lens", max_tokens=10, timeout_s=30)
    )
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [wanted] * 4


@talkers
@pytest.mark.parametrize("late", [False, True])
def test_it_is_called_off(engine: Model, late: bool) -> None:
    scope = CancelScope()
    if late:
        threading.Timer(0.03, scope.cancel).start()
    else:
        scope.cancel()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        engine.complete("go on and on", max_tokens=100_000, timeout_s=60, cancel=scope)
    assert time.monotonic() - began < 5


@talkers
def test_its_time_is_over(engine: Model) -> None:
    with pytest.raises(EngineError, match="no answer within"):
        engine.complete("go on and on", max_tokens=100_000, timeout_s=0.05)


def test_closed_it_answers_no_more(engine: Model) -> None:
    engine.close()
    engine.close()
    with pytest.raises(EngineError, match="closed"):
        engine.complete("a lens")


def test_the_pocket_qwen_is_asked_one_thing(tiny: Path) -> None:
    pocket = LlamaModel(SHIPPED)
    with pytest.raises(EngineError, match="chat template"):
        pocket.complete([Message("system", "Be short."), Message("user", "hello")])
    pocket.close()


@pytest.mark.slow
def test_too_long_a_prompt_is_one_clear_line(engine: Model) -> None:
    """The last of all: llama-cpp-python's own server answers nobody after that (0.3.36)."""
    with pytest.raises(EngineError) as raised:
        engine.complete("word " * 5000, timeout_s=5)
    told = str(raised.value)
    assert "\n" not in told
    assert re.search("fit|connection failed|no answer within|broke off|refused", told)
