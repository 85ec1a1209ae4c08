from types import SimpleNamespace

import pytest

from agent.listen.sphinx.confidence import REJECT_BELOW, WORST, Reading

CLEAR = Reading("get me a latte", fit=-2.1, worst=-3.5, frames=110, words=4)


def segment(word, ascore, start, end):
    return SimpleNamespace(word=word, ascore=ascore, start_frame=start, end_frame=end)


def test_silence_and_noise_are_no_words():
    reading = Reading.of(
        "yes please",
        [
            segment("<sil>", 1e-9, 0, 29),
            segment("yes", 1.0, 30, 49),
            segment("[NOISE]", 1e-9, 50, 59),
            segment("please", 0.5, 60, 79),
        ],
    )
    assert (reading.words, reading.frames) == (2, 40)
    assert reading.worst == WORST  # -0.693 * 1024 / 20 a frame, and no word counts for more
    assert reading.fit < 0


def test_nothing_was_said():
    assert Reading.of("", [segment("<sil>", 1.0, 0, 9)]) == Reading()
    assert Reading().confidence(4) == 0


def test_a_clear_command_is_certain_and_other_speech_is_not():
    assert CLEAR.confidence(4) > 0.9
    other = Reading("pay anna two hundred and one euro", -5.3, -9.0, 200, 7)
    assert other.confidence(2) < REJECT_BELOW


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        (CLEAR.confidence(4), CLEAR.confidence(2)),
        (CLEAR.confidence(3), Reading("x", -4.1, -3.5, 110, 4).confidence(3)),
        (Reading("x y", -3.0, -3.0, 50, 2).confidence(4), Reading("x", -3.0, -3.0, 25, 1).confidence(4)),
        (CLEAR.confidence(3), Reading("x", -2.1, -3.5, 300, 4).confidence(3)),
    ],
    ids=["agreement", "fit", "a single word", "words that are drawn out"],
)  # fmt: skip
def test_what_counts(better, worse):
    assert better > worse
