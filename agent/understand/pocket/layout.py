"""What the tokens of a pocket model mean beyond plain text.

A sample is `<|im_start|>` utterance `<|im_end|>` and the call as JSON, whose fixed parts are one
token each:

    {"name":"pay.pay   ","arguments":{"payee":"   anna   ","amount":"   ten dollars   "}}

So the token after the utterance is the action, and its probabilities are those of the actions.
llama-cpp-python loses tokens of more than 32 bytes, so a long name is cut and marked in the token's
text; the table in the model's header, not the text, says which action or slot it is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

START, END, STOP = "<|im_start|>", "<|im_end|>", "<|endoftext|>"
CONTROL = (STOP, START, END)
"""Control tokens, in the order of their ids, the first of the vocabulary."""

NONE = "none"
"""The intent of what is no installed action's."""

EMPTY = '","arguments":{}}'
"""Ends a call without slots."""
CLOSE = '"}}'
"""Ends a call with slots."""

MAX_BYTES = 32
"""Longest token: `detokenize` of llama-cpp-python 0.3 drops longer ones without a word."""

HEADER = "glasses.layout"
"""Key of the table in the GGUF header."""

CHAT_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'user' and loop.last %}"
    "{{ '<|im_start|> ' + message['content'] + '<|im_end|>' }}{% endif %}{% endfor %}"
)
"""Renders the last user message as the model was trained; it knows no other roles or turns."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The actions that a model knows, and their tokens."""

    slots: Mapping[str, tuple[str, ...]]
    """Slot names by action, `none` among them."""
    sentences: str = ""
    """Fingerprint of the sentences it was trained on."""
    holdout: float = 0.0
    """Share of the templates that were kept from training."""
    names: Mapping[str, str] = field(init=False)
    """Token text by action."""
    first: Mapping[str, str] = field(init=False)
    """Token text that opens the first slot, by slot name."""
    later: Mapping[str, str] = field(init=False)
    """Token text that opens a further slot, by slot name."""

    def __post_init__(self) -> None:
        """Make the tokens' texts."""
        keys = sorted({slot for slots in self.slots.values() for slot in slots})
        texts = {name: _token('{"name":"', name, "") for name in self.slots}
        object.__setattr__(self, "names", texts)
        opened = {key: _token('","arguments":{"', key, '":"') for key in keys}
        object.__setattr__(self, "first", opened)
        object.__setattr__(self, "later", {key: _token('","', key, '":"') for key in keys})

    @property
    def pieces(self) -> list[str]:
        """Every token of the call's fixed parts, in the order of their ids."""
        return [*self.names.values(), *self.first.values(), *self.later.values(), EMPTY, CLOSE]

    def dump(self) -> str:
        """Return the table for the header."""
        return json.dumps(
            {"slots": self.slots, "sentences": self.sentences, "holdout": self.holdout}
        )

    @classmethod
    def load(cls, header: str) -> Layout:
        """Read a table from a header. Raises ValueError when it is none."""
        try:
            read = json.loads(header)
            slots = {name: tuple(slots) for name, slots in read["slots"].items()}
            return cls(slots, str(read["sentences"]), float(read["holdout"]))
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"not a table of actions ({error})") from None


def _token(before: str, name: str, after: str) -> str:
    """Return a token's text within MAX_BYTES; a name that was cut ends in a mark of its own."""
    room = MAX_BYTES - len(before) - len(after)
    if len(name.encode()) <= room:
        return before + name + after
    mark = "~" + hashlib.sha256(name.encode()).hexdigest()[:5]
    cut = name.encode()[: room - len(mark)].decode("utf-8", "ignore")
    return before + cut + mark + after


def fingerprint(lines: Iterable[str]) -> str:
    """Return the fingerprint of training sentences, whatever their order."""
    return hashlib.sha256("\n".join(sorted(set(lines))).encode()).hexdigest()[:16]
