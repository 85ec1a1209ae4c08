"""What is kept of a voice, and how a stream asks for it."""

import threading

import pytest

from agent.errors import EngineError
from agent.listen import voiceprint
from agent.listen.voiceprint import UNTOLD, Profile, Voice, find, forget, keep, known
from agent.testing import ScriptedVoiceprint

PROFILE = Profile("scripted", b"voice of 3\nand a second line\0\xff")


def test_a_profile_is_kept_for_the_wearer_alone(tmp_path):
    assert find(tmp_path) is None
    path = keep(tmp_path, PROFILE)
    assert path.stat().st_mode & 0o777 == 0o600
    assert find(tmp_path) == PROFILE
    assert forget(tmp_path)
    assert not forget(tmp_path)
    assert find(tmp_path) is None


@pytest.mark.parametrize("at", [0, 10, 30, 86, 95, -1])
def test_any_flipped_byte_is_told_with_what_to_do(tmp_path, at):
    path = keep(tmp_path, PROFILE)
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1
    path.write_bytes(raw)
    with pytest.raises(EngineError, match="glasses enroll --voice again") as told:
        find(tmp_path)
    assert "\n" not in str(told.value)
    assert voiceprint.enrolled(tmp_path)  # so that nobody can pay


@pytest.mark.parametrize("raw", [b"", b"\n", b"glasses-voiceprint-1", bytes(100)])
def test_a_cut_file_is_damaged(tmp_path, raw):
    keep(tmp_path, PROFILE).write_bytes(raw)
    with pytest.raises(EngineError, match="damaged"):
        find(tmp_path)


def test_another_version_and_a_folder_in_its_place(tmp_path):
    path = keep(tmp_path, PROFILE)
    path.write_bytes(path.read_bytes().replace(b"print-1", b"print-2"))
    with pytest.raises(EngineError, match="another version"):
        find(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(EngineError, match="cannot be read"):
        find(tmp_path)
    with pytest.raises(EngineError, match="cannot be removed"):
        forget(tmp_path)


def test_an_engine_knows_only_what_it_made(tmp_path):
    with pytest.raises(EngineError, match="glasses enroll"):
        known(ScriptedVoiceprint(), tmp_path)
    keep(tmp_path, PROFILE)
    engine = ScriptedVoiceprint()
    assert known(engine, tmp_path) is engine
    assert engine.known == PROFILE.content
    keep(tmp_path, Profile("another", b""))
    with pytest.raises(EngineError, match="another, and scripted is in use"):
        known(ScriptedVoiceprint(), tmp_path)


async def test_an_engine_is_built_once_on_a_thread_of_its_own():
    threads, engine = [], ScriptedVoiceprint([0.2, None, 0.9])

    def make():
        threads.append(threading.current_thread().name)
        return engine

    voice = Voice(make)
    assert [await voice.of(b"") for _ in range(3)] == [0.2, UNTOLD, 0.9]
    assert len(threads) == 1
    assert threads[0].startswith("voice")
    voice.close()


async def test_one_that_hangs_is_not_waited_for(monkeypatch):
    """The clock of the engine is real: it must not hold the microphone."""
    monkeypatch.setattr(voiceprint, "ASK_S", 0.05)
    go_on = threading.Event()

    class Hanging(ScriptedVoiceprint):
        def wearer(self, pcm):
            go_on.wait(10)
            return 1.0

    voice = Voice(Hanging)
    assert await voice.of(b"") == UNTOLD
    go_on.set()
    voice.close()
