"""One suite for every device and engine: what stands behind a port keeps the port's promises.

The implementations are discovered: a class in the source that has a port's methods and is not in
the table of its port fails the test, so a new one is tested the moment it exists.
"""

import importlib
import inspect
import math
import pkgutil
import shutil
from contextlib import aclosing
from dataclasses import dataclass, is_dataclass, replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

import agent
import hardware
from agent.errors import Cancelled, EngineError
from agent.listen.transcriber import Transcriber
from agent.listen.voiceprint import Voiceprint
from agent.messages import CancelScope, Transcript
from agent.models.llm.model import Model, NoModel, ScriptedModel
from agent.serve.hub.lens import HubLens
from agent.testing import ScriptedTranscriber, ScriptedVoiceprint, voiced
from agent.testing.doubles import VirtualCamera
from hardware.base import (
    Battery,
    Camera,
    DeviceError,
    Display,
    Frame,
    Imu,
    LightSensor,
    Line,
    Microphone,
    Speaker,
    Voice,
)
from hardware.battery import SystemBattery, VirtualBattery
from hardware.display import ImageDisplay, MemoryDisplay, PngDisplay, TerminalDisplay
from hardware.imu import VirtualImu
from hardware.light import IioLight, VirtualLight
from hardware.microphone import FileMicrophone, LiveMicrophone
from hardware.piper import Voices
from hardware.profiles import load
from hardware.recorder import GifDisplay
from hardware.speaker import NoSpeaker, SoundDeviceSpeaker, VirtualSpeaker
from hardware.voice import EspeakVoice, NoVoice, VirtualVoice

PORTS = (
    Display, Transcriber, Voiceprint, Model, Microphone, Speaker, Voice, Imu, Battery, LightSensor,
    Camera,
)  # fmt: skip
LENS = load("quark-s1")


@dataclass
class Panel:
    """A luma device."""

    mode: str = "L"
    size: tuple[int, int] = (640, 480)

    def display(self, image):
        assert image.size == self.size


def sphinx():
    from agent.listen.sphinx.engine import PocketSphinx

    return PocketSphinx()


def gaussians():
    from agent.listen.sphinx.voiceprint import GaussianVoiceprint

    return GaussianVoiceprint()


DISPLAYS = {
    MemoryDisplay: lambda folder: MemoryDisplay(LENS),
    ImageDisplay: lambda folder: ImageDisplay(Panel(), LENS),
    PngDisplay: lambda folder: PngDisplay(folder / "lens.png", LENS),
    GifDisplay: lambda folder: GifDisplay(folder / "lens.gif", LENS),
    TerminalDisplay: lambda folder: TerminalDisplay(
        LENS, (folder / "tty").open("w", encoding="utf-8")
    ),
    HubLens: lambda folder: HubLens(LENS, lambda told: None),
}
TRANSCRIBERS = {
    "ScriptedTranscriber": lambda: ScriptedTranscriber(["hello"]),
    "PocketSphinx": sphinx,
}
VOICEPRINTS = {
    "ScriptedVoiceprint": ScriptedVoiceprint,
    "GaussianVoiceprint": gaussians,
}
MODELS = {ScriptedModel: lambda: ScriptedModel(["hi", "hi", {"a": 1}]), NoModel: NoModel}
SPEAKERS = {VirtualSpeaker: lambda: VirtualSpeaker(length_s=5), NoSpeaker: NoSpeaker}
VOICES = {
    VirtualVoice: VirtualVoice,
    NoVoice: NoVoice,
    EspeakVoice: EspeakVoice,
    Voices: lambda: Voices(NoVoice(), VirtualVoice()),
}
IMUS = {VirtualImu: VirtualImu}


def cells(folder):
    cell = folder / "power_supply" / "BAT0"
    cell.mkdir(parents=True)
    for name, text in {"type": "Battery", "capacity": "40", "status": "Discharging"}.items():
        (cell / name).write_text(text)
    return SystemBattery(folder)


def sensor(folder):
    (folder / "in_illuminance_input").write_text("300")
    return IioLight(folder)


