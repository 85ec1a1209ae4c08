"""Decoding: what is heard of every kind of file, and what is said of broken ones."""

import math
import random
import struct
import wave
from array import array
from itertools import pairwise

import pytest

from hardware.audio import Resampler, blocks, length_s, read
from hardware.base import DeviceError
from tests.shared import DATA, MISSING

SPEECH = DATA / "speech"
needs_recordings = pytest.mark.skipif(not SPEECH.is_dir(), reason=MISSING)


def tone(rate_hz=16_000, ms=500, hz=440, amplitude=0.5):
    """Samples of a sine, -1 … 1."""
    count = rate_hz * ms // 1000
    return [amplitude * math.sin(2 * math.pi * hz * i / rate_hz) for i in range(count)]


def pcm(samples):
    return array("h", (round(32767 * s) for s in samples)).tobytes()


def wav(path, samples, *, rate_hz=16_000, width=2, channels=1):
    def one(sample):
        if width == 1:
            return bytes([round(127.5 + 127 * sample)])
        return round(sample * (2 ** (8 * width - 1) - 1)).to_bytes(width, "little", signed=True)

    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate_hz)
        file.writeframes(b"".join(one(s) * channels for s in samples))
    return path


def float_wav(path, samples, rate_hz=48_000):
    data = struct.pack(f"<{len(samples)}f", *samples)
    header = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 3, 1,
                         rate_hz, rate_hz * 4, 4, 32, b"data", len(data))  # fmt: skip
    path.write_bytes(header + data)
    return path


def encode(path, samples, codec, rate_hz=16_000):
    """Write through FFmpeg's own encoder: FLAC, MP3, Ogg."""
    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate_hz, layout="mono")
        frame = av.AudioFrame(format="s16", layout="mono", samples=len(samples), align=1)
        frame.planes[0].update(pcm(samples))
        frame.sample_rate = rate_hz
        resampler = av.AudioResampler(
            stream.codec_context.format, "mono", rate_hz, frame_size=stream.frame_size or 1024
        )
        for part in (*resampler.resample(frame), *resampler.resample(None), None):
            container.mux(stream.encode(part))
    return path


def heard(data):
    """Level (RMS, 0 … 1) and pitch in Hz (from zero crossings) of 16 kHz mono PCM."""
    samples = array("h", data)
    level = math.sqrt(sum(s * s for s in samples) / len(samples)) / 32767
    middle = samples[len(samples) // 4 : 3 * len(samples) // 4]
    crossings = sum((a < 0) != (b < 0) for a, b in pairwise(middle))
    return level, crossings / 2 * 16_000 / len(middle)


def sounds_like_the_tone(data, ms=500, within_ms=1.0):
    level, hz = heard(data)
    assert abs(len(data) / 32 - ms) <= within_ms
    assert level == pytest.approx(0.5 / math.sqrt(2), rel=0.03)
    assert hz == pytest.approx(440, rel=0.02)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("width", [1, 2, 3, 4])
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
def test_every_kind_of_wav(tmp_path, rate_hz, width, channels):
    path = wav(tmp_path / "a.wav", tone(rate_hz), rate_hz=rate_hz, width=width, channels=channels)
    sounds_like_the_tone(read(path))


def test_float_wav(tmp_path):
    sounds_like_the_tone(read(float_wav(tmp_path / "a.wav", tone(48_000))))


def test_a_16_khz_wav_comes_out_sample_for_sample(tmp_path):
    assert read(wav(tmp_path / "a.wav", tone())) == pcm(tone())


@pytest.mark.parametrize(
    ("name", "codec", "pad_ms"),
    [("a.flac", "flac", 1), ("a.mp3", "libmp3lame", 80), ("a.ogg", "libopus", 30)],
)
def test_compressed(tmp_path, name, codec, pad_ms):
    data = read(encode(tmp_path / name, tone(48_000), codec, 48_000))
    assert abs(len(data) / 32 - 500) <= pad_ms
    assert heard(data)[1] == pytest.approx(440, rel=0.02)


@pytest.mark.parametrize("name", ["a.raw", "a.pcm", "A.RAW"])
def test_headerless_is_16_khz_int16(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(pcm(tone()) + b"\x07")  # half a sample at the end
    assert read(path) == pcm(tone())


def test_ulaw_is_8_khz(tmp_path):
    path = tmp_path / "a.ulaw"
    path.write_bytes(b"\x80\x00" * 800)  # the loudest there is, up and down: 4 kHz
    assert len(read(path)) == 2 * 16_000 * 200 // 1000


def test_the_contents_decide_and_not_the_name(tmp_path):
    sounds_like_the_tone(read(wav(tmp_path / "a.mp3", tone())))


def test_a_name_with_a_colon_is_a_file(tmp_path):
    sounds_like_the_tone(read(wav(tmp_path / "http:a b%20.wav", tone())))


def test_cut_off_in_the_middle_gives_what_is_there(tmp_path):
    draw = random.Random(1)
    hiss = [draw.uniform(-0.5, 0.5) for _ in range(32_000)]  # does not compress: many packets
    for path in (wav(tmp_path / "a.wav", hiss), encode(tmp_path / "a.flac", hiss, "flac")):
        whole = read(path)
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        assert 0.2 * len(whole) < len(read(path)) < 0.8 * len(whole)


def test_for_a_speaker_another_rate_and_stereo(tmp_path):
    path = wav(tmp_path / "a.wav", tone())
    data = read(path, rate_hz=48_000, channels=2)
    assert len(data) == 48_000 // 2 * 4
    samples = array("h", data)
    assert samples[0::2] == samples[1::2]
    assert b"".join(blocks(path, rate_hz=48_000, channels=2)) == data


def test_length(tmp_path):
    assert length_s(wav(tmp_path / "a.wav", tone(44_100), rate_hz=44_100)) == pytest.approx(
        0.5, abs=0.001
    )


def test_a_resampled_stream_is_seamless():
    resampler = Resampler()
    source = pcm(tone(48_000))
    step = 960 * 2
    out = b"".join(resampler.feed(source[i : i + step], 48_000) for i in range(0, 48_000, step))
    sounds_like_the_tone(out + resampler.flush())


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda p: None, "does not exist: check the name"),
        (lambda p: p.mkdir(), "is a directory: name a sound file in it"),
        (lambda p: p.write_bytes(b""), "is empty (0 bytes): record it again"),
        (lambda p: p.write_text("shopping list\n" * 99), "is not audio this machine can decode"),
        (lambda p: p.write_bytes(bytes(range(256)) * 40), "is not audio this machine can decode"),
        (lambda p: p.write_bytes(b"RIFF\x24\0\0\0WAVE"), "is not audio this machine can decode"),
        (lambda p: wav(p, []), "holds no sound, only a header: record it again"),
    ],
)
def test_nothing_to_hear_is_one_line(tmp_path, capfd, make, says):
    path = tmp_path / "a.wav"
    make(path)
    with pytest.raises(DeviceError) as error:
        read(path)
    assert str(error.value).startswith(f"{path} {says}")
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


