"""Grounds: what is said to a question that no model can know, and that no skill's sentence foresaw.

A skill that declared `knows=` of its kind takes it, as the one that ships takes the time. Else one
honest sentence names what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

from agent.derive.phrase import phrase
from agent.language.said import said_in
from agent.messages import Intent, Reply
from agent.skill.declare import Action

QUESTION = "question"
"""The slot that is given what was asked."""

SURE = 0.5
"""Probability of a need from which it is named; under it the wearer hears only that it is none that
can be known here."""


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


def _hears(action: Action) -> bool:
    return any(slot.name == QUESTION for slot in action.declaration.slots)


def taken(actions: Iterable[Action], what: str, language: str, question: str = "") -> Intent | None:
    """Return the call of the skill that takes such a question over, where one can as it is.

    With a `question`, one that is given it; without, one that asks for nothing.
    """
    wanted = {QUESTION} if question else set[str]()
    for action in knowing(actions, what):
        if {slot.name for slot in action.declaration.slots if slot.required} == wanted:
            slots = {QUESTION: question} if question else {}
            return Intent(action.skill, action.declaration.name, slots, "knows", language)
    return None


def honest(actions: Iterable[Action], what: str, p: float, language: str) -> Reply:
    """Return the sentence that names what is missing.

    `p` is how likely it is that this is needed.
    """
    said = said_in(language)
    here = knowing(actions, what)
    # What asks for nothing was not given the question, so it is not sure to be one of this.
    sure = p >= SURE and all(map(_asks, here))
    text = said[f"no {what}"] if sure else said["no way to know"]
    asking = [one for one in here if _asks(one) and not _hears(one)]
    if asking:  # it has to be told more
        action = asking[0]
        slot = next(slot.name for slot in action.declaration.slots if slot.required)
        blank = Intent(action.skill, action.declaration.name, {}, "knows", language)
        return Reply(said["knows if asked"].format(phrase=phrase(action, blank, slot)))
    if sure and (plugin := known().get(what)):
        text += "\n" + said["would know"].format(plugin=plugin)
    return Reply(text)


@cache
def known() -> Mapping[str, str]:
    """Return the plugins that are known to know something, by what that is."""
    import tomllib

    listed = tomllib.loads(files("agent.plugins").joinpath("known.toml").read_text("utf-8"))
    return {str(what): str(plugin) for what, plugin in listed.items()}
