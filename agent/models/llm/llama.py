"""A GGUF model through llama.cpp, behind the `Model` port: one caller at a time, on the clock.

The prompt is a conversation, or one user message. It is wrapped in the model's own chat template
with thinking off, and each message is tokenized apart from the template: no text in it, wherever it
came from, can become a control token such as `<|im_end|>` and start a turn of its own.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from agent.errors import Cancelled, EngineError
from agent.messages import CancelScope
from agent.models.llm.model import Prompt, messages_of
from agent.models.llm.native import Native
from agent.models.llm.options import LlamaOptions
from agent.models.llm.prefix import LEAST_TOKENS, Prefixes, identity
from agent.models.llm.sampling import gbnf
from agent.models.llm.schema import check_schema, parse
from agent.models.llm.visible import visible

_FRAMES = 32  # shapes of conversations whose frames are kept
_WAIT_S = 0.02  # how often a caller who waits for the model looks whether it was cancelled
_PLACE = "[[message {at}]]"


class LlamaModel:
    """A `Model` on a GGUF file, loaded at the first call or, ahead of it, by `load`.

    Loading itself is not interrupted: a first call may find its time spent, the next one will not.
    """

    def __init__(self, path: Path, options: LlamaOptions | None = None) -> None:
        """Name the file; nothing is opened yet."""
        self.name = path.stem
        self._path = path
        self._options = options or LlamaOptions()
        self.remote = self._options.leaves
        """Whether what it is asked leaves this machine."""
        self._lock = threading.Lock()
        self._native: Native | None = None
        self._frames: dict[tuple[str, ...], list[list[int]]] = {}
        self._prefixes: Prefixes | None = None
        self._closed = False

    @property
    def memory_mb(self) -> float:
        """About what it takes of the memory once it is loaded, in MiB."""
        try:
            return self._path.stat().st_size / 2**20 * 1.2
        except OSError:
            return 0.0

    def load(self) -> None:
        """Load ahead of the first call. Raises EngineError when the file cannot be used."""
        self._acquire(CancelScope())
        try:
            self._ready()
        finally:
            self._release()

    def complete(
        self,
        prompt: Prompt,
        *,
        max_tokens: int = 128,
        timeout_s: float = 8.0,
        cancel: CancelScope | None = None,
    ) -> str:
        """Answer the prompt; see `Model`. The context's end cuts the answer like `max_tokens`."""
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
        """Answer in pieces as they come; see `Model`. Never splits a character."""
        scope = (cancel or CancelScope()).within(timeout_s)
        return visible(self._pieces(prompt, None, max_tokens, scope))

    def json(
        self,
        prompt: Prompt,
        schema: Mapping[str, Any],
        *,
        max_tokens: int = 128,
        timeout_s: float = 8.0,
        cancel: CancelScope | None = None,
    ) -> dict[str, Any]:
        """Answer with an object, token by token bound to the schema's grammar; see `Model`."""
        scope = (cancel or CancelScope()).within(timeout_s)
        check_schema(schema)
        raw = b"".join(self._pieces(prompt, json.dumps(schema), max_tokens, scope))
        return parse(raw.decode("utf-8", "ignore"), schema)

    def unload(self) -> None:
        """Free the memory until the next call, unless one is in progress."""
        self._free_if_idle()

    def close(self) -> None:
        """Free the memory, at once or as soon as the call in progress has noticed."""
        self._closed = True
        self._free_if_idle()

    # -- one answer

    def _pieces(
        self, prompt: Prompt, schema: str | None, max_tokens: int, scope: CancelScope
    ) -> Generator[bytes]:
        """Yield the bytes of each token of the answer, holding the engine meanwhile."""
        self._acquire(scope)
        try:
            native = self._ready()
            tokens, begins = self._wrap(native, prompt)
            self._begin(native, tokens[:begins], scope)
            self._decode(native, tokens, scope)
            with closing(native.picker(schema and gbnf(schema))) as picker:
                for room in reversed(range(min(max_tokens, native.context_tokens - len(tokens)))):
                    self._check(scope)
                    token = picker.pick()
                    if native.ends(token):
                        return
                    yield native.piece(token)
                    if room:
                        native.decode([token])
        finally:
            self._release()

    def _begin(self, native: Native, tokens: list[int], scope: CancelScope) -> None:
        """Have what a prompt begins with in the context, evaluated now or at another time."""
        if len(tokens) < LEAST_TOKENS or native.shared(tokens) == len(tokens):
            return
        assert self._prefixes is not None
        found = self._prefixes.find(tokens)
        if found is not None and found[0] > native.shared(tokens):
            length, state = found
            if native.restore(tokens[:length], state) and length == len(tokens):
                return
        try:
            self._decode(native, tokens, scope)
        except (EngineError, Cancelled):  # what has been done of it is not done again
            done = native.shared(tokens)
            if done >= LEAST_TOKENS:
                self._prefixes.keep(tokens[:done], native.state(), whole=False)
            raise
        self._prefixes.keep(tokens, native.state())

    def _decode(self, native: Native, tokens: list[int], scope: CancelScope) -> None:
        """Evaluate what is not in the context yet, looking at the clock in between."""
        for start in range(native.rewind(tokens), len(tokens), self._options.batch_tokens):
            self._check(scope)
            native.decode(tokens[start : start + self._options.batch_tokens])

    def _wrap(self, native: Native, prompt: Prompt) -> tuple[list[int], int]:
        """Return the tokens of a prompt, and how many of them stand before the wearer's words."""
        messages = messages_of(prompt)
        goes_on = len(messages) > 1 and messages[-1].role == "assistant"
        framed = messages[:-1] if goes_on else messages
        frame = self._frame(native, tuple(message.role for message in framed))
        tokens, begins = [*frame[0]], 0
        for message, after in zip(framed, frame[1:], strict=True):
            tokens += [*native.tokenize(message.text.strip()), *after]
            begins = begins or (len(tokens) if message.role == "system" else 0)
        if goes_on:
            tokens += native.tokenize(messages[-1].text)
        if len(tokens) >= native.context_tokens:
            raise EngineError(
                f"{self.name}: the prompt is {len(tokens)} tokens long and at most "
                f"{native.context_tokens - 1} fit; ask about less text"
            )
        if not tokens:
            raise EngineError(f"{self.name}: the prompt is empty")
        return tokens, begins

    def _frame(self, native: Native, roles: tuple[str, ...]) -> list[list[int]]:
        """Return the tokens around the messages of a conversation, in order."""
        if roles not in self._frames:
            if len(self._frames) >= _FRAMES:
                self._frames.clear()
            self._frames[roles] = _chat_frame(native, self.name, roles)
        return self._frames[roles]

    def _check(self, scope: CancelScope) -> None:
        scope.check(self.name)
        if self._closed:
            raise EngineError(f"{self.name}: the model is closed")

    # -- the engine and its lock

    def _acquire(self, scope: CancelScope) -> None:
        self._check(scope)
        while not self._lock.acquire(timeout=min(_WAIT_S, scope.remaining_s)):
            self._check(scope)

    def _release(self) -> None:
        self._lock.release()
        if self._closed:
            self._free_if_idle()

    def _free_if_idle(self) -> None:
        if self._lock.acquire(blocking=False):
            if self._native is not None:
                self._native.close()
                self._native = None
            self._lock.release()

    def _ready(self) -> Native:
        """Return the engine, loaded now if it was not. Call with the lock held."""
        if self._closed:
            raise EngineError(f"{self.name}: the model is closed")
        if self._native is None:
            native = Native(self._path, self._options)
            try:
                self._frames = {("user",): _chat_frame(native, self.name, ("user",))}
            except EngineError:
                native.close()
                raise
            on = f"{self._options.gpu_layers} {self._options.device_name}".strip()
            shape = f"{native.context_tokens} {on}"
            belongs = identity(self._path, native.build, shape)
            self._prefixes = Prefixes(belongs, self._options.prefixes)
            self._native = native
        return self._native


