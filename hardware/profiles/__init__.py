"""Profiles of real glasses, one TOML file each: the lens, and the bone microphone if any."""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, fields
from functools import cache
from importlib import resources
from typing import Any

from hardware.base import SAMPLE_RATE_HZ, BoneProfile, DeviceError, DisplayProfile

BONE = "bone_microphone"
"""Table of a profile that describes its bone microphone."""

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
    """Read the lens of one profile. Raises DeviceError when it is unknown or its file is wrong."""
    values = _read(name)
    values.pop(BONE, None)
    return _checked(name, values)


@cache
def load_bone(name: str) -> BoneProfile | None:
    """Read the bone microphone of one profile; None when it has none. Raises like `load`."""
    values = _read(name).get(BONE)
    return None if values is None else bone(values, f"display profile {name}.toml")


def bone(values: Any, source: str) -> BoneProfile:
    """Check a bone microphone's values. Raises DeviceError that names `source` and all problems."""
    if not isinstance(values, dict):
        raise DeviceError(f"{source}: {BONE} must be a table [{BONE}]")
    problems = [f"unknown key {key}" for key in sorted(values.keys() - _BOUNDS.keys())]
    problems += [f"missing key {key}" for key in sorted(_BOUNDS.keys() - values.keys())]
    for key in sorted(_BOUNDS.keys() & values.keys()):
        low, high = _BOUNDS[key]
        whole, value = key.endswith(("_hz", "_mode")), values[key]
        if type(value) not in ((int,) if whole else (int, float)) or not low <= value <= high:
            kind = "a whole number" if whole else "a number"
            problems.append(f"{key} must be {kind} from {low:g} to {high:g}, is {value!r}")
    if problems:
        raise DeviceError(f"{source}, [{BONE}]: {'; '.join(problems)}")
    return BoneProfile(**values)


def _read(name: str) -> dict[str, Any]:
    if name not in names():
        raise DeviceError(f"no display profile {name!r}; known are {', '.join(names())}")
    path = resources.files(__package__) / f"{name}.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise DeviceError(f"display profile {name}.toml is not TOML: {error}") from error


def _checked(name: str, values: dict[str, Any]) -> DisplayProfile:
    known = {field.name: field for field in fields(DisplayProfile)}
    needed = {key for key, field in known.items() if field.default is MISSING} - {"name"}
    problems = [f"unknown key {key}" for key in sorted(values.keys() - (known.keys() - {"name"}))]
    problems += [f"missing key {key}" for key in sorted(needed - values.keys())]
    problems += [
        f"{key} must be a whole number above 0, is {values[key]!r}"
        for key in sorted(needed & values.keys())
        if type(values[key]) is not int or values[key] < 1
    ]
    if problems:
        raise DeviceError(f"display profile {name}.toml: {'; '.join(problems)}")
    if "tint" in values:
        values["tint"] = tuple(values["tint"])
    return DisplayProfile(name=name, **values)
