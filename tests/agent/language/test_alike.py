"""Names found by how they look and sound."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.language.alike import Alike, likeness, sounded, written

NAMES = [
    "Obere Landstraße", "Café Müller", "St. Mary's Church", "Bohemian Rhapsody", "99 Luftballons",
    "月亮代表我的心", "Motörhead", "中山路", "", "!!!", "Donau", "Улица Ленина",
]  # fmt: skip


@pytest.mark.parametrize(
    ("heard", "name"),
    [
        ("cafe muller", "Café Müller"),
        ("kafay mewler", "Café Müller"),
        ("saint marys church", "St. Mary's Church"),
        ("bohemian rapsody", "Bohemian Rhapsody"),
        ("rhapsody", "Bohemian Rhapsody"),
        ("ninety nine luft balloons", "99 Luftballons"),
        ("月亮代表我地心", "月亮代表我的心"),
        ("motor head", "Motörhead"),
        ("中三路", "中山路"),
        ("dohnow", "Donau"),
        ("улица ленина", "Улица Ленина"),
    ],
)
def test_a_misheard_name_is_found_first(heard, name):
    assert NAMES[Alike(NAMES).find(heard, least=0.5)[0].index] == name


@pytest.mark.parametrize("heard", ["", "?!", "quixotic zebra", "x" * 10_000])
def test_what_is_like_none_is_none(heard):
    assert Alike(NAMES).find(heard) == []


def test_an_empty_list_has_nothing():
    assert Alike([]).find("anything") == []
    assert Alike(["", "?"]).find("anything") == []


@given(st.lists(st.text(max_size=30), max_size=20), st.text(max_size=30))
def test_any_text_may_be_a_name_and_any_may_be_asked_for(names, heard):
    found = Alike(names).find(heard, least=0.0)
    assert all(0 <= match.score <= 1 for match in found)
    assert [match.score for match in found] == sorted((m.score for m in found), reverse=True)


@given(st.sampled_from([name for name in NAMES if written(name)]))
def test_a_name_is_most_like_itself(name):
    (first, *_) = Alike(NAMES).find(name.upper())
    assert (NAMES[first.index], first.score) == (name, 1.0)
    keys = written(name), sounded(name)
    assert likeness(*keys, *keys) == 1.0
