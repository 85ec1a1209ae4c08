"""Grounds: what is said to a question that no model can know, and that no skill's sentence foresaw.

A skill that declared `knows=` of its kind takes it. Else the agent's own clock tells the time, and
for everything else one honest sentence names what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files

from agent.derive.phrase import phrase
from agent.language.said import said_in
from agent.messages import Intent, Reply
from agent.skill.declare import Action

SURE = 0.5
"""Probability of a need from which it is named; under it the wearer hears only that it is none that
can be known here."""

_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "zh": ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def knowing(actions: Iterable[Action], what: str) -> tuple[Action, ...]:
    """Return the actions that declared to know this, those that ask for no slot first.

    Never one that changes anything: a question orders nothing.
    """
    found = [
        action
        for action in actions
        if what in action.declaration.knows and action.declaration.risk == "none"
    ]
    return tuple(sorted(found, key=_asks))


def _asks(action: Action) -> bool:
    return any(slot.required for slot in action.declaration.slots)


def taken(actions: Iterable[Action], what: str, language: str) -> Intent | None:
    """Return the call of the skill that takes such a question over, where one can as it is."""
    for action in knowing(actions, what):
        if not _asks(action):
            return Intent(action.skill, action.declaration.name, {}, "knows", language)
    return None


def honest(actions: Iterable[Action], what: str, p: float, now: datetime, language: str) -> Reply:
    """Return the sentence that names what is missing; for the time, what the agent's clock says.

    `p` is how likely it is that this is needed.
    """
    said = said_in(language)
    if what == "time" and p >= SURE:
        return Reply(clock(now, language))
    text = said[f"no {what}"] if p >= SURE else said["no way to know"]
    if asking := knowing(actions, what):  # it has to be told more
        action = asking[0]
        slot = next(slot.name for slot in action.declaration.slots if slot.required)
        blank = Intent(action.skill, action.declaration.name, {}, "knows", language)
        return Reply(said["knows if asked"].format(phrase=phrase(action, blank, slot)))
    if p >= SURE and (plugin := known().get(what)):
        text += "\n" + said["would know"].format(plugin=plugin)
    return Reply(text)


def clock(now: datetime, language: str) -> str:
    """Return the time and the date here, as a sentence."""
    if language == "zh":
        date = f"{now.year}年{now.month}月{now.day}日"
        return f"现在是{now:%H:%M}，{date}，{_DAYS['zh'][now.weekday()]}。"
    day = f"{_DAYS['en'][now.weekday()]}, {now.day} {_MONTHS[now.month - 1]} {now.year}"
    return f"It is {now:%H:%M}, {day}."


@cache
def known() -> Mapping[str, str]:
    """Return the plugins that are known to know something, by what that is."""
    import tomllib

    listed = tomllib.loads(files("agent.plugins").joinpath("known.toml").read_text("utf-8"))
    return {str(what): str(plugin) for what, plugin in listed.items()}
