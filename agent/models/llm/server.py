"""A model behind an OpenAI-style server: llama-server on an NPU, vLLM, a cloud's compatible mode.

`GLASSES_MODEL=http://host:port/v1` names it, `GLASSES_MODEL_KEY` its key where it wants one. Words
come as server-sent events and are passed on as they come. What cannot be connected to is tried
again twice; what has begun to answer never is. A server may hang, lie, or break off in the middle:
every fault is one EngineError.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, suppress
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from agent.errors import EngineError
from agent.messages import CancelScope
from agent.models.llm.model import Prompt, messages_of
from agent.models.llm.schema import check_schema, parse
from agent.models.llm.visible import visible

CONNECT_S = 3.0
"""Longest a connection may take."""
TRIES = 3
"""Times that a connection is tried."""
MOST_BYTES = 1 << 20
"""Most that one answer may have; more is no answer."""
_LOOK_S = 0.02
"""How often a caller who waits for words looks whether it was cancelled."""
_END = object()


def is_loopback(url: str) -> bool:
    """Return whether a URL names this machine itself."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class ServerModel:
    """A `Model` on the other end of a connection, which is made at the first call."""

    def __init__(self, url: str, key: str = "", name: str = "") -> None:
        """Name the server by its base URL, up to `/v1`; `name` is the model it is asked for.

        Without one the server's first is taken, or `default` where it lists none.
        """
        self.url = url.rstrip("/")
        self.name = name or self.url.partition("://")[2]
        self.remote = not is_loopback(self.url)
        """Whether what it is asked leaves this device."""
        self._wanted = name
        self._key = key
        self._older = False  # whether it knows schemas only by their older name
        self._client: Any = None
        self._lock = threading.Lock()
        self._closed = False

    def complete(
        self,
        prompt: Prompt,
        *,
        max_tokens: int = 128,
        timeout_s: float = 8.0,
        cancel: CancelScope | None = None,
    ) -> str:
        """Answer the prompt; see `Model`."""
        pieces = self.stream(prompt, max_tokens=max_tokens, timeout_s=timeout_s, cancel=cancel)
        return "".join(pieces)

    def stream(
        self,
        prompt: Prompt,
        *,
        max_tokens: int = 128,
        timeout_s: float = 8.0,
        cancel: CancelScope | None = None,
    ) -> Iterator[str]:
        """Answer in pieces as they come; see `Model`."""
        scope = (cancel or CancelScope()).within(timeout_s)
        return visible(self._pieces(self._asked(prompt, max_tokens), scope))

    def json(
        self,
        prompt: Prompt,
        schema: Mapping[str, Any],
        *,
        max_tokens: int = 128,
        timeout_s: float = 8.0,
        cancel: CancelScope | None = None,
    ) -> dict[str, Any]:
        """Answer with an object; the server is told the schema, and is not believed."""
        scope = (cancel or CancelScope()).within(timeout_s)
        check_schema(schema)
        asked = self._asked(prompt, max_tokens)
        try:
            raw = self._formed(asked, schema, scope)
        except EngineError as error:
            if self._older or "response_format" not in str(error):
                raise
            self._older = True  # as llama-cpp-python's own server is
            raw = self._formed(asked, schema, scope)
        return parse(raw.decode("utf-8", "replace"), schema)

    def _formed(
        self, asked: dict[str, Any], schema: Mapping[str, Any], scope: CancelScope
    ) -> bytes:
        """Return what a server answers that was told a schema, in its way of saying so."""
        described = {"name": "answer", "schema": dict(schema), "strict": True}
        form: dict[str, Any] = {"type": "json_schema", "json_schema": described}
        if self._older:
            form = {"type": "json_object", "schema": dict(schema)}
        return b"".join(self._pieces({**asked, "response_format": form}, scope))

    def close(self) -> None:
        """Hang up; an answer that is coming ends at once."""
        self._closed = True
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    # -- one answer

    def _asked(self, prompt: Prompt, max_tokens: int) -> dict[str, Any]:
        messages = [{"role": one.role, "content": one.text} for one in messages_of(prompt)]
        return {
            "messages": messages, "max_tokens": max_tokens, "temperature": 0, "seed": 7,
            "stream": True,
        }  # fmt: skip

    def _pieces(self, asked: dict[str, Any], scope: CancelScope) -> Generator[bytes]:
        """Yield the bytes of an answer as they come.

        A thread reads, so that a server which hangs keeps nobody waiting who has called off.
        """
        self._check(scope)
        lines: queue.SimpleQueue[Any] = queue.SimpleQueue()
        over = threading.Event()
        reading = threading.Thread(
            target=self._read, args=(asked, scope, lines, over), name=self.name, daemon=True
        )
        reading.start()
        size = 0
        try:
            while True:
                try:
                    line = lines.get(timeout=_LOOK_S)
                except queue.Empty:
                    self._check(scope)
                    continue
                if isinstance(line, EngineError):
                    self._check(scope)
                    raise line
                if line is _END:
                    raise EngineError(f"{self.name}: broke off in the middle; ask again")
                self._check(scope)
                piece, ended = self._piece(line)
                size += len(piece)
                if size > MOST_BYTES:
                    raise EngineError(f"{self.name}: the answer is longer than {MOST_BYTES} bytes")
                if piece:
                    yield piece
                if ended:
                    return
        finally:
            over.set()

    def _piece(self, line: str) -> tuple[bytes, bool]:
        """Return the words of one event, and whether the answer ends with it."""
        name, _, data = line.partition(":")
        if name != "data" or not (data := data.strip()):
            return b"", False
        if data == "[DONE]":
            return b"", True
        try:
            told = json.loads(data)
            if "error" in told:
                why = told["error"]
                why = why.get("message", why) if isinstance(why, dict) else why
                raise EngineError(f"{self.name}: {' '.join(str(why).split())[:200]}")
            choice = told["choices"][0] if told["choices"] else {}
            text = (choice.get("delta") or {}).get("content") or ""
            return text.encode("utf-8", "replace"), choice.get("finish_reason") is not None
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            raise EngineError(
                f"{self.name}: answered with what is no OpenAI-style event; is the URL right?"
            ) from None

    def _read(
        self, asked: dict[str, Any], scope: CancelScope, lines: Any, over: threading.Event
    ) -> None:
        """Pass the lines of an answer on, then its end or what went wrong."""
        import httpx2

        for attempt in range(1, TRIES + 1):
            try:
                client = self._ready()
                body = {"model": self._model(client), **asked}
                limit = httpx2.Timeout(min(600.0, scope.remaining_s + 1), connect=CONNECT_S)
                with client.stream(
                    "POST", f"{self.url}/chat/completions", json=body, timeout=limit
                ) as answer:
                    if answer.status_code != 200:
                        lines.put(self._refused(answer))
                        return
                    with closing(answer):
                        for line in answer.iter_lines():
                            if over.is_set() or scope.cancelled or self._closed:
                                return
                            lines.put(line)
                lines.put(_END)
                return
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                if attempt == TRIES or over.wait(0.1 * attempt):
                    lines.put(self._failed("cannot be reached", error))
                    return
            except (httpx2.HTTPError, httpx2.StreamError, httpx2.InvalidURL, OSError) as error:
                lines.put(self._failed("the connection failed", error))
                return
            except (RuntimeError, ValueError, TypeError, LookupError) as error:
                lines.put(self._failed("answered with nonsense", error))
                return

    def _model(self, client: Any) -> str:
        """Return which of the server's models is asked."""
        if not self._wanted:
            listed: Any = {}
            with suppress(ValueError):
                listed = client.get(f"{self.url}/models", timeout=CONNECT_S).json()
            found = listed.get("data") if isinstance(listed, dict) else None
            first = found[0] if isinstance(found, list) and found else {}
            self._wanted = str(first.get("id") or "default") if isinstance(first, dict) else ""
        return self._wanted or "default"

    def _refused(self, answer: Any) -> EngineError:
        """Say why a server did not answer."""
        told = ""
        with suppress(Exception):  # whatever a liar sends instead
            read = json.loads(answer.read()[:MOST_BYTES])
            why = read.get("error", read)
            told = str(why.get("message", "") if isinstance(why, dict) else why)
        hint = {401: "set GLASSES_MODEL_KEY", 403: "set GLASSES_MODEL_KEY", 404: "is it …/v1?"}
        helps = " ".join(told.split())[:200] or hint.get(answer.status_code, "ask again later")
        return EngineError(f"{self.name}: refused with {answer.status_code}: {helps}")

    def _failed(self, what: str, error: Exception) -> EngineError:
        return EngineError(f"{self.name}: {what} ({type(error).__name__}); is the server running?")

    def _ready(self) -> Any:
        with self._lock:
            if self._closed:
                raise RuntimeError("closed")
            if self._client is None:
                import httpx2

                headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
                self._client = httpx2.Client(headers=headers, follow_redirects=False)
            return self._client

    def _check(self, scope: CancelScope) -> None:
        scope.check(self.name)
        if self._closed:
            raise EngineError(f"{self.name}: the model is closed")
