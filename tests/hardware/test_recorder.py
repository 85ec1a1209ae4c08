"""The film of a lens, on a virtual clock."""

from dataclasses import replace

import pytest
from PIL import Image, ImageSequence

from hardware import profiles
from hardware.base import DeviceError, Frame, Line
from hardware.recorder import LONGEST_MS, GifDisplay, write_gif

LENS = profiles.load("even-g1")


def frame(text, **changes):
    return replace(Frame(LENS, (Line(text),)), **changes)


def film(path):
    """Return the times and the pictures, as a viewer puts them together."""
    with Image.open(path) as opened:
        assert opened.info["loop"] == 0
        return [
            (shot.info["duration"], shot.convert("RGB")) for shot in ImageSequence.Iterator(opened)
        ]


class Clock:
    """Time that passes when it is told to."""

    def __init__(self):
        self.ms = 1_000_000.0

    def __call__(self):
        return self.ms


def test_each_frame_stays_for_as_long_as_it_was_shown(tmp_path):
    clock = Clock()
    display = GifDisplay(tmp_path / "films" / "x.gif", LENS, clock, fonts=())
    for text, ms in (("one", 1500), ("two", 304), ("three", 304), ("four", 1000)):
        display.show(frame(text))
        clock.ms += ms
    display.clear()
    clock.ms += 500
    display.save()
    shots = film(display.path)
    assert [ms for ms, _ in shots] == [1500, 300, 310, 1000, 500], "rounding does not add up"
    assert shots[0][1].size == (576, 136)
    assert shots[0][1].getextrema() == ((0, 96), (0, 255), (0, 128)), "in the tint of the lens"
    assert shots[0][1].tobytes() != shots[1][1].tobytes()
    assert shots[-1][1].getbbox() is None


def test_what_nobody_can_see_is_left_out_and_its_time_kept(tmp_path):
    path = tmp_path / "x.gif"
    write_gif(path, LENS, [(frame("flash"), 8.0), (frame("seen"), 100.0), (frame("last"), 1.0)], ())
    assert [ms for ms, _ in film(path)] == [110, 20]


def test_a_frame_that_stays_for_hours_is_shown_for_minutes(tmp_path):
    path = tmp_path / "x.gif"
    write_gif(path, LENS, [(frame("a"), 9e7), (frame("b"), 1000.0)], ())
    assert [ms for ms, _ in film(path)] == [LONGEST_MS, 1000]


def test_only_what_changed_is_stored(tmp_path):
    text = "Cloudy, light rain after four; umbr"
    shots = [(frame(text[: end + 1]), 100.0) for end in range(len(text))]
    write_gif(tmp_path / "typed.gif", LENS, shots, ())
    write_gif(tmp_path / "whole.gif", LENS, shots[-1:], ())
    size, whole = ((tmp_path / name).stat().st_size for name in ("typed.gif", "whole.gif"))
    assert size < 6 * whole


def test_light_and_levels_survive(tmp_path):
    lens = profiles.load("quark-s1")
    path = tmp_path / "x.gif"
    shots = [
        (Frame(lens, (Line("dim", 0.5), Line("full")), light=light), 100.0) for light in (1.0, 0.5)
    ]
    write_gif(path, lens, shots, ())
    full, dim = (picture.getextrema()[1][1] for _, picture in film(path))
    assert full == 255
    assert dim == 255 * 7 // 15


def test_nothing_and_nowhere_are_said(tmp_path):
    with pytest.raises(DeviceError, match="nothing to write"):
        GifDisplay(tmp_path / "x.gif", LENS).save()
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DeviceError, match=r"cannot write .*file/x\.gif"):
        write_gif(tmp_path / "file" / "x.gif", LENS, [(frame("a"), 100.0)])
