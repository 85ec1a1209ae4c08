"""The hesitant set: real orders with a pause put in where nobody would stop for good.

In each clip 600 to 1,200 ms of its own room tone are put in at one word boundary where what was
said so far is no command: "can i get a large … latte". The same seed makes the same bytes.

    python -m tests.bench.hesitant

writes WAV files and `hesitant.json` into `bench-results/hesitant/`.
"""

from __future__ import annotations

import json
import random
import wave
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from agent.messages import Intent, Transcript
from agent.plugins.skills import Skills
from agent.understand.router import Router, Stages
from hardware.audio import read
from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ
from tests.bench.words import Aligner, Word, speech_span_ms
from tests.shared import PLUGIN, Order, orders

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Samples = NDArray[np.int16]

FOLDER = Path("bench-results") / "hesitant"
VERSION = 1
"""Raised when the same seed makes other bytes, so that an older cache is not used."""
SEED = 4

PAUSE_MS = (600.0, 1200.0)
"""Shortest and longest pause; uniform between them."""
FADE_MS = 5.0
"""Cross-fade from speech to room tone and back."""
SLACK_MS = 30.0
"""How far a boundary may lie from where the aligner, which counts in 10 ms, puts it."""
FRAME_MS = 10.0
"""The cut is made in the middle of the quietest piece of this length."""
GRAIN_MS = 100.0
"""Room tone is laid together from pieces of this length …"""
GRAIN_FADE_MS = 20.0
"""… which fade into each other for so long, at equal power since noise does not add in phase."""
CLEAR_MS = 100.0
"""Sound this near to the speech is not taken for room tone."""


@dataclass(frozen=True, slots=True)
class Hesitant:
    """One clip of the set."""

    name: str
    """File name of the WAV, as of the clip it was made from."""
    before: str
    """What is said before the pause."""
    after: str
    """What is said after it."""
    pause_start_ms: float
    """Where the pause begins."""
    pause_ms: float
    """How long it lasts."""
    speech_end_ms: float
    """Last speech, by energy on the clip it was made from, moved by the pause."""


def boundaries(words: Sequence[str]) -> list[int]:
    """Return after how many words an order could not stop."""
    return [n for n in range(1, len(words)) if not _complete(" ".join(words[:n]))]


@cache
def _complete(text: str) -> bool:
    return isinstance(_router().route(Transcript(text, "en")), Intent)


@cache
def _router() -> Router:
    skills = Skills()
    problem = skills.add(str(PLUGIN))
    if problem:
        raise RuntimeError(f"{PLUGIN} does not load: {problem}")
    return Router(skills.actions, Stages(semantic=False))


def quietest(samples: Samples, from_ms: float, to_ms: float) -> int:
    """Return the sample in the middle of the quietest `FRAME_MS` between two times."""
    import numpy as np

    frame, step = _samples(FRAME_MS), _samples(1.0)
    last = max(_samples(from_ms), min(_samples(to_ms), len(samples)) - frame)
    starts = np.arange(max(0, _samples(from_ms)), last + 1, step)
    power = [float(np.square(samples[s : s + frame].astype(np.float64)).sum()) for s in starts]
    return int(starts[int(np.argmin(power))]) + frame // 2


