"""Remember what the wearer asks to have remembered, and find it again when they ask.

Their own words, on this device: `glasses memory` lists, changes, exports and forgets them too. A
language model only words the answer, never without showing what it is made of, and one on another
machine only where that is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Annotated

from agent import Context, OneOf, Reply, hookimpl, private, skill
from agent.errors import EngineError, GlassesError
from agent.skill.notes import Note, exported, telling

WHY = {"personal": "to keep what you ask me to remember"}
MAX_TOKENS = 40
"""Longest answer that is made of notes."""
LISTED = 20
"""Most notes on one card; `glasses memory list` shows all."""


def _whose(language: str) -> tuple[str, ...]:
    return ("i", "my", "we", "our") if language == "en" else ("我", "我的", "我们", "我们的")


Whose = Annotated[str, OneOf(_whose)]


@skill(
    "(remember|keep in mind|bear in mind|don't forget) that {note}",
    "remember {whose} {note}",
    risk="change",
    permissions=WHY,
)
def remember(note: str, ctx: Context, whose: Whose | None = None) -> Reply:
    """Remember something in the wearer's own words."""
    text = f"{whose}{'' if ctx.language == 'zh' else ' '}{note}" if whose else note
    try:
        kept = ctx.notes.add(text, ctx.clock())
    except GlassesError as error:
        return Reply(ctx.told(error), kind="alert")
    undo = partial(_undo_new, kept, ctx)
    return Reply(kept.text, title=ctx.say("I will remember:"), undo=undo)


@skill(
    "what did i (say|tell you) about {question}",
    "do you remember {question}",
    "remind me (what|where|when|who|which|how) {question}",
    permissions=WHY,
    knows=("personal",),
)
def recall(question: str, ctx: Context) -> Reply:
    """Find what the wearer asked to have remembered."""
    notes = ctx.notes.near(question, loosely=True)
    if not notes:
        return Reply(ctx.say("You told me nothing about that."))
    said = "\n".join(_quoted(note, ctx) for note in notes)
    answer = _worded(question, notes, ctx)
    return Reply(f"{answer}\n{said}" if answer else said)


@skill(
    "what do you remember",
    "what do you (remember|know) about me",
    "(show|list|read) [me] [all] my memories",
    "what did i (tell|ask) you to remember",
    permissions=WHY,
)
def list_notes(ctx: Context) -> Reply:
    """List what is remembered, the newest first."""
    notes = ctx.notes.all()[::-1]
    if not notes:
        return Reply(ctx.say("You have told me nothing to remember yet."))
    return Reply("\n".join(note.text for note in notes[:LISTED]), title=ctx.say("Remembered"))


@skill(
    "(change|correct|update) what i (said|told you) about {about} to {note}",
    risk="change",
    permissions=WHY,
)
def change(about: str, note: str, ctx: Context) -> Reply:
    """Put other words in the place of what was remembered."""
    found = ctx.notes.near(about, most=1, loosely=True)
    if not found:
        return Reply(ctx.say("You told me nothing about that."))
    try:
        changed = ctx.notes.change(found[0].id, put_into(found[0].text, note), ctx.clock())
    except GlassesError as error:
        return Reply(ctx.told(error), kind="alert")
    undo = partial(_undo, found, ctx)
    return Reply(changed.text, title=ctx.say("I will remember:"), undo=undo)


@skill(
    "forget what i (said|told you) about {about}",
    "forget (where|when|what|that|who|how) {about}",
    risk="change",
    permissions=WHY,
)
def forget(about: str, ctx: Context) -> Reply:
    """Forget one thing."""
    return _forgotten(ctx.notes.near(about, most=1, loosely=True), ctx)


@skill(
    "forget the last thing i (told you|said)",
    risk="change",
    permissions=WHY,
)
def forget_last(ctx: Context) -> Reply:
    """Forget what was remembered last."""
    newest = sorted(ctx.notes.all(), key=lambda note: (note.at, note.id))[-1:]
    return _forgotten(tuple(newest), ctx)


@skill(
    "forget everything [(i told you|you know about me|about me|you remember)]",
    "(forget|delete|erase|clear) all [(of|my)] [my] memories",
    risk="change",
    permissions=WHY,
)
def forget_all(ctx: Context) -> Reply:
    """Forget everything; until something else is done, undoing brings it back."""
    return _forgotten(ctx.notes.all(), ctx)


