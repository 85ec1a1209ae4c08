"""Key-phrase spotting: synthesised speech, and real recordings where the data is there."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import wave

import pytest

from agent.errors import EngineError
from agent.language.text import WAKE_PHRASES
from agent.listen.endpoint import energy_speech_end
from hardware.audio import read
from tests.shared import DATA, MISSING, orders

pytest.importorskip("pocketsphinx")

from agent.listen.phrases import Phrase, Spotted
from agent.listen.sphinx.spotter import (
    LEAST,
    Spotter,
    SpotterOptions,
    sounds,
    threshold,
)

pytestmark = pytest.mark.slow

CHUNK_BYTES = 640
PHONE_CALLS = DATA / "speech" / "wuw-corpus-ii"

needs_flite = pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed")


def speech(text: str, voice: str = "slt") -> bytes:
    command = ["flite", "-voice", voice, "-t", text, "-o", "/dev/stdout"]
    done = subprocess.run(command, capture_output=True, check=True)
    with wave.open(io.BytesIO(done.stdout)) as sound:
        return sound.readframes(sound.getnframes())


def room(seconds: float) -> bytes:
    """Quiet that is not digital silence, the same each time."""
    import numpy as np

    return np.random.default_rng(1).normal(0, 20, int(16_000 * seconds)).astype("<i2").tobytes()


def spot(spotter: Spotter, pcm: bytes, chunk_bytes: int = CHUNK_BYTES) -> list[Spotted]:
    heard = (spotter.feed(pcm[at : at + chunk_bytes]) for at in range(0, len(pcm), chunk_bytes))
    return [spotted for spotted in heard if spotted is not None]


@needs_flite
@pytest.mark.parametrize("voice", ["slt", "rms"])
def test_the_wake_phrase_is_spotted_and_only_what_follows_is_the_command(voice: str) -> None:
    phrase, command = speech("hey glasses", voice), speech("play yesterday", voice)
    found = spot(Spotter([Phrase("hey glasses")]), room(1) + phrase + command + room(0.5))
    assert [spotted.phrase for spotted in found] == ["hey glasses"]
    assert found[0].start_ms == pytest.approx(1_000, abs=250)
    assert found[0].end_ms == pytest.approx(energy_speech_end(phrase, 1_000), abs=200)
    assert found[0].score > 0


@needs_flite
@pytest.mark.parametrize("chunk_bytes", [320, 960, 3_200])
def test_times_do_not_depend_on_the_size_of_the_chunks(chunk_bytes: int) -> None:
    pcm = room(1) + speech("hey glasses") + room(1)
    (small,) = spot(Spotter([Phrase("hey glasses")]), pcm, 640)
    (other,) = spot(Spotter([Phrase("hey glasses")]), pcm, chunk_bytes)
    assert other.start_ms == pytest.approx(small.start_ms, abs=30)
    assert other.end_ms == pytest.approx(small.end_ms, abs=120)  # it may still grow in the delay


@needs_flite
def test_a_phrase_said_twice_is_spotted_twice_at_the_right_times() -> None:
    once = room(1) + speech("hey glasses") + room(1)
    first, second = spot(Spotter([Phrase("hey glasses")]), once + once)
    assert second.end_ms - first.end_ms == pytest.approx(len(once) / 32, abs=60)


@needs_flite
def test_reset_forgets_and_sets_the_clock() -> None:
    spotter = Spotter([Phrase("hey glasses")])
    phrase = room(1) + speech("hey glasses")
    spot(spotter, phrase[: len(phrase) * 3 // 4 // 640 * 640])
    spotter.reset()
    assert spot(spotter, room(1)) == [], "half a phrase from before the reset was heard"
    spotter.reset(60_000)
    (found,) = spot(spotter, phrase + room(0.5))
    assert 60_500 < found.start_ms < found.end_ms < 60_000 + len(phrase) / 32 + 200


@needs_flite
def test_other_commands_do_not_wake() -> None:
    said = ["navigate to the pharmacy", "pay twenty dollars to anna", "play ode to joy"]
    pcm = b"".join(room(1) + speech(text) for text in said) + room(1)
    assert spot(Spotter([Phrase(text) for text in WAKE_PHRASES]), pcm) == []


@needs_flite
def test_a_phrase_that_must_stand_alone_is_not_heard_inside_a_sentence() -> None:
    inside = room(1) + speech("i would like to never mind the weather at all") + room(1)
    alone = room(1) + speech("never mind") + room(1)
    phrase = Phrase("never mind")
    strict = SpotterOptions(alone_db=10)
    assert len(spot(Spotter([phrase]), inside)) == 1
    assert spot(Spotter([phrase], strict), inside) == []
    assert len(spot(Spotter([phrase], strict), alone)) == 1


@pytest.mark.parametrize("pcm", [bytes(32_000 * 5), b"\xff\x7f" * 80_000, b"", b"\x01"])
def test_silence_clipping_and_nothing_are_not_a_phrase(pcm: bytes) -> None:
    assert spot(Spotter([Phrase(text) for text in WAKE_PHRASES]), pcm) == []


def test_the_rule_asks_less_of_longer_phrases_and_of_those_that_may_be_wrong_more_often() -> None:
    by_length = [threshold(phones, 1.0) for phones in range(3, 12)]
    assert by_length == sorted(by_length, reverse=True)
    assert threshold(6, 10.0) < threshold(6, 1.0) < threshold(6, 0.1)
    assert threshold(40, 1.0) == LEAST


def test_a_phrase_is_looked_up_guessed_or_taken_from_the_mandarin_table() -> None:
    assert "HH EY G L AE S AH Z" in sounds("Hey glasses")
    assert sounds("停止")[0] == "T IH NG JH ER"
    assert len(sounds("glossodynia")) >= 1


def test_every_line_of_the_mandarin_table_can_be_listened_for() -> None:
    from agent.listen.sphinx.spotter import _mandarin

    Spotter([Phrase(text) for text in _mandarin()]).close()


def test_what_cannot_be_listened_for_is_one_line() -> None:
    with pytest.raises(EngineError, match="name a wake phrase"):
        Spotter([])
    with pytest.raises(EngineError, match="'XX'.*ARPAbet"):
        Spotter([Phrase("x", sounds=("XX",))])
    with pytest.raises(EngineError, match="你们好.*mandarin.dict"):
        Spotter([Phrase("你们好")])


@pytest.mark.skipif(not PHONE_CALLS.is_dir(), reason=MISSING)
def test_phrases_said_on_the_phone_are_spotted_where_they_are_labelled() -> None:
    lines = (PHONE_CALLS / "transcripts.jsonl").read_text("utf-8").splitlines()
    labels = [json.loads(line) for line in lines]
    spotter = Spotter([Phrase("operator", 10.0)])
    hits = []
    asked = [label for label in labels if label["text"] == "Operator" and label["kw_end"]]
    for label in asked:
        spotter.reset()
        found = spot(spotter, read(PHONE_CALLS / label["file"].split("/")[-1]) + room(0.3))
        hits += [f for f in found if abs(f.end_ms - 1000 * label["kw_end"]) < 300]
    assert len(hits) >= 0.6 * len(asked) > 5


@pytest.mark.skipif(not orders(), reason=MISSING)
@pytest.mark.slow
def test_a_minute_of_coffee_orders_wakes_nobody() -> None:
    spotter = Spotter([Phrase(text) for text in WAKE_PHRASES])
    assert [found for order in orders()[:10] for found in spot(spotter, read(order.path))] == []
