"""Light sensors: the virtual one, and those of Linux's Industrial I/O."""

from __future__ import annotations

import math
from pathlib import Path

from hardware.base import DeviceError

IIO = Path("/sys/bus/iio/devices")
"""Where Linux lists its sensors."""

_CHANNELS = ("in_illuminance", "in_illuminance0")
"""What drivers call the channel (Documentation/ABI/testing/sysfs-bus-iio)."""


class VirtualLight:
    """A double: set `lux`."""

    name = "virtual light sensor"

    def __init__(self, lux: float = 300.0) -> None:
        """Begin at `lux`; 300 is a lit room."""
        self.lux = lux
        """Illuminance in lux, to be set at any time."""


class IioLight:
    """An ambient light sensor of this machine.

    `folder` is one device of Industrial I/O. Its `in_illuminance_input` is in lux; where there is
    only `in_illuminance_raw`, lux are (raw + `_offset`) times `_scale`.
    """

    def __init__(self, folder: Path) -> None:
        """Take the sensor in `folder`. Raises DeviceError when it measures no light."""
        found = next((c for c in _CHANNELS if _has(folder, c)), None)
        if found is None:
            raise DeviceError(f"{folder}: no light sensor: it has no in_illuminance_input or _raw")
        self._channel = folder / found
        self.name = _text(folder / "name") or folder.name

    @property
    def lux(self) -> float:
        """Illuminance now, in lux. Raises DeviceError when the sensor cannot be read."""
        lux = self._number("_input", math.nan)
        if math.isnan(lux):
            raw, offset = self._number("_raw", math.nan), self._number("_offset", 0.0)
            lux = (raw + offset) * self._number("_scale", 1.0)
        if not math.isfinite(lux):
            raise DeviceError(f"{self.name}: the light sensor cannot be read: is it plugged in?")
        return max(lux, 0.0)

    def _number(self, ending: str, absent: float) -> float:
        """Return what one file says: `absent` where there is none, NaN where it is no number."""
        path = self._channel.with_name(self._channel.name + ending)
        try:
            return float(path.read_text())
        except FileNotFoundError:
            return absent
        except (OSError, ValueError):
            return math.nan


def find_light(root: Path = IIO) -> IioLight | None:
    """Return the first light sensor of this machine, None where there is none."""
    try:
        folders = sorted(root.iterdir())
    except OSError:
        return None
    found = (folder for folder in folders if any(_has(folder, channel) for channel in _CHANNELS))
    return next((IioLight(folder) for folder in found), None)


def _has(folder: Path, channel: str) -> bool:
    return any((folder / f"{channel}{ending}").exists() for ending in ("_input", "_raw"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
