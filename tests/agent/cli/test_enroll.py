"""The command `enroll`, from a folder of recordings and from a microphone that plays them."""

from __future__ import annotations

import asyncio
import io
import wave

import pytest

pytest.importorskip("pocketsphinx")

from rich.console import Console

from agent import config
from agent.cli import enroll as command
from agent.cli.compose import build
from agent.cli.enroll import TEXTS, enroll
from agent.errors import ConfigError, EngineError
from agent.listen import voiceprint
from agent.listen.sphinx.acoustic import Aligner
from agent.listen.sphinx.enroll import _files as voice_files
from agent.listen.sphinx.enroll import find
from agent.listen.sphinx.voiceprint import GaussianVoiceprint
from agent.listen.voiceprint import UNTOLD, Voice
from agent.plugins.skills import Skills
from hardware.display import MemoryDisplay
from hardware.microphone import FileMicrophone
from hardware.profiles import load as load_profile
from tests.agent.listen.speakers import LINES, needs_voices, said

pytestmark = pytest.mark.slow


@pytest.fixture
def data(tmp_path, monkeypatch):
    for name in ("DATA", "MODELS", "PLUGINS", "LANGUAGE"):
        monkeypatch.delenv(f"GLASSES_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GLASSES_DATA", str(tmp_path / "data"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return tmp_path / "data"


def recorded(folder, lines, robot=True):
    folder.mkdir()
    names = []
    for number, text in enumerate(lines, start=1):
        names.append(f"{number:02}.wav {text}\n")
        with wave.open(str(folder / f"{number:02}.wav"), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(16_000)
            out.writeframes(said(text, robot))
    (folder / "transcripts.txt").write_text("".join(names))
    return folder


@needs_voices
@pytest.mark.slow
def test_a_folder_is_heard_compared_kept_and_forgotten(data, tmp_path, capsys):
    folder = recorded(tmp_path / "takes", LINES)
    with (folder / "transcripts.txt").open("a") as out:
        out.write(f"01.wav {LINES[3]}\nmissing.wav show me\n")
    enroll(None, (), folder, forget=False, sentences=False)
    shown = capsys.readouterr().out
    assert "01.wav: that did not sound like this line" in shown
    assert "missing.wav does not exist" in shown
    assert f"of {len(LINES)} sentences understood that it had not learnt from" in shown
    assert "glasses enroll --forget" in shown
    kept = find(data)
    assert kept is not None
    assert kept.source == str(folder)
    assert kept.comparison.better

    enroll("zh", (), None, forget=True, sentences=False)
    assert capsys.readouterr().out.strip() == TEXTS["zh"]["forgotten"]
    assert find(data) is None
    enroll("en", (), None, forget=True, sentences=False)
    assert capsys.readouterr().out.strip() == TEXTS["en"]["nothing"]


@needs_voices
def test_too_little_is_refused_with_the_reason(data, tmp_path):
    folder = recorded(tmp_path / "takes", LINES[:2])
    with pytest.raises(EngineError, match="20 s are needed"):
        enroll(None, (), folder, forget=False, sentences=False)
    assert find(data) is None


def test_a_folder_without_transcripts_is_told_how_to_get_them(data, tmp_path):
    with pytest.raises(ConfigError, match="glasses enroll --sentences"):
        enroll(None, (), tmp_path, forget=False, sentences=False)
    (tmp_path / "transcripts.txt").write_text("01.wav 播放音乐\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="no English words"):
        enroll(None, (), tmp_path, forget=False, sentences=False)


def test_the_lines_to_record_are_said_by_the_installed_skills(data, capsys):
    enroll(None, (), None, forget=False, sentences=True)
    lines = capsys.readouterr().out.splitlines()
    assert 15 <= len(lines) <= 45
    name, _, text = lines[0].partition(" ")
    assert name == "01.wav"
    assert len(text.split()) in command.WORDS


@needs_voices
def test_the_wearer_reads_and_is_asked_again_for_another_line(data):
    shown = io.StringIO()
    console = Console(file=shown, highlight=False, width=100)
    aligner = Aligner()
    session = command._Session(aligner)
    heard = [said(LINES[0]), said(LINES[1]), said(LINES[2])]  # the first is not what is asked for
    device = FileMicrophone(*heard, pace="fast", tail_ms=1500)
    reading = command._hear_reading(device, LINES[1:3], session, console, TEXTS["en"])
    asyncio.run(reading)
    aligner.close()
    assert [take.text for take in session.takes] == list(LINES[1:3])
    assert session.faults == {"other words": 1}
    assert shown.getvalue().count("once more") == 1


def test_nobody_reads(data):
    """Silence, then a microphone that ends: asked again, left out, and no crash."""
    shown = io.StringIO()
    console = Console(file=shown, highlight=False, width=100)
    aligner = Aligner()
    session = command._Session(aligner)
    device = FileMicrophone(bytes(32_000 * 30), pace="fast", tail_ms=0)
    asyncio.run(command._hear_reading(device, LINES[:1], session, console, TEXTS["zh"]))
    aligner.close()
    assert session.takes == []
    assert session.faults == {"quiet": command.TRIES}
    assert TEXTS["zh"]["skipped"] in shown.getvalue()


def test_both_languages_say_everything():
    assert TEXTS["en"].keys() == TEXTS["zh"].keys()


async def test_other_folders_of_the_agent_hear_with_the_same_voice(data, tmp_path, capsys):
    """Each pair of glasses of the simulator has a folder; the voice is the wearer's, kept once."""
    settings = config.load()
    kept = voice_files(data)[1]
    kept.parent.mkdir(parents=True)
    kept.write_text("damaged")
    pair = tmp_path / "pair"
    agent = build(settings, MemoryDisplay(load_profile("quark-s1")), folder=pair)
    async for _ in agent.listen(FileMicrophone(bytes(6400), pace="fast", tail_ms=0)):
        pass
    await agent.close()
    assert "the voice is not used" in capsys.readouterr().err
    assert [path.name for path in data.iterdir()] == [kept.parent.name]  # and all else elsewhere
    assert pair.is_dir()


@needs_voices
def test_only_the_voice_is_learnt_from_any_words(data, tmp_path, capsys):
    folder = recorded(tmp_path / "takes", LINES)
    (folder / "transcripts.txt").unlink()
    enroll("zh", (), folder, forget=False, sentences=False, only_voice=True)
    assert TEXTS["zh"]["known"] in capsys.readouterr().out
    kept = voiceprint.find(data)
    assert kept is not None
    engine = voiceprint.known(GaussianVoiceprint(), data)
    assert engine.wearer(said(LINES[0], True)) > 0.9
    assert find(data) is None  # recognition is as it was
    enroll("en", (), None, forget=True, sentences=False)
    assert capsys.readouterr().out.strip() == TEXTS["en"]["forgotten"]
    assert not voiceprint.enrolled(data)


def test_an_empty_folder_has_no_voice(data, tmp_path):
    with pytest.raises(ConfigError, match="no sound files"):
        enroll(None, (), tmp_path, forget=False, sentences=False, only_voice=True)


def test_chinese_lines_to_read(data, capsys):
    enroll("zh", (), None, forget=False, sentences=True, only_voice=True)
    lines = [line.partition(" ")[2] for line in capsys.readouterr().out.splitlines()]
    assert 15 <= len(lines) <= 45
    assert all(len(line) in command.CHARACTERS for line in lines)


async def test_a_damaged_voice_is_one_line_and_pays_nothing(data, capsys):
    path = voiceprint.keep(data, voiceprint.Profile("gaussians", b"?"))
    path.write_bytes(b"damaged")
    agent = build(config.load(), MemoryDisplay(load_profile("quark-s1")))
    said = capsys.readouterr().err
    voice = Voice(agent.listening.voice)
    assert [await voice.of(bytes(3200)) for _ in range(3)] == [UNTOLD] * 3
    voice.close()
    await agent.close()
    said += capsys.readouterr().err
    (line,) = (line for line in said.splitlines() if "voice" in line)
    assert "glasses enroll --voice again" in line
    assert "no payment can be spoken" in line


async def test_nobody_is_known_before_enrolment(data, monkeypatch, capsys):
    monkeypatch.setenv("GLASSES_PRIVATE", "pay.history, nothing")
    agent = build(config.load(), MemoryDisplay(load_profile("quark-s1")))
    assert agent.listening.voice is None
    assert agent.options.private == {"pay.history", "nothing"}
    told = capsys.readouterr().err
    assert "nothing is called nothing" not in told
    assert "private: no skill or action is called nothing" in told
    assert "until a voice is enrolled" in told
    await agent.close()


PLUGIN = """
from agent import hookimpl
from agent.testing import ScriptedVoiceprint

@hookimpl
def register_devices(provide):
    provide("voiceprint", lambda config: ScriptedVoiceprint(), "mine")
"""


def test_a_plugins_engine_comes_before_ours(data, tmp_path):
    assert command.voice_engine(Skills.discover(), config.load()).name == "gaussians"
    (tmp_path / "mine.py").write_text(PLUGIN)
    skills = Skills.discover([str(tmp_path / "mine.py")])
    assert command.voice_engine(skills, config.load()).name == "scripted"
