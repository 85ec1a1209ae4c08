"""The ladder: what is given up, step by step, as the cells run low or the glasses grow hot.

    normal ▶ dimmer ▶ slower ▶ smaller ▶ text

Each step keeps what the one before gave up: less light, fewer frames, smaller engines, and in the
end text only, with microphone and camera off. Charge and temperature each ask for a step and the
lower one counts. A step down is taken soon, a step up later and only with a margin, so that it
never flaps. Everything here is worked out from what it is told: no clock, no device.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from hardware.base import Power

StepName = Literal["normal", "dimmer", "slower", "smaller", "text"]
Cause = Literal["battery", "temperature"]
Rung = Literal["large", "small", "pocket", "templates"]
"""What understands: a language model, a smaller one, the pocket Qwen, sentences alone."""
RUNGS: tuple[Rung, ...] = ("large", "small", "pocket", "templates")
"""From the top down."""


@dataclass(frozen=True, slots=True)
class Step:
    """What may still be done."""

    name: StepName
    """What it is called."""
    light: float = 1.0
    """What the brightness of the lens is multiplied with."""
    update: float = 1.0
    """What the shortest time between two frames is multiplied with."""
    large_engines: bool = True
    """Whether whisper may run, or only pocketsphinx."""
    model: Rung = "large"
    """The largest that may understand and answer."""
    listening: bool = True
    """Whether the microphone may be open and the camera used."""


STEPS: tuple[Step, ...] = (
    Step("normal"),
    Step("dimmer", light=0.6),
    Step("slower", light=0.6, update=2.0, model="small"),
    Step("smaller", light=0.5, update=2.0, large_engines=False, model="pocket"),
    Step("text", light=0.4, update=3.0, large_engines=False, model="templates", listening=False),
)
"""From the top down; each one gives up more."""


@dataclass(frozen=True, slots=True)
class PowerOptions:
    """Where the steps are. Values without a source are choices."""

    charge: tuple[float, float, float, float] = (0.15, 0.12, 0.08, 0.05)
    """Charge (0 … 1) at or below which dimmer, slower, smaller and text begin. Android warns at
    15 % and calls 5 % critical (`config_lowBatteryWarningLevel`, `config_critical…`)."""
    charge_margin: float = 0.05
    """How far above it the charge must be for a step to end: Android's
    `config_lowBatteryCloseWarningBump`."""
    temperature_c: tuple[float, float, float, float] = (39.0, 40.5, 41.5, 43.0)
    """Temperature of the frame at or above which they begin. 43 °C is the most that touches skin
    for hours: ECMA-287 (held for up to 8 h), IEC 60601-1 table 24 (10 min and more), and the lower
    bound of IEC 62368-1 table 38 for what is worn. The others leave time to cool down before."""
    temperature_margin_c: float = 2.0
    """How far below it the temperature must be for a step to end."""
    down_ms: float = 2_000.0
    """How long a step down must be due: one bad reading is none."""
    up_ms: float = 10_000.0
    """How long a step up must be due."""
    last_cell: float = 0.20
    """Charge of the only cell that is in, at or below which taking it out is warned of."""
    differ: float = 0.40
    """Difference between the fullest and the emptiest cell that is told."""
    differ_margin: float = 0.10
    """How much smaller it must have become before it is told again."""


NoticeKind = Literal["step", "out", "in", "last", "differ"]


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about the power that the wearer is told."""

    kind: NoticeKind
    """`step`: the ladder; `out`, `in`: a cell; `last`: do not take that one out; `differ`: one
    cell is much emptier than the other."""
    step: StepName = "normal"
    """The step that is taken, of `step`."""
    up: bool = False
    """Whether that is a step up."""
    cause: Cause = "battery"
    """What asked for it."""
    percent: int = 0
    """Charge in percent: of all cells that are in, or of the one it is about."""
    celsius: float | None = None
    """Temperature of the frame, of `step`."""
    cell: int = 0
    """Which cell it is about, from 1."""

    @property
    def urgent(self) -> bool:
        """Whether it is an alert: what is about to be lost, and not what is merely so."""
        return self.kind == "last" or (self.kind == "step" and not self.up)

    def line(self, language: str) -> str:
        """Return it in one line, in English or Chinese."""
        said = SAID["zh" if language == "zh" else "en"]
        key = self.kind if self.kind != "step" else f"{'up' if self.up else 'down'} {self.step}"
        celsius = "?" if self.celsius is None else f"{self.celsius:.0f}"
        head = said[self.cause].format(percent=self.percent, celsius=celsius)
        return said[key].format(head=head, percent=self.percent, cell=self.cell)


