"""Places that reminders know: those the wearer gave a name, and what a map knows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agent import Context, private
from agent.language.folding import compared
from agent.skill.later import Spot
from hardware.base import DeviceError, Place

NAME = "places.json"
MOST = 100
"""Most places that have a name."""
LONGEST = 40
"""Characters of a name."""
RADIUS_M = 100.0
"""How near is there: positioning in a street errs by some tens of metres."""


def said(language: str) -> list[str]:
    """Return what places are often called, for speech to listen for."""
    if language == "zh":
        return ["家", "公司", "办公室", "车站", "超市", "学校"]
    return ["home", "work", "the office", "the station", "the supermarket", "school"]


def keep(folder: Path, name: str, place: Place) -> None:
    """Give a place a name, in the file of the wearer's. Raises OSError."""
    known = _known(folder)
    known.pop(name, None)
    known[name[:LONGEST]] = [place.lat, place.lon]
    latest = dict(list(known.items())[-MOST:])
    private.write(folder / NAME, json.dumps(latest, ensure_ascii=False))


def find(name: str, leaving: bool, ctx: Context) -> Spot | None:
    """Return the place of a name: the wearer's own, else the nearest that a map knows."""
    name = name.removeprefix("the ").removeprefix("my ")
    wanted = compared(name)
    for known, (lat, lon) in _known(ctx.folder).items():
        if compared(known) == wanted:
            return Spot(known, lat, lon, RADIUS_M, leaving)
    try:
        found: Any = ctx.device("places").find(name, ctx.location, ctx.language)
    except DeviceError:
        return None
    if found is None:
        return None
    called, place = found
    return Spot(str(called), place.lat, place.lon, RADIUS_M, leaving)


def _known(folder: Path) -> dict[str, list[float]]:
    """Read the file; one that is damaged is as if there were none."""
    try:
        read = json.loads((folder / NAME).read_text(encoding="utf-8"))
        return {str(k): [float(v[0]), float(v[1])] for k, v in read.items()}
    except (OSError, ValueError, AttributeError, TypeError, IndexError):
        return {}
