"""The states of a payment, and every way from one to the next. There is no other.

    proposed ─▶ shown ─▶ confirmed ─▶ submitted ─▶ paid ─▶ settled
        │         │          │            ├──────▶ unknown ─┤
        └─────────┴──────────┴────────────┴▶ refused ◀──────┘

Proposed and shown are lost with the process: nothing was agreed to. From confirmed on each step is
in the ledger before it is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

State = Literal[
    "proposed",  # a skill asks for it
    "shown",  # amount and payee are on the lens
    "confirmed",  # the wearer said yes, and it keeps to the limits
    "submitted",  # the provider may have been told
    "paid",  # the provider says that it is paid
    "refused",  # it is certain that it was not paid and never will be
    "unknown",  # nobody can tell yet
    "settled",  # asked once more under its key, the provider agrees with the ledger
]

NEXT: Mapping[State, frozenset[State]] = {
    "proposed": frozenset(("shown", "refused")),
    "shown": frozenset(("confirmed", "refused")),
    "confirmed": frozenset(("submitted", "refused")),
    "submitted": frozenset(("paid", "refused", "unknown")),
    "unknown": frozenset(("paid", "refused")),
    "paid": frozenset(("settled",)),
    "refused": frozenset(),
    "settled": frozenset(),
}
"""What may follow each state."""

OPEN: tuple[State, ...] = ("confirmed", "submitted", "unknown")
"""Of these nobody knows the end: they are asked of the provider."""

MOVED: tuple[State, ...] = ("paid", "settled")
"""In these the money has moved."""


class IllegalStep(ValueError):
    """A payment cannot go from this state to that one."""


def step(state: State, to: State) -> State:
    """Return the next state. Raises IllegalStep where it cannot follow."""
    if to not in NEXT[state]:
        raise IllegalStep(f"a payment that is {state} cannot become {to}")
    return to
