"""Getting used to one wearer: a minute of known sentences, and what is kept of it.

Sentences are chosen so that every sound comes often, takes are judged, a transform is estimated
(`agent.listen.sphinx.mllr`) and listened with to sentences it was not made from; only one that
helps is kept, in the data folder.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from agent import private
from agent.errors import EngineError
from agent.language.pronounce import pronounce
from agent.listen.endpoint import energy_speech_end
from agent.listen.sphinx.acoustic import (
    CEPSTRA,
    FRAME_MS,
    SILENCE,
    STREAMS,
    Aligner,
    Alignment,
    load,
)
from agent.listen.sphinx.decoder import decoder, teach
from agent.listen.sphinx.mllr import Transform, estimate, joined, nats_a_frame, unchanged
from hardware import reading
from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ

SPEECH_S = 60.0
"""Speech to ask for: what people will read, and some ten frames for each number estimated."""
LEAST_S = 20.0
"""Speech below which nothing is estimated: a few frames for each of 3 × 13 × 15 numbers."""
PHONES_A_SECOND = 11.0
"""How fast people read aloud; of the shipped sentences as flite's recorded voices speak them."""
FOLDS = 3
"""The check learns from two thirds of the sentences and listens to the last one, thrice."""
NATS_A_FRAME = -9.0
"""Mean score of the words' frames below which something else was said. Right sentences lie at -2.6
to -4.2 for natural voices and down to -9.1 for robotic ones, wrong ones below -9 if they can be
aligned at all, which four in five cannot."""
MARGIN_MS = 300
"""Silence kept before and after what was said: the endpointer's pre-roll."""
MS_BYTES = SAMPLE_RATE_HZ // 1000 * SAMPLE_BYTES
CLIPPED = 0.001
"""Share of samples at full scale beyond which a take is clipped: 1 ms in a second."""
FULL_SCALE = 32_700
QUIET = 100.0
"""Mean magnitude of loud frames, of 32,768 (-50 dBFS), under which nothing was said."""
SNR = 3.0
"""How many times as loud as the quiet frames the loud ones must be: 10 dB."""

Fault = Literal["quiet", "noisy", "clipped", "other words"]
"""Why a take is asked for again."""


@dataclass(frozen=True, slots=True)
class Take:
    """One sentence, read once."""

    text: str
    """What was displayed, in plain words."""
    pcm: bytes
    """What was heard: 16 kHz mono int16."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same held-out sentences, heard with and without what was learnt from the others."""

    takes: int
    """How many there were."""
    speech_s: float
    """How long they are, without the silence around them."""
    understood_before: int
    """Sentences told from all others that were given, by the model as it ships."""
    understood_after: int
    """The same, adapted."""
    nats_before: float
    """Mean log likelihood of a frame given the sound that was read."""
    nats_after: float
    """The same, adapted."""

    @property
    def better(self) -> bool:
        """Whether the wearer gains: likelier sounds, and no sentence lost."""
        gained = self.understood_after >= self.understood_before
        return gained and self.nats_after > self.nats_before


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What was kept of a wearer's voice, ready for the speech engine."""

    mllr: Path
    """pocketsphinx's transform, its option `mllr`."""
    cepstral_mean: tuple[float, ...]
    """Its option `cmninit`: 13 numbers."""
    comparison: Comparison
    """What it gained."""
    source: str
    """Microphone it was made with; it holds for that one."""

    def settings(self) -> dict[str, str]:
        """Return the options of pocketsphinx that apply it."""
        return {"mllr": str(self.mllr), "cmninit": joined(self.cepstral_mean, ",")}


