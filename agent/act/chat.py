"""Chat: what a language model knows, said in short sentences and shown word by word.

The conversation so far goes with each question ("who wrote Hamlet?" – "when was he born?"). An
answer may begin while the wearer may still go on talking; it is called off if they do. The pocket
Qwen is not asked: it routes and fills slots, and has nothing to say.
"""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agent.errors import Cancelled, EngineError
from agent.messages import CancelScope
from agent.models.llm import prompts
from agent.models.llm.model import Message, Model

MAX_TOKENS = 96
"""Longest piece of an answer; with "more" it goes on."""
MERGED = 8
"""Tokens that may be missing among the pieces of a cut answer: one character is one piece."""
TIMEOUT_S = 20.0
"""Longest an answer may take, even from a small model on a slow core."""
HOLD_S = 3.0
"""Longest a token waits for a speaker: a room that is never quiet must not end an answer."""
KEPT = 5
"""Most questions and answers that go with the next one. Beyond, all but the last are forgotten at
once: what a prompt begins with stays the same meanwhile, and need not be evaluated again."""
KEPT_S = 300.0
"""How long a conversation is remembered."""
MOST = 1200
"""Most characters of what was said before that go with a question: they have to fit its context."""

_PART = re.compile(
    r"(^|[\s\u3000-\u303f\u3400-\u9fff\uff00-\uffef])[^\s\u3000-\u9fff\uff00-\uffef]*$"
)
"""The end of a text that may still be half a word; a Chinese character is a whole one."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question, and what was answered."""

    question: str
    """As it was asked."""
    answer: str
    """What the model said so far."""
    language: str
    """Language of both."""
    at_s: float
    """When, on the loop's clock."""
    whole: bool = True
    """Whether it was said to its end."""


class Talk:
    """The conversation with the model, for as long as it is fresh."""

    def __init__(self) -> None:
        """Begin without one."""
        self._said: list[Exchange] = []
        self._last: Exchange | None = None

    def forget(self) -> None:
        """Begin anew."""
        self._said.clear()
        self._last = None

    def fresh(self, now_s: float, language: str) -> tuple[Exchange, ...]:
        """Return what was said in a language and is still remembered, the oldest first."""
        if not self._said or now_s - self._said[-1].at_s > KEPT_S:
            return ()
        return tuple(self._said) if self._said[-1].language == language else ()

    def add(self, exchange: Exchange) -> None:
        """Remember one more; one that went on takes the place of what it was before."""
        said, self._last = self._said, exchange
        if said and (
            exchange.at_s - said[-1].at_s > KEPT_S or said[-1].language != exchange.language
        ):
            said.clear()
        if said and said[-1].question == exchange.question:
            said.pop()
        said.append(exchange)
        if len(said) > KEPT or sum(len(one.question + one.answer) for one in said) > MOST:
            del said[: -1 if len(exchange.answer) < MOST else None]

    def unfinished(self, now_s: float) -> Exchange | None:
        """Return the last answer, if it was cut and can go on."""
        last = self._last
        if last is None or last.whole or now_s - last.at_s > KEPT_S:
            return None
        return last


def asked(
    talk: Talk, question: str, language: str, now_s: float, notes: Sequence[str] = ()
) -> tuple[Message, ...]:
    """Return a question as the model is asked it, after what was said before.

    `notes` are what the wearer had remembered and may matter: they go with it, marked as theirs.
    """
    system = Message("system", prompts.render("answer", language))
    before = []
    for one in talk.fresh(now_s, language):
        before += [Message("user", one.question), Message("assistant", one.answer)]
    if notes:
        question = prompts.render("known", language, notes="\n".join(notes), question=question)
    return (system, *before, Message("user", question))


def going_on(talk: Talk, exchange: Exchange) -> tuple[Message, ...]:
    """Return what a model is asked to go on with an answer that was cut."""
    system = Message("system", prompts.render("answer", exchange.language))
    return (system, Message("user", exchange.question), Message("assistant", exchange.answer))


def readable(text: str) -> str:
    """Return a growing answer without its last word, which may be half of one."""
    return _PART.sub(r"\1", text).rstrip()


class Answer:
    """An answer of the model's, as it comes."""

    def __init__(self, model: Model, messages: tuple[Message, ...], question: str = "") -> None:
        """Begin to ask, on a thread of its own; `question` is what the wearer said."""
        self.model = model
        self.question = question
        self.messages = messages
        self.text = ""
        """What has come so far."""
        self.whole = True
        """Whether the model came to its end; False where it was cut."""
        self.cut = False
        """Whether it gave way to what the wearer said meanwhile."""
        self._loop = asyncio.get_running_loop()
        self._scope = CancelScope()
        self._goes_on = threading.Event()
        self._goes_on.set()
        self._show: Callable[[str], None] | None = None
        self._kept = False
        self._shown = ""
        self._task = asyncio.create_task(asyncio.to_thread(self._work))

    def _work(self) -> EngineError | Cancelled | None:
        pieces = 0
        try:
            for piece in self.model.stream(
                self.messages, max_tokens=MAX_TOKENS, timeout_s=TIMEOUT_S, cancel=self._scope
            ):
                pieces += 1
                self.text += piece
                self._goes_on.wait(HOLD_S)
                if self._show is not None:
                    self._loop.call_soon_threadsafe(self._grown)
        except (EngineError, Cancelled) as error:
            if self.cut:
                self.whole = False
                return None
            return error
        self.whole = pieces < MAX_TOKENS - MERGED
        return None

    def _grown(self) -> None:
        """Show what can be read of it, unless nothing was added."""
        text = readable(self.text)
        if self._show is not None and text and text != self._shown:
            self._shown = text
            self._show(text)

    def hold(self, still: bool) -> None:
        """Leave the cores to who listens while somebody speaks, `HOLD_S` a token at most."""
        (self._goes_on.clear if still else self._goes_on.set)()

    def give_way(self) -> None:
        """End it within a token: the wearer has gone on. What has come stays, and can go on."""
        self.cut = True
        self._goes_on.set()
        self._scope.cancel()

    def drop(self) -> None:
        """Call it off: the wearer went on, or meant something else. A kept one goes on."""
        if not self._kept:
            self._scope.cancel()

    async def keep(self, show: Callable[[str], None]) -> str:
        """Return the whole of it; `show` is given it as it grows.

        Raises EngineError or Cancelled.
        """
        self._kept, self._show = True, show
        self._grown()
        try:
            error = await asyncio.shield(self._task)
        except asyncio.CancelledError:
            self._show = None
            self._scope.cancel()  # the thread cannot be ended, but the model can
            raise
        self._show = None
        if error is not None:
            raise error
        return self.text.strip()
