"""What the speech engine understands: real orders alone and in noise, and speech that is no order.

The engine alone, without endpointing: each clip is fed in chunks of 20 ms from 300 ms before its
speech to 150 ms after it, the second before as `ambient`, and what it hears is routed among the five
skills and the coffee plugin. Other speech is cut into utterances by the agent's own endpointer.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.progress import track

from agent.language import controls
from agent.listen.endpoint import Ended, Endpointer, EndpointOptions, Speaking, Started
from agent.listen.sphinx.engine import PocketSphinx
from agent.listen.vad import CascadeVad
from agent.loop import Agent
from agent.messages import Intent
from agent.turn import intent_json
from hardware.audio import read
from hardware.base import AudioChunk, DeviceError
from tests.bench.listening import make_agent
from tests.bench.mix import NOISES, mixed, samples
from tests.shared import DATA, PLUGIN, Order, orders

SNRS_DB = (24, 18, 12, 6)
CHUNK = 640
AMBIENT = 32_000
"""Bytes of a second."""
OTHER = (
    "wuw-corpus-ii", "fsdd", "pocketsphinx", "jfk", "silero-vad", "aishell-10",
    "wyoming-command", "speech_recognition",
)  # fmt: skip
"""Folders of speech that holds no command."""
SUFFIXES = frozenset({".wav", ".flac", ".raw", ".ulaw", ".mp3", ".ogg"})


def figures(step: int = 2) -> dict[str, float]:
    """Return the table, in percent; every `step`-th order is heard."""
    with tempfile.TemporaryDirectory() as folder:
        agent = make_agent([str(PLUGIN)], Path(folder))
        try:
            return _figures(agent, orders()[::step])
        finally:
            asyncio.run(agent.close())


def _figures(agent: Agent, said: Sequence[Order]) -> dict[str, float]:
    found = {"accepted_clean_percent": _accepted(agent, said, "quiet", None, 0)}
    for name, path in NOISES.items():
        for snr_db in SNRS_DB:
            key = f"accepted_{name}_{snr_db}db_percent"
            found[key] = _accepted(agent, said, name, path, snr_db)
    by_snr = {
        snr: statistics.mean(found[f"accepted_{name}_{snr}db_percent"] for name in NOISES)
        for snr in SNRS_DB
    }
    found["accepted_12db_percent"] = by_snr[12]
    found["accepted_mean_percent"] = statistics.mean(by_snr.values())
    engine, other = _engine(agent), list(other_speech())
    heard = [_meant(agent, engine, *piece) for piece in track(other, "hearing other speech")]
    found["other_speech_pieces"] = len(heard)
    found["false_accept_percent"] = 100 * sum(h is not None for h in heard) / max(1, len(heard))
    return found


def _engine(agent: Agent) -> PocketSphinx:
    engine = PocketSphinx()
    engine.expect(agent.sayings("en"))
    return engine


def _accepted(
    agent: Agent, said: Sequence[Order], name: str, path: Path | None, snr_db: float
) -> float:
    engine, noise = _engine(agent), samples(path) if path else None
    right = 0
    for order in track(said, f"hearing orders in {name}" + (f" at {snr_db} dB" if path else "")):
        sound = mixed(f"{order.path.name}/{name}", read(order.path), noise, snr_db)
        meant = _meant(agent, engine, sound[:AMBIENT], sound[AMBIENT:])
        right += meant == (order.action, order.slots)
    engine.close()
    return 100 * right / max(1, len(said))


def _meant(agent: Agent, engine: PocketSphinx, before: bytes, speech: bytes) -> object:
    """Return what a piece of sound makes the agent do; None when nothing."""
    engine.ambient(before)
    engine.start()
    for at in range(0, len(speech), CHUNK):
        engine.feed(speech[at : at + CHUNK])
    return meant(agent, engine.finish().text)


def meant(agent: Agent, text: str) -> object:
    """Return what a text makes the agent do: action and slots, or a word of its own; else None."""
    if not text:
        return None
    _, intent = agent.route(text, "en")
    if isinstance(intent, Intent):
        call = intent_json(intent)
        return call["action"], call["slots"]
    return controls.control(text)


def other_speech() -> Iterator[tuple[bytes, bytes]]:
    """Yield the sound before and of every utterance in the other recordings."""
    for folder in OTHER:
        for path in sorted((DATA / "speech" / folder).rglob("*")):
            if path.suffix.lower() in SUFFIXES:
                try:
                    yield from _utterances(read(path))
                except DeviceError:  # some are broken on purpose
                    continue


def _utterances(pcm: bytes) -> Iterator[tuple[bytes, bytes]]:
    endpointer = Endpointer(CascadeVad(), EndpointOptions(end_ms=400))
    pcm += bytes(AMBIENT)
    before, speech = b"", bytearray()
    for at in range(0, len(pcm) - CHUNK + 1, CHUNK):
        match endpointer.push(AudioChunk(pcm[at : at + CHUNK], at / 32)):
            case Started(preroll=preroll, before=earlier):
                before = b"".join(chunk.pcm for chunk in earlier)
                speech = bytearray().join(chunk.pcm for chunk in preroll)
            case Speaking(chunk=chunk):
                speech += chunk.pcm
            case Ended(chunk=chunk):
                yield before, bytes(speech + chunk.pcm)


if __name__ == "__main__":
    for name, value in figures().items():
        print(f"{name.replace('_', ' '):36}{value:8,.1f}")
