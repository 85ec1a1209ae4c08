"""A Halo: the program on the maker's emulator, pixel for pixel, and links that drop."""

import asyncio
import threading

import lc3
import pytest
from brilliant_ble import NotConnectedError
from halo_emulator import EmulatorBrilliantMsg, HaloEmulator

from agent.display.layout import lay_out
from hardware import profiles, raster
from hardware.audio import read
from hardware.base import DeviceError, Frame, Line
from hardware.lenses.halo.glasses import Glasses
from hardware.spoken import clips
from hardware.wireless.display import WirelessDisplay
from tests.gallery import cards
from tests.pace import PATIENCE_S, soon

pytestmark = pytest.mark.slow
LENS = profiles.load("halo")
FRAMES = [page for reply, language in cards() for page in lay_out(reply, LENS, language)]
HELLO = Frame(LENS, (Line("hello"), Line("there", 0.5)))
OTHER = Frame(LENS, tuple(Line("x" * 20) for _ in range(LENS.lines)))


class Emulated(EmulatorBrilliantMsg):
    """The emulator as the maker's library sees a Halo, with a link that can be cut."""

    def __init__(self, emulator, cut_after=None):
        super().__init__(emulator)
        self.sent, self.is_cut, self._cut_after = [], False, cut_after

    async def connect(self, initialize=True, name=None):
        assert name == "Halo 08"
        return await super().connect(initialize)

    def is_connected(self):
        return not self.is_cut and super().is_connected()

    async def send_message(self, msg_code, payload, show_me=False):
        if self._cut_after is not None and len(self.sent) >= self._cut_after:
            self.is_cut = True
        if self.is_cut:
            raise NotConnectedError
        self.sent.append((msg_code, payload))
        await super().send_message(msg_code, payload)


class Worn:
    """The glasses that are connected to, one emulator a link."""

    def __init__(self, *cuts):
        self._cuts, self.links, self.told = list(cuts), [], []
        self.side = Glasses("Halo 08", "Halo 08", self._make)

    def _make(self):
        lua = HaloEmulator(print_handler=lambda line: None)
        self.links.append(Emulated(lua, self._cuts.pop(0) if self._cuts else None))
        return self.links[-1]

    @property
    def lua(self):
        return self.links[-1]._emu

    @property
    def pixels(self):
        return self.lua.get_framebuffer().convert("RGB").tobytes()


def pixels(frame):
    return raster.render(frame).convert("RGB").tobytes()


@pytest.fixture(autouse=True)
def patient(monkeypatch):
    """The emulator draws in the time that a busy machine leaves it."""
    monkeypatch.setattr("hardware.lenses.halo.glasses.DONE_S", PATIENCE_S)
    monkeypatch.setattr("hardware.wireless.display.SHOW_S", PATIENCE_S)


@pytest.fixture
async def halo():
    worn = Worn()
    await worn.side.open()
    yield worn
    await worn.side.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("lua")]


async def test_every_card_is_equal_in_every_pixel(halo):
    for frame in FRAMES:
        await halo.side.show(frame)
        assert halo.pixels == pixels(frame)
    await halo.side.show(None)
    assert not any(halo.pixels)


async def test_only_what_changed_is_sent(halo):
    await halo.side.show(HELLO)
    before = len(halo.links[0].sent)
    await halo.side.show(Frame(LENS, (HELLO.lines[0], Line("world", 0.5))))
    strips = halo.links[0].sent[before:-1]
    assert {code for code, _ in strips} == {0x20}
    assert 1 <= len(strips) <= 3, "a row of 22 px is in at most three strips of 16"


async def test_half_a_picture_is_made_whole_by_the_next_link():
    worn = Worn(8)
    loop = asyncio.get_running_loop()
    display = WirelessDisplay("Halo 08", LENS, [worn.side], loop, worn.told.append)
    display.start()
    try:
        display.show(OTHER)
        await soon(lambda: len(worn.links) == 2 and worn.pixels == pixels(OTHER))
        half = worn.links[0].get_framebuffer().convert("RGB")
        assert half.getbbox(), "the first link broke half-way"
        assert half.tobytes() != pixels(OTHER)
        assert worn.told == ["Halo 08: the link was lost; it is tried again", "Halo 08 is back"]
    finally:
        await display.close()


async def test_a_program_that_hangs_is_given_up(halo, monkeypatch):
    monkeypatch.setattr("hardware.lenses.halo.glasses.DONE_S", 0.2)
    halo.lua.stop()
    with pytest.raises(DeviceError, match="no longer draws"):
        await halo.side.show(HELLO)


async def test_what_the_glasses_say_besides_is_no_answer(halo):
    """Messages cut short, of an earlier frame, or too long: the frame's own number alone counts."""
    await halo.side.show(HELLO)
    for said in (b"", b"\x22", b"\x22\x00", b"\x22\x00\x01", b"\x22\x00\x02\x00", bytes(40)):
        halo.links[0]._on_lua_send(said)
    await halo.side.show(OTHER)
    assert halo.pixels == pixels(OTHER)


async def test_what_is_said_is_heard_while_pictures_go_over(halo):
    pcm = read(clips()[0])[: 2 * 32_000]
    encoder = lc3.Encoder(10_000, 16_000)
    sent = b"".join(encoder.encode(pcm[at : at + 320], 40, 16) for at in range(0, len(pcm), 320))
    packets = []
    halo.side.on_sound = packets.append
    await halo.side.listen(True)
    await soon(lambda: halo.lua._microphone.status() == "streaming")
    for at in range(0, len(sent), 1000):  # as it comes, in pieces that are no whole frames
        halo.lua.inject_microphone_data(sent[at : at + 1000])
        await halo.side.show(HELLO if at % 2000 else OTHER)
    await soon(lambda: len(packets) == len(sent) // 160)
    assert [packet.number for packet in packets] == [n % 256 for n in range(len(packets))]
    assert (
        b"".join(frame for packet in packets for frame in packet.frames)
        == sent[: 160 * len(packets)]
    )
    await halo.side.listen(False)
    await soon(lambda: halo.lua._microphone.status() == "stopped")
    await halo.side.show(OTHER)
    assert halo.pixels == pixels(OTHER)
