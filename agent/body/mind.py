"""The mind: which language model may think now, from large to none.

    large ▶ small ▶ pocket ▶ templates

Power, memory and waiting each ask for a rung, and the lowest counts. What power asks for has
margins of its own (`agent.body.power`); memory and waiting have theirs here, so that nothing ever
flaps: down soon, up later, and only with room to spare. Worked out from what it is told: no clock,
no device.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median

from agent.body.power import RUNGS, Rung, Step

Sizes = dict[Rung, float]
"""Memory that a rung takes, in MiB."""


@dataclass(frozen=True, slots=True)
class MindOptions:
    """Where the rungs are. Values without a source are choices."""

    low_mb: float = 400.0
    """Memory that is left for everything else, in MiB, under which a smaller model is taken."""
    margin_mb: float = 300.0
    """What must be left besides, once a larger model is loaded, before it is."""
    down_ms: float = 2_000.0
    """How long memory must be short: one bad reading is none."""
    up_ms: float = 30_000.0
    """How long there must be room."""
    slow_s: float = 4.0
    """Median wait for the first words of an answer, from which a smaller model answers."""
    answers: int = 3
    """Answers that it is taken over."""
    again_ms: float = 300_000.0
    """After so long the larger model is tried again; twice as long each time it was too slow."""
    longest_ms: float = 3_600_000.0
    """Longest until then."""


class Mind:
    """Turns power, memory and waiting into the rung that may think."""

    def __init__(self, sizes: Sizes, options: MindOptions | None = None) -> None:
        """`sizes` has the rungs there are a model for; others are passed over on the way down."""
        self.options = options or MindOptions()
        self._sizes = sizes
        self._power: Rung = "large"
        self._memory: Rung = "large"
        self._pace: Rung = "large"
        self._due_ms: tuple[int, float] | None = None  # which way memory asks for, since when
        self._waits: deque[float] = deque(maxlen=self.options.answers)
        self._slow_since_ms = 0.0
        self._again_ms = self.options.again_ms

    @property
    def rung(self) -> Rung:
        """What may think now."""
        lowest = max(self._power, self._memory, self._pace, key=RUNGS.index)
        return "pocket" if lowest == "small" and "small" not in self._sizes else lowest

    def power(self, step: Step) -> None:
        """Take what the remaining power allows; without a smaller model, the larger one as long."""
        alone = step.model == "small" and "small" not in self._sizes
        self._power = "large" if alone else step.model

    def memory(self, free_mb: float, now_ms: float) -> None:
        """Take a reading of the memory that is available now."""
        o, at = self.options, RUNGS.index(self._memory)
        way = 0
        if free_mb < o.low_mb and self.rung in self._sizes:
            way = 1
        elif at and free_mb >= o.low_mb + o.margin_mb + self._sizes.get(RUNGS[at - 1], 0.0):
            way = -1
        if way == 0:
            self._due_ms = None
        elif self._due_ms is None or self._due_ms[0] != way:
            self._due_ms = way, now_ms
        elif now_ms - self._due_ms[1] >= (o.down_ms if way > 0 else o.up_ms):
            now = RUNGS.index(self.rung) + 1 if way > 0 else at - 1
            self._memory, self._due_ms = RUNGS[min(now, RUNGS.index("pocket"))], None

    def answered(self, wait_s: float, now_ms: float) -> None:
        """Take how long the first words of an answer had to be waited for."""
        self._waits.append(wait_s)
        full = len(self._waits) == self.options.answers
        if self.rung == "large" and full and median(self._waits) > self.options.slow_s:
            if "small" in self._sizes:
                self._pace, self._slow_since_ms = "small", now_ms
            self._waits.clear()

    def look(self, now_ms: float) -> None:
        """Let time pass: a model that was too slow is tried again after a while."""
        if self._pace == "large" or now_ms - self._slow_since_ms < self._again_ms:
            return
        self._pace = "large"
        self._waits.clear()
        self._again_ms = min(2 * self._again_ms, self.options.longest_ms)
