import math
import shutil
import struct
from dataclasses import dataclass, replace

import pytest

from agent.derive.sample import Sample, samples
from agent.errors import EngineError
from agent.listen.sphinx.engine import PocketSphinx
from agent.listen.vad import CascadeVad, WebRtcVad
from agent.testing import ScriptedTranscriber
from agent.testing.check import voices
from agent.testing.check.heard import Surroundings, Take, check_heard, hearing_only, takes
from agent.testing.check.voices import Noise, Voice, active_level, babble, find_voices
from hardware.audio import read
from hardware.base import Devices
from hardware.display import MemoryDisplay
from hardware.microphone import FileMicrophone
from hardware.profiles import load as load_profile

pytestmark = pytest.mark.slow

LAMP = """
@skill("turn (on|off) the {lamp} lamp")
def lamp(lamp: Annotated[str, OneOf(["kitchen", "bedroom"])]) -> Reply:
    raise RuntimeError("a test of hearing must not switch lamps")
@skill("make a note about {text}")
def note(text: str) -> Reply:
    raise RuntimeError("a test of hearing must not write notes")
"""


def tone(seconds=1.0, hz=200.0):
    """Something that the voice activity detector takes for speech: a buzz with overtones."""
    count = int(seconds * 16_000)
    return struct.pack(
        f"<{count}h",
        *(
            int(sum(4000 / k * math.sin(2 * math.pi * hz * k * t / 16_000) for k in range(1, 12)))
            for t in range(count)
        ),
    )


@dataclass(frozen=True)
class Buzz:
    """A voice that needs no program."""

    name: str = "buzz"
    group: str = "natural"

    def speak(self, text, read):
        return tone()


def surroundings(tmp_path, ears, vad=WebRtcVad):
    return Surroundings(
        ears=ears,
        devices=Devices(display=MemoryDisplay(load_profile("quark-s1"))),
        folder=tmp_path,
        microphone=lambda pcm: FileMicrophone(pcm, pace="fast", tail_ms=1000),
        read=read,
        vad=vad,
    )


async def hear(skills, spoken, where, snrs_db=(None,)):
    return [h async for h in check_heard(skills.actions, spoken, snrs_db, Noise(), where)]


def of(skills, *voices):
    spoken = {
        f"{action.name} {template}": found
        for action in skills.actions.values()
        for template, found in samples(action, "en", off_list=False).items()
    }
    return takes(spoken, voices)


async def test_nothing_of_a_skill_runs_and_the_call_arrives(install, tmp_path):
    skills = install(LAMP)
    spoken = of(skills, Buzz())
    texts = [take.sample.text for take in spoken]
    heard = await hear(skills, spoken, surroundings(tmp_path, lambda: ScriptedTranscriber(texts)))
    assert [(h.text, h.wrong) for h in heard] == [(text, "") for text in texts]
    assert skills.offences == {}
    assert [a.function for a in skills.actions.values()] != [
        a.function for a in hearing_only(skills.actions).actions.values()
    ]


async def test_what_is_heard_instead_is_told(install, tmp_path):
    skills = install(LAMP)
    take = Take(Sample("plug0.lamp", "t", "en", "turn on the kitchen lamp", {"lamp": "kitchen"}), Buzz())  # fmt: skip
    texts = ["turn on the bedroom lamp", "make a note about lamps", "burn the lamp"]
    where = surroundings(tmp_path, lambda: ScriptedTranscriber(texts))
    heard = await hear(skills, [take, take, take], where)
    assert [h.wrong for h in heard] == [
        "slots lamp=bedroom instead of lamp=kitchen",
        "plug0.note text=lamps",
        "not recognised",
    ]


async def test_words_in_free_text_may_be_misheard(install, tmp_path):
    skills = install(LAMP)
    sample = Sample("plug0.note", "t", "en", "make a note about rain", {"text": "rain"}, frozenset({"text"}))  # fmt: skip
    where = surroundings(tmp_path, lambda: ScriptedTranscriber(["make a note about a train"]))
    (heard,) = await hear(skills, [Take(sample, Buzz())], where)
    assert heard.wrong == ""


@pytest.mark.skipif(not find_voices()[0] or not shutil.which("flite"), reason="flite is missing")
async def test_a_small_skill_is_heard_from_natural_voices(install, tmp_path):
    skills = install(LAMP)
    natural = [voice for voice in find_voices()[0] if voice.group == "natural"][:2]
    heard = await hear(
        skills,
        of(skills, *natural),
        surroundings(tmp_path, PocketSphinx, CascadeVad),
        (None, 24.0),
    )
    assert len(heard) == 2 * 2 * len(natural)
    assert [(h.voice.name, h.sample.text, h.text) for h in heard if h.wrong] == []


def test_each_template_is_spoken_by_all_natural_voices_and_one_robotic():
    sample = Sample("a.b", "t", "en", "x", {})
    many = {str(n): [replace(sample, text=f"{n} {m}") for m in range(2)] for n in range(4)}
    named = [Buzz("n1"), Buzz("n2"), Buzz("r1", "robotic"), Buzz("r2", "robotic")]
    spoken = takes(many, named)
    assert [take.voice.name for take in spoken] == ["n1"] * 4 + ["n2"] * 4 + ["r1"] * 2 + ["r2"] * 2
    assert {t.sample.text for t in spoken if t.voice.name in ("n1", "n2")} == {
        f"{n} {m}" for n in range(4) for m in range(2)
    }


def test_without_programs_each_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert find_voices() == ([], [voices._MISSING["flite"], voices._MISSING["espeak-ng"]])


def test_a_voice_that_fails_is_one_error(monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EngineError, match="flite slt cannot say “hello”"):
        Voice("flite slt", "natural").speak("hello", read)


@pytest.mark.parametrize("snr_db", [24.0, 12.0, 0.0])
def test_noise_is_as_far_below_the_speech_as_asked(snr_db):
    import numpy as np

    quiet = np.frombuffer(Noise().mixed(tone(), None, 0), "<i2").astype(float)
    noisy = np.frombuffer(Noise().mixed(tone(), snr_db, 0), "<i2").astype(float)
    noise = noisy - quiet
    ratio = 20 * np.log10(active_level(quiet) / np.sqrt(np.mean(noise**2)))
    assert ratio == pytest.approx(snr_db, abs=0.3)


def test_noise_repeats_with_its_seed_and_differs_from_turn_to_turn():
    assert Noise(seed=3).mixed(tone(), 6.0, 1) == Noise(seed=3).mixed(tone(), 6.0, 1)
    assert Noise(seed=3).mixed(tone(), 6.0, 1) != Noise(seed=3).mixed(tone(), 6.0, 2)
    assert (babble(1.0, 1) != babble(1.0, 2)).any()


def test_recordings_of_noise_come_from_a_file_or_a_folder(tmp_path):
    import wave

    def write(name, seconds):
        with wave.open(str(tmp_path / name), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16_000)
            file.writeframes(tone(seconds))
        return tmp_path / name

    with pytest.raises(EngineError, match="no recording"):
        Noise.of(tmp_path, 0, read)
    short = write("click.wav", 0.1)
    with pytest.raises(EngineError, match="click"):
        Noise.of(short, 0, read)
    write("hum.wav", 3)
    for path in (tmp_path, tmp_path / "hum.wav"):
        noise = Noise.of(path, 0, read)
        assert noise.mixed(tone(), 6.0, 0) != Noise().mixed(tone(), 6.0, 0)