def _chat_frame(native: Native, name: str, roles: Sequence[str]) -> list[list[int]]:
    """Return the tokens that the chat template puts before, between and after messages.

    A model without a template gets the bare messages, a line each, and continues them.
    """
    template = native.chat_template
    if template is None:
        between = native.tokenize("\n") if len(roles) > 1 else []
        return [native.tokenize("", start=True), *([between] * (len(roles) - 1)), []]
    text = _rendered(template, name, roles)
    pieces = []
    for at in range(len(roles)):
        before, found, text = text.partition(_PLACE.format(at=at))
        if not found:
            raise EngineError(f"{name}: its chat template leaves out the message")
        pieces.append(before)
    if text.rstrip().endswith("<think>"):
        # Templates of thinking-only models open the block themselves; nobody waits for that here.
        text = f"{text.rstrip()}\n\n</think>\n\n"
    first, *others = (*pieces, text)
    return [
        native.tokenize(first, special=True, start=True),
        *(native.tokenize(other, special=True) for other in others),
    ]


def _rendered(template: str, name: str, roles: Sequence[str]) -> str:
    """Return a template filled with a place for each message. Raises EngineError."""
    from jinja2 import TemplateError
    from llama_cpp.llama_chat_format import Jinja2ChatFormatter

    try:
        render = Jinja2ChatFormatter(template=template, eos_token="", bos_token="")
        # Qwen3's template knows `enable_thinking`; others ignore it.
        messages: Any = [
            {"role": role, "content": _PLACE.format(at=at)} for at, role in enumerate(roles)
        ]
        return str(render(messages=messages, enable_thinking=False).prompt)
    except (TemplateError, ValueError, TypeError, LookupError) as error:
        raise EngineError(f"{name}: its chat template fails ({error})") from None
