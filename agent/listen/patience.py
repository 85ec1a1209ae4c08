"""When the wearer has finished: how long a pause must be, given what was said before it.

Silence alone cannot tell: people pause for as long in the middle of a sentence as after it. What
can be said does. The more could still follow, the longer it is waited for:

    "yes", "no"                         answer_ms
    a command that nothing could extend complete_ms
    one that could go on, as "stop"     per_bit_ms for each bit of what could follow, up to open_ms
    a command that ends in free words   open_ms
    "navigate to …", "pay twenty …"     dangling_ms
    anything else, or an unsure engine  plain_ms
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from agent.listen.completeness import Standing


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a pause must be to end a turn; ms of silence after the last speech."""

    answer_ms: float = 60.0
    """After a yes, a no or a stop."""
    complete_ms: float = 60.0
    """After a command that nothing could extend."""
    per_bit_ms: float = 25.0
    """After a command that could go on, for each bit of what could follow: 106 ms where 18 endings
    are possible, 260 ms where 1,350 are."""
    open_ms: float = 500.0
    """After free words, and the most after any complete command."""
    dangling_ms: float = 1500.0
    """After the beginning of a command."""
    plain_ms: float = 600.0
    """After what no sentence begins with, and where the engine is unsure: silence alone decides."""
    reopen_ms: float = 1200.0
    """Speech that begins this soon after the end of a turn may belong to it, unless nothing could
    follow what was said."""
    sure: float = 0.6
    """Confidence from which a partial transcript is believed."""

    def wait_ms(self, standing: Standing | None, confidence: float = 1.0) -> float:
        """Return how long to wait; `standing` is None where the engine gives no partial text."""
        if standing is None or standing.kind == "unparsed" or confidence < self.sure:
            return self.plain_ms
        match standing.kind:
            case "answer" | "complete":
                least_ms = self.answer_ms if standing.kind == "answer" else self.complete_ms
                return min(max(least_ms, self.per_bit_ms * standing.bits), self.open_ms)
            case "open":
                return self.open_ms
        return self.dangling_ms

    def scaled(self, factor: float) -> Patience:
        """Return the same with every wait longer or shorter, for curves and for slow speakers."""
        waits = [f.name for f in fields(self) if f.name.endswith("_ms")]
        waits.remove("reopen_ms")  # no wait for the wearer
        return replace(self, **{name: factor * getattr(self, name) for name in waits})


DEFAULT = Patience()
