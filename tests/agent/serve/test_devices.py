"""The page's lens, camera and speaker, each behind its port."""

import base64
import threading
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from agent.serve.simulator.camera import PageCamera
from agent.serve.simulator.lens import PageLens
from agent.serve.simulator.speaker import PageSpeaker
from hardware import raster
from hardware.base import DeviceError, Display, Frame, Line, Speaker
from hardware.profiles import load, names
from hardware.spoken import clips


class Screen:
    """Puts together what a page is told, as the page does."""

    def __init__(self, profile):
        self.lens = PageLens(profile, self.told)
        self.picture = Image.new("L", (profile.width_px, profile.height_px))
        self.messages = []

    def told(self, message):
        self.messages.append(message)
        if message.whole:
            self.picture.paste(0, (0, 0, *self.picture.size))
        if message.png:
            part = Image.open(BytesIO(base64.b64decode(message.png)))
            self.picture.paste(part, (message.x, message.y))


def frame(profile, *texts, **more):
    return Frame(profile, tuple(Line(text) for text in texts), **more)


@pytest.mark.parametrize("name", names())
def test_what_changed_adds_up_to_the_frame(name):
    profile = load(name)
    screen = Screen(profile)
    assert isinstance(screen.lens, Display)
    frames = [
        frame(profile, "hello"),
        frame(profile, "hello", "world"),
        frame(profile, "hello", "world", listening=True),
        frame(profile, "你好", light=0.5),
        frame(profile),
    ]
    for shown in frames:
        screen.lens.show(shown)
        assert screen.picture.tobytes() == raster.render(shown).tobytes()
        assert screen.messages[-1].rows == [line.text for line in shown.lines]
    screen.lens.show(frames[0])
    late = Screen(profile)
    late.told(screen.lens.whole())
    assert late.picture.tobytes() == screen.picture.tobytes()


def test_only_the_changed_region_is_sent():
    profile = load("quark-s1")
    screen = Screen(profile)
    screen.lens.show(frame(profile, "the same row", "1"))
    screen.lens.show(frame(profile, "the same row", "2"))
    assert len(screen.messages[-1].png) < len(screen.messages[0].png) / 2
    screen.lens.show(frame(profile, "the same row", "2"))
    assert screen.messages[-1].png == ""


def test_a_lost_link_refuses_and_what_was_lit_comes_back_with_it():
    profile = load("quark-s1")
    screen = Screen(profile)
    screen.lens.show(frame(profile, "before"))
    before = screen.picture.tobytes()
    screen.lens.lose(True)
    assert not any(screen.picture.tobytes())
    with pytest.raises(DeviceError, match="link"):
        screen.lens.show(frame(profile, "meanwhile"))
    with pytest.raises(DeviceError, match="link"):
        screen.lens.clear()
    screen.lens.lose(False)
    assert screen.picture.tobytes() == before


def test_without_power_nothing_is_lit():
    profile = load("quark-s1")
    screen = Screen(profile)
    screen.lens.show(frame(profile, "before"))
    screen.lens.switch_off()
    assert screen.messages[-1].rows == []
    assert not any(screen.picture.tobytes())
    with pytest.raises(DeviceError, match="power"):
        screen.lens.show(frame(profile, "more"))


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (640, 1)])
def test_a_lens_of_hardly_any_pixels(size):
    small = replace(load("quark-s1"), width_px=size[0], height_px=size[1], columns=1, lines=1)
    screen = Screen(small)
    screen.lens.show(frame(small, "x"))
    screen.lens.clear()


def test_a_camera_waits_for_the_page():
    asked = []

    def ask(number):
        asked.append(number)
        threading.Thread(target=lambda: camera.give(number, b"\xff\xd8\xff")).start()

    camera = PageCamera(ask)
    assert camera.take() == b"\xff\xd8\xff"
    assert camera.take() == b"\xff\xd8\xff"
    assert asked == [1, 2]
    camera.give(1, b"too late")
    camera.give(99, "never asked")


def test_a_camera_without_a_picture_says_why():
    blind = PageCamera(lambda number: blind.give(number, "the webcam is covered"))
    with pytest.raises(DeviceError, match="the webcam is covered"):
        blind.take()
    silent = PageCamera(lambda number: None, timeout_s=0.01)
    with pytest.raises(DeviceError, match="gave no picture"):
        silent.take()


def test_a_speaker_knows_where_its_tune_is():
    now, told = [0.0], []
    speaker = PageSpeaker(told.append, lambda: now[0])
    assert isinstance(speaker, Speaker)
    tune = clips()[0]
    speaker.play(tune)
    key = told[-1].key
    assert speaker.file(key) == tune
    assert speaker.file("") is speaker.file("another") is None
    now[0] = 2.0
    assert (speaker.playing, speaker.position_s) == (tune, 2.0)
    speaker.pause()
    now[0] = 9.0
    assert (speaker.playing, speaker.position_s) == (None, 2.0)
    assert speaker.now() is None
    speaker.resume()
    now[0] = 10.0
    assert speaker.now().at_s == 3.0
    speaker.volume = 250
    assert (speaker.volume, told[-1].do) == (100, "volume")
    speaker.played("another")
    assert speaker.playing == tune
    speaker.played(key)
    assert (speaker.playing, speaker.position_s) == (None, 3.0)
    assert speaker.file(key) is None
    speaker.stop()
    assert [m.do for m in told] == ["play", "pause", "resume", "volume"]
    with pytest.raises(DeviceError, match="does not exist"):
        speaker.play(Path("none.ogg"))