def choose(
    sentences: Iterable[str], speech_s: float = SPEECH_S, used: Iterable[str] = ()
) -> list[str]:
    """Return sentences of about `speech_s` of speech in which every sound comes soon and often.

    Greedy: next comes the sentence whose phones are rarest among those chosen (and `used`), each
    phone weighing 1 / (1 + times it came). The same sentences give the same choice.
    """
    words = {text: text.split() for text in dict.fromkeys(sentences)}
    sounds = pronounce({word for parts in words.values() for word in parts})

    def phones(text: str) -> list[str]:
        return " ".join(sounds[word].phones[0] for word in text.split()).split()

    left = {text: phones(text) for text in words}
    came: Counter[str] = Counter()
    for text in used:
        came.update(left.pop(text, ()))
    chosen: list[str] = []
    spoken = 0
    while left and spoken < speech_s * PHONES_A_SECOND:
        best = max(left, key=lambda text: (_rarity(left[text], came), text))
        chosen.append(best)
        spoken += len(left[best])
        came.update(left.pop(best))
    return chosen


def _rarity(phones: Sequence[str], came: Mapping[str, int]) -> float:
    said: Counter[str] = Counter()
    gain = 0.0
    for phone in phones:
        gain += 1 / (1 + came.get(phone, 0) + said[phone])
        said[phone] += 1
    return gain / max(1, len(phones))


def trimmed(pcm: bytes) -> bytes:
    """Cut a recording to the speech and MARGIN_MS around it, as utterances reach the engine.

    More silence would make the mean cepstrum of the session another than that of utterances.
    """
    import numpy as np

    end_ms = energy_speech_end(pcm)
    backwards = np.frombuffer(pcm, "<i2")[::-1].tobytes()
    start_ms = len(pcm) / MS_BYTES - energy_speech_end(backwards)
    if start_ms >= end_ms:  # nobody spoke
        return pcm
    first = max(0, int(start_ms - MARGIN_MS))
    return pcm[first * MS_BYTES : int(end_ms + MARGIN_MS) * MS_BYTES]


def fault(take: Take, aligner: Aligner) -> tuple[Fault | None, Alignment | None]:
    """Return what is wrong with a take, and else its alignment. `aligner` compares all sounds."""
    if (found := sound_fault(take.pcm)) is not None:
        return found, None
    alignment = aligner.align(take.text, take.pcm)
    if alignment is None or alignment.score < NATS_A_FRAME:
        return "other words", None
    return None, alignment


