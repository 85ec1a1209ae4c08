import numpy as np
import pytest

from agent.listen.vad import CascadeVad, SileroVad, Vad, WebRtcVad
from hardware.audio import read
from hardware.spoken import clips
from tests.shared import DATA, MISSING

KITCHEN = DATA / "noise" / "picovoice" / "kitchen.wav"


def share(vad, pcm):
    heard = [vad.probability(pcm[at : at + 640]) >= 0.5 for at in range(0, len(pcm) - 639, 640)]
    return sum(heard) / len(heard)


@pytest.mark.parametrize("make", [WebRtcVad, SileroVad, CascadeVad])
def test_speech_is_told_from_silence(make):
    vad = make()
    assert isinstance(vad, Vad)
    assert share(vad, bytes(64_000)) == 0
    assert share(make(), read(clips()[0])) > 0.3


def test_quiet_noise_never_reaches_a_detector():
    noise = np.random.default_rng(1).integers(-16, 17, 160_000).astype("<i2").tobytes()
    vad = CascadeVad()
    vad._webrtc = vad._silero = None  # asked, they would raise
    assert share(vad, noise) == 0


@pytest.mark.skipif(not KITCHEN.exists(), reason=MISSING)
def test_clatter_is_speech_to_webrtc_alone():
    kitchen = read(KITCHEN)[: 30 * 32_000]
    assert share(WebRtcVad(), kitchen) > 0.2
    assert share(CascadeVad(), kitchen) < 0.1


def test_silero_hears_the_same_in_pieces_of_any_length():
    pcm = read(clips()[0])[:32_000]
    whole = SileroVad().probability(pcm)
    vad = SileroVad()
    for at in range(0, len(pcm), 320):
        last = vad.probability(pcm[at : at + 320])
    assert last == pytest.approx(whole, abs=1e-6)
    vad.reset()
    assert vad.probability(pcm) == pytest.approx(whole, abs=1e-6)


def test_without_silero_webrtc_decides_and_it_says_so(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    vad = CascadeVad()
    assert "silero" in vad.note
    assert "pip install" in vad.note
    assert share(vad, read(clips()[0])) > 0.3


def test_odd_sizes_are_refused():
    with pytest.raises(ValueError, match="320, 640 or 960"):
        WebRtcVad().is_speech(bytes(100))
