"""A teleprompter: a text on the lens that scrolls as it is read aloud, and waits when it is not.

The texts are files in the skill's folder, `*.txt` and `*.md`, or notes of the wearer's. The line
that is being read is the first and the bright one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from agent import Context, Reply, hookimpl, skill
from agent.errors import EngineError
from agent.language.folding import compared
from skills.teleprompter.reading import Reading, as_lines

WHY = {"listen": "to follow the text as you read it"}
LIKE = 0.45
"""How like a text's name, or a note, must be to what is asked for."""
MOST_BYTES = 200_000
"""Largest file that is read."""


class Teleprompter:
    """One wearer's: there is one reading at a time."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._reading: Reading | None = None

    @skill(
        "(start|open|begin|show|turn on) (the|my) teleprompter",
        "(start|open|begin) (the|my) teleprompter (with|for) {name}",
        "(put|load) {name} (on|into|in) the teleprompter",
        "prompt me with {name}",
        "teleprompter",
        risk="change",
        permissions=WHY,
    )
    def start(self, ctx: Context, name: str | None = None) -> Reply:
        """Show a text that scrolls as you read it: the newest, or the one of that name."""
        try:
            text = _found(name, ctx)
        except (OSError, UnicodeDecodeError) as error:
            return Reply(ctx.say("That text cannot be read: {why}", why=type(error).__name__))
        if text is None and name is None:
            return Reply(ctx.say("There is no text yet: put one into {folder}", folder=ctx.folder))
        if text is None:
            return Reply(ctx.say("I have no text or note called “{name}”.", name=name))
        lines = as_lines(text)
        try:
            self._reading = Reading(lines, partial(ctx.show, key="reading"))
        except (EngineError, ValueError) as error:
            return Reply(ctx.told(error), kind="alert")
        ctx.listen(self._reading)
        return self._reading.card()

    @skill(
        "(stop|end|close|exit|quit|turn off) [the|my] teleprompter",
        "(stop|end) (prompting|reading)",
        risk="change",
        permissions=WHY,
    )
    def end(self, ctx: Context) -> Reply:
        """Take the text away."""
        there, self._reading = self._reading, None
        ctx.listen(None)
        gone = ctx.say("The text is gone." if there else "No text is open.")
        return Reply(gone, speech="")

    @skill(
        "[go] (back|up) (a|one) line",
        "(the previous line|the line before) [please]",
        risk="change",
        permissions=WHY,
    )
    def up(self, ctx: Context) -> Reply:
        """Go back a line."""
        return self._moved(-1, ctx)

    @skill(
        "(skip|go down) (a|one|this|the) line",
        "go [on] to the next line",
        risk="change",
        permissions=WHY,
    )
    def down(self, ctx: Context) -> Reply:
        """Go on a line."""
        return self._moved(1, ctx)

    @skill(
        "(read|start) [it|the text] (over|again|from the top|from the beginning)",
        "back to the (top|beginning) of the text",
        risk="change",
        permissions=WHY,
    )
    def again(self, ctx: Context) -> Reply:
        """Go back to the first line."""
        return self._moved(-(10**6), ctx)

    def _moved(self, lines: int, ctx: Context) -> Reply:
        if self._reading is None or self._reading.ended:
            return Reply(ctx.say("No text is open."), speech="")
        return self._reading.moved(lines)


def _found(name: str | None, ctx: Context) -> str | None:
    """Return a text by its name, else the note that is most like it; without a name the newest.

    Raises OSError and UnicodeDecodeError.
    """
    name = name and re.sub(r"^(?:my|the|我的)\s*", "", name)
    files = [path for end in ("*.txt", "*.md") for path in ctx.folder.glob(end)]
    if name is None:
        newest = max(files, key=lambda path: path.stat().st_mtime, default=None)
        return None if newest is None else _read(newest)
    wanted = compared(name)
    for path in files:
        if compared(path.stem.replace("-", " ").replace("_", " ")) == wanted:
            return _read(path)
    texts = [*(path.stem for path in files), *(note.text for note in ctx.lists.of())]
    like, at = max(zip(ctx.alike(name, texts), range(len(texts)), strict=True), default=(0.0, 0))
    if like < LIKE:
        return None
    return _read(files[at]) if at < len(files) else texts[at]


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(MOST_BYTES).decode("utf-8-sig", errors="ignore")


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Hand the actions to the agent."""
    register(Teleprompter())
