"""Spoken examples: what `glasses talk` hears where there is no microphone.

Small files in this folder, in the order of their names, synthesised by `python -m
hardware.spoken.make` with flite; the transcripts are in `SPOKEN` there.
"""

from __future__ import annotations

from pathlib import Path


def clips() -> list[Path]:
    """Return the sound files in the order they are played."""
    return sorted(Path(__file__).parent.glob("*.flac"))
