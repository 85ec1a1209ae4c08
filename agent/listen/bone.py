"""The front end: what of a chunk decides who speaks, and what of it decides what was said.

                  voice detector: `pcm`    recogniser: `words`
    air alone     the air's                the air's
    bone alone    the bone's, restored     the bone's, restored
    bone and air  the bone's, restored     the air's, the bone's where the air is full of noise

A bone-conduction microphone hears its wearer and hardly anybody else, but dully: bone and skin are
a low-pass, and consonants that are made of air alone scarcely shake the skull (K. Kuang, F. Yang
and J. Yang, "A lightweight speech enhancement network fusing bone- and air-conducted speech", J.
Acoust. Soc. Am. 156(2), 2024). So where there are two microphones each does what it is good at, as
in Y. Zheng et al., "Air- and bone-conductive integrated microphones for robust speech detection and
enhancement", IEEE ASRU 2003, where the bone told nine in ten pieces of other people's speech from
the wearer's.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

from hardware.base import SAMPLE_RATE_HZ, AudioChunk, BoneProfile, DualChunk

TAPS = 64
"""Length of the equaliser, 4 ms: resolves 250 Hz, finer than the slopes it makes."""

SPEAKS = 16.0
"""How much more power than its floor the bone's sound has while the wearer speaks, 12 dB."""

NOTHING = 320.0
"""Power of 20 ms in which every sample is off 0 by 1: less is a gap or a dead device, no floor."""

RISE = 1.005
"""Most growth of the floor for each chunk, 1 dB a second: it follows a frame that rubs louder and
louder, and a word does not lift it."""

FALL = 0.9
"""Most fall of the floor for each chunk, 23 dB a second: one chunk beside a gap is no floor."""

SETTLES = 0.02
"""Share of a new chunk in the levels of the air, a second's mean."""

DROWNED = 10.0
"""Below this ratio of the air's power while the wearer speaks to that while not, the bone tells
better what was said. The ratio is 16 at 6 dB of kitchen or café noise, 9 at 3 dB, 5 at 0 dB. Chosen
on one half of 245 commands; on a quarter of them, out of the other half, in kitchen noise at 0 dB
pocketsphinx understands 34 % through the air, 62 % of simulated bone sound, and 44 % with this
judgement, which changes its mind between utterances too often to reach the better of the two."""

QUIET_CHUNKS = 25
"""So long the wearer must have been quiet, half a second, before the judgement may change."""

LEARN_CHUNKS = 50
"""So long only the floor is learned, a second: a stream may begin in the midst of speech."""

_FFT = 1024
_FLOOR = 1e-4


@runtime_checkable
class FrontEnd(Protocol):
    """What every chunk of a stream passes after intake, once and in order; one per stream."""

    vad_mode: int
    """Aggressiveness of WebRTC's detector that suits the sound, 0 … 3."""

    def restore(self, chunk: AudioChunk) -> AudioChunk:
        """Return the chunk for the voice detector; its `words` are the recogniser's."""
        ...


class BoneFrontEnd:
    """A bone-conduction microphone, alone or beside one through the air (`DualChunk`).

    The voice detector hears the restored sound too, which on simulated bone sound hardly matters to
    it: WebRTC's finds 96 % of the loud frames instead of 95, silero's 92 % of either. What counts
    is who is heard: of others' speech, as loud at the glasses as the wearer's, they take 10 and 5 %
    for speech, and through the air 70.
    """

    def __init__(self, profile: BoneProfile) -> None:
        """Design the equaliser for a microphone of this profile, some 0.4 ms."""
        import numpy as np

        self._np = np
        self.vad_mode = profile.vad_mode
        gain = 10 ** (profile.gain_db / 20)
        self._filter = (gain * minimum_phase(restoring(profile))).astype(np.float32)
        self._before = np.zeros(TAPS - 1, np.float32)  # the stream's last samples
        self._air = _AirLevel()

    def restore(self, chunk: AudioChunk) -> AudioChunk:
        """Return the chunk with the bone's sound restored and the air's, if any good, as it is."""
        np = self._np
        joined = np.concatenate((self._before, np.frombuffer(chunk.pcm, "<i2")), dtype=np.float32)
        self._before = joined[-(TAPS - 1) :]
        sound = np.convolve(joined, self._filter, "valid")
        pcm = np.clip(np.rint(sound), -32_768, 32_767).astype("<i2").tobytes()
        if isinstance(chunk, DualChunk):
            air = np.frombuffer(chunk.air, "<i2").astype(np.float32)
            if self._air.drowned(float(sound @ sound), float(air @ air)):
                return AudioChunk(pcm, chunk.start_ms)
        return replace(chunk, pcm=pcm)


