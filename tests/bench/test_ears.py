"""The parts of the ears' bench that need no weights."""

import math

import numpy as np
import pytest

from agent.errors import EngineError
from agent.messages import Intent
from agent.plugins.skills import Skills
from hardware.spoken import clips as spoken
from tests.bench import bars, curves, ears, free, nothing, peers, synthetic
from tests.bench.detectors import Detected
from tests.bench.pair import aloud, errors, weights
from tests.bench.recognition import SNRS_DB
from tests.bench.soak import CHUNK_BYTES

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("one", "other", "language"),
    [
        ("Pay $20 to Anna.", "pay twenty dollars to anna", "en"),
        ("The 2nd of 12, at 8:30!", "the second of twelve at eight thirty", "en"),
        ("二十美元", "$20", "zh"),
    ],
)
def test_however_it_is_written_it_is_the_same_aloud(one, other, language):
    assert aloud(one, language) == aloud(other, language)


def test_other_words_are_not_the_same_aloud():
    assert aloud("Pay $20 to Anna.") != aloud("pay thirty dollars to anna")
    assert aloud("砸自己的脚", "zh") == list("砸自己的脚")


@pytest.mark.parametrize(
    ("wanted", "got", "count"),
    [("a b c", "a b c", 0), ("a b c", "a x c", 1), ("a b c", "b c", 1), ("a", "a b c", 2),
     ("", "a b", 2), ("a b", "", 2), ("a b c d", "b c d a", 2)],
)  # fmt: skip
def test_errors_are_what_has_to_be_changed(wanted, got, count):
    assert errors(wanted.split(), got.split()) == count


def test_both_are_worse_only_where_one_alone_is_better():
    assert ears.worse([98, 90, 70], [[97, 90, 60], [50, 60, 69]]) == 0
    assert ears.worse([98, 90, 70], [[97, 92, 60], [50, 60, 73]]) == 3


def test_a_table_has_every_level_and_the_pictures_names():
    shares = {"": 90.0, "grammar_alone_": 80.0, "whisper_alone_": 95.0}
    noisy = {(n, db): shares for n in ("kitchen", "café") for db in (24, 6)}
    found = ears._levels({**shares, "": 99.0}, noisy)
    assert (found["accepted_clean_percent"], found["accepted_mean_percent"]) == (99, 90)
    assert found["worse_than_one_alone_points"] == 5
    by_noise, clean = curves.by_noise(found)
    assert by_noise == {"kitchen": {24: 90, 6: 90}, "café": {24: 90, 6: 90}}
    assert clean == 99


def test_every_bar_of_the_ears_has_a_figure_of_that_name():
    shares = dict.fromkeys(ears.WHO, 90.0)
    heard = ears._levels(shares, {("kitchen", db): shares for db in SNRS_DB})
    names = {
        bars.EARS: {*heard, "false_accept_percent"},
        bars.SPEECH: {*free._english([], None, None, []), *free._chinese([], None, None, [])}
        | {"wait_p50_ms"},
        "ears: free slots": {*free.SHARES.values()},
        "ears: nothing": {"turns_from_whisper", "memory_growth_percent"},
    }
    of_ears = [bar for bar in bars.BARS if bar.section.startswith(ears.PREFIX)]
    assert len(of_ears) == 12
    assert not [bar.figure for bar in of_ears if bar.figure not in names[bar.section]]


def test_there_are_a_hundred_sentences_whose_free_words_are_in_no_list():
    said = free.sentences()
    assert len({free_.text for free_ in said}) == 100
    listed = {
        str(value)
        for action in Skills.discover().actions.values()
        for saying in action.sayings("en")
        for values in saying.slots.values()
        for value in values or ()
    }
    assert listed
    assert not {free_.words for free_ in said} & listed


def test_phonemes_are_numbers_with_a_pad_after_each():
    known = {"^": [1], "$": [2], "_": [0], "a": [5], "ˈ": [9]}
    assert synthetic.phoneme_ids("aˈ?a", known) == [1, 0, 5, 0, 9, 0, 5, 0, 2]


