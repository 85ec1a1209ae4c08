"""What an action needs and these glasses may not have: told before it runs, not amid it.

Nothing is declared for it: the permissions of a skill name the devices it uses, and the profile of
the lens says what the glasses around it have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent.skill.declare import Action
from hardware.base import Devices

DEVICES = ("camera", "microphone", "location")
"""Permissions that name a device."""

NAMES = {"zh": {"camera": "相机", "microphone": "麦克风", "location": "定位"}}
"""What they are called; English has the permission's own name."""


def lacking(action: Action, devices: Devices) -> tuple[str, ...]:
    """Return what an action needs and is not there, neither on the glasses nor from a plugin."""
    there = {*devices.display.profile.has, *devices.others}
    if devices.location is not None:
        there.add("location")
    needed = action.declaration.permissions
    return tuple(kind for kind in DEVICES if kind in needed and kind not in there)


def told(missing: Iterable[str], language: str) -> str:
    """Return missing devices in words."""
    names = NAMES.get(language, {})
    *most, last = (names.get(kind, kind) for kind in missing)
    both, between = ("和", "、") if language == "zh" else (" and ", ", ")
    return both.join(filter(None, [between.join(most), last]))


def warnings(actions: Iterable[Action], devices: Devices) -> Iterator[str]:
    """Yield a line for each skill with actions that cannot work on these glasses."""
    by_skill: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for action in actions:
        if missing := lacking(action, devices):
            by_skill.setdefault((action.skill, missing), []).append(action.name)
    for (skill, missing), names in by_skill.items():
        what = told(missing, "en")
        yield (
            f"{skill} needs a {what}, and {devices.display.profile.name} has none:"
            f" {', '.join(names)} will not work"
        )
