"""The endpointer on a detector that hears what the test says, and on real sound."""

import math
import random
from array import array

import pytest

from agent.listen.endpoint import (
    Dropped,
    Ended,
    Endpointer,
    EndpointOptions,
    Idle,
    Speaking,
    Started,
    energy_speech_end,
)
from agent.listen.vad import Vad, WebRtcVad
from hardware.base import AudioChunk
from tests.shared import BARISTA, DATA, MISSING

SPEECH, SILENCE = b"\x01\x00" * 320, bytes(640)


class Scripted:
    """A detector that calls every chunk speech that is not digital silence."""

    def probability(self, pcm):
        return float(any(pcm))


def feed(endpointer, script, start_ms=0.0):
    """Push chunks, `#` speech and `.` silence; what came of each, in order."""
    return [
        endpointer.push(AudioChunk(SPEECH if mark == "#" else SILENCE, start_ms + 20.0 * i))
        for i, mark in enumerate(script)
    ]


def told(events):
    return [event for event in events if not isinstance(event, Idle | Speaking)]


def endpointer(**options):
    return Endpointer(Scripted(), EndpointOptions(**options))


def test_one_utterance():
    events = feed(endpointer(), "." * 30 + "#" * 50 + "." * 30)
    started, ended = told(events)
    assert events.index(started) == 32  # the third chunk of speech
    assert started.start_ms == 600
    assert [c.start_ms for c in started.preroll] == [300 + 20 * i for i in range(18)]
    assert isinstance(ended, Ended)
    assert (ended.start_ms, ended.last_speech_ms, ended.endpoint_ms) == (600, 1600, 2000)
    assert ended.why == "silence"


def test_every_chunk_between_start_and_end_is_handed_over_once():
    events = feed(endpointer(), "." * 20 + "###..####...#" + "." * 25)
    chunks = []
    for event in events:
        match event:
            case Started(preroll=preroll):
                chunks.extend(preroll)
            case Speaking(chunk=chunk) | Ended(chunk=chunk):
                chunks.append(chunk)
    starts = [chunk.start_ms for chunk in chunks]
    assert starts == [100 + 20 * i for i in range(len(starts))]
    assert chunks[-1].end_ms == 20 * (20 + 13) + 400


def test_a_pause_shorter_than_the_window_does_not_end_it():
    assert len(told(feed(endpointer(), "#" * 20 + "." * 19 + "#" * 20 + "." * 20))) == 2
    assert len(told(feed(endpointer(), "#" * 20 + "." * 20 + "#" * 20 + "." * 20))) == 4


def test_the_silence_so_far_is_told():
    events = feed(endpointer(), "###" + "#..#.")
    assert [e.silence_ms for e in events if isinstance(e, Speaking)] == [0, 20, 40, 0, 20]


@pytest.mark.parametrize("script", ["##." * 30, "#." * 30, "." * 60])
def test_flicker_opens_nothing(script):
    assert told(feed(endpointer(), script)) == []


def test_a_blip_is_dropped():
    started, dropped = told(feed(endpointer(min_ms=100), "." * 5 + "####" + "." * 30))
    assert isinstance(started, Started)
    assert dropped == Dropped(start_ms=100, endpoint_ms=580)
    assert told(feed(endpointer(min_ms=100), "#####" + "." * 30))[1].why == "silence"


def test_too_long_is_closed_and_the_stream_goes_on():
    one = endpointer(max_ms=1000)
    events = told(feed(one, "#" * 120))
    assert [type(e).__name__ for e in events] == ["Started", "Ended"] * 2 + ["Started"]
    assert [e.why for e in events if isinstance(e, Ended)] == ["too long"] * 2
    assert [e.endpoint_ms - e.start_ms for e in events if isinstance(e, Ended)] == [1000] * 2


def test_the_preroll_of_the_next_utterance_holds_nothing_of_the_last():
    script = "#" * 10 + "." * 20 + "..####"
    _, ended, second = told(feed(endpointer(), script))
    assert second.preroll[0].start_ms == ended.endpoint_ms


def test_it_is_in_speech_from_start_to_end():
    one = endpointer()
    assert not one.in_speech
    feed(one, "###")
    assert one.in_speech
    feed(one, "." * 20, start_ms=60)
    assert not one.in_speech


def test_reset_forgets_everything():
    one = endpointer()
    feed(one, "." * 10 + "#####")
    one.reset()
    assert not one.in_speech
    assert told(feed(one, "." * 30, start_ms=300)) == []
    feed(one, "##", start_ms=900)
    one.reset()
    assert told(feed(one, "##", start_ms=940)) == []


def test_it_counts_in_the_times_of_the_chunks_and_not_in_chunks():
    one = endpointer()
    ten_ms = [AudioChunk(SPEECH[:320], 1000 + 10.0 * i) for i in range(10)]
    started = told(one.push(chunk) for chunk in ten_ms)[0]
    assert (started.start_ms, len(started.preroll)) == (1000, 6)
    late = AudioChunk(SILENCE, 5000)  # the device lost what lay between
    assert one.push(late) == Ended(late, 1000, 1100, 5020, "silence")


@pytest.mark.parametrize("preroll_ms", [0, 20, 500])
def test_preroll_is_as_long_as_asked(preroll_ms):
    started = told(feed(endpointer(preroll_ms=preroll_ms), "." * 40 + "###"))[0]
    assert started.preroll[0].start_ms == 800 - preroll_ms


# ── The detector ─────────────────────────────────────────────────────────────────────────────────


