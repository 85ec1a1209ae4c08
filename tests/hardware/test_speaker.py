"""Speakers: none, the double, and the real one on a sound card made of a file."""

import math
import sys
from array import array
from pathlib import Path

import pytest

from hardware.base import DeviceError, Location, Place, Speaker
from hardware.location import FixedLocation, parse
from hardware.speaker import NoSpeaker, VirtualSpeaker, _scaled
from tests.hardware.test_audio import tone, wav
from tests.hardware.test_microphone import run

SONG = Path("song.mp3")


@pytest.fixture
def now():
    return [100.0]


@pytest.fixture
def speaker(now):
    return VirtualSpeaker(clock=lambda: now[0], length_s=10.0)


def test_all_are_speakers(speaker):
    assert isinstance(speaker, Speaker)
    assert isinstance(NoSpeaker(), Speaker)


def test_no_speaker_says_why_and_is_otherwise_harmless():
    speaker = NoSpeaker("no sound device: connect one")
    with pytest.raises(DeviceError, match="no sound device: connect one"):
        speaker.play(SONG)
    speaker.pause()
    speaker.resume()
    speaker.stop()
    assert (speaker.available, speaker.playing, speaker.position_s) == (False, None, 0.0)


def test_the_position_runs_stands_and_goes_on(speaker, now):
    speaker.play(SONG)
    now[0] += 4
    assert (speaker.playing, speaker.position_s) == (SONG, 4.0)
    speaker.pause()
    now[0] += 60
    speaker.pause()
    assert (speaker.playing, speaker.position_s) == (None, 4.0)
    speaker.resume()
    now[0] += 3
    speaker.resume()
    assert (speaker.playing, speaker.position_s) == (SONG, 7.0)


def test_a_file_comes_to_its_end(speaker, now):
    speaker.play(SONG)
    now[0] += 11
    assert (speaker.playing, speaker.position_s) == (None, 10.0)
    speaker.pause()
    speaker.resume()
    assert speaker.playing is None


def test_stop_forgets(speaker, now):
    speaker.play(SONG)
    now[0] += 1
    speaker.stop()
    speaker.resume()
    now[0] += 1
    assert (speaker.playing, speaker.position_s) == (None, 0.0)


def test_the_next_file_begins_at_its_beginning(speaker, now):
    speaker.play(SONG)
    now[0] += 5
    speaker.play(Path("other.mp3"))
    assert (speaker.playing, speaker.position_s) == (Path("other.mp3"), 0.0)
    assert speaker.played == [SONG, Path("other.mp3")]


def test_the_double_refuses_what_a_real_one_would(tmp_path, now):
    speaker = VirtualSpeaker(clock=lambda: now[0])
    with pytest.raises(DeviceError, match="does not exist"):
        speaker.play(tmp_path / "none.wav")
    assert (speaker.played, speaker.playing) == ([], None)
    speaker.play(wav(tmp_path / "a.wav", tone(ms=500)))
    now[0] += 0.6
    assert (speaker.playing, speaker.position_s) == (None, pytest.approx(0.5, abs=0.01))


def test_volume_scales_every_sample():
    samples = array("h", [32767, -32768, 100, -1, 0])
    assert _scaled(samples.tobytes(), 100) == samples.tobytes()
    assert array("h", _scaled(samples.tobytes(), 50)).tolist()[:3] == [16383, -16384, 50]
    assert _scaled(samples.tobytes(), 0) == bytes(10)


# ── The real speaker, on a sound card made of a file ─────────────────────────────────────────────

CARD = """
pcm.nothing {{ type null }}
pcm.tape {{ type file slave.pcm "nothing" file "{tape}" format "raw" }}
pcm.!default {{ type plug slave.pcm "tape" }}
"""

PLAY = """
import sys, time
from pathlib import Path
from hardware.base import DeviceError
from hardware.speaker import SoundDeviceSpeaker, find_speaker

def wait(until):
    end = time.monotonic() + 60
    while not until():
        assert time.monotonic() < end
        time.sleep(0.01)

song = Path(sys.argv[1])
speaker = find_speaker()
assert isinstance(speaker, SoundDeviceSpeaker) and speaker.available, speaker.reason
speaker.volume = 50
try:
    speaker.play(Path("none.wav"))
except DeviceError as error:
    assert "does not exist" in str(error)
else:
    raise AssertionError("it plays what is not there")
speaker.play(song)
speaker.pause()
speaker.stop()
assert speaker.playing is None and speaker.position_s == 0
speaker.play(song)
speaker.pause()

def stands_still():  # once the block in flight is through
    before = speaker.position_s
    time.sleep(0.2)
    return speaker.position_s == before

wait(stands_still)
held = speaker.position_s
assert speaker.playing is None and held < 30, held
speaker.resume()
wait(lambda: speaker.position_s > held)
wait(lambda: speaker.playing is None)
assert abs(speaker.position_s - 30) < 0.01, speaker.position_s
print(speaker.name)
"""


def test_it_plays(tmp_path):
    if sys.platform != "linux":
        pytest.skip("only ALSA lets a file be a sound card")
    if run("import sounddevice").returncode:
        pytest.skip("PortAudio is not installed: sudo apt install libportaudio2")
    tape, config = tmp_path / "tape.raw", tmp_path / "asound.conf"
    config.write_text(CARD.format(tape=tape))
    song = wav(tmp_path / "song.wav", tone(ms=500) * 60)
    done = run(PLAY, str(song), ALSA_CONFIG_PATH=str(config))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "default\n"
    peak = max(memoryview(tape.read_bytes()).cast("h"))
    # A tone of half the range, at half the volume, its power shared by two channels.
    assert peak == pytest.approx(32767 * 0.5 * 0.5 / math.sqrt(2), rel=0.02)


def test_a_fixed_location_is_a_location():
    location = FixedLocation(parse("48.41,15.61"))
    assert isinstance(location, Location)
    assert location.where() == Place(48.41, 15.61, simulated=True, has_heading=False)


def test_a_place_may_have_a_heading():
    assert parse(" -33.9 , 151.2 , 270 ") == Place(-33.9, 151.2, 270.0, simulated=True)
    assert parse("90,-180,360").heading_deg == 0.0


@pytest.mark.parametrize(
    "text",
    ["", ",", "48.41", "Vienna", "91,0", "0,181", "1,2,3,4", "1,2,400", "nan,0", "1,2,", "0,inf"],
)
def test_nonsense_is_no_place(text):
    with pytest.raises(DeviceError, match="is not a place: write LAT,LON"):
        parse(text)
