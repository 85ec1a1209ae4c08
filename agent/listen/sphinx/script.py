"""Following a text that is read aloud: the text is the grammar, each of its words a state.

    word 0 ─▶ word 1 ─▶ word 2 ─▶ …      read on: likely
       ╰──▶ a word left out, or said again ─▶ unlikely
       ╰──▶ the beginning of another line ─▶ rarely, near lines before far ones

Each place of the text is a word of its own for the decoder, however often it stands there, so that
what is recognised says where it is. English by its dictionary, Chinese syllable by syllable in the
phones that an English model has (as in `mandarin.dict`). What is no part of the text fits badly and
moves nothing: a jump counts only once some words in a row fit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from agent.language.pronounce import pronounce
from agent.listen.sphinx.confidence import Reading
from agent.listen.sphinx.decoder import decoder
from agent.listen.sphinx.engine import FEED_BYTES, LANGUAGE_WEIGHT

WORD = re.compile(r"[㐀-鿿]|[A-Za-z0-9][\w'’.,]*(?<=\w)|\d+")
"""What is read as one: a Chinese character, or a word."""

MOST_WORDS = 4000
"""Longest text that is followed: half an hour of reading."""
ON, LEFT_OUT, AGAIN = 0.9, 0.02, 0.005
"""How likely the next word follows, one is left out, or said again."""
JUMP = 3e-4
"""How likely it goes on at the beginning of another line."""
NEAR, FARTHER, FAR = (2, 0.3), (8, 0.1), 0.03
"""How likely that is one of so many lines away, beside the others."""
SURE_WORDS = 4
"""Words in a row that a jump is believed by; of Chinese syllables twice as many."""
FITS = -4.0
"""Nats a frame that they fit at least: commands fit by -2.1, other speech by -5.3."""
RESTART_FRAMES = 800
"""How long the decoder follows before it begins anew in a pause, in frames of 10 ms: its history
grows."""
PAUSE_FRAMES = 20
"""Frames without a word that are a pause."""
LONGEST_FRAMES = 3000
"""How long it follows at most, pause or not."""


class Script:
    """Follows one text; on any one thread."""

    def __init__(self, lines: Sequence[str]) -> None:
        """Learn the text, line by line; some 0.3 s for 600 words.

        Raises EngineError without pocketsphinx, ValueError for a text without words or too long.
        """
        self._words = [word for line in lines for word in WORD.findall(line)]
        self._line = [at for at, line in enumerate(lines) for _ in WORD.findall(line)]
        if not 0 < len(self._words) <= MOST_WORDS:
            raise ValueError(f"a text to follow has 1 to {MOST_WORDS} words")
        begins = [0, *(n for n, (a, b) in enumerate(pairwise(self._line), 1) if a != b)]
        self._begins = begins
        self._decoder = decoder(beam=1e-60, pbeam=1e-60, wbeam=1e-40, maxhmmpf=4000)
        for place, ways in enumerate(_sounds(self._words)):
            for number, phones in enumerate(ways, 1):
                name = f"w{place}" if number == 1 else f"w{place}({number})"
                self._decoder.add_word(name, phones, False)
        self._graphs = 0
        self.place = -1
        """The word that was read last, from 0; -1 before the first."""
        self._start()

    @property
    def line(self) -> int:
        """The line that is being read, from 0."""
        return self._line[max(0, self.place)]

    def move(self, line: int) -> None:
        """Go on reading at a line."""
        there = [place for place in self._begins if self._line[place] >= line]
        self.place = (there[0] if there else len(self._words)) - 1
        self._decoder.end_utt()
        self._start()

    def feed(self, pcm: bytes) -> int:
        """Hear the next 16 kHz mono 16-bit samples; return the line that is being read."""
        for at in range(0, len(pcm), FEED_BYTES):
            self._decoder.process_raw(pcm[at : at + FEED_BYTES])
            self._frames += len(pcm[at : at + FEED_BYTES]) // 320
        read = [one for one in self._decoder.seg() or () if one.word.startswith("w")]
        if read:
            self._follow(read)
        quiet = self._frames - (read[-1].end_frame if read else 0)
        paused = quiet >= PAUSE_FRAMES and self._frames >= RESTART_FRAMES
        if paused or self._frames >= LONGEST_FRAMES:
            self._decoder.end_utt()
            self._start()
        return self.line

    def _follow(self, read: list[Any]) -> None:
        """Move to the last word, unless it is a jump that too little speaks for."""
        place = _place(read[-1].word)
        if abs(self._line[place] - self.line) > 1 and not self._sure(read):
            return
        self.place = place

    def _sure(self, read: list[Any]) -> bool:
        needed = SURE_WORDS * (2 if len(self._words[_place(read[-1].word)]) == 1 else 1)
        last = read[-needed:]
        places = [_place(one.word) for one in last]
        together = len(last) == needed and all(0 <= b - a <= 2 for a, b in pairwise(places))
        return together and Reading.of("", last).fit >= FITS

    def _start(self) -> None:
        """Begin to follow from the place that was reached."""
        self._frames = 0
        name, count = f"script-{self._graphs}", len(self._words)
        graph = self._decoder.create_fsg(name, count + 2, count + 1, [*self._arcs()])
        self._decoder.add_fsg(name, graph)
        self._decoder.activate_search(name)
        if self._graphs:
            self._decoder.remove_search(f"script-{self._graphs - 1}")
        self._graphs += 1
        self._decoder.start_utt()

    def _arcs(self) -> Iterator[tuple[int, int, float, str] | tuple[int, int, float]]:
        """Yield the arcs; state n is before word n, then come the end, the start and the hub."""
        count = len(self._words)
        end, start, hub = count + 1, count + 2, count + 3

        def cost(probability: float) -> float:
            return float(probability**LANGUAGE_WEIGHT)

        for n in range(count):
            yield n, n + 1, cost(ON), f"w{n}"
            if n + 2 <= count:
                yield n, n + 2, cost(LEFT_OUT), f"w{n + 1}"
            yield n + 1, n, cost(AGAIN)
        for n in range(count + 1):
            yield n, end, 1.0
            yield n, hub, cost(JUMP)
        for n in self._begins:
            away = abs(self._line[n] - self.line)
            nearby = (share for most, share in (NEAR, FARTHER) if away <= most)
            yield hub, n, cost(next(nearby, FAR))
        yield start, self.place + 1, 1.0
        yield start, hub, cost(JUMP)


def _place(word: str) -> int:
    return int(word[1:].partition("(")[0])


# -- how it sounds --------------------------------------------------------------------------------

_INITIALS = {
    "b": "B|P", "p": "P", "m": "M", "f": "F", "d": "D|T", "t": "T", "n": "N", "l": "L",
    "g": "G|K", "k": "K", "h": "HH", "j": "JH|CH", "q": "CH", "x": "SH|S", "zh": "JH|CH",
    "ch": "CH", "sh": "SH", "r": "R|ZH", "z": "Z|D Z", "c": "T S", "s": "S",
}  # fmt: skip
_FINALS = {
    "a": "AA", "o": "AO", "e": "AH|ER", "i": "IY", "u": "UW", "v": "UW|IY", "ai": "AY", "ei": "EY",
    "ao": "AW", "ou": "OW", "an": "AE N|AA N", "en": "AH N", "ang": "AA NG", "eng": "AH NG",
    "ong": "UH NG|AO NG", "er": "ER|AA R", "ia": "Y AA", "ie": "Y EH", "iao": "Y AW",
    "iou": "Y OW", "ian": "Y EH N", "in": "IY N", "iang": "Y AA NG", "ing": "IY NG|IH NG",
    "iong": "Y UH NG", "ua": "W AA", "uo": "W AO", "uai": "W AY", "uei": "W EY", "uan": "W AA N",
    "uen": "W AH N", "uang": "W AA NG", "ueng": "W AH NG", "ve": "Y EH", "van": "Y EH N",
    "vn": "Y IH N|UW N", "ê": "EH",
}  # fmt: skip
"""Pinyin's initials and finals in the nearest English phones, as in `mandarin.dict`, and others."""
_BUZZED = {"zh": "ER", "ch": "ER", "sh": "ER", "r": "ER", "z": "IH", "c": "IH", "s": "IH"}
"""The vowel that is written i after these."""


def _sounds(words: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the phones of each word, in every way that it is said."""
    han = [word for word in words if word > "\u2e80"]
    english = {word.lower().strip(".,") for word in words if word <= "\u2e80"}
    spoken = {word: one.phones for word, one in pronounce(english).items()}
    if han:
        from pypinyin import Style, lazy_pinyin

        first = lazy_pinyin("".join(han), style=Style.INITIALS, strict=True)
        last = lazy_pinyin("".join(han), style=Style.FINALS, strict=True)
        syllables = iter(zip(first, last, strict=True))
    return [
        _syllable(*next(syllables)) if word > "\u2e80" else spoken[word.lower().strip(".,")]
        for word in words
    ]


def _syllable(initial: str, final: str) -> tuple[str, ...]:
    vowels = _BUZZED[initial] if final == "i" and initial in _BUZZED else _FINALS.get(final, "AH")
    begins = _INITIALS[initial].split("|") if initial else [""]
    return tuple(f"{one} {vowel}".strip() for one in begins for vowel in vowels.split("|"))
