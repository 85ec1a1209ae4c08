"""Incidents on the ways around: what a provider tells of them, and what skills ask it.

A plugin brings one with `provide("traffic", make)`; `navigate` has one that reads feeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from hardware.base import Place

Form = Literal["point", "line", "area"]


@dataclass(frozen=True, slots=True)
class Shape:
    """Where an incident is."""

    form: Form
    """A point, a line along a way, or an area whose last corner is joined to the first."""
    points: tuple[tuple[float, float], ...]
    """Degrees north and east, WGS-84; at least one, of a line two, of an area three."""
    radius_m: float = 0.0
    """How far it reaches around them."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that is in the way."""

    id: str
    """Its own name, the same each time it is told."""
    text: str
    """What it is, in a line: text from the world."""
    shapes: tuple[Shape, ...]
    """Where it is; at least one."""
    begins: datetime | None = None
    """When it begins, with a zone; None where it has begun."""
    ends: datetime | None = None
    """When it is over, with a zone; None where nobody tells."""


class Traffic(Protocol):
    """Tells of incidents."""

    name: str
    """Who tells: text that is shown."""

    def incidents(self, near: Place) -> Sequence[Incident]:
        """Return what is known around a place. Blocks, on any thread. Raises DeviceError."""
        ...