@skill(
    "(export|save) [all] my memories [to a file]",
    risk="change",
    permissions=WHY,
)
def export(ctx: Context) -> Reply:
    """Write everything that is remembered into a file that only the wearer may read."""
    notes = ctx.notes.all()
    if not notes:
        return Reply(ctx.say("You have told me nothing to remember yet."))
    path = ctx.folder / f"notes-{ctx.clock():%Y-%m-%d}.md"
    try:
        private.write(path, exported(notes))
    except OSError as error:
        return Reply(f"{path}: {error.strerror}", kind="alert")
    return Reply(ctx.say("Notes saved: {count}\n{path}", count=len(notes), path=path))


def put_into(old: str, new: str) -> str:
    """Return a note with its end replaced, where the new words begin as that end does.

    "I parked on level 3" and "level 4" make "I parked on level 4"; else the new words are all.
    """
    whole, lead = old.casefold(), new.split()[0].casefold() if new.split() else ""
    found = re.search(rf"(?<!\w){re.escape(lead)}(?!\w)", whole) if lead else None
    return old[: found.start()] + new if found and len(new) < len(old) else new


# -- what it is made of ---------------------------------------------------------------------------


def _worded(question: str, notes: tuple[Note, ...], ctx: Context) -> str:
    """Return an answer made of notes by a model; nothing where it knows none or adds to them."""
    try:
        own = "\n".join(note.text for note in notes)
        prompt = ctx.prompt("recall", notes=own, question=question.rstrip("?？"))
        said = ctx.private_model.complete(prompt, max_tokens=MAX_TOKENS, cancel=ctx.cancel)
    except EngineError:
        return ""
    answer = said.partition("\n")[0].strip()
    return answer if is_made_of(answer, own, question) else ""


_ADDS_NOTHING = frozenset(("yes", "no", "told", "ask", "asked", "question", "answer")) | frozenset(
    "您他她它们那些个"
)


def is_made_of(answer: str, notes: str, question: str) -> bool:
    """Return whether an answer tells something of the notes, and nothing but of them.

    A small model may as well talk about the question, or know better.
    """
    said, known, asked = telling(answer), telling(notes), telling(question)
    return bool(said & (known - asked)) and said <= known | asked | _ADDS_NOTHING


def _quoted(note: Note, ctx: Context) -> str:
    return ctx.say("You said, {ago}: “{note}”", ago=_ago(note, ctx), note=note.text)


def _ago(note: Note, ctx: Context) -> str:
    """Return how long ago something was said, as people say it."""
    now = ctx.clock().replace(tzinfo=None)
    minutes = max(0, int((now - note.when).total_seconds() // 60))
    if minutes < 2:
        return ctx.say("just now")
    if minutes < 60:
        return ctx.say("{count} minutes ago", count=minutes)
    if minutes < 2 * 60:
        return ctx.say("an hour ago")
    if _days(note.when, now) == 0:
        return ctx.say("{count} hours ago", count=minutes // 60)
    if _days(note.when, now) == 1:
        return ctx.say("yesterday")
    return ctx.say("{count} days ago", count=_days(note.when, now))


def _days(before: datetime, now: datetime) -> int:
    return (now.date() - before.date()).days


def _forgotten(notes: tuple[Note, ...], ctx: Context) -> Reply:
    gone = ctx.notes.forget(note.id for note in notes)
    if not gone:
        return Reply(ctx.say("There is nothing of that to forget."))
    undo = partial(_undo, gone, ctx)
    if len(gone) == 1:
        return Reply(gone[0].text, title=ctx.say("Forgotten:"), undo=undo)
    return Reply(ctx.say("Forgotten: {count} notes", count=len(gone)), undo=undo)


def _undo(notes: tuple[Note, ...], ctx: Context) -> Reply:
    ctx.notes.put_back(notes)
    return Reply("\n".join(note.text for note in notes), title=ctx.say("I will remember:"))


def _undo_new(note: Note, ctx: Context) -> Reply:
    ctx.notes.forget((note.id,))
    return Reply(note.text, title=ctx.say("Forgotten:"))


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Hand the actions to the agent."""
    register(remember, recall, list_notes, change, forget, forget_last, forget_all, export)