BATTERIES = {VirtualBattery: lambda folder: VirtualBattery(), SystemBattery: cells}
LIGHTS = {VirtualLight: lambda folder: VirtualLight(), IioLight: sensor}
ELSEWHERE = {
    "FasterWhisper": "needs weights: tests/agent/listen/whisper/test_engine.py",
    "Apart": "is a process of its own: tests/agent/serve/hub/test_pool.py",
    "Pair": "needs weights: tests/agent/listen/whisper/test_pair.py",
    "Far": "needs a server: tests/agent/listen/wyoming/test_engine.py",
    "LlamaModel": "needs weights: tests/agent/models/llm/test_llama.py",
    "ServerModel": "needs a server: tests/agent/models/llm/test_port.py",
    "PiperVoice": "needs weights: tests/hardware/test_piper.py",
    "DualMicrophone": "needs two: tests/hardware/test_dual.py",
    "ReturningMicrophone": "needs a device that returns: tests/hardware/test_microphone.py",
    "RestingImu": "rests until a page moves it: tests/agent/serve/test_devices.py",
    "PageCamera": "needs a page: tests/agent/serve/test_devices.py",
    "PageLens": "needs a page: tests/agent/serve/test_devices.py",
    "PageSpeaker": "needs a page: tests/agent/serve/test_devices.py",
    "PageMicrophone": "needs a page: tests/agent/serve/test_microphone.py",
    "WirelessDisplay": "needs a link: tests/hardware/lenses/test_even_g1.py",
    "LinkMicrophone": "needs a link: tests/hardware/lenses/test_even_g1_sound.py",
    LiveMicrophone.__name__: "needs a device: tests/hardware/test_microphone.py",
    SoundDeviceSpeaker.__name__: "needs a device: tests/hardware/test_speaker.py",
}
HERE = {
    *(
        kind.__name__
        for table in (DISPLAYS, MODELS, SPEAKERS, VOICES, IMUS, BATTERIES, LIGHTS)
        for kind in table
    ),
    *TRANSCRIBERS,
    *VOICEPRINTS,
    FileMicrophone.__name__,
    VirtualCamera.__name__,
}


def implementations():
    for package in (agent, hardware):
        for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if ".scaffold" in found.name or found.name.endswith("__main__"):
                continue
            try:
                module = importlib.import_module(found.name)
            except ModuleNotFoundError as error:
                if error.name not in (
                    "torch",
                    "ray",
                ):  # for training and clusters; no port is there
                    raise
                continue
            for name, kind in inspect.getmembers(module, inspect.isclass):
                if kind.__module__ == found.name and kind not in PORTS and not name.startswith("_"):
                    yield from ((port, kind) for port in PORTS if has_methods_of(port, kind))


def has_methods_of(port, kind):
    methods = [n for n, v in vars(port).items() if inspect.isfunction(v) and n[0] != "_"]
    if (
        not methods
    ):  # a port of values alone, such as a light sensor's: they are set when it is made
        return kind.__name__.endswith("Light") and not is_dataclass(kind)
    has = all(callable(getattr(kind, name, None)) for name in methods)
    # Many things have a state() or take().
    return has and (port not in (Battery, Camera) or hasattr(kind, "name"))


@pytest.mark.parametrize(
    ("port", "kind"), list(implementations()), ids=lambda thing: thing.__name__
)
def test_every_implementation_is_tested(port, kind):
    assert kind.__name__ in HERE | set(ELSEWHERE)
    for name, function in vars(port).items():
        if inspect.isfunction(function) and name[0] != "_":
            theirs = inspect.signature(getattr(kind, name)).parameters
            assert list(theirs) == list(inspect.signature(function).parameters), name


@pytest.mark.parametrize("kind", DISPLAYS, ids=lambda kind: kind.__name__)
def test_a_display_shows_clears_and_knows_its_profile(kind, tmp_path):
    display = DISPLAYS[kind](tmp_path)
    assert isinstance(display, Display)
    assert replace(display.profile, type=None) == LENS, "and what it is set in"
    display.clear()
    for text in ("Hello", "你好", "\ue123", ""):
        display.show(Frame(LENS, (Line(text),)))
    display.show(Frame(LENS, ()))
    display.clear()
    display.clear()
    if stream := getattr(display, "_stream", None):
        stream.close()


@pytest.mark.parametrize("make", TRANSCRIBERS.values(), ids=TRANSCRIBERS.keys())
def test_a_transcriber_hears_an_utterance_after_any_other(make):
    engine = make()
    assert isinstance(engine, Transcriber)
    assert engine.name
    assert engine.languages
    engine.expect([])
    engine.abort()
    engine.start()
    engine.feed(bytes(3200))
    engine.start()  # throws the first one away
    for length in (0, 2, 641 * 2):
        engine.feed(bytes(length))
    partial = engine.partial()
    assert partial is None or not partial.final
    heard = engine.finish()
    assert isinstance(heard, Transcript)
    assert heard.final
    assert heard.engine
    engine.start()
    engine.abort()
    engine.close()


@pytest.mark.parametrize("make", VOICEPRINTS.values(), ids=VOICEPRINTS.keys())
def test_a_voiceprint_enrols_knows_and_tells(make):
    pytest.importorskip("pocketsphinx")
    engine = make()
    assert isinstance(engine, Voiceprint)
    assert len(engine.name.split()) == 1
    for nothing in ([], [b""]):
        with pytest.raises(EngineError, match="read more"):
            engine.enroll(nothing)
    for damaged in (b"", b"abc", bytes(1000)):
        with pytest.raises(EngineError, match="glasses enroll"):
            engine.know(damaged)
    said = [voiced(9), voiced(10)]
    profile = engine.enroll(said)
    assert isinstance(profile, bytes)
    later = make()
    later.know(profile)
    for pcm in (*said, b"", bytes(2), bytes(32000), voiced(0.1)):
        told = later.wearer(pcm)
        assert told is None or 0 <= told <= 1