@needs_recordings
def test_real_broken_files(capfd):
    says = {
        "awful": "holds no sound",  # 441 samples at a rate of 1 MHz
        "bad": "is not audio",
        "evil": "is not audio",
        "null": "holds no sound",
    }
    for name, words in says.items():
        with pytest.raises(DeviceError, match=words):
            read(SPEECH / "pocketsphinx" / f"{name}.wav")
    assert capfd.readouterr() == ("", "")


@needs_recordings
def test_one_utterance_in_every_format_sounds_the_same():
    paths = sorted((SPEECH / "speech_recognition" / "formats").iterdir())
    assert len(paths) >= 12
    clips = [read(path) for path in paths]
    assert {len(clip) for clip in clips} == {len(clips[0])}
    levels = [heard(clip)[0] for clip in clips]
    assert max(levels) == pytest.approx(min(levels), rel=0.05)


# ── two channels to one ──────────────────────────────────────────────────────────────────────────


def stereo(tmp_path, pairs, rate_hz=16_000):
    path = tmp_path / "two.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(pcm([sample for pair in pairs for sample in pair]))
    return path


def peak(sound):
    return max(map(abs, array("h", sound)), default=0) / 32767


@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
@pytest.mark.parametrize("other", [-1.0, -0.6, 1.0, 0.6])
def test_a_channel_that_is_upside_down_takes_nothing_away(tmp_path, other, rate_hz):
    path = stereo(tmp_path, [(s, other * s) for s in tone(rate_hz)], rate_hz)
    assert peak(read(path)) == pytest.approx(0.5 * (1 + abs(other)) / 2, abs=0.02)


def test_two_different_channels_and_one_that_is_silent_are_averaged(tmp_path):
    high, low = tone(hz=900), tone(hz=300)
    both = array("h", read(stereo(tmp_path, zip(low, high, strict=True))))
    meant = [(a + b) / 2 * 32767 for a, b in zip(low, high, strict=True)]
    assert max(abs(a - b) for a, b in zip(both, meant, strict=True)) <= 2
    assert peak(read(stereo(tmp_path, [(s, 0.0) for s in low]))) == pytest.approx(0.25, abs=0.01)


def test_a_live_stereo_stream_is_mixed_alike_and_for_a_speaker_nothing_is_turned():
    sound = [(s, -s) for s in tone(48_000)]
    flat = pcm([sample for pair in sound for sample in pair])
    heard, played = Resampler(), Resampler(48_000, 2)
    blocks_of = [flat[at : at + 3840] for at in range(0, len(flat), 3840)]
    mono = b"".join(heard.feed(block, 48_000, 2) for block in blocks_of) + heard.flush()
    both = b"".join(played.feed(block, 48_000, 2) for block in blocks_of) + played.flush()
    assert peak(mono) == pytest.approx(0.5, abs=0.02)
    assert both == flat
