"""The dashboard: time, battery, and a line of each skill that has one, in one glance.

Skills bring their lines through the hook `dashboard`; one that is late or fails is left out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial

from agent.act.world import World
from agent.messages import Reply
from agent.plugins import offences
from agent.skill.context import Context
from hardware.base import Battery, DeviceError

LINE_S = 0.3
"""Longest a skill may take for its line: the wearer is looking."""
MAX_LINE = 80
"""Most characters of a line."""

_DAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "zh": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


async def card(world: World, context: Callable[[str, str], Context | None], language: str) -> Reply:
    """Return the dashboard; `context` gives a skill, in a language, what its line may use."""
    skills = world.skills
    asked = [
        (name, line, ctx)
        for name, line in skills.contributors()
        if (ctx := context(name, language)) is not None
    ]
    outcomes = await asyncio.gather(
        *(skills.runner.run(name, partial(line, ctx), LINE_S) for name, line, ctx in asked)
    )
    lines = [_first(world.devices.battery, world.now(), language)]
    for (name, _, _), outcome in zip(asked, outcomes, strict=True):
        for offence in offences.faults(outcome, f"{name}.dashboard", LINE_S):
            skills.offend(name, offence)
        if isinstance(outcome.value, str) and outcome.value.strip():
            lines.append(outcome.value.strip().partition("\n")[0][:MAX_LINE])
    return Reply("\n".join(lines), kind="dashboard")


def _first(battery: Battery | None, now: datetime, language: str) -> str:
    """Return time and date, with the charge on the right."""
    right = charge(battery)
    return f"{_time(now, language)}" + (f"\t{right}" if right else "")


def _time(now: datetime, language: str) -> str:
    day = _DAYS.get(language, _DAYS["en"])[now.weekday()]
    if language == "zh":
        return f"{now:%H:%M} {now.month}月{now.day}日 {day}"
    return f"{now:%H:%M} {day} {now.day} {_MONTHS[now.month - 1]}"


def charge(battery: Battery | None) -> str:
    """Return the charge of all cells together: `85 %`, `⚡85 %` while power comes in."""
    if battery is None:
        return ""
    try:
        power = battery.state()
    except DeviceError:
        return ""
    there = [cell for cell in power.cells if cell is not None]
    if not there:
        return ""
    return f"{'⚡' if power.charging else ''}{sum(there) / len(power.cells):.0%}".replace("%", " %")