@pytest.mark.parametrize("kind", MODELS, ids=lambda kind: kind.__name__)
def test_a_model_answers_or_says_why_not(kind):
    model = MODELS[kind]()
    assert isinstance(model, Model)
    called_off = CancelScope()
    called_off.cancel()
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    if kind is NoModel:
        for call in (model.complete, model.stream, lambda prompt: model.json(prompt, schema)):
            with pytest.raises(EngineError, match="no language model"):
                call("hello")
    else:
        assert model.complete("hello") == "hi"
        assert "".join(model.stream("hello")) == "hi"
        assert model.json("hello", schema) == {"a": 1}
    with pytest.raises(EngineError if kind is NoModel else Cancelled):
        model.complete("hello", cancel=called_off)
    model.close()
    model.close()
    with pytest.raises(EngineError):
        model.complete("hello")


async def test_a_microphone_gives_chunks_in_order_on_its_own_clock():
    microphone = FileMicrophone(bytes(32000), pace="fast", tail_ms=0)
    assert isinstance(microphone, Microphone)
    assert microphone.now_ms() == 0
    for _ in range(2):  # from the beginning each time
        chunks = [chunk async for chunk in microphone.chunks()]
        assert [chunk.start_ms for chunk in chunks] == [20.0 * n for n in range(50)]
        assert {len(chunk.pcm) for chunk in chunks} == {640}
        assert microphone.now_ms() >= chunks[-1].end_ms


@pytest.mark.parametrize("kind", VOICES, ids=lambda kind: kind.__name__)
def test_a_voice_says_each_of_its_languages_or_why_not(kind):
    voice = VOICES[kind]()
    assert isinstance(voice, Voice)
    assert voice.name
    if kind is EspeakVoice and not shutil.which("espeak-ng"):
        pytest.skip("espeak-ng is not installed")
    for language in voice.languages:
        sound = voice.sound("1 hello 好", language)
        assert len(sound) > 3200
        assert len(sound) % 2 == 0
    if not voice.languages:
        with pytest.raises(DeviceError, match="install"):
            voice.sound("hello", "en")


@pytest.mark.parametrize("kind", SPEAKERS, ids=lambda kind: kind.__name__)
def test_a_speaker_plays_or_says_why_not(kind):
    speaker = SPEAKERS[kind]()
    assert isinstance(speaker, Speaker)
    tune = Path("tune.ogg")
    for harmless in (speaker.pause, speaker.resume, speaker.stop):
        harmless()
    assert speaker.playing is None
    if not speaker.available:
        with pytest.raises(DeviceError):
            speaker.play(tune)
        return
    speaker.play(tune)
    assert speaker.playing == tune
    speaker.pause()
    assert speaker.playing is None
    speaker.resume()
    assert speaker.playing == tune
    speaker.stop()
    assert (speaker.playing, speaker.position_s) == (None, 0)
    speaker.volume = 30
    assert speaker.volume == 30


@pytest.mark.parametrize("kind", IMUS, ids=lambda kind: kind.__name__)
async def test_an_imu_gives_readings_in_order(kind):
    imu = IMUS[kind]()
    assert isinstance(imu, Imu)
    motions = []
    async with aclosing(imu.readings()) as readings:
        async for motion in readings:
            motions.append(motion)
            if len(motions) == 10:
                break
    steps = [b.at_ms - a.at_ms for a, b in pairwise(motions)]
    assert all(5 <= step <= 20 for step in steps)
    for motion in motions:  # held still: the earth pulls down, nothing turns
        assert math.hypot(*motion.acceleration) == pytest.approx(9.81, abs=0.5)
        assert math.hypot(*motion.rotation) < 0.2


@pytest.mark.parametrize("kind", BATTERIES, ids=lambda kind: kind.__name__)
def test_a_battery_tells_its_cells(kind, tmp_path):
    battery = BATTERIES[kind](tmp_path)
    assert isinstance(battery, Battery)
    power = battery.state()
    assert power.cells
    assert all(cell is None or 0 <= cell <= 1 for cell in power.cells)
    assert power.temperature_c is None or -40 < power.temperature_c < 120
    assert power.charging is False


@pytest.mark.parametrize("kind", LIGHTS, ids=lambda kind: kind.__name__)
def test_a_light_sensor_tells_lux(kind, tmp_path):
    sensor = LIGHTS[kind](tmp_path)
    assert isinstance(sensor, LightSensor)
    assert sensor.lux == 300


def test_the_discovery_finds_a_new_one():
    class Other(MemoryDisplay):
        pass

    assert has_methods_of(Display, Other)
    assert not has_methods_of(Display, SimpleNamespace)


def test_a_camera_takes_what_is_before_it_or_says_that_there_is_nothing():
    assert VirtualCamera(b"picture").take() == b"picture"
    with pytest.raises(DeviceError):
        VirtualCamera().take()
