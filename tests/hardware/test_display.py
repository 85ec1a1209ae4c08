"""Displays: what reaches the device, the file and the terminal."""

import io
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from PIL import Image

from hardware import profiles, raster
from hardware.base import DeviceError, Display, Frame, Line
from hardware.display import ImageDisplay, MemoryDisplay, PngDisplay, TerminalDisplay

LENS = profiles.load("quark-s1")
BUILT_IN = ()
"""No font files: what is drawn depends on Pillow alone."""


def frame(*texts, profile=LENS, brightness=1.0):
    return Frame(profile, tuple(Line(text, brightness) for text in texts))


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


def test_dim_rows_are_seen_on_a_one_bit_device_whatever_its_profile():
    panel = Panel("1")
    ImageDisplay(panel, LENS, BUILT_IN).show(frame("heading", brightness=0.5))
    assert panel.image.getbbox() is not None


def test_a_device_of_another_size_is_refused():
    with pytest.raises(DeviceError, match=r"128x64.*quark-s1.*640x480"):
        ImageDisplay(Panel(size=(128, 64)), LENS)


def test_a_device_that_vanishes_is_a_device_error():
    panel = Panel()
    panel.image = "unplugged"
    with pytest.raises(DeviceError, match="no such device"):
        ImageDisplay(panel, LENS, BUILT_IN).show(frame("Hi"))


class Radio(Panel):
    """A device that takes only what changed, over a link that may break."""

    def __init__(self):
        super().__init__()
        self.lens = Image.new("L", self.size)
        self.boxes = []
        self.broken = False

    def display(self, image):
        self.update(image, (0, 0, *image.size))

    def update(self, image, box):
        if self.broken:
            raise RuntimeError("no answer\nwithin 2 s")
        self.boxes.append(box)
        self.lens.paste(image, box)


def test_only_what_changed_is_sent():
    radio = Radio()
    display = ImageDisplay(radio, LENS, BUILT_IN)
    frames = [frame("London", "14 C"), frame("London", "15 C"), frame("Paris"), frame("Paris")]
    for shown in frames:
        display.show(shown)
        assert raster.changed(radio.lens, raster.render(shown, BUILT_IN)) is None
    assert len(radio.boxes) == 3, "nothing is sent where nothing changed"
    assert radio.boxes[0] == (0, 0, 640, 480)
    _, top, _, bottom = radio.boxes[1]
    assert bottom - top <= 45
    display.clear()
    assert radio.lens.getbbox() is None


def test_after_a_failure_the_whole_lens_is_sent_again():
    radio = Radio()
    display = ImageDisplay(radio, LENS, BUILT_IN)
    display.show(frame("one"))
    radio.broken = True
    with pytest.raises(DeviceError) as caught:
        display.show(frame("two"))
    assert (
        str(caught.value) == "the display refused a frame: no answer within 2 s; is it plugged in?"
    )
    radio.broken = False
    display.show(frame("two"))
    assert radio.boxes[-1] == (0, 0, 640, 480)


def test_a_one_bit_panel_is_dimmed_by_its_contrast():
    class Oled(Panel):
        levels = ()

        def contrast(self, level):
            self.levels += (level,)

    lens = profiles.load("ssd1306")
    panel = Oled("1", (128, 64))
    display = ImageDisplay(panel, lens, BUILT_IN)
    for light in (1.0, 1.0, 0.3, 0.0, 1.0):
        display.show(replace(frame("Hi", profile=lens), light=light))
        assert panel.image.getbbox() is not None
    display.clear()
    assert panel.levels == (255, 76, 1, 255)


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


def test_only_rows_that_changed_are_written_again(tty):
    display, stream = tty()
    display.show(frame("London", "14 C"))
    begun = len(stream.getvalue())
    display.show(frame("London", "15 C"))
    again = stream.getvalue()[begun:]
    assert "15 C" in again
    assert "London" not in again
    display.show(frame("London", "15 C"))
    assert len(stream.getvalue()) == begun + len(again)


def test_light_dims_the_terminal_too(tty):
    display, stream = tty(COLORTERM="truecolor")
    display.show(replace(frame("dim"), light=0.5))
    assert "\x1b[38;2;48;128;64;48;2;0;0;0m dim" in stream.getvalue()


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
