"""Who speaks: how well one voice is told from others, and what others can propose to pay.

    python -m tests.bench.voices            # the table and the picture
    python -m tests.bench.voices --fit      # and the constants of the probability
    python -m tests.bench.voices --others   # and half an hour of other speech through an agent

Telephone callers of the shared corpus, each with ten recordings of one call. A voice is enrolled with
eight and tested on the two that hold the fifth key phrase, five times over, so that no recording and
no phrase is on both sides; all other callers' are the impostors. Each call has a line of its own, which
flatters every figure; no shared set has one speaker on two days. Noise is added before the line.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import statistics
import subprocess
import tempfile
import time
import wave
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from agent.listen.sphinx import voiceprint
from agent.listen.sphinx.voiceprint import GaussianVoiceprint, Heard, hear
from agent.listen.voiceprint import Profile, keep
from agent.loop.respond import LIKELY_WEARER, SOMEONE_ELSE, SURE_OF_WEARER
from agent.messages import Proposal
from hardware.audio import Resampler, read
from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ
from hardware.display import MemoryDisplay
from hardware.microphone import FileMicrophone
from hardware.profiles import load as load_profile
from tests.bench.mix import NOISES, mixed, samples
from tests.shared import DATA, orders

CALLS = DATA / "speech" / "wuw-corpus-ii"
READER = DATA / "speech" / "pocketsphinx" / "librivox"
FOLDS = tuple((f"{n:03}", f"{n + 5:03}") for n in range(1, 6))
"""Recordings that hold the same key phrase: alone, and in a sentence."""
YES_S = 0.5
LENGTHS_S = (YES_S, 1.0, 2.0, 4.0)
"""Speech in a trial, and in a “yes”."""
SNR_DB = 12.0
LEAST_S = 4.0
"""Speech to enrol with: callers gave 5 to 50 s, most of them under 13, less than the agent asks for."""
PREROLL_MS = 300
"""Sound before the speech, as the endpointer gives it."""
MS_BYTES = SAMPLE_RATE_HZ // 1000 * SAMPLE_BYTES
MOST_PIECES = 4
"""Of one recording, so that those who talk long do not outweigh the rest."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One piece of speech held against one enrolled voice."""

    score: float
    """What the engine made of it."""
    frames: int
    """Frames of speech in it."""
    same: bool
    """Whether it is that voice."""

    @property
    def told(self) -> float:
        """Return the probability that the agent would see."""
        enough = self.frames * 10 >= voiceprint.TELLING_S * 1000
        return voiceprint.probability(self.score, self.frames) if enough else 0.5


Trials = Mapping[tuple[str, float], Sequence[Trial]]
"""By noise and length in seconds."""


def callers() -> dict[str, dict[str, bytes]]:
    """Return recordings by caller and number: 16 kHz mono int16. Empty without the data."""
    found: dict[str, dict[str, bytes]] = {}
    for path in sorted(CALLS.glob("*.ulaw")):
        caller, _, number = path.stem.partition("_")
        resampler = Resampler()
        pcm = resampler.feed(_linear(path.read_bytes()), 8_000) + resampler.flush()
        found.setdefault(caller, {})[number] = pcm
    return found


def _linear(coded: bytes) -> bytes:
    """Return µ-law as 16-bit samples (ITU-T G.711)."""
    code = ~np.frombuffer(coded, np.uint8)
    size = (((code & 15).astype(int) << 3) + 132 << ((code & 112) >> 4)) - 132
    return np.where(code & 128, -size, size).astype("<i2").tobytes()


