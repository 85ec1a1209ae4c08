"""How well the microphone's sound came in: what was counted, kept where `glasses doctor` finds it.

Numbers only: never what was said.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from agent import private
from hardware import reading

SAVE_EVERY_S = 10.0
"""Shortest time between two writes while listening goes on."""

FILE = "listening.json"
"""Name of the file in the data folder."""


@dataclass(frozen=True, slots=True)
class Health:
    """What became of one session's sound, counted at intake."""

    device: str = ""
    """The microphone's name."""
    began_s: float = 0.0
    """When the session began, in Unix time."""
    heard_ms: float = 0.0
    """Length of the sound that was passed on, fillings included."""
    clipped: int = 0
    """Chunks in which the input was louder than 16 bits can hold."""
    offset: int = 0
    """Chunks from which a DC offset was taken."""
    dropouts: int = 0
    """Short gaps, filled with silence."""
    filled_ms: float = 0.0
    """Length of those fillings."""
    gaps: int = 0
    """Gaps too long to be filled."""
    lost_ms: float = 0.0
    """Length of those gaps."""
    reordered: int = 0
    """Chunks that came after their successor and were put back in place."""
    late: int = 0
    """Chunks that came too late, or twice, and were dropped."""
    stalls: int = 0
    """Times the sound came to a halt and then all at once; nothing was lost."""
    jumps: int = 0
    """Times the device's clock was set anew."""
    resized: int = 0
    """Chunks that were not 10, 20 or 30 ms long and were cut anew."""
    converted: int = 0
    """Chunks that were not 16-bit and were converted."""
    unreadable: int = 0
    """Chunks that were no sound at all and were dropped."""
    zeros_ms: float = 0.0
    """Length of digital silence, in stretches long enough that no microphone gives them."""
    quiet_ms: float = 0.0
    """Length of what stood out from the background and was too quiet to be understood; 0 as soon as
    anything was loud enough."""
    narrow_ms: float = 0.0
    """Length of speech without anything above 4 kHz, telephone quality, since there last was."""
    absences: int = 0
    """Times the device was away."""
    absent_ms: float = 0.0
    """How long it was away in all."""

    @property
    def well(self) -> bool:
        """Whether nothing had to be mended or was lost."""
        return not any(getattr(self, name) for name in _TROUBLES)

    def words(self) -> str:
        """Say in one line, in plain words, what was counted: `dropouts 3 (60 ms), clipped 12`."""
        counted = [
            _TROUBLES[name].format(n=value, ms=self)
            for name in _TROUBLES
            if (value := getattr(self, name))
        ]
        return ", ".join(counted) or "nothing lost, nothing mended"

    def advice(self) -> str:
        """Say in one line what the wearer can do about the worst of it; empty when nothing."""
        if self.zeros_ms:
            return "it gave no sound at all: is it muted, or switched off for privacy?"
        if self.absences:
            return "it was away: check its plug, its battery or its link"
        chunks = max(1.0, self.heard_ms / 20)
        if self.clipped > 0.01 * chunks:
            return "too loud: turn the input level down"
        if self.filled_ms + self.lost_ms > 0.01 * self.heard_ms:
            return "sound is lost: close what else keeps the processor busy"
        if self.quiet_ms:
            return "too quiet: turn the input level up, or bring the microphone nearer"
        if self.narrow_ms:
            return (
                "telephone quality, nothing above 4 kHz, so less is understood: use another"
                " microphone, or set the Bluetooth headset to wide-band speech (mSBC)"
            )
        return ""


_TROUBLES = {
    "dropouts": "dropouts {n} ({ms.filled_ms:.0f} ms filled)",
    "gaps": "gaps {n} ({ms.lost_ms:.0f} ms lost)",
    "clipped": "clipped chunks {n}",
    "offset": "chunks with a DC offset {n}",
    "stalls": "stalls {n}",
    "reordered": "chunks put in order {n}",
    "late": "chunks too late {n}",
    "jumps": "clock jumps {n}",
    "resized": "chunks of odd size {n}",
    "converted": "chunks converted {n}",
    "unreadable": "chunks unreadable {n}",
    "zeros_ms": "digital silence {n:.0f} ms",
    "quiet_ms": "too quiet {n:.0f} ms",
    "narrow_ms": "telephone quality {n:.0f} ms",
    "absences": "away {n} times ({ms.absent_ms:.0f} ms)",
}
"""What counts as trouble, in the order it is told."""


class HealthLog:
    """The counters of the last session in one small JSON file.

    A file that cannot be written or read costs nothing but the counters: it is no reason to stop
    listening.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep the file in `folder`; `clock` gives seconds and is virtual in tests."""
        self._path = folder / FILE
        self._clock = clock
        self._saved: Health | None = None
        self._saved_s = float("-inf")

    def note(self, health: Health) -> None:
        """Write when there is new trouble and the last write is `SAVE_EVERY_S` ago."""
        if self._clock() - self._saved_s < SAVE_EVERY_S:
            return
        if self._saved is None or health.words() != self._saved.words():
            self.save(health)

    def save(self, health: Health) -> None:
        """Write now, whole or not at all."""
        self._saved, self._saved_s = health, self._clock()
        with suppress(OSError):
            private.write(self._path, json.dumps(asdict(health)))

    def load(self) -> Health | None:
        """Return what was kept last; None when there is nothing that can be read."""
        private.close(self._path)
        try:
            read = reading.from_json(reading.read_text(self._path))
            return Health(
                **{name: type(value)(read[name]) for name, value in asdict(Health()).items()}
            )
        except (OSError, ValueError, TypeError, KeyError):
            return None
