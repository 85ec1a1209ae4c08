"""A text that is read aloud is followed, line by line, by the real embedded engine."""

import shutil

import pytest

from agent.language.pronounce import cmu_dictionary
from agent.listen.sphinx.script import MOST_WORDS, Script, _sounds

pytest.importorskip("pocketsphinx")


def test_a_text_without_words_or_too_long_is_refused():
    for lines in ([], ["…", "– –"], ["one"] * (MOST_WORDS + 1)):
        with pytest.raises(ValueError, match="a text to follow has"):
            Script(lines)


def test_silence_and_noise_move_nothing():
    script = Script(["good evening everybody", "tonight i talk about rivers", "thank you"])
    assert script.line == 0
    assert {script.feed(bytes(6400)) for _ in range(20)} == {0}


def test_it_goes_on_where_it_is_told_to():
    script = Script(["one two three", "four five six", "seven eight nine"])
    script.move(2)
    script.feed(bytes(6400))
    assert script.line >= 1  # the word before the third line


def test_words_in_either_language_have_sounds_of_the_model():
    phones = {
        phone
        for word in ("church", "joy", "thing", "zoo")
        for way in cmu_dictionary()[word]
        for phone in way.split()
    }
    sounds = _sounds(["好", "女", "Church", "什", "么"])
    assert sounds[0] == ("HH AW",)
    assert sounds[1] == ("N UW", "N IY")
    assert {*sounds[2][0].split()} <= phones
    assert all(way for ways in sounds for way in ways)


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed")
def test_the_line_that_is_read_is_lit_at_changing_pace_and_after_jumps():
    from tests.bench.prompter import ENGLISH, followed, reading

    measured = followed(ENGLISH, reading(ENGLISH, "flite slt", 100.0))
    assert measured["within_a_line_percent"] >= 95
    assert measured["but_after_jumps_percent"] >= 98


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed")
def test_chinese_is_followed_too():
    from tests.bench.prompter import CHINESE, followed, reading

    measured = followed(CHINESE, reading(CHINESE, "espeak-ng cmn-latn-pinyin", 120.0))
    assert measured["within_a_line_percent"] >= 75
