"""What of a growing hypothesis will stay: local agreement.

A decoder that hears a longer and longer piece of the same utterance changes its mind about the last
words, whose sound was cut off. What two hypotheses in a row begin with is kept: LocalAgreement-2 of
Liu, Spanakis and Niehues 2020 ("Low-latency sequence-to-sequence speech recognition and translation
by partial hypothesis selection"), the policy of Macháček, Dabre and Bojar 2023 ("Turning Whisper
into real-time transcription system").
"""

from __future__ import annotations

import re

_HAN = r"\u3400-\u9fff\uf900-\ufaff"
_LETTER = rf"[^\W{_HAN}]"
UNIT = re.compile(rf"[{_HAN}]|{_LETTER}(?:(?:{_LETTER}|['’.,:-])*{_LETTER})?")
"""What is compared: a Chinese character, or a word without the punctuation around it."""


class StablePrefix:
    """The prefix that the last two hypotheses of one utterance agree on.

    Punctuation and capitals, which change with what follows, are not compared.
    """

    def __init__(self) -> None:
        self._before: list[str] = []

    def push(self, text: str) -> str:
        """Take the newest hypothesis and return as much of it as the one before began with too.

        It may be shorter than what the call before returned, when the decoder changed its mind.
        """
        units = list(UNIT.finditer(text))
        words = [unit[0].casefold() for unit in units]
        end = 0
        for unit, word, before in zip(units, words, self._before, strict=False):
            if word != before:
                break
            end = unit.end()
        self._before = words
        return text[:end].strip()