def on_the_line(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sound as a telephone carries it: 200 to 3,400 Hz."""
    spectrum = np.fft.rfft(sound)
    hz = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE_HZ)
    spectrum[(hz < 200) | (hz > 3_400)] = 0
    return np.asarray(np.fft.irfft(spectrum, len(sound)))


def _pieces(
    name: str, pcm: bytes, noise: NDArray[np.float64] | None, long_s: float
) -> Iterator[bytes]:
    """Cut a recording into pieces with this much speech in each, pauses and what is before it too.

    Speech is where the recording as it came is within 25 dB of its loud parts.
    """
    sound = mixed(name, pcm, noise, SNR_DB)
    quiet = np.frombuffer(mixed(name, pcm, None, SNR_DB), "<i2").astype(float)
    frame = SAMPLE_RATE_HZ // 100
    power = np.square(quiet[: len(quiet) // frame * frame].reshape(-1, frame)).mean(axis=1) + 1
    spoken = np.flatnonzero(power > np.percentile(power[power > 10], 95) / 10**2.5)
    many = round(long_s * 100)
    for n in range(min(MOST_PIECES, len(spoken) // many)):
        first, last = spoken[n * many], spoken[(n + 1) * many - 1] + 1
        begin = max(0, first * 10 - PREROLL_MS) * MS_BYTES
        yield sound[begin : last * 10 * MS_BYTES]


def trials(progress: bool = True) -> Trials:
    """Enrol and test every caller on what they were not enrolled with."""
    clips = callers()
    noises = {"clean": None, **{n: on_the_line(samples(p)) for n, p in NOISES.items()}}
    found: dict[tuple[str, float], list[Trial]] = {}
    heard: dict[tuple[str, str, str, float], list[Heard]] = {
        (caller, number, noise, long_s): [hear(p) for p in _pieces(caller + number, pcm, n, long_s)]
        for caller, own in clips.items()
        for number, pcm in own.items()
        for noise, n in noises.items()
        for long_s in LENGTHS_S
    }
    rounds = [(fold, caller) for fold in FOLDS for caller in clips]
    for fold, wearer in track(rounds, "voices", disable=not progress):
        engine = GaussianVoiceprint(LEAST_S)
        engine.know(engine.enroll([p for n, p in clips[wearer].items() if n not in fold]))
        for (caller, number, noise, long_s), pieces in heard.items():
            if number in fold:
                found.setdefault((noise, long_s), []).extend(
                    Trial(engine.score(one), one.frames, caller == wearer)
                    for one in pieces
                    if one.frames
                )
    return found


def equal_error(judged: Sequence[Trial]) -> float:
    """Return the percent at which as many of the wearer's are refused as of others' are taken."""
    rates = curve(judged)
    return min((abs(a - b), (a + b) / 2) for a, b in rates)[1]


def curve(judged: Sequence[Trial]) -> list[tuple[float, float]]:
    """Return percent of others taken and of the wearer's refused, threshold by threshold."""
    own = np.sort([t.told for t in judged if t.same])
    others = np.sort([t.told for t in judged if not t.same])
    at = np.unique(np.concatenate([own, others]))
    refused = np.searchsorted(own, at) / len(own)
    taken = 1 - np.searchsorted(others, at) / len(others)
    return [(100 * float(a), 100 * float(b)) for a, b in zip(taken, refused, strict=True)]


def _share(judged: Sequence[Trial], same: bool, taken: bool, sure: float = SURE_OF_WEARER) -> float:
    told = [t.told > sure for t in judged if t.same is same]
    return 100 * sum(one is taken for one in told) / max(1, len(told))


def figures(judged: Trials | None = None) -> dict[str, float]:
    """Return what was measured, by name; nothing without the recordings."""
    if judged is None:
        judged = trials()
    found: dict[str, float] = {}
    for (noise, long_s), some in judged.items():
        name = f"{noise}_{long_s:g}s"
        found[f"equal_error_{name}_percent"] = equal_error(some)
        found[f"wearer_refused_{name}_percent"] = _share(some, True, False)
        found[f"others_taken_{name}_percent"] = _share(some, False, True)
        if long_s == YES_S:
            found[f"yes_refused_{noise}_percent"] = _share(some, True, False, LIKELY_WEARER)
            found[f"others_yes_taken_{noise}_percent"] = _share(some, False, True, LIKELY_WEARER)
    for long_s in LENGTHS_S if judged else ():
        pooled = [t for (_, length), some in judged.items() if length == long_s for t in some]
        found[f"equal_error_all_{long_s:g}s_percent"] = equal_error(pooled)
    if judged:
        found["took_3s_ms"] = took_ms()
    return found


def took_ms(long_s: float = 3.0, times: int = 15) -> float:
    """Return how long it takes to say who speaks in so much speech, the median."""
    own = next(iter(callers().values()))
    engine = GaussianVoiceprint(LEAST_S)
    engine.know(engine.enroll(list(own.values())))
    pcm = own["007"][: int(long_s * SAMPLE_RATE_HZ) * SAMPLE_BYTES]
    took = []
    for _ in range(times):
        began_s = time.perf_counter()
        engine.wearer(pcm)
        took.append((time.perf_counter() - began_s) * 1000)
    return statistics.median(took)


def fit(judged: Trials) -> tuple[float, float, float, float]:
    """Return MIDDLE, STEEP and SETTLED that make the probability likeliest, and its cost in nats.

    The wearer's and others' weigh the same, and so do the lengths and noises.
    """
    score, frames, same, weight = [], [], [], []
    for some in judged.values():
        of = {True: sum(t.same for t in some), False: sum(not t.same for t in some)}
        for t in some:
            score.append(t.score)
            frames.append(t.frames)
            same.append(t.same)
            weight.append(1 / of[t.same])
    s, n, y, w = (np.array(x, float) for x in (score, frames, same, weight))
    w /= w.sum()
    best = (0.0, 0.0, 0.0, np.inf)
    for middle in np.arange(0.5, 3.0, 0.05):
        for settled in (0.0, 30.0, 60.0, 120.0, 240.0):
            for steep in np.arange(1.0, 14.0, 0.5):
                logit = steep * n / (n + settled) * (s - middle)
                cost = float((w * np.logaddexp(0, np.where(y > 0, -logit, logit))).sum())
                if cost < best[3]:
                    best = float(middle), float(steep), settled, cost
    return best


@dataclass(frozen=True, slots=True)
class Others:
    """What other people's speech did to an agent whose wearer is enrolled."""

    minutes: float
    """How much was heard."""
    turns: int
    """How many turns it made."""
    refused: int
    """Payments that it asked for in a voice that is not the wearer's."""
    proposed: int
    """Payments that were proposed all the same."""


async def others() -> Others:
    """Play everybody else's shared speech to an agent that knows the reader of a book."""
    reader = [read(path) for path in sorted(READER.glob("*.wav"))]
    sounds = [read(order.path) for order in orders()]
    sounds += [pcm for own in callers().values() for pcm in own.values()]
    for folder in ("jfk", "silero-vad", "aishell-10", "fsdd", "pocketsphinx/cards"):
        sounds += [read(path) for path in sorted((DATA / "speech" / folder).glob("*.wav"))]
    return await _played(sounds, reader)


async def _played(sounds: Sequence[bytes], enrolled: Sequence[bytes]) -> Others:
    """Play sound to an agent that knows one voice."""
    from agent.cli.compose import build
    from agent.config import Config

    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        profile = GaussianVoiceprint().enroll(enrolled)
        keep(data, Profile(GaussianVoiceprint.name, profile))
        config = Config(data=data, models=data / "models", plugins=data / "plugins", language="en")
        agent = build(config, MemoryDisplay(load_profile("quark-s1")))
        microphone = FileMicrophone(*sounds, pace="fast", tail_ms=1500)
        turns = [turn async for turn in agent.listen(microphone)]
        await agent.close()
    return Others(
        sum(map(len, sounds)) / SAMPLE_BYTES / SAMPLE_RATE_HZ / 60,
        len(turns),
        sum(getattr(turn.intent, "reason", "") == SOMEONE_ELSE for turn in turns),
        sum(isinstance(turn.reply, Proposal) for turn in turns),
    )


PAYMENTS = (
    "pay twenty dollars to anna",
    "pay thirty five dollars to tom",
    "pay anna twelve dollars",
)
FLITE = ("slt", "rms", "awb", "kal16")
"""Voices of flite: the first is the wearer's, the others and espeak-ng's are strangers'."""


def _said(voice: str, text: str) -> bytes:
    """Return a sentence in a synthetic voice, 16 kHz, in a faintly noisy room."""
    command = ["flite", "-voice", voice, "-t", text, "-o", "/dev/stdout"]
    if voice not in FLITE:
        command = ["espeak-ng", "-v", voice, "--stdout", text]
    wav = subprocess.run(command, capture_output=True, check=True).stdout
    with wave.open(io.BytesIO(wav)) as sound:
        rate_hz, pcm = sound.getframerate(), wav[44 : 44 + (len(wav) - 44) // 2 * 2]
    resampler = Resampler()
    clean = np.frombuffer(resampler.feed(pcm, rate_hz) + resampler.flush(), "<i2")
    around = np.pad(clean, SAMPLE_RATE_HZ // 2).astype(float)
    room = np.random.default_rng(0).normal(0, 8, len(around))
    return np.clip(np.rint(around + room), -32_768, 32_767).astype("<i2").tobytes()


async def strangers() -> dict[str, Others]:
    """Let synthetic voices ask for payments: the wearer's, and others that were never enrolled."""
    from tests.agent.listen.speakers import LINES

    enrolled = [_said(FLITE[0], line) for line in LINES]
    robots = ("en-us", "en-gb", "en-us+f3", "en-us+m4")
    own = [_said(FLITE[0], text) for text in PAYMENTS]
    foreign = [_said(voice, text) for voice in (*FLITE[1:], *robots) for text in PAYMENTS]
    return {
        "the wearer": await _played(own, enrolled),
        "strangers": await _played(foreign, enrolled),
    }


def table(found: Mapping[str, float]) -> Table:
    """Return the figures as a table."""
    shown = Table(title=f"who speaks: the wearer above {SURE_OF_WEARER:g}")
    for head in ("", *(f"{long_s:g} s" for long_s in LENGTHS_S)):
        shown.add_column(head, justify="right")
    kinds = ("clean", *NOISES)
    for what in ("equal_error", "wearer_refused", "others_taken"):
        for noise in (*kinds, "all") if what == "equal_error" else kinds:
            row = [found[f"{what}_{noise}_{long_s:g}s_percent"] for long_s in LENGTHS_S]
            quiet = noise if noise in ("clean", "all") else f"{noise}, {SNR_DB:g} dB"
            shown.add_row(f"{what.replace('_', ' ')}, {quiet} (%)", *(f"{x:.1f}" for x in row))
    for noise in kinds:
        own, foreign = (
            found[f"yes_refused_{noise}_percent"],
            found[f"others_yes_taken_{noise}_percent"],
        )
        shown.add_row(f"yes: refused, others' taken, {noise} (%)", f"{own:.1f}, {foreign:.1f}")
    return shown


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", action="store_true", help="fit the constants of the probability")
    parser.add_argument("--others", action="store_true", help="other speech through an agent")
    given = parser.parse_args()
    console = Console()
    judged = trials()
    found = figures(judged)
    console.print(table(found))
    console.print(f"3 s of speech take {found['took_3s_ms']:.0f} ms")
    draw(judged, Path("bench-results") / "voices.png")
    if given.others:
        console.print(asyncio.run(strangers()))
        console.print(asyncio.run(others()))
    if given.fit:
        console.print(
            "MIDDLE {:.2f}, STEEP {:.1f}, SETTLED {:.0f}: {:.3f} nats".format(*fit(judged))
        )


def draw(judged: Trials, path: Path) -> None:
    """Draw who is refused against who is taken."""
    from tests.bench import curves

    lines = {
        f"{noise}{'' if noise == 'clean' else f', {SNR_DB:g} dB'}, {long_s:g} s": curve(some)
        for (noise, long_s), some in judged.items()
        if long_s in (1.0, 2.0)
    }
    curves.draw_voices(lines, path)


if __name__ == "__main__":
    main()
