"""What happens to a sentence on its way from the template to the model.

People are polite, hesitate, repeat themselves and choose other words; recognisers drop small
words. A sentence is a list of words, each with the slot it belongs to ("" for none); only words of
no slot are changed, so the slots stay right. The expressions are in `speech/<language>.yaml`.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

Tagged = tuple[str, str]
"""A word as the model reads it, and its slot."""

Unit = Callable[[str], list[str]]

_FOLDER = Path(__file__).with_name("speech")


class Noise:
    """Blurs sentences of one language; words come from `split`, which cuts a text into them."""

    def __init__(self, language: str, split: Unit) -> None:
        """Read the expressions of a language; one without any gets only repeats and drops."""
        import yaml

        path = _FOLDER / f"{language}.yaml"
        read: dict[str, Any] = yaml.safe_load(path.read_text("utf-8")) if path.is_file() else {}

        def phrases(key: str) -> list[list[str]]:
            return [words for one in read.get(key, ()) if (words := split(one))]

        self._before, self._after = phrases("before"), phrases("after")
        self._before_request = phrases("before_request")
        self._before_question = phrases("before_question")
        self._fillers = phrases("fillers")
        self.polite = frozenset(one[0] for one in (*self._before, *self._after) if len(one) == 1)
        """Single words that are put around a sentence."""
        self._reasons = phrases("reasons")
        self._small = frozenset(read.get("small", ()))
        self._asking = frozenset(read.get("asking", ()))
        self._heard: dict[str, list[str]] = read.get("heard", {})
        self._same: dict[str, list[tuple[list[str], list[list[str]]]]] = defaultdict(list)
        for line in read.get("same", ()):
            group = [split(one) for one in line]
            for one in filter(None, group):
                self._same[one[0]].append((one, [other for other in group if other != one]))
        for options in self._same.values():
            options.sort(key=lambda pair: -len(pair[0]))

    def blur(self, sentence: list[Tagged], rng: random.Random) -> list[Tagged]:
        """Return the sentence as somebody might have said it and a recogniser heard it."""
        if rng.random() < 0.45:
            sentence = self._reword(sentence, rng)
        if rng.random() < 0.12:
            sentence = self._drop(sentence, rng)
        if rng.random() < 0.06:
            sentence = self._mishear(sentence, rng)
        if rng.random() < 0.35:
            sentence = self.frame(sentence, rng)
        if self._reasons and rng.random() < 0.06:
            reason = _plain(rng.choice(self._reasons))
            first = rng.random() < 0.7 or bool(sentence[-1][1])  # a slot may seem to go on
            sentence = [*reason, *sentence] if first else [*sentence, *reason]
        if rng.random() < 0.05:
            sentence = self._repeat(sentence, rng)
        if self._fillers and rng.random() < 0.07:
            at = rng.randrange(len(sentence) + 1)
            inside = 0 < at < len(sentence) and sentence[at - 1][1] and sentence[at][1]
            if not inside:
                sentence = [*sentence[:at], *_plain(rng.choice(self._fillers)), *sentence[at:]]
        return sentence

    def _reword(self, sentence: list[Tagged], rng: random.Random) -> list[Tagged]:
        """Say some expressions with other words."""
        said: list[Tagged] = []
        at = 0
        while at < len(sentence):
            for words, others in self._same.get(sentence[at][0], ()):
                piece = sentence[at : at + len(words)]
                if piece == _plain(words) and rng.random() < 0.35:
                    said += _plain(rng.choice(others))
                    at += len(words)
                    break
            else:
                said.append(sentence[at])
                at += 1
        return said if any(not slot for _, slot in said) else sentence

    def frame(self, sentence: list[Tagged], rng: random.Random) -> list[Tagged]:
        """Put politeness around it."""
        if rng.random() < 0.65 and self._before:
            asks = sentence[0][0] in self._asking
            fitting = self._before_question if asks else self._before_request
            before = rng.choice(fitting if rng.random() < 0.6 else self._before)
            sentence = [*_plain(before), *sentence]
            if rng.random() < 0.15:
                sentence = [*_plain(rng.choice(self._before)), *sentence]
        if rng.random() < 0.45 and self._after:
            sentence = [*sentence, *_plain(rng.choice(self._after))]
        return sentence

    def _drop(self, sentence: list[Tagged], rng: random.Random) -> list[Tagged]:
        """Lose a small word, seldom another."""
        plain = [at for at, (_, slot) in enumerate(sentence) if not slot]
        small = [at for at in plain if sentence[at][0] in self._small]
        chosen = small if small and rng.random() < 0.85 else plain
        if len(plain) < 3 or not chosen:
            return sentence
        lost = rng.choice(chosen)
        return [*sentence[:lost], *sentence[lost + 1 :]]

    def _mishear(self, sentence: list[Tagged], rng: random.Random) -> list[Tagged]:
        """Hear small words as others that sound like them."""
        return [
            (rng.choice(self._heard[word]), "")
            if not slot and word in self._heard and rng.random() < 0.4
            else (word, slot)
            for word, slot in sentence
        ]

    def _repeat(self, sentence: list[Tagged], rng: random.Random) -> list[Tagged]:
        """Say a word, or the first two, twice."""
        plain = [at for at, (_, slot) in enumerate(sentence) if not slot]
        if not plain:
            return sentence
        at = rng.choice(plain)
        return [*sentence[: at + 1], *sentence[at:]]


def _plain(words: list[str]) -> list[Tagged]:
    return [(word, "") for word in words]
