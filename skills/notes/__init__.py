"""Lists and lists by voice, found again by what they are about."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated

from agent import Context, OneOf, Reply, hookimpl, skill
from agent.language import wording
from agent.language.folding import compared
from agent.skill.lists import SHOPPING, Full, Item, Lists

LIKE = 0.45
"""How like a note must be to what is asked for."""
SHOWN = 5
"""Most notes that one answer shows."""

TODO = "to do"
_SHOPPING = frozenset(
    ("shopping", "grocery", "groceries", "purchase", "to buy", "购物", "购物单", "买菜", "采购")
)
"""Names of the list that the shop keeps too."""


def _names(language: str) -> list[str]:
    return ["待办", "打包", "愿望"] if language == "zh" else ["to do", "packing", "wish", "reading"]


ListName = Annotated[str, OneOf(_names, open=True)]


@skill(
    "(take|make|write) [down] a note [that|to] {text}",
    "(note|write) down [that] {text}",
    risk="change",
)
def note(text: str, ctx: Context) -> Reply:
    """Write something down."""
    return _written([text], "", ctx.say("Noted: {text}", text=text), ctx)


@skill(
    "(find|show|search) [me] [my|the] (note|notes) (about|on|for) {what}",
    "what did i (note|write down) about {what}",
)
def find_note(what: str, ctx: Context) -> Reply:
    """Find notes again by what they are about."""
    found = _alike(what, ctx.lists.of(), ctx)
    if not found:
        return _said(ctx.say("No note is about “{what}”.", what=what))
    return Reply(
        "\n".join(f"{one.text} ({_when(one, ctx)})" for one in found[:SHOWN]), kind="list",
        speech=found[0].text,
    )  # fmt: skip


@skill("(show|read) [me] my [(last|latest)] notes", "what are my notes")
def notes(ctx: Context) -> Reply:
    """Show the latest notes."""
    found = ctx.lists.of()[:SHOWN]
    if not found:
        return _said(ctx.say("There are no notes."))
    shown = [f"{one.text} ({_when(one, ctx)})" for one in found]
    return Reply("\n".join(shown), kind="list", speech=". ".join(one.text for one in found))


@skill(
    "(delete|remove) (my|the) (last|latest) note",
    "(delete|remove) [my|the] note about {what}",
    risk="change",
)
def delete_note(ctx: Context, what: str | None = None) -> Reply:
    """Take a note away, the last or the one that is most like what was said."""
    ours = ctx.lists
    found = ours.of() if what is None else _alike(what, ours.of(), ctx)
    if not found:
        return _said(ctx.say("There are no notes."))
    return _removed(found[:1], ours, ctx)


@skill(
    "(add|put) {item} (to|on) my {name} list",
    "(add|put) {item} (to|on) the {name} list",
    "on my {name} list (add|put|write) {item}",
    risk="change",
)
def add_item(item: str, name: ListName, ctx: Context) -> Reply:
    """Put something on a list of the wearer's."""
    name = _list_name(name)
    things = [part for part in re.split(r"\s*[,，、;；]\s*(?:and\s+)?", item) if part]
    head = ctx.say("{name}: {things}", name=_title(name, ctx), things=", ".join(things))
    return _written(things, name, head, ctx)


@skill(
    "(what is|what's|what all is) on (my|the) {name} list",
    "what (have i got|do i have|did i put) on (my|the) {name} list",
    "(what|how many) (items|things|tasks|chores) are on (my|the) {name} list",
    "(show|read|tell|give|hear|see|open|check|list) [me] [(everything|what is|what's) on] (my|the)"
    " {name} list [again]",
    "what [(things|items|tasks)] do i (need|have) to do",
    "what is (on|in) (my|the) list of things to do",
)
def show_items(ctx: Context, name: ListName = TODO) -> Reply:
    """Show a list; the one of things to do where none is named."""
    name = _list_name(name)
    found = [one for one in ctx.lists.of(name) if not one.done]
    if not found:
        return _said(ctx.say("Nothing is on the list “{name}”.", name=_title(name, ctx)))
    texts = [one.text for one in found]
    return Reply("\n".join(texts), title=_title(name, ctx), kind="list", speech=", ".join(texts))


