"""Displays: what reaches the device, the file and the terminal."""

import io
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat

from hardware import profiles, raster
from hardware.base import DeviceError, Display, Frame, Line
from hardware.display import ImageDisplay, MemoryDisplay, PngDisplay, TerminalDisplay

LENS = profiles.load("quark-s1")
GOLDEN = Path(__file__).parent / "golden" / "card.png"
BUILT_IN = ()
"""No font files: what is drawn depends on Pillow alone."""


def frame(*texts, profile=LENS, brightness=1.0):
    return Frame(profile, tuple(Line(text, brightness) for text in texts))


CARD = Frame(
    LENS,
    (
        Line("Weather in London            1/2", 0.5),
        Line("Cloudy, 14 C. Light rain after", 1.0),
        Line("four; take an umbrella.", 1.0),
        Line("Wind 12 km/h, humidity 81 %", 0.75),
    ),
)


# ── profiles ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", profiles.names())
def test_every_profile_loads_and_its_text_fits_its_canvas(name):
    profile = profiles.load(name)
    assert profile.name == name
    assert profile.columns * profile.font_px * 0.5 <= profile.width_px
    assert profile.lines * profile.font_px <= profile.height_px
    assert profile.grey_levels >= 2


def test_an_unknown_profile_is_answered_with_the_known_ones():
    with pytest.raises(DeviceError, match=r"'quark-s9'; known are .*quark-s1, terminal"):
        profiles.load("quark-s9")


# ── pictures ───────────────────────────────────────────────────────────────────────────────────


def test_the_card_looks_as_agreed():
    drawn = raster.render(CARD, BUILT_IN)
    with Image.open(GOLDEN) as golden:
        difference = ImageChops.difference(drawn, golden)
    # FreeType versions differ in the rim of a glyph, not in its strokes: a lost letter counts 50.
    assert sum(difference.histogram()[128:]) < 20


def test_a_pile_of_accents_stays_in_its_row_and_cell():
    below = raster.render(frame("x" + "\u0301" * 40, "", ""))
    assert below.getbbox()[2] <= 16 + 19
    assert below.getbbox()[3] <= 480 - 16 - 2 * 45


def test_black_is_transparent_and_little_is_lit():
    drawn = raster.render(CARD, BUILT_IN)
    assert (drawn.mode, drawn.size) == ("L", (640, 480))
    assert drawn.getpixel((0, 0)) == 0
    assert ImageStat.Stat(drawn).mean[0] < 0.1 * 255
    assert drawn.getbbox()[1] > 240, "four rows leave the upper half clear"


def test_brightness_is_quantised_to_the_levels_of_the_lens():
    levels = {value for _, value in raster.render(CARD, BUILT_IN).getcolors()}
    assert levels <= {step * 17 for step in range(16)}
    assert raster.render(frame("MM", brightness=0.5), BUILT_IN).getextrema() == (0, 8 * 17)
    one_bit = raster.render(frame("MM", brightness=0.1, profile=replace(LENS, grey_levels=2)))
    assert {value for _, value in one_bit.getcolors()} == {0, 255}


def test_glyphs_stand_in_their_cells():
    """The second of two letters is where layout counted it, whatever the first one was."""
    cell = 19
    for text, column in (("iM", 1), ("WM", 1), ("你M", 2), ("e\u0301M", 1), ("   M", 3)):
        with_m = raster.render(frame(text), BUILT_IN)
        without = raster.render(frame(text[:-1] + " "), BUILT_IN)
        left, _, right, _ = ImageChops.difference(with_m, without).getbbox()
        assert 16 + column * cell <= left
        assert right <= 16 + (column + 1) * cell


def test_a_glyph_no_font_has_is_a_box_and_counted():
    drawn = raster.render(frame("a\ue123\U0001f9ffb"), BUILT_IN)
    assert drawn.info[raster.MISSING_KEY] == 2
    assert drawn.getbbox() is not None
    assert raster.render(frame("all here"), BUILT_IN).info[raster.MISSING_KEY] == 0