class _AirLevel:
    """Whether the wearer can still be understood through the air, by what the bone tells of it.

    Judged while the wearer is quiet, so that no utterance is heard half through the one and half
    through the other; until the wearer has first spoken, the air is believed.
    """

    def __init__(self) -> None:
        self._floor = 0.0  # the bone's power while the wearer is quiet
        self._quiet = self._said = 0.0  # the air's power while the wearer is quiet, and speaks
        self._since = 0  # chunks since the wearer last spoke
        self._chunks = 0
        self._drowned = False

    def drowned(self, bone: float, air: float) -> bool:
        """Take note of the power of one chunk of each; say whether to use the bone's."""
        if bone < NOTHING:
            return self._drowned
        if self._chunks == 0:
            self._floor = bone
        self._floor = min(max(bone, self._floor * FALL), self._floor * RISE)
        self._chunks += 1
        if self._chunks <= LEARN_CHUNKS:
            return False
        if bone > SPEAKS * self._floor:
            self._said += (air - self._said) * (SETTLES if self._said else 1.0)
            self._since = 0
        else:
            self._quiet += (air - self._quiet) * (SETTLES if self._quiet else 1.0)
            self._since += 1
        if self._since > QUIET_CHUNKS:
            self._drowned = 0 < self._said < DROWNED * self._quiet
        return self._drowned


def restoring(profile: BoneProfile) -> Any:
    """Return the equaliser's gain at 0 … 8 kHz, `_FFT` / 2 + 1 factors.

    The inverse of the way through the bone: level up to the corner, then rising by the slope, by
    `boost_db` at most. It is the fixed form of the long-term-spectrum equalisers of T. Shimamura
    and T. Tamiya, "A reconstruction filter for bone-conducted speech", IEEE MWSCAS 2005, and of K.
    Kondo, T. Fujita and K. Nakagawa, "On equalization of bone conducted speech for improved speech
    quality", IEEE ISSPIT 2006, who measure it for each speaker beside an air microphone. From the
    edge of the sensor's band on the gain falls back to 1 within an octave: there is nothing to
    restore there but noise.
    """
    import numpy as np

    hz = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE_HZ)
    octaves = np.log2(np.maximum(hz, 1.0) / profile.corner_hz)
    boost = np.clip(octaves * profile.slope_db_per_octave, 0.0, profile.boost_db)
    beyond = np.log2(np.maximum(hz, 1.0) / profile.band_hz)
    return 10 ** (boost * np.clip(1 - beyond, 0.0, 1.0) / 20)


def minimum_phase(gain: Any) -> Any:
    """Return `TAPS` coefficients whose response has this gain and the least delay there can be.

    By the folded real cepstrum: A. Oppenheim and R. Schafer, "Discrete-Time Signal Processing",
    3rd ed., chapter 13. The filter adds no delay that a linear phase would: 2 ms for 64 taps.
    """
    import numpy as np

    cepstrum = np.fft.irfft(np.log(np.maximum(gain, _FLOOR)))
    half = len(cepstrum) // 2
    cepstrum[1:half] *= 2
    cepstrum[half + 1 :] = 0
    return np.fft.irfft(np.exp(np.fft.rfft(cepstrum)))[:TAPS]