SAID = {
    "en": {
        "battery": "Battery {percent} %",
        "temperature": "Glasses at {celsius} °C",
        "down dimmer": "{head}: dimmer now.",
        "down slower": "{head}: fewer updates now.",
        "down smaller": "{head}: simpler speech and answers now.",
        "down text": "{head}: text only. Microphone and camera are off.",
        "up smaller": "{head}: microphone and camera are on again.",
        "up slower": "{head}: full speech and answers again.",
        "up dimmer": "{head}: all updates again.",
        "up normal": "{head}: back to normal.",
        "out": "Cell {cell} is out.",
        "in": "Cell {cell} is in: {percent} %.",
        "last": "Only cell {cell} is left, at {percent} %: keep it in.",
        "differ": "Cell {cell} is at {percent} %: swap that one next.",
    },
    "zh": {
        "battery": "电量 {percent}%",
        "temperature": "眼镜温度 {celsius}°C",
        "down dimmer": "{head}：已调暗。",
        "down slower": "{head}：已减少刷新。",
        "down smaller": "{head}：语音和回答已简化。",
        "down text": "{head}：仅显示文字，麦克风和相机已关闭。",
        "up smaller": "{head}：麦克风和相机已恢复。",
        "up slower": "{head}：语音和回答已恢复。",
        "up dimmer": "{head}：刷新已恢复。",
        "up normal": "{head}：已恢复正常。",
        "out": "电池 {cell} 已取出。",
        "in": "电池 {cell} 已装入：{percent}%。",
        "last": "只剩电池 {cell}，电量 {percent}%：请勿取出。",
        "differ": "电池 {cell} 电量 {percent}%：请先更换这一块。",
    },
}


@dataclass(slots=True)
class _Due:
    """A step that is due, and since when."""

    rung: int
    since_ms: float