def test_an_arrow_with_a_gutter_grows_and_one_in_a_row_does_not():
    def lit(*texts):
        return raster.render(frame(*texts), BUILT_IN).getbbox()

    tall = lit("←   ", "    ")
    flat = lit("←")
    assert tall[2] - tall[0] > 1.5 * (flat[2] - flat[0])


def test_an_unreadable_font_is_named(tmp_path):
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    with pytest.raises(DeviceError, match=r"broken\.ttf.*GLASSES_FONT"):
        raster.render(frame("x"), [raster.FontFile(str(broken))])


@pytest.fixture
def fresh_fonts():
    raster.find_fonts.cache_clear()
    yield
    raster.find_fonts.cache_clear()


def test_glasses_font_comes_first(monkeypatch, fresh_fonts):
    monkeypatch.setenv("GLASSES_FONT", "/fonts/mine.ttf")
    assert raster.find_fonts()[0] == raster.FontFile("/fonts/mine.ttf")


# ── devices ────────────────────────────────────────────────────────────────────────────────────


class Panel:
    """A luma device that keeps its last image."""

    def __init__(self, mode="L", size=(640, 480)):
        self.mode, self.size, self.image = mode, size, None

    def display(self, image):
        if self.image == "unplugged":
            raise OSError("no such device")
        self.image = image


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_a_device_gets_the_mode_and_size_it_takes(mode):
    panel = Panel(mode)
    display = ImageDisplay(panel, LENS, BUILT_IN)
    display.show(frame("Hi\ue123"))
    assert (panel.image.mode, panel.image.size) == (mode, (640, 480))
    assert panel.image.getbbox() is not None
    assert display.missing_glyphs == 1
    display.clear()
    assert panel.image.getbbox() is None


def test_a_device_of_another_size_is_refused():
    with pytest.raises(DeviceError, match=r"128x64.*quark-s1.*640x480"):
        ImageDisplay(Panel(size=(128, 64)), LENS)


def test_a_device_that_vanishes_is_a_device_error():
    panel = Panel()
    panel.image = "unplugged"
    with pytest.raises(DeviceError, match="no such device"):
        ImageDisplay(panel, LENS, BUILT_IN).show(frame("Hi"))


def test_png_frames_are_numbered_and_green(tmp_path):
    display = PngDisplay(tmp_path / "album", LENS, BUILT_IN)
    display.show(frame("one"))
    display.show(frame("two"))
    display.clear()
    files = sorted((tmp_path / "album").iterdir())
    assert [file.name for file in files] == ["frame-0001.png", "frame-0002.png"]
    with Image.open(files[0]) as picture:
        assert picture.getextrema() == ((0, 96), (0, 255), (0, 128))


def test_one_png_file_holds_what_is_on_the_lens(tmp_path):
    display = PngDisplay(tmp_path / "lens.png", LENS, BUILT_IN)
    display.show(frame("one"))
    display.clear()
    with Image.open(tmp_path / "lens.png") as picture:
        assert picture.getbbox() is None


def test_memory_keeps_every_frame():
    display = MemoryDisplay(LENS)
    assert display.text == ""
    display.show(frame("one"))
    display.show(frame("two", "rows"))
    assert display.text == "two\nrows"
    display.clear()
    assert display.text == ""
    assert len(display.frames) == 2


def test_all_of_them_are_displays(tmp_path):
    for display in (
        MemoryDisplay(LENS),
        ImageDisplay(Panel(), LENS),
        PngDisplay(tmp_path, LENS),
        TerminalDisplay(LENS, io.StringIO()),
    ):
        assert isinstance(display, Display)


# ── terminal ───────────────────────────────────────────────────────────────────────────────────


class Tty(io.StringIO):
    """A terminal of a given width that remembers what was written."""

    encoding = "utf-8"

    def isatty(self):
        return True

    def fileno(self):
        return 0


