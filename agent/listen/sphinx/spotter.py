"""Spotting a few phrases in running speech: the wake phrase, and the words that stop everything.

pocketsphinx's key-phrase search holds each phrase against a loop of all phones; a phrase is spotted
when it fits so many decades better or worse than the loop. How many depends on the phrase's length,
and is worked out here from how often others may say by chance something that sounds like it.
"""

from __future__ import annotations

import math
import sys
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from agent.errors import EngineError
from agent.language.pronounce import pronounce
from agent.listen.attention import AttentionOptions
from agent.listen.phrases import Phrase, Spotted
from agent.listen.sphinx.decoder import decoder
from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ

if TYPE_CHECKING:
    from pocketsphinx import Decoder

MANDARIN = Path(__file__).with_name("mandarin.dict")
FIRST_CJK = "\u2e80"
"""Where Unicode's Chinese characters begin."""
FRAME_MS = 10.0
FRAME_BYTES = SAMPLE_RATE_HZ // 100 * SAMPLE_BYTES
MAX_SOUNDS = 4
"""Ways to say one phrase that are looked for; each costs about as much as another phrase."""
RESTART_MS = 600_000.0
"""pocketsphinx adds up scores in 32 bits for as long as an utterance lasts (some days)."""

ONE_AN_HOUR = 45.0
PHONE = -8.0
TENFOLD = -14.0
"""Decades over the phone loop above which a phrase of N phones is heard by chance F times an hour:
ONE_AN_HOUR + PHONE * N + TENFOLD * log10(F). Fitted by eye to 72 random phrases of 3 to 11 phones,
made of less frequent words of the CMU dictionary, on 18 minutes of speech that holds none of them;
even and odd clips differ by 5 decades on average."""
LEAST = -60.0
"""Decades below which no threshold goes, since the beam would cut the phrase off."""
BEAM = 1e-70
MAX_SEEN = 20
"""Things found and not accepted after which the search starts afresh: its list only grows."""
PHONE_MS = 250.0
"""Longest mean length of a phrase's phones. Read speech has 80 ms a phone, slow speech twice that;
a hum can fit one phone for seconds."""

_SCORE_UNIT = 1024 * 1e-4 / math.log(10)  # decades of one step of its scores (SENSCR_SHIFT is 10)
_SCORE_OFFSET = 1500  # KWS_MAX in kws_search.c, taken off each score that it reports


@dataclass(frozen=True, slots=True)
class SpotterOptions:
    """How phrases are spotted."""

    delay_ms: float = 200
    """How long after its end a phrase must stay the best before it is reported: pocketsphinx's
    kws_delay, in steps of 10 ms. With less, the end is sometimes found inside the last word."""
    alone_db: float = 0
    """How much louder than what is around it a phrase must be to be heard: a word said alone
    stands out from room, noise and playback, one in a sentence does not. 0 hears both."""
    before_ms: float = 150
    """How much sound before a phrase is held against it."""


