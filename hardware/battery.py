"""Batteries: the virtual one, and those that Linux knows of."""

from __future__ import annotations

from pathlib import Path

from hardware.base import DeviceError, Power

SYS = Path("/sys/class")
"""Where Linux lists power supplies and thermometers."""

_FRAMES = ("skin", "shell", "frame", "surface", "case")
"""Words in the name of a thermometer that measures what the wearer touches."""


class VirtualBattery:
    """A double with as many cells as are wanted, numbered from 0; two by default.

    `temperature_c` and `charging` are to be set at any time; `temperature_c` may be None.
    """

    name = "virtual battery"

    def __init__(
        self,
        cells: tuple[float | None, ...] = (1.0, 1.0),
        temperature_c: float | None = 30.0,
        charging: bool = False,
    ) -> None:
        """Begin with these charges, 0 … 1, None for a cell that is out."""
        self._cells = [None if level is None else _charge(level) for level in cells]
        self.temperature_c = temperature_c
        self.charging = charging

    def charge(self, cell: int, level: float) -> None:
        """Set the charge of a cell, 0 … 1. Raises DeviceError when it is out."""
        if self._cells[self._known(cell)] is None:
            raise DeviceError(f"cell {cell} is out: insert it before it is charged")
        self._cells[cell] = _charge(level)

    def remove(self, cell: int) -> None:
        """Take a cell out; nothing happens when it is out."""
        self._cells[self._known(cell)] = None

    def insert(self, cell: int, level: float = 1.0) -> None:
        """Put a cell with this charge in, in the place of any that is there."""
        self._cells[self._known(cell)] = _charge(level)

    def state(self) -> Power:
        """Return how things are now."""
        return Power(tuple(self._cells), self.temperature_c, self.charging)

    def _known(self, cell: int) -> int:
        if not 0 <= cell < len(self._cells):
            raise DeviceError(f"there is no cell {cell}: they are 0 … {len(self._cells) - 1}")
        return cell


class SystemBattery:
    """The batteries of this machine, from Linux's `/sys/class/power_supply`.

    Each is a cell, in the order of their names; one that was seen once and is gone is taken out.
    Batteries of mice and the like (`scope` is `Device`) do not count. The temperature is that of a
    thermometer on the frame, known by its name, or else the batteries' own; a processor's is none
    of the wearer's business. (Documentation/ABI/testing/sysfs-class-power)
    """

    name = "system battery"

    def __init__(self, root: Path = SYS) -> None:
        """Read below `root`. Raises DeviceError when there is no battery."""
        self._root = root
        self._cells: list[str] = []
        if not self._look():
            raise DeviceError(f"no battery in {root / 'power_supply'}: this machine runs on mains")

    def state(self) -> Power:
        """Return how things are now. Raises DeviceError when no battery can be read any more."""
        self._look()
        supplies = self._root / "power_supply"
        cells = tuple(_level(supplies / cell) for cell in self._cells)
        if all(cell is None for cell in cells):
            raise DeviceError(f"no battery in {supplies} can be read any more")
        says = [_text(supplies / cell / "status") for cell in self._cells]
        return Power(cells, self._temperature_c(), "Charging" in says)

    def _look(self) -> bool:
        """Note cells that are new; say whether any is known."""
        try:
            found = sorted(p.name for p in (self._root / "power_supply").iterdir() if _is_cell(p))
        except OSError:
            found = []
        self._cells += [name for name in found if name not in self._cells]
        return bool(self._cells)

    def _temperature_c(self) -> float | None:
        zones = sorted((self._root / "thermal").glob("thermal_zone*"))
        frames = [z for z in zones if any(w in _text(z / "type").lower() for w in _FRAMES)]
        readings = [_number(zone / "temp", 1000) for zone in frames]
        readings = [r for r in readings if r is not None] or [
            _number(self._root / "power_supply" / cell / "temp", 10) for cell in self._cells
        ]
        return max((r for r in readings if r is not None), default=None)


def find_battery(root: Path = SYS) -> SystemBattery | None:
    """Return the batteries of this machine, None where there are none."""
    try:
        return SystemBattery(root)
    except DeviceError:
        return None


def _is_cell(folder: Path) -> bool:
    return _text(folder / "type") == "Battery" and _text(folder / "scope") != "Device"


def _level(folder: Path) -> float | None:
    """Return the charge of one battery, 0 … 1; None where it is out or says nothing."""
    if _number(folder / "present", 1) == 0:
        return None
    percent = _number(folder / "capacity", 1)
    if percent is not None:
        return min(max(percent / 100, 0.0), 1.0)
    for kind in ("energy", "charge"):  # µWh and µAh; only their ratio counts
        now, full = _number(folder / f"{kind}_now", 1), _number(folder / f"{kind}_full", 1)
        if now is not None and full:
            return min(max(now / full, 0.0), 1.0)
    return None


def _number(path: Path, unit: int) -> float | None:
    """Return the whole number in a file, divided by `unit`; None where there is none."""
    try:
        return int(_text(path)) / unit
    except (ValueError, OverflowError):
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:  # also what a driver answers that is not ready
        return ""


def _charge(level: float) -> float:
    if not 0 <= level <= 1:
        raise DeviceError(f"a cell's charge is 0 … 1, not {level!r}")
    return float(level)
