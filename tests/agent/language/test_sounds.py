"""How unlike sounds are."""

import pytest

from agent.language.sounds import Syllable, gap, phone_distance, syllables, unlike, weight


@pytest.mark.parametrize(
    ("near", "far"), [("P B", "P K"), ("IH IY", "IH AO"), ("M N", "M S"), ("S Z", "S AA")]
)
def test_what_sounds_alike_is_nearer(near, far):
    assert 0 < phone_distance(*near.split()) < phone_distance(*far.split()) <= 1


@pytest.mark.parametrize(
    ("han", "reading"),
    [
        ("中", Syllable("zh", "ong", 1)),
        ("乐", Syllable("l", "e", 4)),
        ("乐", Syllable("y", "ue", 4)),
        ("女", Syllable("n", "v", 3)),
        ("的", Syllable("d", "e", 5)),
    ],
)
def test_a_character_is_read_in_every_way(han, reading):
    assert reading in syllables(han)


@pytest.mark.parametrize("character", ["ä", "1", " ", ",", "\U0001f600"])
def test_what_is_no_character_has_no_syllable(character):
    assert syllables(character) == ()


def test_tones_count_less_than_mergers_and_these_less_than_other_sounds():
    shi = Syllable("sh", "i", 4)
    tone, merged, other = Syllable("sh", "i", 2), Syllable("s", "i", 4), Syllable("b", "i", 4)
    assert 0 == unlike(shi, shi) < unlike(shi, tone) < unlike(shi, merged) < unlike(shi, other)
    assert unlike(shi, Syllable("b", "ang", 1)) <= weight(shi) + 0.5
    assert unlike("S", shi) > gap("S") > 0