class Spotter:
    """Listens for a few phrases in a stream. About 3 % of a core while it is fed."""

    def __init__(self, phrases: Iterable[Phrase], options: SpotterOptions | None = None) -> None:
        """Load the acoustic model, some 20 ms. Raises EngineError without pocketsphinx or phrases.

        Phrases with a sound that the model does not know are an EngineError too.
        """
        self.options = options or SpotterOptions()
        self._looked_for: dict[str, tuple[Phrase, float, float]] = {}  # phrase, least, longest ms
        self._list = ""
        self._decoder = self._load(tuple(phrases))
        self._loudness: deque[float] = deque(maxlen=300)  # dB of the last 3 s, by frames
        self._rest = b""
        self._seen: set[tuple[str, int, int]] = set()  # what was found and not accepted
        self._start_ms = 0.0  # where pocketsphinx's utterance begins in the stream
        self._fed_ms = 0.0
        self._begin()

    def feed(self, pcm: bytes) -> Spotted | None:
        """Hear the next 16 kHz mono 16-bit samples, best 10 … 100 ms; say what was spotted."""
        if len(pcm) < SAMPLE_BYTES:
            return None
        self._decoder.process_raw(bytes(pcm))
        self._fed_ms += len(pcm) / FRAME_BYTES * FRAME_MS
        if self.options.alone_db:
            self._measure(pcm)
        if self._decoder.hyp() is None:
            if self._fed_ms - self._start_ms > RESTART_MS:
                self._restart(self._fed_ms)
            return None
        heard = self._best()
        if heard is not None or len(self._seen) > MAX_SEEN:
            self._restart(self._fed_ms)
        return heard

    def reset(self, start_ms: float = 0.0) -> None:
        """Forget what was heard; the next samples begin at `start_ms` of the stream."""
        self._loudness.clear()
        self._rest = b""
        self._restart(start_ms)

    def close(self) -> None:
        """Free the decoder; no other call may follow."""
        self._decoder.end_utt()
        del self._decoder

    def _best(self) -> Spotted | None:
        """Return the best of what the search found since the last chunk.

        It lists what it found again with every chunk until it restarts. Only what is accepted
        restarts it, since a restart also forgets a phrase that is being said just now.
        """
        found = []
        for segment in self._decoder.seg() or ():
            once = segment.word, segment.start_frame, segment.end_frame
            if once in self._seen:
                continue
            self._seen.add(once)
            phrase, least, longest_ms = self._looked_for[segment.word.strip()]
            log = math.log(max(segment.prob, sys.float_info.min)) / math.log(1.0001)
            score = (log + _SCORE_OFFSET) * _SCORE_UNIT - least
            start_ms = self._start_ms + segment.start_frame * FRAME_MS
            end_ms = self._start_ms + (segment.end_frame + 1) * FRAME_MS
            heard = Spotted(phrase.text, start_ms, end_ms, score)
            if end_ms - start_ms <= longest_ms and self._is_alone(heard):
                found.append(heard)
        return max(found, key=lambda spotted: spotted.score, default=None)

    def _restart(self, start_ms: float) -> None:
        """Begin a new utterance; the cepstral mean that was learnt stays."""
        self._decoder.end_utt()
        self._start_ms = self._fed_ms = start_ms
        self._seen.clear()
        self._begin()

    def _begin(self) -> None:
        """Start on a new search, made in a ms.

        kws_search_start clears the states of the phone loop, but not those of the phrases: in an
        old search half a phrase from the last utterance would go on in this one.
        """
        with TemporaryDirectory() as folder:  # pocketsphinx takes phrases from a file only
            listed = Path(folder) / "phrases"
            listed.write_text(self._list, encoding="utf-8")
            self._decoder.add_kws("phrases", str(listed))
        self._decoder.activate_search("phrases")
        self._decoder.start_utt()

    def _measure(self, pcm: bytes) -> None:
        import numpy as np

        self._rest += pcm
        whole = len(self._rest) // FRAME_BYTES * FRAME_BYTES
        samples = np.frombuffer(self._rest[:whole], "<i2").astype(np.float32)
        power = np.square(samples).reshape(-1, FRAME_BYTES // SAMPLE_BYTES).mean(axis=1)
        self._loudness.extend(10 * np.log10(power + 1))
        self._rest = self._rest[whole:]

    def _is_alone(self, heard: Spotted) -> bool:
        """Whether the phrase is louder than what came right before it and right after it.

        The word counts by the loudest tenth of its frames and its surroundings by their median.
        What is not there, as at the head of a stream, is quiet.
        """
        import numpy as np

        if not self.options.alone_db:
            return True
        loudness = np.asarray(self._loudness)
        now_ms = self._fed_ms - len(self._rest) / FRAME_BYTES * FRAME_MS
        end = len(loudness) - round((now_ms - heard.end_ms) / FRAME_MS)
        start = max(0, end - round((heard.end_ms - heard.start_ms) / FRAME_MS))
        word = float(np.percentile(loudness[start : max(end, start + 1)], 90))
        before = loudness[max(0, start - round(self.options.before_ms / FRAME_MS)) : start]
        around = [float(np.median(part)) for part in (before, loudness[end:]) if len(part)]
        return all(word - level >= self.options.alone_db for level in around)

    def _load(self, phrases: tuple[Phrase, ...]) -> Decoder:
        if not phrases:
            raise EngineError("nothing to listen for: name a wake phrase in the configuration")
        spotting = decoder(beam=BEAM, kws_delay=round(self.options.delay_ms / FRAME_MS))
        for number, phrase in enumerate(phrases):
            for way, sound in enumerate(phrase.sounds or sounds(phrase.text)):
                word = f"phrase-{number}-{way}"
                try:
                    spotting.add_word(word, sound, True)
                except RuntimeError as error:
                    raise EngineError(
                        f"{phrase.text!r} cannot be listened for, its sound {sound!r} is not in"
                        " ARPAbet phones of the English model: spell it in those"
                    ) from error
                phones = len(sound.split())
                least = threshold(phones, phrase.false_alarms_per_hour)
                self._looked_for[word] = phrase, least, phones * PHONE_MS
                self._list += f"{word} /1e{least:.0f}/\n"
        return spotting


def threshold(phones: int, false_alarms_per_hour: float) -> float:
    """Decades over the phone loop that a phrase of so many phones has to reach."""
    wanted = ONE_AN_HOUR + PHONE * phones + TENFOLD * math.log10(false_alarms_per_hour)
    return max(LEAST, float(round(wanted)))


def sounds(text: str) -> tuple[str, ...]:
    """Return the phones of each way to say a phrase, the usual one first, at most four.

    Raises EngineError for Chinese that `mandarin.dict` lacks: nothing else here can read it.
    """
    if known := _mandarin().get(text):
        return known
    if any(character >= FIRST_CJK for character in text):
        raise EngineError(
            f"nobody knows how {text!r} sounds: add it to {MANDARIN}, or give its ARPAbet phones"
        )
    words = text.casefold().split()
    said = pronounce(words)
    ways = islice(product(*(said[word].phones for word in words)), MAX_SOUNDS)
    return tuple(dict.fromkeys(" ".join(way) for way in ways))


@lru_cache(maxsize=1)
def _mandarin() -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    for line in MANDARIN.read_text("utf-8").splitlines():
        said, _, _why = line.partition("#")
        if said.strip():
            text, phones = said.strip().split("\t")
            table[text] = (*table.get(text, ()), phones)
    return table


def wake_spotter(options: AttentionOptions) -> Spotter:
    """Build what listens for the wake phrase. Raises EngineError."""
    return Spotter(Phrase(text) for text in options.phrases)