def sound_fault(pcm: bytes) -> Fault | None:
    """Return what is wrong with the sound of a take, whatever is said in it."""
    import numpy as np

    samples = np.abs(np.frombuffer(pcm, "<i2").astype(np.int32))
    frame = 16 * FRAME_MS
    levels = samples[: len(samples) // frame * frame].reshape(-1, frame).mean(axis=1)
    if not len(levels) or (loud := float(np.percentile(levels, 95))) < QUIET:
        return "quiet"
    if loud < SNR * float(np.percentile(levels, 10)):
        return "noisy"
    if float((samples >= FULL_SCALE).mean()) > CLIPPED:
        return "clipped"
    return None


def speech_s(alignments: Iterable[Alignment]) -> float:
    """Return how much was said, in seconds, silence left out."""
    silence = load().phones.index(SILENCE)
    frames = sum(int((a.codebooks != silence).sum()) for a in alignments)
    return frames * FRAME_MS / 1000


class Chooser:
    """Tells which of some sentences was said: what the check listens with."""

    def __init__(self, sentences: Iterable[str], settings: Mapping[str, str] | None = None) -> None:
        """Build a decoder for these sentences; `settings` are pocketsphinx's."""
        self._decoder = decoder(**(settings or {}))
        texts = sorted(set(sentences))
        teach(self._decoder, {word for text in texts for word in text.split()})
        transitions, states = _tree(texts)
        self._decoder.add_fsg("s", self._decoder.create_fsg("s", 0, states - 1, transitions))
        self._decoder.activate_search("s")

    def hear(self, pcm: bytes) -> str:
        """Return the sentence that was said, as far as can be told."""
        self._decoder.start_utt()
        self._decoder.process_raw(pcm)  # not as a whole: the session's mean is to be used
        self._decoder.end_utt()
        best = self._decoder.hyp()
        return "" if best is None else str(best.hypstr)


def _tree(texts: Sequence[str]) -> tuple[list[tuple[int, int, float, str]], int]:
    """Return a prefix tree of sentences, all ending in the last state, and how many states."""
    nodes: dict[tuple[str, ...], int] = {(): 0}
    arcs: list[tuple[int, int | None, str]] = []
    for text in texts:
        *head, last = text.split()
        for at in range(len(head)):
            path = tuple(head[: at + 1])
            if path not in nodes:
                nodes[path] = len(nodes)
                arcs.append((nodes[path[:-1]], nodes[path], path[-1]))
        arcs.append((nodes[tuple(head)], None, last))
    final = len(nodes)
    return [(src, final if dst is None else dst, 1.0, word) for src, dst, word in arcs], final + 1


def compare(
    takes: Sequence[Take], alignments: Sequence[Alignment], others: Iterable[str], folder: Path
) -> Comparison:
    """Learn from some takes and listen to the rest, until each was listened to.

    `others` are sentences to tell them from; `folder` is for files that are thrown away.
    """
    sentences = {*others, *(take.text for take in takes)}
    plain = Chooser(sentences)
    before = sum(plain.hear(take.pcm) == take.text for take in takes)
    after = 0
    nats_before = nats_after = 0.0
    for fold in range(FOLDS):
        learnt = estimate([a for n, a in enumerate(alignments) if n % FOLDS != fold])
        path = folder / f"fold-{fold}.mllr"
        learnt.write(path)
        adapted = Chooser(sentences, learnt.settings(path))
        held_out = takes[fold::FOLDS]
        after += sum(adapted.hear(take.pcm) == take.text for take in held_out)
        part = alignments[fold::FOLDS]
        share = speech_s(part) / max(speech_s(alignments), 1e-9)
        nats_before += share * nats_a_frame(part, unchanged(part))
        nats_after += share * nats_a_frame(part, learnt)
    return Comparison(
        len(takes), round(speech_s(alignments), 1), before, after,
        round(nats_before, 3), round(nats_after, 3),
    )  # fmt: skip


def _files(data: Path) -> tuple[Path, Path]:
    return data / "enrolled" / "voice.mllr", data / "enrolled" / "voice.json"


def save(data: Path, transform: Transform, comparison: Comparison, source: str) -> Enrolment:
    """Keep a transform in the data folder, in place of an earlier one. Raises EngineError."""
    mllr, about = _files(data)
    mean = tuple(round(float(value), 6) for value in transform.cepstral_mean)
    record = {"cepstral_mean": mean, "source": source, **asdict(comparison)}
    try:
        private.folder(mllr.parent)
        about.unlink(missing_ok=True)  # without it, half a pair is none
        transform.write(mllr)
        private.close(mllr)
        private.write(about, json.dumps(record, indent=1) + "\n")
    except OSError as error:
        raise EngineError(f"{mllr.parent} cannot be written: {error.strerror}") from None
    return Enrolment(mllr, mean, comparison, source)


def find(data: Path) -> Enrolment | None:
    """Return what was kept of the wearer's voice; None when nothing was.

    Raises EngineError for a damaged file: pocketsphinx would take a transform that is not a number.
    """
    mllr, about = _files(data)
    if not about.exists():
        return None
    try:
        private.close(about)
        private.close(mllr)
        record = reading.from_json(reading.read_text(about))
        mean = tuple(float(value) for value in record.pop("cepstral_mean"))
        source = str(record.pop("source"))
        numbers = [float(word) for word in mllr.read_text(encoding="ascii").split()]
        if len(mean) != CEPSTRA or len(numbers) != 2 + STREAMS * (1 + CEPSTRA * (CEPSTRA + 2)):
            raise ValueError("numbers are missing")
        if not all(map(math.isfinite, (*mean, *numbers))):
            raise ValueError("numbers are infinite")
        return Enrolment(mllr, mean, Comparison(**record), source)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EngineError(
            f"the voice kept in {mllr.parent} is damaged ({error}): glasses enroll again,"
            " or glasses enroll --forget"
        ) from None


def forget(data: Path) -> bool:
    """Remove what was kept of the wearer's voice; return whether there was anything."""
    mllr, about = _files(data)
    there = mllr.exists() or about.exists()
    about.unlink(missing_ok=True)
    mllr.unlink(missing_ok=True)
    return there
