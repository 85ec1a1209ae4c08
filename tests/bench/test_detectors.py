"""The plain rule, on flags and on real detectors."""

import pytest

from agent.testing.doubles import voiced
from tests.bench.detectors import Detected, ends, outcome, silero, webrtcvad

pytestmark = pytest.mark.slow


def flags(script):
    return Detected([mark == "#" for mark in script], 20.0)


def test_a_turn_ends_after_its_window_of_silence():
    assert ends(flags("...#####.........."), 100) == [260]
    assert ends(flags("...#####.........."), 140) == [300]


def test_a_pause_as_long_as_the_window_makes_two_turns():
    script = "#####.....#####....."
    assert len(ends(flags(script), 100)) == 2
    assert len(ends(flags(script + "."), 120)) == 1  # the first pause is 100 ms


def test_a_knock_is_no_turn():
    assert ends(flags("...##......" * 3), 60) == []
    assert ends(flags("..###......"), 60) == []  # opened, and too short to be an utterance


def test_what_never_falls_silent_never_ends():
    assert ends(flags("#" * 200), 100) == []


def test_ends_are_judged_as_turns_are():
    assert outcome([900, 2100], 2000).early_ms == 1100
    assert outcome([2100], 2000).waits_ms == {"endpoint": 100}
    assert not outcome([2100], 2000).cut()
    assert outcome([], 2000).waits_ms == {}


def test_real_detectors_hear_where_sound_is():
    pcm = bytes(16_000) + voiced(1.0) + bytes(32_000)
    for detector in (webrtcvad, silero):
        heard = detector(pcm)
        assert len(heard.flags) == len(pcm) // round(heard.frame_ms * 32)
        assert not any(heard.flags[: int(400 / heard.frame_ms)])
    assert len(ends(webrtcvad(pcm), 300)) == 1
