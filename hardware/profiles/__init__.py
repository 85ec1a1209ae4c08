"""Display profiles of real glasses, one TOML file each."""

from __future__ import annotations

import tomllib
from dataclasses import MISSING, fields
from functools import cache
from importlib import resources
from typing import Any

from hardware.base import DeviceError, DisplayProfile


def names() -> tuple[str, ...]:
    """List the known profiles, sorted."""
    files = (path.name for path in resources.files(__package__).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in files if name.endswith(".toml")))


@cache
def load(name: str) -> DisplayProfile:
    """Read one profile. Raises DeviceError when it is unknown or its file is wrong."""
    if name not in names():
        raise DeviceError(f"no display profile {name!r}; known are {', '.join(names())}")
    path = resources.files(__package__) / f"{name}.toml"
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise DeviceError(f"display profile {name}.toml is not TOML: {error}") from error
    return _checked(name, values)


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