@skill(
    "(check|tick|cross) off {item} (on|from) (my|the) {name} list",
    "(check|tick|cross) {item} off [of] (my|the) {name} list",
    "(remove|take|delete|strike) {item} (from|off|off of) (my|the) {name} list",
    risk="change",
)
def tick_item(item: str, name: ListName, ctx: Context) -> Reply:
    """Tick something off a list."""
    name, ours = _list_name(name), ctx.lists
    open_ones = [one for one in ours.of(name) if not one.done]
    exact = [one for one in open_ones if compared(one.text) == compared(item)]
    found = exact or _alike(item, open_ones, ctx)
    if not found:
        return _said(ctx.say("“{item}” is not on the list.", item=item))
    try:
        ours.tick(found[0].id)
    except OSError:
        return _unsaved(ctx)

    def undo() -> Reply | None:
        ours.tick(found[0].id, done=False)
        return None

    told = ctx.say("Done: {item}", item=found[0].text)
    return Reply(told, speech=told, undo=undo)


@skill(
    "(clear|empty|delete|erase) (my|the) {name} list",
    "(clear|remove|delete|erase) (everything|all [the] items|all of it) (from|on|off) [(my|the)]"
    " {name} list",
    risk="change",
)
def clear_items(name: ListName, ctx: Context) -> Reply:
    """Empty a list."""
    name, ours = _list_name(name), ctx.lists
    found = ours.of(name)
    if not found:
        return _said(ctx.say("Nothing is on the list “{name}”.", name=_title(name, ctx)))
    return _removed(found, ours, ctx)


# -- what they share ------------------------------------------------------------------------------


def _alike(what: str, among: list[Item], ctx: Context) -> list[Item]:
    """Return the notes that are about something, the likeliest first."""
    likeness = ctx.alike(what, [one.text for one in among])
    ranked = sorted(zip(likeness, among, strict=True), key=lambda pair: -pair[0])
    return [one for like, one in ranked if like >= LIKE]


def _written(texts: list[str], name: str, head: str, ctx: Context) -> Reply:
    ours = ctx.lists
    before = {one.id for one in ours.of(name)}
    try:
        ours.add(*texts, at=_now(ctx).isoformat(timespec="seconds"), name=name)
    except Full:
        return _said(ctx.say("There are too many notes: delete some first."))
    except OSError:
        return _unsaved(ctx)

    def undo() -> Reply | None:
        ours.remove(*(one.id for one in ours.of(name) if one.id not in before))
        return None

    return Reply(head, speech=head, undo=undo)


def _removed(found: list[Item], ours: Lists, ctx: Context) -> Reply:
    try:
        rows = ours.remove(*(one.id for one in found))
    except OSError:
        return _unsaved(ctx)

    def put_back() -> Reply | None:
        ours.restore(rows)
        return None

    told = ctx.say("Deleted: {text}", text=", ".join(one.text for one in found))
    return Reply(told, speech=told, undo=partial(put_back))


def _list_name(said: str) -> str:
    """Return a list's name as it is kept: the list of things to do has several."""
    name = compared(said.removesuffix("清单").removesuffix("列表").removesuffix(" list"))
    if name in _SHOPPING:
        return SHOPPING
    return TODO if name in ("to do", "todo", "to-do", "待办", "待办事项") else name


def _title(name: str, ctx: Context) -> str:
    return ctx.say(name) if name in (TODO, SHOPPING) else name


def _when(note_: Item, ctx: Context) -> str:
    return wording.moment(datetime.fromisoformat(note_.at), _now(ctx), ctx.language)


def _now(ctx: Context) -> datetime:
    now = ctx.clock()
    return now if now.tzinfo is None else now.astimezone().replace(tzinfo=None)


def _said(text: str) -> Reply:
    return Reply(text, speech=text)


def _unsaved(ctx: Context) -> Reply:
    return Reply(ctx.say("That can't be saved right now."), kind="alert")


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Hand the actions to the agent."""
    register(note, find_note, notes, delete_note)
    register(add_item, show_items, tick_item, clear_items)
