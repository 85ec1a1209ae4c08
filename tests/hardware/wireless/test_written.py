"""Frames as text, for lenses that set their own."""

import pytest

from hardware.base import Frame, Line
from hardware.profiles import load
from hardware.wireless.written import rows

LENS = load("activelook")


def frame(*texts, **more):
    return Frame(LENS, tuple(map(Line, texts)), **more)


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (frame("Platform 4", "18:30"), ("Platform 4", "18:30")),
        (frame("Banks            1/2", "  Anker "), ("Banks  1/2", "  Anker")),
        (frame(), ()),
        (frame("x", listening=True), ("x  *",)),
        (frame("", "x", listening=True), ("*", "x")),
        (frame(listening=True), ("*",)),
        (frame("x" * 17, listening=True), ("x" * 17 + "  *",)),
        (frame("x" * 18, listening=True), None),
        (frame("14 °C"), None),
        (frame("x", "↰"), None),
        (frame("a\x1bb"), None),
    ],
    ids=range(11),
)
def test_rows_say_what_the_frame_says(shown, said):
    assert rows(shown) == said


def test_a_lens_says_what_its_own_font_has():
    assert rows(frame("第四站台"), lambda text: True) == ("第四站台",)
