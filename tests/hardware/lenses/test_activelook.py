"""ActiveLook glasses at the other end of bumble's simulated link, in virtual time."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from agent.display.layout import lay_out
from agent.testing.clock import VirtualClock
from hardware import profiles, raster
from hardware.base import Frame, Line
from hardware.lenses.activelook import codec
from hardware.lenses.activelook.glasses import Glasses
from hardware.wireless import written
from hardware.wireless.display import WirelessDisplay
from tests.gallery import cards
from tests.hardware.lenses import look
from tests.hardware.lenses.air import Air
from tests.hardware.lenses.waiting import until

LENS = profiles.load("activelook")
FRAMES = [page for reply, language in cards() for page in lay_out(reply, LENS, language)]
TEXT = Frame(LENS, (Line("Platform 4", 1.0), Line("18:30     on time", 0.5)))
PICTURE = Frame(LENS, (Line("第四站台"), Line("18:30")))


@pytest.fixture
def clock():
    clock = VirtualClock()
    yield clock
    clock.close()


async def worn(told=None, mtu=251):
    air = Air()
    air.mtu = mtu
    glasses = look.Glasses(air)
    await glasses.come()
    side = Glasses(air.radio, look.ADDRESS, "A.LooK 000128")
    told = [] if told is None else told
    display = WirelessDisplay(side.name, LENS, [side], asyncio.get_running_loop(), told.append)
    display.start()
    await until(lambda: glasses.flushes == 1)
    return glasses, display


def shows(glasses, frame):
    """Whether they show this frame: each word in its place, or each pixel."""
    if written.rows(frame) is None:
        return not glasses.words and glasses.pixels.tobytes() == raster.render(frame).tobytes()
    said = [part for line in frame.lines for part in line.text.split("  ") if part.strip()]
    return [word.strip() for _, _, word, _, _ in glasses.words] == [part.strip() for part in said]


# -- bytes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "documented"),
    [
        (codec.packed(0x01), "ff010005aa"),
        (codec.packed(0x01, query=b"\x02\x01"), "ff0102070201aa"),
        (codec.packed(0x01, query=b"\x04\x03\x02\x01"), "ff01040904030201aa"),
        (codec.text(303 - 152, 255 - 128, "hello 4", 2, 15), "ff3700140098008004020f68656c6c6f203400aa"),
    ],
    ids=["clear", "a query of two", "a query of four", "text"],
)  # fmt: skip
def test_commands_are_those_of_the_document(made, documented):
    assert made.hex() == documented


def test_a_long_command_has_a_long_length():
    made = codec.packed(0x44, bytes(512), b"\x01" * 15)
    assert len(made) == 533
    assert made[:5] == bytes((0xFF, 0x44, 0x1F, 533 >> 8, 533 & 0xFF))


def test_a_command_that_holds_too_much_is_refused():
    with pytest.raises(ValueError, match="512 bytes, not 513"):
        codec.packed(0x44, bytes(513))


def test_pictures_are_packed_as_the_document_does():
    row = Image.frombytes("L", (6, 1), bytes((0, 34, 68, 136, 255, 0)))
    head, strip = codec.picture(row.transpose(Image.Transpose.ROTATE_180), 0, 255)
    assert head[4:15].hex() == "000000030006012a000002"
    import heatshrink2

    packed = heatshrink2.decompress(strip[4:-1], window_sz2=8, lookahead_sz2=4)
    assert packed.hex() == "20840f", "the example of 5.5.1"


def test_messages_are_whole_wherever_they_are_cut():
    answer = codec.packed(codec.BATTERY, b"\x50", b"\x00\x07") + codec.packed(0xE2, b"\x44\x04\x00")
    for at in range(len(answer) + 1):
        reader = codec.Reader()
        read = [*reader.take(answer[:at]), *reader.take(answer[at:])]
        assert [(m.command, m.query, m.data) for m in read] == [
            (codec.BATTERY, b"\x00\x07", b"\x50"),
            (codec.FAULT, b"", b"\x44\x04\x00"),
        ]


@pytest.mark.parametrize(
    "noise", [b"\xff", b"\xff\xff", b"\x00\xaa", b"\xff\x05\x40\x06", b"\xff\x05\x00\x03"]
)
def test_a_message_is_found_after_what_is_none(noise):
    reader = codec.Reader()
    whole = codec.packed(codec.BATTERY, b"\x50")
    list(reader.take(noise))
    assert codec.Message(codec.BATTERY, b"", b"\x50") in [
        message for _ in range(3) for message in reader.take(whole)
    ]  # fmt: skip


@given(st.lists(st.binary(max_size=80)), st.integers(0, 3))
def test_noise_ends_with_the_next_quiet_message(pieces, names):
    """Whatever came before, the reader neither fails nor keeps more than one message can be."""
    reader = codec.Reader()
    for piece in pieces:
        for message in reader.take(piece):
            assert len(message.query) <= 15
            assert len(message.data) < codec.LONGEST
    whole = codec.packed(codec.BATTERY, b"\x50", b"\x01" * names)
    read = [message for _ in range(700 // len(whole)) for message in reader.take(whole)]
    assert codec.Message(codec.BATTERY, b"\x01" * names, b"\x50") in read


# -- frames ---------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("mtu", [23, 251])
def test_every_card_arrives_as_it_was(clock, mtu):
    async def run():
        glasses, display = await worn(mtu=mtu)
        for frame in FRAMES:
            display.show(frame)
            await until(lambda frame=frame: shows(glasses, frame))
        assert glasses.stops > 10, "they asked to wait"

    clock.run(run())
    assert {written.rows(frame) is None for frame in FRAMES} == {True, False}, "both ways are used"


def test_text_stands_where_it_was_laid_out(clock):
    async def run():
        glasses, display = await worn()
        display.show(TEXT)
        await until(lambda: shows(glasses, TEXT))
        return glasses.words

    title, time, note = clock.run(run())
    grid = raster.Grid.of(LENS)
    assert title[0] == time[0] == grid.left
    assert note[0] == grid.left + 10 * grid.cell
    assert time[1] == note[1] == title[1] + grid.pitch
    assert (title[4], time[4]) == (15, 8), "brightness is the grey it is written in"


def test_the_open_microphone_is_always_marked(clock):
    async def run():
        glasses, display = await worn()
        display.show(Frame(LENS, (Line("x"),), listening=True, light=0.2))
        await until(lambda: len(glasses.words) == 2)
        return glasses.words

    assert clock.run(run())[-1][2:] == (written.LISTENING, 1, 1)


def test_a_touch_is_felt_where_there_is_a_button(clock):
    async def run(touches):
        air, felt = Air(), []
        glasses = look.Glasses(air, touches=touches)
        await glasses.come()
        side = Glasses(air.radio, look.ADDRESS, "A.LooK 000128")
        side.on_touch = lambda: felt.append("tap")
        await side.open()
        if touches:
            for data in (b"\x01", b"", b"\x00"):
                glasses.say(look.TOUCHES, data)
        await asyncio.sleep(1)
        await side.close()
        return felt, glasses.flushes

    assert clock.run(run(True)) == (["tap"], 1)
    assert clock.run(run(False)) == ([], 1), "earlier firmware has none, and is taken"


# -- what goes wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize("frame", [TEXT, PICTURE], ids=["text", "picture"])
def test_a_frame_that_arrived_corrupt_is_drawn_again(clock, frame):
    async def run():
        told = []
        glasses, display = await worn(told)
        glasses.corrupt = 1
        display.show(frame)
        await until(lambda: glasses.flushes == 3)
        await asyncio.sleep(1)
        return shows(glasses, frame), told

    assert clock.run(run()) == (True, [])


def test_half_a_frame_is_made_whole_by_the_next_link(clock):
    async def run():
        told = []
        glasses, display = await worn(told)
        strips = []
        glasses.cut_before = lambda data: (
            data[1] == 0x44 and (strips.append(data) or len(strips) > 2)
        )
        display.show(PICTURE)
        await until(lambda: told)
        assert not shows(glasses, PICTURE)
        await until(lambda: shows(glasses, PICTURE))
        return told

    assert clock.run(run()) == [
        "A.LooK 000128: the link was lost; it is tried again",
        "A.LooK 000128 is back",
    ]


def test_glasses_that_never_let_go_on_are_connected_anew(clock):
    async def run():
        told = []
        glasses, display = await worn(told)
        glasses.never_goes_on = True
        display.show(PICTURE)
        await until(lambda: told)
        glasses.never_goes_on = False
        await until(lambda: shows(glasses, PICTURE))
        return told[0]

    assert "it asked to wait and never to go on; it is tried again" in clock.run(run())
