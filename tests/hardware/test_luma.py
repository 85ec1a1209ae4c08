"""luma's own drivers and emulators behind ImageDisplay, down to the bytes on the wire."""

import os

import pytest
from PIL import Image

from hardware import profiles, raster
from hardware.base import DeviceError, Frame, Line
from hardware.display import ImageDisplay

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

from luma.core.device import dummy
from luma.emulator.device import capture
from luma.oled.device import ssd1306, ssd1322

pytestmark = pytest.mark.filterwarnings(
    # luma reads pictures in a way that Pillow 14 will no longer know.
    "ignore:Image.Image.getdata is deprecated:DeprecationWarning"
)
PANELS = {"ssd1306": ssd1306, "ssd1322": ssd1322}


class Wire:
    """A serial interface that counts what goes over it, until it is unplugged."""

    def __init__(self):
        self.commands, self.sent_bytes, self.unplugged = [], 0, False

    def command(self, *parts):
        self._send(len(parts))
        self.commands.append(parts)

    def data(self, parts):
        self._send(len(parts))

    def _send(self, count):
        if self.unplugged:
            raise OSError(121, "Remote I/O error")
        self.sent_bytes += count

    def cleanup(self):
        """Nothing is open."""


@pytest.fixture(params=PANELS)
def panel(request):
    """A panel that runs luma's driver: its display, its wire and its profile."""
    lens, wire = profiles.load(request.param), Wire()
    device = PANELS[request.param](wire, width=lens.width_px, height=lens.height_px)
    device.persist = True  # nothing to switch off at exit
    return ImageDisplay(device, lens, ()), wire, lens


def test_a_card_reaches_the_panel(panel):
    display, wire, lens = panel
    before = wire.sent_bytes
    display.show(Frame(lens, (Line("Hello"), Line("14 C", 0.5))))
    assert wire.sent_bytes > before
    display.clear()


def test_an_update_costs_no_more_than_its_rows(panel):
    """The SSD1322's driver sends what changed; the SSD1306's always sends its kilobyte."""
    display, wire, lens = panel
    rows = [Line("Hello")] * (lens.lines - 1)
    display.show(Frame(lens, (*rows, Line("14 C"))))
    before = wire.sent_bytes
    display.show(Frame(lens, (*rows, Line("15 C"))))
    whole = lens.width_px * lens.height_px * (1 if lens.grey_levels == 2 else 4) // 8
    assert wire.sent_bytes - before < (whole * 1.05 if lens.name == "ssd1306" else whole * 0.1)


def test_light_goes_to_the_contrast_of_a_one_bit_panel(panel):
    display, wire, lens = panel
    for light in (1.0, 0.2):
        wire.commands.clear()
        display.show(Frame(lens, (Line("Hello"),), light=light))
        contrast = [parts[1] for parts in wire.commands if parts[0] == 0x81 and len(parts) == 2]
        assert contrast == ([round(255 * light)] if lens.grey_levels == 2 else [])


def test_unplugged_in_the_middle_of_a_frame(panel):
    display, wire, lens = panel
    display.show(Frame(lens, (Line("Hello"),)))
    wire.unplugged = True
    with pytest.raises(
        DeviceError, match=r"^the display refused a frame: .*Remote I/O error; is it"
    ):
        display.show(Frame(lens, (Line("Bye"),)))
    wire.unplugged = False
    display.show(Frame(lens, (Line("Back"),)))


@pytest.mark.parametrize("name", ["ssd1306", "ssd1322", "halo"])
def test_the_emulator_shows_the_same_picture(tmp_path, name):
    lens = profiles.load(name)
    emulator = capture(
        lens.width_px,
        lens.height_px,
        mode="1" if lens.grey_levels == 2 else "RGB",
        transform="none",
        file_template=str(tmp_path / "{0}.png"),
    )
    shown = Frame(lens, (Line("14 C", 0.5), Line("你好 Hello")))
    ImageDisplay(emulator, lens).show(shown)
    with Image.open(tmp_path / "1.png") as picture:
        assert raster.changed(picture.convert("L"), raster.render(shown)) is None


def test_greys_are_greys_on_a_colour_panel():
    lens = profiles.load("halo")
    device = dummy(lens.width_px, lens.height_px, mode="RGB")
    ImageDisplay(device, lens, ()).show(Frame(lens, (Line("MM", 0.5),)))
    assert device.image.getextrema() == ((0, 119),) * 3
