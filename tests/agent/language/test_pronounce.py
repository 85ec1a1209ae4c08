"""Every word gets phones that pocketsphinx knows, and the answer says from where."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.language.pronounce import SHIPPED, cmu_dictionary, pronounce, spell

pytestmark = pytest.mark.slow

pytest.importorskip("pocketsphinx")

needs_espeak = pytest.mark.skipif(
    not shutil.which("espeak-ng"), reason="espeak-ng is not installed"
)


def phones(word: str) -> tuple[str, ...]:
    return pronounce([word])[word].phones


def test_the_dictionary_comes_first_with_all_its_ways() -> None:
    espresso = pronounce(["espresso"])["espresso"]
    assert espresso.source == "dictionary"
    assert espresso.phones == ("EH S P R EH S OW", "EH K S P R EH S OW")


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("7", "seven"),
        ("42", "forty two"),
        ("2nd", "second"),
        ("1984", "nineteen eighty four"),
        ("$5", "five dollars"),
        ("$1", "one dollar"),
        ("$5.50", "five fifty"),
        ("$5.50", "five dollars fifty"),
        ("3.5", "three point five"),
        ("5%", "five percent"),
        ("7:30", "seven thirty"),
        ("r&b", "r and b"),
        ("coffee-table", "coffee table"),
    ],
)
def test_written_forms_sound_like_their_words(written: str, spoken: str) -> None:
    assert " ".join(phones(word)[0] for word in spoken.split()) in phones(written)


@needs_espeak
def test_espeak_guesses_unknown_words_near_the_dictionary() -> None:
    """Held to the CMU dictionary: 1 phone in 10 differs, 1 in 4 is the limit."""
    from agent.language import pronounce as module

    words = tuple(sorted(word for word in cmu_dictionary() if word.isalpha())[::800])
    guessed = module._guess(words)
    wrong = sum(
        _distance(guessed[w].phones[0].split(), cmu_dictionary()[w][0].split()) for w in words
    )
    assert wrong / sum(len(cmu_dictionary()[word][0].split()) for word in words) < 0.25
    assert {guess.source for guess in guessed.values()} == {"espeak-ng"}


def _distance(left: list[str], right: list[str]) -> int:
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        previous, row[0] = row[0], i
        for j, b in enumerate(right, start=1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return row[-1]


def test_without_espeak_letters_are_spelt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    guess = pronounce(["zyxoteltown"])["zyxoteltown"]
    assert guess == spell("zyxoteltown")
    assert guess.source == "letters"


@pytest.mark.parametrize(
    "word", ["", "--", "你好", "zzz", "x", "ß", "007", "a1b2", "0", "$", "ñandú"]
)
def test_it_never_fails_and_knows_only_arpabet(word: str) -> None:
    known = {
        phone
        for ways in list(cmu_dictionary().values())[:5000]
        for way in ways
        for phone in way.split()
    }
    for way in phones(word):
        assert way.split()
        assert set(way.split()) <= known


def test_the_shipped_words_are_not_in_the_dictionary_already() -> None:
    words = {line.split()[0] for line in SHIPPED.read_text("utf-8").splitlines() if line[:1] != ";"}
    assert words
    assert not words & set(cmu_dictionary())
    assert pronounce(["glasses-free"])  # parts are looked up one by one
    assert {pronounce([w])[w].source for w in words if "(" not in w} == {"shipped"}


@needs_espeak
def test_the_command_line_prints_dictionary_lines() -> None:
    command = [sys.executable, "-m", "agent.language.pronounce", "espresso", "webcam"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "webcam W EH B K AE M\n"