def test_a_room_is_around_a_voice():
    word = synthetic.to_pcm(np.full(1600, 5000.0))
    sound = np.abs(np.frombuffer(synthetic.in_room(word, 0.5, 0.1), "<i2"))
    assert len(sound) == 8000 + 1600 + 1600
    assert 0 < sound[:8000].mean() < 100 < 4800 < sound[8000:9600].min()


def flags(script, frame_ms=20.0):
    return Detected([mark == "#" for mark in script], frame_ms)


def test_a_recording_begins_where_both_detectors_hear_a_voice():
    webrtc = flags("#" * 60 + "." * 40)  # the noise before the voice counts for the first
    ended = peers.recording(webrtc, flags("." * 55 + "#" * 5 + "." * 40), 2000)
    assert ended == peers.Ended(100, 1800)


def test_home_assistant_adds_up_the_silences_in_a_command():
    speech = "." * 50 + "#" * 60  # begun after 300 ms, and 900 ms of speech
    assert peers.command(flags(speech + "." * 50), 9000) == peers.Ended(0, 2900)
    paused = speech + "." * 20 + "#" * 10 + "." * 50
    assert peers.command(flags(paused), 9000) == peers.Ended(0, 3100)
    long = speech + "." * 20 + "#" * 50 + "." * 50  # a second of speech: counted anew
    assert peers.command(flags(long), 9000) == peers.Ended(0, 4300)


def test_home_assistant_hears_no_command_in_a_knock():
    knocks = ("#" * 10 + "." * 60) * 4
    assert peers.command(flags(knocks), 5600) == peers.Ended(0, 5600)


def test_a_recording_without_a_silence_ends_with_the_sound():
    assert peers.recording(flags("#" * 100), flags("#" * 100), 2000) == peers.Ended(0, 2000)


def test_what_was_cut_off_has_no_wait():
    results = [peers.Result(True, 100), peers.Result(False, math.nan), peers.Result(True, 300)]
    found = peers._summary("clean", results)
    assert found["clean_accepted_percent"] == pytest.approx(200 / 3)
    assert found["clean_cut_off_or_unheard_percent"] == pytest.approx(100 / 3)
    assert (found["clean_wait_p50_ms"], found["clean_wait_p95_ms"]) == (300, 300)


def test_peers_are_drawn_from_their_figures(tmp_path):
    pytest.importorskip("matplotlib")
    values = peers._summary("clean", [peers.Result(True, 100)]) | {"load_average": 1.0}
    values |= peers._summary("12db", [peers.Result(False, math.nan)])
    assert curves.peers_at(values) == [("clean", ""), ("12db", "12 dB")]
    curves.draw_peers({peers.OURS: values, peers.REALTIMESTT: values}, tmp_path / "p.png")
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")


def test_music_is_the_same_each_time_and_another_with_another_seed():
    one, again, other = (nothing.music(2.0, seed) for seed in (1, 1, 2))
    assert len(one) == 32_000
    assert (one == again).all()
    assert (one != other).any()


async def test_nothing_lasts_as_long_as_it_is_asked_for(monkeypatch):
    monkeypatch.setattr(nothing, "noises", lambda: spoken()[:1])
    sound = [c.pcm async for c in nothing.Unspoken([], 65_000).chunks()]
    assert {len(pcm) for pcm in sound} == {CHUNK_BYTES}
    assert len(sound) == 65_000 // 20


def test_without_weights_it_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv("GLASSES_MODELS", str(tmp_path))
    with pytest.raises(EngineError, match="make models"):
        weights()


def test_free_words_are_exact_or_not():
    class Routing:
        def route(self, text, language):
            return "en", Intent("shop", "search", {"product": text.removeprefix("find ")})

    wanted = free.Free("find a red chair", "search", "product", "red chair")
    assert free.exact(Routing(), "find A red chair.", wanted)
    assert not free.exact(Routing(), "find a bread chair", wanted)
    assert not free.exact(Routing(), "", wanted)
