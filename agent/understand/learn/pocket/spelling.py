"""The tokenizer of a pocket model: byte pairs, learnt from samples, with the layout's tokens.

The pre-tokenizer is llama.cpp's `qwen2`, so both sides cut alike. While learning, Chinese
characters are kept apart: no token holds two of them, and a slot can begin at any. In training some
words are spelled with merges left out (BPE dropout, https://arxiv.org/abs/1910.13267), so that the
model copies tokens it seldom sees.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from agent.understand.learn.pocket.data import Sample
from agent.understand.pocket.layout import CLOSE, CONTROL, EMPTY, END, START, STOP, Layout
from agent.understand.pocket.reading import is_chinese

# llama.cpp's LLAMA_VOCAB_PRE_TYPE_QWEN2 (src/llama-vocab.cpp).
_QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
DROPOUT = 0.15
"""Chance of a merge to be left out, in the words that are spelled anew."""

MERGES = 2600
"""Merges learnt at most: byte pairs that become tokens."""

_CACHED = 100_000


@dataclass(frozen=True, slots=True)
class Encoded:
    """A sample in tokens."""

    prompt: list[int]
    """`<|im_start|>` utterance `<|im_end|>`."""
    answer: list[int]
    """The call and the end of text."""


class Spelling:
    """Spells samples for a layout."""

    def __init__(self, layout: Layout, model: str) -> None:
        """`model` is what `learn` returned."""
        from tokenizers import Tokenizer

        self.layout, self.model = layout, model
        self._sure = Tokenizer.from_str(model)
        loose: Any = Tokenizer.from_str(model)
        loose.model.dropout = DROPOUT
        self._loose = loose
        plain: dict[str, int] = self._sure.get_vocab(with_added_tokens=False)
        self.texts = [*CONTROL, *layout.pieces, *sorted(plain, key=lambda text: plain[text])]
        """Every token's text in the order of the ids; plain ones in the byte alphabet of GPT-2."""
        self._shift = len(CONTROL) + len(layout.pieces)
        ids = {text: number for number, text in enumerate(self.texts[: self._shift])}
        self._start, self._end, self._stop = ids[START], ids[END], ids[STOP]
        self._empty, self._close = ids[EMPTY], ids[CLOSE]
        self.intents = {name: ids[text] for name, text in layout.names.items()}
        """Token by intent."""
        self._first = {key: ids[text] for key, text in layout.first.items()}
        self._later = {key: ids[text] for key, text in layout.later.items()}
        self._cache: dict[str, list[int]] = {}

    @property
    def merges(self) -> list[str]:
        """Merges as GGUF has them: `a b`."""
        found = json.loads(self.model)["model"]["merges"]
        return [one if isinstance(one, str) else " ".join(one) for one in found]

    @property
    def special(self) -> int:
        """How many tokens come before the plain ones."""
        return self._shift

    def word(self, text: str, loose: bool = False) -> list[int]:
        """Return the tokens of one word, as it stands in a prompt."""
        spelled = text if is_chinese(text) else f" {text}"
        if loose:
            return self._ids(self._loose, spelled)
        found = self._cache.get(spelled)
        if found is None:
            found = self._ids(self._sure, spelled)
            if len(self._cache) < _CACHED:
                self._cache[spelled] = found
        return found

    def _ids(self, tokenizer: Any, text: str) -> list[int]:
        encoded: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return [number + self._shift for number in encoded]

    def prompt(self, words: Sequence[str]) -> list[int]:
        """Return the prompt that words make."""
        return [self._start, *(token for w in words for token in self.word(w)), self._end]

    def encode(self, sample: Sample, loose: bool = False) -> Encoded:
        """Spell a sample; `loose` spells every other word anew, the same in prompt and call."""
        prompt = [self._start]
        slots: dict[str, list[int]] = {}
        for at, (word, slot) in enumerate(sample.words):
            tokens = self.word(word, loose and (at + len(word)) % 2 == 0)
            prompt += tokens
            if slot:
                slots.setdefault(slot, []).extend(tokens)
        answer = [self.intents[sample.intent]]
        for number, (slot, tokens) in enumerate(slots.items()):
            answer += [(self._later if number else self._first)[slot], *tokens]
        answer += [self._close if slots else self._empty, self._stop]
        return Encoded([*prompt, self._end], answer)


def learn(samples: Iterable[Sample], merges: int = MERGES) -> str:
    """Learn byte pairs from the words of samples; return the tokenizer as JSON."""
    from tokenizers import pre_tokenizers, trainers

    tokenizer = empty()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=len(alphabet) + merges, initial_alphabet=alphabet, show_progress=False
    )
    texts = (
        "".join(word if is_chinese(word) else f" {word}" for word, _ in sample.words)
        for sample in samples
    )
    tokenizer.train_from_iterator(texts, trainer)
    return str(tokenizer.to_str())


def empty() -> Any:
    """Return a tokenizer that has learnt nothing yet."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    tokenizer: Any = Tokenizer(models.BPE())
    cut = pre_tokenizers.Split(Regex(_QWEN2), "isolated")
    apart = pre_tokenizers.Split(Regex(r"[\u3400-\u9fff\uf900-\ufaff]"), "isolated")
    spell = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([cut, apart, spell])
    return tokenizer
