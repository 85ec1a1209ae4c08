"""The language model port: what a skill may ask, and the two models that need no weights.

Synchronous on purpose: actions run in worker threads, and native engines release the GIL.
Standard library only.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, Protocol, runtime_checkable

from agent.errors import EngineError
from agent.messages import CancelScope
from agent.models.llm.schema import parse


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    """Who says it. The last one is the user's, or the assistant's where an answer is to go on."""
    text: str
    """What is said; nothing in it can become another message."""


Prompt = str | Sequence[Message]
"""What a model is asked: a conversation, or the one message of a user."""


def messages_of(prompt: Prompt) -> tuple[Message, ...]:
    """Return a prompt as a conversation."""
    return (Message("user", prompt),) if isinstance(prompt, str) else tuple(prompt)


def as_text(prompt: Prompt) -> str:
    """Return a prompt as one text, for people."""
    if isinstance(prompt, str):
        return prompt
    return "\n".join(f"{message.role}: {message.text}" for message in prompt)


@runtime_checkable
class Model(Protocol):
    """Text in, text out, on whatever runs here.

    Every call takes `max_tokens`, the longest answer (it is cut there); `timeout_s`, for the whole
    call including the wait for another caller; and `cancel`, to call it off from another thread.
    Both end the call within one token. Raises EngineError (no model, too long a prompt, out of
    time, closed) or Cancelled. The answer never contains the model's `<think>` block.
    """

    name: str
    """What `glasses doctor` and error messages call it."""

    def complete(
        self,
        prompt: Prompt,
        *,
        max_tokens: int = 128,
        timeout_s: float = 8.0,
        cancel: CancelScope | None = None,
    ) -> str:
        """Answer the prompt, without surrounding space."""
        ...

    def stream(
        self,
        prompt: Prompt,
        *,
        max_tokens: int = 128,
        timeout_s: float = 8.0,
        cancel: CancelScope | None = None,
    ) -> Iterator[str]:
        """Answer in pieces as they come; joined they are what `complete` returns.

        The model serves nobody else until the iterator is exhausted or dropped.
        """
        ...

    def json(
        self,
        prompt: Prompt,
        schema: Mapping[str, Any],
        *,
        max_tokens: int = 128,
        timeout_s: float = 8.0,
        cancel: CancelScope | None = None,
    ) -> dict[str, Any]:
        """Answer with an object that fits a JSON schema (the keywords of `schema.py`).

        Also raises EngineError when the schema cannot be used or the answer was cut or misfits.
        """
        ...

    def close(self) -> None:
        """Free memory; every later call raises EngineError. Closing twice is fine."""
        ...


def leaves(model: Model) -> bool:
    """Return whether what a model is asked leaves this device, or nobody knows.

    A model says so by `remote`, which is no part of the port; one that does not may be anywhere.
    """
    return bool(getattr(model, "remote", True))


def missing(folder: object = "the models folder") -> str:
    """Say that there is no language model, and where one is looked for."""
    return (
        f"no language model: put a Qwen3 GGUF in {folder} or set GLASSES_MODEL=/path/to.gguf;"
        " `glasses models pull --suitable` gets one"
    )


class NoModel:
    """The model that is not there: every call says what is missing and what to do."""

    name = "none"
    remote = False

    def __init__(self, reason: str = missing()) -> None:
        """`reason` is the whole message, one line."""
        self.reason = reason

    def complete(
        self,
        prompt: Prompt,
        *,
        max_tokens: int = 128,
        timeout_s: float = 8.0,
        cancel: CancelScope | None = None,
    ) -> NoReturn:
        """Raise EngineError."""
        raise EngineError(self.reason)

    def stream(
        self,
        prompt: Prompt,
        *,
        max_tokens: int = 128,
        timeout_s: float = 8.0,
        cancel: CancelScope | None = None,
    ) -> NoReturn:
        """Raise EngineError, at once rather than at the first piece."""
        raise EngineError(self.reason)

    def json(
        self,
        prompt: Prompt,
        schema: Mapping[str, Any],
        *,
        max_tokens: int = 128,
        timeout_s: float = 8.0,
        cancel: CancelScope | None = None,
    ) -> NoReturn:
        """Raise EngineError."""
        raise EngineError(self.reason)

    def close(self) -> None:
        """Nothing to free."""


class ScriptedModel:
    """The double for tests: answers from a queue and remembers what it was asked.

    A reply is a text, an object (for `json`; a text is parsed), or an error to raise. It is not
    cut at `max_tokens`: the test wrote it.
    """

    name = "scripted"
    remote = False

    def __init__(self, replies: Iterable[str | Mapping[str, Any] | Exception] = ()) -> None:
        """Queue `replies`, first in, first out."""
        self.replies = deque(replies)
        self.prompts: list[str] = []
        """What it was asked; a conversation with each message's role before it."""
        self._closed = False

    def _next(self, prompt: Prompt, scope: CancelScope) -> str:
        self.prompts.append(as_text(prompt))
        if self._closed:
            raise EngineError("scripted: the model is closed")
        scope.check(self.name)
        if not self.replies:
            raise EngineError(f"scripted: no reply queued for prompt {len(self.prompts)}")
        reply = self.replies.popleft()
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, str) else json.dumps(reply, ensure_ascii=False)

    def complete(
        self,
        prompt: Prompt,
        *,
        max_tokens: int = 128,
        timeout_s: float = 8.0,
        cancel: CancelScope | None = None,
    ) -> str:
        """Return the next reply. Raises it if it is an error, EngineError if there is none."""
        return self._next(prompt, (cancel or CancelScope()).within(timeout_s)).strip()

    def stream(
        self,
        prompt: Prompt,
        *,
        max_tokens: int = 128,
        timeout_s: float = 8.0,
        cancel: CancelScope | None = None,
    ) -> Iterator[str]:
        """Yield the next reply word by word, looking at `cancel` before each."""
        scope = (cancel or CancelScope()).within(timeout_s)
        for piece in re.findall(r"\s*\S+", self._next(prompt, scope).strip()):
            scope.check(self.name)
            yield piece

    def json(
        self,
        prompt: Prompt,
        schema: Mapping[str, Any],
        *,
        max_tokens: int = 128,
        timeout_s: float = 8.0,
        cancel: CancelScope | None = None,
    ) -> dict[str, Any]:
        """Return the next reply as an object. Raises EngineError when it misfits the schema."""
        return parse(self._next(prompt, (cancel or CancelScope()).within(timeout_s)), schema)

    def close(self) -> None:
        """Refuse every later call."""
        self._closed = True
