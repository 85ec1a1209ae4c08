"""Wake phrase and stop words: how many are heard, how soon, how often wrongly, at what cost.

    python -m tests.bench.wake            # with the curve over allowed false alarms

Key phrases are people's, on the telephone (one phrase of each recording that is one word); stop
words are synthetic voices, over a room and over the tunes that ship, since nobody recorded them.
"""

from __future__ import annotations

import json
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

import skills
from agent.language.text import WAKE_PHRASES
from agent.listen.endpoint import energy_speech_end
from agent.listen.phrases import Phrase, Spotted
from agent.listen.sphinx import stopping
from agent.listen.sphinx.spotter import Spotter, SpotterOptions
from hardware.audio import read
from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ
from tests.bench.synthetic import FLITE as VOICES
from tests.bench.synthetic import levelled, room, to_pcm
from tests.shared import DATA, orders

CHUNK_BYTES = 640
PHONE_CALLS = DATA / "speech" / "wuw-corpus-ii"
KEY_PHRASES = {
    "operator": (),
    "think engine": ("TH IH NG K EH N JH AH N",),
    "onword": ("AO N W ER D", "AA N W ER D"),
    "wildfire": ("W AY L D F AY ER",),
    "voyager": (),
}
"""What the callers say, and how, where the dictionary does not know."""
STRETCHES = ("0.85", "1.0", "1.25")
PINYIN = {"停": "ting2", "停止": "ting2 zhi3", "取消": "qu3 xiao1", "算了": "suan4 le5"}
"""espeak-ng's Mandarin reads pinyin where its dictionary of characters is not installed."""
SNRS_DB = (20.0, 10.0, 5.0)
RATES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)


@dataclass(frozen=True, slots=True)
class Alarm:
    """What a spotter said about a clip."""

    found: tuple[Spotted, ...]
    """Everything it spotted."""
    reports_ms: tuple[float, ...]
    """When it said so: the end of the chunk."""


def listen(spotter: Spotter, pcm: bytes) -> Alarm:
    """Stream one clip, in chunks of 20 ms, with half a second of quiet after it."""
    spotter.reset()
    found, reports = [], []
    padded = pcm + room(0.5)
    for at in range(0, len(padded), CHUNK_BYTES):
        if spotted := spotter.feed(padded[at : at + CHUNK_BYTES]):
            found.append(spotted)
            reports.append((at + CHUNK_BYTES) / 32)
    return Alarm(tuple(found), tuple(reports))


def calls() -> list[tuple[bytes, str, float]]:
    """Return (sound, what is said in it without spaces, end of its key phrase in ms)."""
    if not PHONE_CALLS.is_dir():
        return []
    lines = (PHONE_CALLS / "transcripts.jsonl").read_text("utf-8").splitlines()
    labels = [json.loads(line) for line in lines]
    return [
        (
            read(PHONE_CALLS / Path(label["file"]).name),
            re.sub("[^a-z]", "", label["text"].lower()),
            1000 * label["kw_end"],
        )
        for label in labels
    ]


def others() -> list[bytes]:
    """Return speech in which nothing is to be spotted: every other order, so that it ends."""
    return [read(order.path) for order in orders()[::2]]


def tunes() -> list[bytes]:
    """Return the tunes that ship."""
    folder = Path(skills.__path__[0]) / "music" / "tunes"
    return [read(path) for path in sorted(folder.glob("*.ogg"))]


def said(text: str) -> list[bytes]:
    """Return `text` in every natural voice (flite), or in espeak-ng's Mandarin; levelled, trimmed."""
    if text in PINYIN:
        if not shutil.which("espeak-ng"):
            return []
        voices = [f"cmn-latn-pinyin{kind}" for kind in ("", "+m3", "+f2", "+f4")]
        commands = [["espeak-ng", "-v", v, "--stdout", PINYIN[text]] for v in voices]
    elif shutil.which("flite"):
        commands = [
            [
                "flite",
                "-voice",
                v,
                "--setf",
                f"duration_stretch={s}",
                "-t",
                text,
                "-o",
                "/dev/stdout",
            ]
            for v in VOICES
            for s in STRETCHES
        ]
    else:
        return []
    return [levelled(subprocess.run(c, capture_output=True, check=True).stdout) for c in commands]


def over(word: bytes, background: bytes | None, snr_db: float, seed: int) -> tuple[bytes, float]:
    """Lay a word over a background, 1 s into it; returns the sound and where the word ends, in ms."""
    random = np.random.default_rng(seed)
    samples = np.frombuffer(word, "<i2").astype(np.float64)
    length = len(samples) + 2 * SAMPLE_RATE_HZ
    mixed = np.frombuffer(room(length / SAMPLE_RATE_HZ), "<i2")[:length].astype(np.float64)
    if background is not None:
        whole = np.frombuffer(background, "<i2").astype(np.float64)
        at = int(random.integers(0, len(whole) - length))
        part = whole[at : at + length]
        gain = np.sqrt(np.square(samples).mean() / max(1.0, float(np.square(part).mean())))
        mixed = mixed + part * gain * 10 ** (-snr_db / 20)
    mixed[SAMPLE_RATE_HZ : SAMPLE_RATE_HZ + len(samples)] += samples
    return to_pcm(mixed), energy_speech_end(word, 1_000)