@pytest.fixture
def tty(monkeypatch):
    """Make a TerminalDisplay on a Tty `columns` wide, without colour unless asked for."""
    for name in ("NO_COLOR", "COLORTERM", "TERM"):
        monkeypatch.delenv(name, raising=False)

    def make(columns=80, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        size = type("Size", (), {"columns": columns})
        monkeypatch.setattr("os.get_terminal_size", lambda _fd: size)
        stream = Tty()
        return TerminalDisplay(LENS, stream), stream

    return make


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


BOX = """\
╭─ quark-s1 ───────────────────────╮
│ 你好，世界                       │
│ Hello                            │
╰──────────────────────────────────╯
"""


def test_a_terminal_shows_a_box(tty):
    display, stream = tty()
    display.show(frame("你好，世界", "Hello"))
    assert plain(stream.getvalue()) == BOX


def test_the_next_frame_takes_the_place_of_the_last_one(tty):
    display, stream = tty()
    display.show(frame("one", "two"))
    display.show(frame("three"))
    assert "\x1b[4F\x1b[J" in stream.getvalue()
    display.clear()
    assert stream.getvalue().endswith("\x1b[3F\x1b[J")


def test_a_settled_frame_stays(tty):
    display, stream = tty()
    display.show(frame("one"))
    display.settle()
    display.show(frame("two"))
    assert "\x1b[J" not in stream.getvalue()


@pytest.mark.parametrize(
    ("environment", "escape"),
    [
        ({"COLORTERM": "truecolor"}, "\x1b[38;2;48;128;64;48;2;0;0;0m"),
        ({}, "\x1b[2;32;40m"),
        ({"NO_COLOR": "1"}, "\x1b[2m"),
    ],
)
def test_brightness_is_painted_with_what_the_terminal_has(tty, environment, escape):
    display, stream = tty(**environment)
    display.show(frame("dim", brightness=0.5))
    assert f"{escape} dim" in stream.getvalue()


@pytest.mark.parametrize(("columns", "boxed"), [(36, True), (35, False), (32, False)])
def test_a_narrow_terminal_gets_no_box(tty, columns, boxed):
    display, stream = tty(columns)
    display.show(frame("Hello"))
    rows = plain(stream.getvalue()).splitlines()
    assert rows[0].startswith("╭") is boxed
    assert all(len(row) <= columns for row in rows)


@pytest.mark.parametrize(("columns", "term"), [(31, "xterm"), (80, "dumb")])
def test_where_no_box_can_be_redrawn_rows_are_printed(tty, columns, term):
    display, stream = tty(columns, TERM=term)
    display.show(frame("Hello"))
    assert stream.getvalue() == "| Hello\n"


def test_a_pipe_gets_each_new_frame_once():
    stream = io.StringIO()
    display = TerminalDisplay(LENS, stream)
    for text in ("one", "one", "two"):
        display.show(frame(text, "", "end"))
    display.clear()
    assert stream.getvalue() == "| one\n|\n| end\n| two\n|\n| end\n"


def test_a_stream_without_unicode_gets_question_marks_and_an_ascii_box(tty):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="\n")
    display = TerminalDisplay(LENS, stream)
    display.show(frame("你 ok"))
    stream.seek(0)
    assert stream.read() == "| ? ok\n"
    display, tty_stream = tty()
    tty_stream.encoding = "ascii"
    display.show(frame("ok"))
    assert plain(tty_stream.getvalue()).startswith("+- quark-s1 ---")


def test_a_closed_stream_is_a_device_error():
    stream = io.StringIO()
    stream.close()
    with pytest.raises(DeviceError, match="terminal"):
        TerminalDisplay(LENS, stream).show(frame("x"))


def test_importing_displays_loads_neither_pillow_nor_rich():
    code = (
        "import sys, hardware.display, hardware.raster; print({'PIL', 'rich'} & set(sys.modules))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "set()"


def test_the_mark_of_the_microphone_alone_prints_no_card_again():
    stream = io.StringIO()
    display = TerminalDisplay(LENS, stream)
    card = Frame(LENS, (Line("a card"),))
    display.show(replace(card, listening=True))
    display.settle()
    display.show(card)
    assert stream.getvalue().count("a card") == 1
    display.settle()
    display.show(card)  # but the card itself does, when it is repeated
    assert stream.getvalue().count("a card") == 2
