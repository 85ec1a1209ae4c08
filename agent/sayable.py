"""What can be said now: the one list that every derived thing is made from.

A skill declares sentences once. They become `Saying`s, and from these come the text route, the
speech grammar, the REPL's completion, the end-of-turn rule and the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Saying:
    """One sentence template of one action, with everything needed to expand it."""

    intent: str
    """`skill.action`, such as `music.play`."""
    template: str
    """hassil template: `play {song} [please]`."""
    slots: Mapping[str, tuple[str, ...] | None]
    """Spoken forms of each slot in the template, hassil templates themselves; None is free text."""
    rules: Mapping[str, str] = field(default_factory=dict)
    """Expansion rules by name, hassil templates: `{"please": "[please|kindly]"}`."""
    weight: float = 1.0
    """How likely it is beside others that can be said now; a pending question weighs more."""