def hours(clips: Iterable[bytes]) -> float:
    """How long they last together."""
    return sum(map(len, clips)) / SAMPLE_BYTES / SAMPLE_RATE_HZ / 3_600


def key_phrases(rate: float, recordings: Sequence[tuple[bytes, str, float]]) -> dict[str, float]:
    """Spot each key phrase, on its own, in every call; right within 300 ms of its labelled end."""
    hits = asked = wrong = 0
    for text, ways in KEY_PHRASES.items():
        spotter = Spotter([Phrase(text, rate, ways)])
        for pcm, spoken, end_ms in track(recordings, f"{text} at {rate:g}/h"):
            found = listen(spotter, pcm).found
            if text.replace(" ", "") not in spoken:
                wrong += len(found)
            elif end_ms and spoken.count(text.replace(" ", "")) == 1:
                asked += 1
                hits += any(abs(spotted.end_ms - end_ms) < 300 for spotted in found)
    spent = len(KEY_PHRASES) * hours(pcm for pcm, _, _ in recordings)
    return {
        "key_phrases_heard_percent": 100 * hits / max(1, asked),
        "key_phrases_false_alarms_per_hour": wrong / max(spent, 1e-9),
    }


def wake_phrase(rate: float, speech: Sequence[bytes]) -> dict[str, float]:
    """Spot the default wake phrases: synthetic voices in a room, and nobody in others' speech."""
    spotter = Spotter([Phrase(text, rate) for text in WAKE_PHRASES])
    sets = [(text, pcm) for text in WAKE_PHRASES for pcm in said(text)]
    hits = [bool(listen(spotter, over(pcm, None, 0, 0)[0]).found) for _, pcm in sets]
    wrong = sum(
        len(listen(spotter, pcm).found) for pcm in track(speech, f"orders, wake {rate:g}/h")
    )
    return {
        "wake_heard_percent": 100 * sum(hits) / max(1, len(hits)),
        "wake_false_alarms_per_hour": wrong / max(hours(speech), 1e-9),
    }


def stop_words(
    rate: float, speech: Sequence[bytes], music: Sequence[bytes], alone_db: float
) -> dict[str, float]:
    """Spot the stop words in a room and over music, and nobody in speech and in music alone."""
    phrases = [Phrase(word, rate, stopping.SOUNDS.get(word, ())) for word in stopping.words()]
    spotter = Spotter(phrases, SpotterOptions(stopping.DELAY_MS, alone_db=alone_db))
    figures: dict[str, float] = {}
    waits: list[float] = []
    tune = b"".join(music)
    scenes = {"room": None} | {f"music_{snr:g}_db": snr for snr in SNRS_DB}
    for scene, snr in scenes.items():
        for language in ("en", "zh"):
            heard = []
            for word in (w for w in stopping.words() if w.isascii() == (language == "en")):
                for seed, pcm in enumerate(said(word)):
                    mixed, end_ms = over(pcm, tune if snr is not None else None, snr or 0, seed)
                    alarm = listen(spotter, mixed)
                    near = [r for r in alarm.reports_ms if r > end_ms - 300]
                    heard.append(bool(near))
                    waits += [r - end_ms for r in near[:1]]
            figures[f"stop_heard_{language}_{scene}_percent"] = 100 * statistics.fmean(heard or [0])
    for name, clips in {"speech": speech, "music": music}.items():
        wrong = sum(
            len(listen(spotter, pcm).found) for pcm in track(clips, f"{name}, stop {rate:g}/h")
        )
        figures[f"stop_false_alarms_per_hour_of_{name}"] = wrong / max(hours(clips), 1e-9)
    figures["stop_latency_p50_ms"] = float(np.percentile(waits or [np.nan], 50))
    figures["stop_latency_p95_ms"] = float(np.percentile(waits or [np.nan], 95))
    return figures


def cost(music: Sequence[bytes]) -> dict[str, float]:
    """Return the share of a core that a spotter takes while it is fed."""
    spotter = stopping.stop_spotter()
    start = time.process_time()
    for pcm in music:
        listen(spotter, pcm)
    spent_s = time.process_time() - start
    return {"stop_percent_of_a_core": 100 * spent_s / (3_600 * hours(music))}


def figures() -> dict[str, float]:
    """Return the figures at the defaults."""
    recordings, speech, music = calls(), others(), tunes()
    found = key_phrases(Phrase("").false_alarms_per_hour, recordings) if recordings else {}
    found |= wake_phrase(Phrase("").false_alarms_per_hour, speech)
    found |= stop_words(stopping.OFTEN_PER_HOUR, speech, music, stopping.ALONE_DB)
    return found | cost(music)


def curve() -> list[dict[str, float]]:
    """Return the figures over the false alarms that are allowed."""
    recordings, speech, music = calls(), others(), tunes()
    return [
        {"allowed_per_hour": rate}
        | (key_phrases(rate, recordings) if recordings else {})
        | wake_phrase(rate, speech)
        | stop_words(rate, speech, music, stopping.ALONE_DB)
        for rate in RATES
    ]


if __name__ == "__main__":
    table = Table("figure", *(f"{rate:g}/h" for rate in RATES), title="spotting")
    points = curve()
    for name in points[0]:
        table.add_row(name.replace("_", " "), *(f"{point[name]:.1f}" for point in points))
    Console(width=160).print(table)