class Ladder:
    """Turns what the batteries are at into the step that is taken, and what is said about it."""

    def __init__(self, options: PowerOptions | None = None) -> None:
        """Take the top step until the first reading."""
        self.options = options or PowerOptions()
        self._rungs: dict[Cause, int] = {"battery": 0, "temperature": 0}
        self._due: dict[Cause, _Due | None] = {"battery": None, "temperature": None}
        self._cells: Sequence[float | None] | None = None
        self._charge = 1.0
        self._warned = self._differs = False

    @property
    def step(self) -> Step:
        """What may be done now."""
        return STEPS[max(self._rungs.values())]

    @property
    def percent(self) -> int:
        """Charge of the cells that are in, in percent."""
        return _percent(self._charge)

    def read(self, power: Power, now_ms: float) -> tuple[Notice, ...]:
        """Take a reading; return what the wearer is to be told, the most urgent first.

        The first reading counts at once. A charge that is no number counts as a cell that is out,
        a temperature that is none changes nothing.
        """
        cells = tuple(_known(cell) for cell in power.cells)
        levels = [level for level in cells if level is not None]
        first, before = self._cells is None, dict(self._rungs)
        if levels:
            self._charge = sum(levels) / len(levels)
        self._move("battery", self._by_charge(levels, power.charging), now_ms, first)
        self._move("temperature", self._by_heat(power.temperature_c), now_ms, first)
        notices = [
            *self._stepped(before, power.temperature_c),
            *_swapped(self._cells, cells),
            *self._last(cells, power.charging),
            *self._differing(cells),
        ]
        self._cells = cells
        return tuple(sorted(notices, key=lambda notice: not notice.urgent))

    # -- steps ----------------------------------------------------------------------------------

    def _by_charge(self, levels: Sequence[float], charging: bool) -> int:
        """Return the step that the charge asks for, given the one that was taken for it.

        It is the charge of the cells that are in: taking one out is no reason to go dark.
        """
        if charging:
            return 0
        if not levels:
            return self._rungs["battery"]
        o, charge = self.options, round(self._charge, 6)
        begun = self._rungs["battery"]
        limits = enumerate(o.charge, start=1)
        return max(
            (n for n, at in limits if charge < at + (o.charge_margin if n <= begun else 1e-9)),
            default=0,
        )

    def _by_heat(self, celsius: float | None) -> int:
        """Return the step that the temperature asks for, given the one that was taken for it."""
        if celsius is None:
            return 0
        o, begun = self.options, self._rungs["temperature"]
        if not math.isfinite(celsius):
            return begun
        limits = enumerate(o.temperature_c, start=1)
        return max(
            (
                n
                for n, at in limits
                if (celsius > at - o.temperature_margin_c if n <= begun else celsius >= at)
            ),
            default=0,
        )

    def _move(self, cause: Cause, rung: int, now_ms: float, first: bool) -> None:
        """Go to a step once it has been due for long enough."""
        at, due = self._rungs[cause], self._due[cause]
        if rung == at:
            self._due[cause] = None
            return
        if due is None or (due.rung > at) != (rung > at):
            due = self._due[cause] = _Due(rung, now_ms)
        # as far as every reading since then agrees
        due.rung = min(due.rung, rung) if rung > at else max(due.rung, rung)
        wait_ms = self.options.down_ms if rung > at else self.options.up_ms
        if first or now_ms - due.since_ms >= wait_ms:
            self._rungs[cause], self._due[cause] = due.rung, None

    def _stepped(self, before: dict[Cause, int], celsius: float | None) -> list[Notice]:
        """Tell of another step, by what asked for it, or asks for it no more."""
        was, now = max(before.values()), max(self._rungs.values())
        if was == now:
            return []
        up = now < was
        rungs = before if up else self._rungs
        moved: list[Cause] = [c for c in self._rungs if self._rungs[c] != before[c]]
        cause = max(moved, key=lambda c: rungs[c])
        return [Notice("step", STEPS[now].name, up, cause, self.percent, celsius)]

    # -- cells ----------------------------------------------------------------------------------

    def _last(self, cells: Sequence[float | None], charging: bool) -> list[Notice]:
        """Warn, once, when the glasses live on one cell that is low."""
        o = self.options
        there = [(number, level) for number, level in enumerate(cells, 1) if level is not None]
        if len(cells) < 2 or len(there) != 1 or charging:
            self._warned = False
            return []
        number, level = there[0]
        was = self._warned
        self._warned = level <= o.last_cell + (o.charge_margin if was else 0)
        if was or not self._warned:
            return []
        return [Notice("last", percent=_percent(level), cell=number)]

    def _differing(self, cells: Sequence[float | None]) -> list[Notice]:
        """Tell, once, which cell is much emptier than another."""
        o = self.options
        there = [(level, number) for number, level in enumerate(cells, 1) if level is not None]
        apart = max(there)[0] - min(there)[0] if there else 0.0
        was = self._differs
        self._differs = round(apart, 6) >= o.differ - (o.differ_margin if was else 0)
        if was or not self._differs:
            return []
        level, number = min(there)
        return [Notice("differ", percent=_percent(level), cell=number)]


def _swapped(
    before: Sequence[float | None] | None, now: Sequence[float | None]
) -> Iterator[Notice]:
    """Tell of cells that were taken out or put in."""
    if before is None:
        return
    for number, (old, new) in enumerate(zip_longest(before, now), start=1):
        if old is not None and new is None:
            yield Notice("out", cell=number)
        elif old is None and new is not None:
            yield Notice("in", percent=_percent(new), cell=number)


def _known(level: float | None) -> float | None:
    if level is None or not math.isfinite(level):
        return None
    return min(max(level, 0.0), 1.0)


def _percent(level: float) -> int:
    return math.floor(level * 100 + 0.5)


# -- the light around -----------------------------------------------------------------------------
