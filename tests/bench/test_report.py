"""The record, the bars and the pictures."""

import json

import pytest

from tests.bench import __main__ as bench
from tests.bench import bars, curves
from tests.bench.turns import Point

pytestmark = pytest.mark.slow

NAN = float("nan")


@pytest.mark.parametrize(
    ("limit", "at_least", "value", "met"),
    [
        (3, False, 3.0, True), (3, False, 3.1, False), (97, True, 97.0, True),
        (97, True, 96.9, False), (20, False, -30.0, False), (3, False, NAN, None),
    ],
)  # fmt: skip
def test_a_bar_is_met_or_not_or_not_measured(limit, at_least, value, met):
    bar = bars.Bar("what", "section", "figure", limit, at_least)
    assert bar.met({"section": {"figure": value}}) is met
    assert bar.met({}) is None


def test_every_bar_of_turns_has_a_figure_of_that_name():
    from tests.bench.turns import summary

    names = summary([])
    assert {b.figure for b in bars.BARS if b.section.startswith(("fluent", "hesitant"))} <= set(
        names
    )


def test_the_record_is_json_even_where_nothing_was_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "OUT", tmp_path / "out")
    bench._write("bench.json", {"machine": "m", "turns": {"wait": NAN, "cut": 1.5}})
    read = json.loads((tmp_path / "out" / "bench.json").read_text())
    assert read == {"machine": "m", "turns": {"wait": None, "cut": 1.5}}


def test_acceptance_by_noise_is_found_by_name():
    figures = {
        "accepted_kitchen_12db_percent": 88.0, "accepted_kitchen_6db_percent": 70.0,
        "accepted_cafe_6db_percent": 60.0, "accepted_clean_percent": 97.0, "accepted_12db_percent": 1,
    }  # fmt: skip
    assert curves.by_noise(figures) == (
        {"kitchen": {12.0: 88.0, 6.0: 70.0}, "cafe": {6.0: 60.0}},
        97.0,
    )


def test_pictures_are_drawn_from_the_figures(tmp_path):
    pytest.importorskip("matplotlib")
    low, high = [
        {
            "agent": [Point(1.0, cut, cut, cut + 1, 150, 300)],
            "silero": [Point(100, NAN, 9, 9, NAN, NAN)],
        }
        for cut in (2.0, 20.0)
    ]
    pictures = []
    for number, of in enumerate((low, low, high)):
        path = tmp_path / f"{number}.png"
        curves.draw_turns("hesitant", of, path)
        pictures.append(path.read_bytes())
    assert pictures[0] == pictures[1] != pictures[2]
    curves.draw_noise({"kitchen": {6.0: 70.0, 12.0: 88.0}}, 97.0, tmp_path / "noise.png")
    assert (tmp_path / "noise.png").read_bytes().startswith(b"\x89PNG")
