"""Profiles of real glasses, one TOML file each: the lens, what is around it, the bone microphone.

Where a profile is asked for by name, a path to a TOML file of one's own does as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from hardware import reading
from hardware.base import SAMPLE_RATE_HZ, BoneProfile, DeviceError, DisplayProfile, cell_px

BONE = "bone_microphone"
"""Table of a profile that describes its bone microphone."""

HAS = ("camera", "microphone", "speaker", "imu", "touch", "location")
"""What glasses can have beside a lens."""

FEWEST_COLUMNS = 2
"""A CJK character takes two cells."""
LOWEST_FONT_PX = 5
"""No letter can be told from another in fewer rows of pixels: E has three bars and two gaps."""

_LENS_BOUNDS: dict[str, tuple[int, int]] = {
    "width_px": (1, 4096),
    "height_px": (1, 4096),
    "grey_levels": (2, 256),
    "columns": (FEWEST_COLUMNS, 200),
    "lines": (1, 50),
    "font_px": (LOWEST_FONT_PX, 200),
    "update_ms": (1, 10_000),
}
"""What a lens's values can be."""

_BOUNDS: dict[str, tuple[float, float]] = {
    "band_hz": (500, SAMPLE_RATE_HZ // 2),
    "gain_db": (-40, 40),
    "vad_mode": (0, 3),
    "corner_hz": (100, SAMPLE_RATE_HZ // 2),
    "slope_db_per_octave": (0, 24),
    "boost_db": (0, 40),
}
"""What a bone microphone's values can be."""


def names() -> tuple[str, ...]:
    """List the known profiles, sorted."""
    files = (path.name for path in resources.files(__package__).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml")))


@cache
def load(name: str) -> DisplayProfile:
    """Read the lens of one profile, by its name or from a path that ends in `.toml`.

    Raises DeviceError when it is unknown or its file is wrong.
    """
    values = _read(name)
    values.pop(BONE, None)
    return lens(values, Path(name).stem if name.endswith(".toml") else name, _source(name))


@cache
def load_bone(name: str) -> BoneProfile | None:
    """Read the bone microphone of one profile; None when it has none. Raises like `load`."""
    values = _read(name).get(BONE)
    return None if values is None else bone(values, _source(name))


def bone(values: Any, source: str) -> BoneProfile:
    """Check a bone microphone's values. Raises DeviceError that names `source` and all problems."""
    if not isinstance(values, dict):
        raise DeviceError(f"{source}: {BONE} must be a table [{BONE}]")
    problems = [f"unknown key {key[:60]}" for key in sorted(values.keys() - _BOUNDS.keys())]
    problems += [f"missing key {key}" for key in sorted(_BOUNDS.keys() - values.keys())]
    for key in sorted(_BOUNDS.keys() & values.keys()):
        low, high = _BOUNDS[key]
        whole, value = key.endswith(("_hz", "_mode")), values[key]
        if type(value) not in ((int,) if whole else (int, float)) or not low <= value <= high:
            kind = "a whole number" if whole else "a number"
            problems.append(
                f"{key} must be {kind} from {low:g} to {high:g}, is {reading.shown(value)}"
            )
    if problems:
        raise DeviceError(f"{source}, [{BONE}]: {'; '.join(problems)}")
    return BoneProfile(**values)


def lens(values: dict[str, Any], name: str, source: str) -> DisplayProfile:
    """Check a lens's values. Raises DeviceError, one line with `source` and all problems.

    A lens too small for two letters is refused; any larger one works, if with a page for each few
    letters.
    """
    optional = {"tint", "has", "own_font"}
    known = {field.name for field in fields(DisplayProfile)} - {"name", "type"}
    problems = [f"unknown key {key[:60]}" for key in sorted(values.keys() - known)]
    problems += [f"missing key {key}" for key in sorted(known - optional - values.keys())]
    for key, (low, high) in _LENS_BOUNDS.items():
        value = values.get(key, low)
        if type(value) is not int or not low <= value <= high:
            problems.append(
                f"{key} must be a whole number from {low} to {high}, is {reading.shown(value)}"
            )
    tint = values.get("tint", [255, 255, 255])
    if type(tint) is not list or [type(c) is int and 0 <= c <= 255 for c in tint] != [True] * 3:
        problems.append(f"tint must be three numbers from 0 to 255, is {reading.shown(tint)}")
    has = values.get("has", [])
    if type(has) is not list or not all(thing in HAS for thing in has):
        problems.append(f"has must be some of {', '.join(HAS)}, is {reading.shown(has)}")
    if type(own := values.get("own_font", False)) is not bool:
        problems.append(f"own_font must be true or false, is {reading.shown(own)}")
    if problems := problems or list(_too_many(**{key: values[key] for key in _LENS_BOUNDS})):
        raise DeviceError(f"{source}: {'; '.join(problems)}")
    return DisplayProfile(name, **values | {"tint": tuple(tint), "has": frozenset(has)})


def _too_many(
    width_px: int, height_px: int, columns: int, lines: int, font_px: int, **others: int
) -> Iterator[str]:
    """Say where the letters do not fit the pixels."""
    for key, count, side, size, most in (
        ("columns", columns, "width_px", width_px, width_px // cell_px(font_px)),
        ("lines", lines, "height_px", height_px, height_px // font_px),
    ):
        if count > most:
            yield f"{key} is {count}: {side} {size} has room for {most} at font_px {font_px}"


def _source(name: str) -> str:
    return f"display profile {name if name.endswith('.toml') else name + '.toml'}"


def _read(name: str) -> dict[str, Any]:
    if name.endswith(".toml"):
        path = Path(name)
    elif name in names():
        path = Path(str(resources.files(__package__))) / f"{name}.toml"
    else:
        raise DeviceError(f"no display profile {name!r}; known are {', '.join(names())}")
    try:
        return reading.from_toml(reading.read_text(path))
    except OSError as error:
        raise DeviceError(f"{_source(name)} cannot be read: {error.strerror}") from error
    except reading.Unreadable as error:
        raise DeviceError(f"{_source(name)} is not TOML: {error}") from None
