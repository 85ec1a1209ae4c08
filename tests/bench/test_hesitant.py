"""The hesitant set: where it pauses, what it puts in, and that the same seed makes the same."""

import random
import wave

import numpy as np
import pytest

from hardware.audio import read
from tests.bench import hesitant
from tests.bench.words import Aligner, Word, template
from tests.shared import MISSING, orders

pytestmark = pytest.mark.slow

RATE = 16_000


def noise(seconds, level, seed=1):
    samples = np.random.default_rng(seed).normal(0, level, round(seconds * RATE))
    return samples.round().astype(np.int16)


def clip():
    """Two loud words in a quiet room, a gap of 80 ms between them."""
    samples = noise(4.0, 20)
    for start, end in ((1.0, 1.5), (1.58, 2.2)):
        samples[round(start * RATE) : round(end * RATE)] = noise(end - start, 6000, seed=2)
    return samples


WORDS = [Word("get me a large", 1000, 1540), Word("latte", 1540, 2200)]


def test_a_pause_comes_only_where_an_order_could_not_stop():
    words = [
        "can",
        "i",
        "get",
        "a",
        "large",
        "iced",
        "mocha",
        "with",
        "soy",
        "milk",
        "and",
        "sugar",
    ]
    said = {" ".join(words[:n]) for n in hesitant.boundaries(words)}
    assert "can i get a large iced" in said
    assert "can i get a large iced mocha with soy milk and" in said
    assert "can i get a large iced mocha" not in said
    assert "can i get a large iced mocha with soy milk" not in said


def test_all_ways_to_say_a_label_are_in_its_template():
    slots = {"coffeeDrink": "latte", "size": "small", "roast": "dark roast", "sugarAmount": "sugar"}
    assert template(slots).endswith("(a|an) (small;dark roast) latte with (sugar)")
    both = {"coffeeDrink": "mocha", "milkAmount": "milk", "sugarAmount": "sugar"}
    assert template(both).endswith("mocha with (milk and sugar|sugar and milk)")


def test_the_cut_is_in_the_gap():
    at = hesitant.quietest(clip(), 1450, 1640) / RATE
    assert 1.5 < at < 1.58


def test_room_tone_is_the_room_and_not_the_speech():
    tone = hesitant.room_tone(clip(), (1000, 2200), RATE, random.Random(1)).astype(float)
    assert len(tone) == RATE
    assert 10 < tone.std() < 30
    assert (tone == 0).mean() < 0.1


def test_only_a_clip_of_nothing_else_gets_digital_silence():
    silent = np.zeros(2 * RATE, np.int16)
    assert not hesitant.room_tone(silent, (500, 800), RATE, random.Random(1)).any()
    silent[8000:12800] = noise(0.3, 500)
    assert hesitant.room_tone(silent, (500, 800), RATE, random.Random(1)).any()


def test_what_is_put_in_makes_no_jump_and_leaves_the_rest_as_it_was():
    samples = np.full(RATE, 3000, np.int16)
    fade = round(hesitant.FADE_MS * RATE / 1000)
    made = hesitant.insert(samples, 8000, np.zeros(1600 + fade, np.int16))
    assert len(made) == len(samples) + 1600
    assert abs(np.diff(made.astype(int))).max() <= 3000 / fade + 2
    assert (made[: 8000 - fade] == 3000).all()
    assert (made[8000 + 1600 + fade :] == 3000).all()
    assert not made[8000 + fade : 8000 + 1600 - fade].any()


def test_a_clip_is_as_much_longer_as_its_pause_and_its_speech_ends_as_much_later():
    pcm = clip().tobytes()
    made, said = hesitant.hesitate(pcm, WORDS, random.Random(3))
    assert 600 <= said.pause_ms <= 1200
    assert len(made) - len(pcm) == pytest.approx(said.pause_ms * 32, abs=4)
    assert said.speech_end_ms == pytest.approx(2200 + said.pause_ms, abs=20)
    assert (said.before, said.after) == ("get me a large", "latte")
    again = hesitant.hesitate(pcm, WORDS, random.Random(3))
    assert again == (made, said)
    assert hesitant.hesitate(pcm, WORDS, random.Random(4))[1] != said


def test_without_a_place_to_pause_a_clip_is_left_out():
    assert hesitant.hesitate(clip().tobytes(), WORDS[1:], random.Random(3)) is None


def test_words_of_real_orders_are_found_and_others_are_not_believed():
    recorded = orders()
    if not recorded:
        pytest.skip(MISSING)
    aligner, order = Aligner(), recorded[0]
    words = aligner.words(read(order.path), order.slots)
    assert " ".join(w.text for w in words).endswith("light roast eight ounce iced mocha")
    assert all(w.start_ms < w.end_ms for w in words)
    other = {"coffeeDrink": "cappuccino", "sugarAmount": "lots of sweetener"}
    assert aligner.words(read(order.path), other) is None


def test_the_set_is_written_once_and_read_back(tmp_path):
    recorded = orders()[:3]
    if not recorded:
        pytest.skip(MISSING)
    made, left_out = hesitant.make(recorded, tmp_path)
    assert len(made) + left_out == 3
    order, said = made[0]
    with wave.open(str(order.path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
    assert order.slots == next(o.slots for o in recorded if o.path.stem == order.path.stem)
    written = order.path.stat().st_mtime_ns
    assert hesitant.make(recorded, tmp_path) == (made, left_out)
    assert order.path.stat().st_mtime_ns == written
    other, _ = hesitant.make(recorded, tmp_path, seed=5)
    assert [one for _, one in other] != [one for _, one in made]
    assert said.pause_ms <= 1200