def noise(ms, amplitude, seed=1):
    draw = random.Random(seed)
    return array("h", (round(draw.gauss(0, amplitude)) for _ in range(16 * ms))).tobytes()


def vowel(ms, amplitude=6000, hz=120):
    """A buzz with the harmonics of an open vowel, which WebRTC's detector takes for a voice."""
    formants = {700: 1.0, 1200: 0.6, 2600: 0.25}
    partials = [
        (k * hz, sum(a / (1 + ((k * hz - f) / 120) ** 2) for f, a in formants.items()))
        for k in range(1, 30)
    ]
    total = sum(a for _, a in partials)

    def sample(i):
        t = i / 16_000
        return sum(a * math.sin(2 * math.pi * f * t) for f, a in partials) / total

    return array("h", (round(3 * amplitude * sample(i)) for i in range(16 * ms))).tobytes()


def test_webrtc_is_a_detector():
    assert isinstance(WebRtcVad(), Vad)


def test_webrtc_hears_a_voice_and_no_silence():
    vad = WebRtcVad()
    assert not any(vad.is_speech(SILENCE) for _ in range(50))
    buzz = vowel(400)
    voiced = [vad.is_speech(buzz[i : i + 640]) for i in range(0, len(buzz), 640)]
    assert sum(voiced) >= 15


@pytest.mark.parametrize("size", [0, 2, 638, 642, 1280])
def test_webrtc_says_which_sizes_it_takes(size):
    with pytest.raises(ValueError, match="takes 320, 640 or 960"):
        WebRtcVad().is_speech(bytes(size))


# ── The end of speech by energy ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("gain", [0.1, 1.0, 4.0])
@pytest.mark.parametrize("room", [2, 30])
def test_energy_finds_the_end_at_every_level(gain, room):
    parts = (noise(500, room), vowel(800, round(2000 * gain)), noise(1500, room, seed=2))
    assert energy_speech_end(b"".join(parts)) == pytest.approx(1300, abs=20)


def test_energy_counts_from_the_start_it_is_given():
    sound = noise(300, 5) + vowel(500) + noise(700, 5)
    assert energy_speech_end(sound, 10_000) - energy_speech_end(sound) == 10_000


def test_energy_is_not_fooled_by_padding_clicks_or_a_second_word():
    word, room = vowel(300), noise(400, 8)
    click = array("h", [20_000, -20_000] * 40).tobytes()  # 5 ms
    assert energy_speech_end(room + word + room) == pytest.approx(700, abs=20)
    assert energy_speech_end(bytes(9600) + room + word + room + bytes(48_000)) == pytest.approx(
        1000, abs=20
    )
    assert energy_speech_end(room + word + room + click + room) == pytest.approx(700, abs=20)
    assert energy_speech_end(room + word + room + word + room) == pytest.approx(1400, abs=20)


def test_energy_follows_a_word_that_fades():
    full = array("h", vowel(400))
    fade = array(
        "h", (round(s * math.exp(-i / 1600)) for i, s in enumerate(array("h", vowel(600))))
    )
    sound = noise(400, 8) + full.tobytes() + fade.tobytes() + noise(800, 8)
    end = energy_speech_end(sound)
    assert 1000 <= end <= 1300  # 100 ms is a fall of 8.7 dB: past -17 dB, before -44


@pytest.mark.parametrize("pcm", [b"", bytes(32_000), bytes(100), b"\x01\x00"])
def test_energy_of_nothing_is_the_end_of_the_audio(pcm):
    assert energy_speech_end(pcm, 40) == 40 + len(pcm) / 32


# ── Real speech ──────────────────────────────────────────────────────────────────────────────────


def turns(pcm):
    """Started and Ended events of a clip and 1.5 s of silence, with the default options."""
    one = Endpointer(WebRtcVad())
    pcm += bytes(48_000)
    return told(
        one.push(AudioChunk(pcm[i : i + 640], i / 32)) for i in range(0, len(pcm) - 639, 640)
    )


@pytest.mark.skipif(not BARISTA.is_dir(), reason=MISSING)
def test_real_orders_are_not_cut_and_not_kept_waiting():
    from hardware.audio import read

    waits, cut, late = [], 0, 0
    clips = [read(path) for path in sorted(BARISTA.glob("*.flac"))[::3]]
    for pcm in clips:
        events = turns(pcm)
        speech_end = energy_speech_end(pcm)
        ends = [e.endpoint_ms for e in events if isinstance(e, Ended)]
        speech_start = len(pcm) / 32 - energy_speech_end(
            array("h", array("h", pcm)[::-1]).tobytes()
        )
        late += events[0].preroll[0].start_ms > speech_start
        cut += ends[0] < speech_end - 100
        waits += [end - speech_end for end in ends if end >= speech_end - 100][:1]
    assert cut <= 0.03 * len(clips)
    assert late <= 0.02 * len(clips)
    assert sorted(waits)[len(waits) // 2] <= 500
    assert len(waits) >= 0.98 * len(clips)


@pytest.mark.skipif(not (DATA / "noise").is_dir(), reason=MISSING)
def test_no_noise_holds_a_turn_for_ever():
    from hardware.audio import read

    for name in ("noisereduce/cafe_short.wav", "speechbrain/noise/noise5.wav"):
        pcm = read(DATA / "noise" / name)
        events = turns(pcm * (45 * 32_000 // len(pcm) + 1))
        lengths = [e.endpoint_ms - e.start_ms for e in events if isinstance(e, Ended)]
        assert len(lengths) >= 3
        assert max(lengths) <= EndpointOptions().max_ms