def room_tone(
    samples: Samples, speech_ms: tuple[float, float], length: int, chance: random.Random
) -> Samples:
    """Return `length` samples of the room that a clip was recorded in.

    Laid together from random ones of the quietest quarter of the pieces outside the speech, or,
    where there is none, of all pieces. Digital silence only where the clip has nothing else.
    """
    import numpy as np

    grain, fade = _samples(GRAIN_MS), _samples(GRAIN_FADE_MS)
    starts = np.arange(0, max(0, len(samples) - grain), _samples(FRAME_MS))
    frames = np.stack([samples[s : s + grain].astype(np.float64) for s in starts])
    sounding = (frames == 0).mean(axis=1) < 0.5  # the rest is padding
    begin, end = speech_ms[0] - CLEAR_MS, speech_ms[1] + CLEAR_MS
    outside = (starts + grain <= _samples(begin)) | (starts >= _samples(end))
    pool = np.flatnonzero(sounding & outside)
    pool = pool if len(pool) else np.flatnonzero(sounding)
    if not len(pool):
        return np.zeros(length, np.int16)
    levels = np.square(frames[pool] - frames[pool].mean(axis=1, keepdims=True)).mean(axis=1)
    pool = pool[np.argsort(levels, kind="stable")][: max(1, len(pool) // 4)]
    rise = np.sin(np.linspace(0, np.pi / 2, fade))
    window = np.concatenate([rise, np.ones(grain - 2 * fade), rise[::-1]])
    tone = np.zeros(length + 2 * grain)
    for at in range(0, length + fade, grain - fade):
        tone[at : at + grain] += window * frames[pool[chance.randrange(len(pool))]]
    return np.round(tone[fade : fade + length]).clip(-32768, 32767).astype(np.int16)


def insert(samples: Samples, at: int, tone: Samples) -> Samples:
    """Return `samples` with `tone` put in at a sample; it fades into what is around it.

    The result is longer by the tone less one fade, since the tone overlaps both sides by half.
    """
    import numpy as np

    fade = _samples(FADE_MS)
    left, right = samples[: at + fade // 2], samples[at - fade // 2 :]
    rise = np.linspace(0, 1, fade)

    def join(first: Samples, second: Samples) -> Samples:
        mixed = first[-fade:] * (1 - rise) + second[:fade] * rise
        return np.concatenate([first[:-fade], np.round(mixed).astype(np.int16), second[fade:]])

    return join(join(left, tone), right)


def hesitate(
    pcm: bytes, words: Sequence[Word], chance: random.Random
) -> tuple[bytes, Hesitant] | None:
    """Put a pause into a clip; None where no pause leaves the words before it dangling."""
    import numpy as np

    samples = np.frombuffer(pcm, "<i2")
    texts = [word.text for word in words]
    places = boundaries(texts)
    if not places:
        return None
    n = chance.choice(places)
    cut = quietest(samples, words[n - 1].end_ms - SLACK_MS, words[n].start_ms + SLACK_MS)
    pause_ms = float(round(chance.uniform(*PAUSE_MS)))
    span = speech_span_ms(pcm)
    cut_ms = cut * 1000 / SAMPLE_RATE_HZ
    if not span[0] < cut_ms < span[1]:
        return None  # by energy, the speech is over or has not begun
    tone = room_tone(samples, span, _samples(pause_ms + FADE_MS), chance)
    made = insert(samples, cut, tone)
    said = Hesitant(
        "", " ".join(texts[:n]), " ".join(texts[n:]), cut_ms, pause_ms, span[1] + pause_ms
    )
    return made.astype("<i2").tobytes(), said


def make(
    recorded: Sequence[Order], folder: Path = FOLDER, seed: int = SEED
) -> tuple[list[tuple[Order, Hesitant]], int]:
    """Return the set, made first where it is not there yet, and how many clips were left out."""
    index = folder / "hesitant.json"
    wanted = {"version": VERSION, "seed": seed, "sources": [order.path.name for order in recorded]}
    read_back = json.loads(index.read_text(encoding="utf-8")) if index.is_file() else {}
    if {name: read_back.get(name) for name in wanted} == wanted:
        said = [Hesitant(**entry) for entry in read_back["clips"]]
    else:
        folder.mkdir(parents=True, exist_ok=True)
        said = _write(recorded, folder, seed)
        record = wanted | {"clips": [asdict(clip) for clip in said]}
        index.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    by_name = {order.path.stem: order for order in recorded}
    clips = [
        (replace(by_name[Path(clip.name).stem], path=folder / clip.name), clip) for clip in said
    ]
    return clips, len(recorded) - len(clips)


def _write(recorded: Sequence[Order], folder: Path, seed: int) -> list[Hesitant]:
    from rich.progress import track

    aligner, said = Aligner(), []
    for order in track(recorded, "making the hesitant set"):
        pcm = read(order.path)
        words = aligner.words(pcm, order.slots)
        # A seed for each clip: what becomes of one does not depend on which others there are.
        done = words and hesitate(pcm, words, random.Random(f"{seed} {order.path.stem}"))
        if not done:
            continue
        name = f"{order.path.stem}.wav"
        with wave.open(str(folder / name), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(SAMPLE_BYTES)
            file.setframerate(SAMPLE_RATE_HZ)
            file.writeframes(done[0])
        said.append(replace(done[1], name=name))
    return said


def _samples(ms: float) -> int:
    return round(ms * SAMPLE_RATE_HZ / 1000)


if __name__ == "__main__":
    clips, left_out = make(orders())
    print(f"{len(clips)} clips in {FOLDER}; {left_out} left out")
