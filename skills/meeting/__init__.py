"""Meetings: captions that are kept on request, for as long as the lens says so, and summed up.

Each meeting is a Markdown file in the skill's folder, written line by line as it is heard. The
summary is of the transcript alone: `skills.meeting.summary`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from agent import Context, Reply, hookimpl, skill
from skills.meeting import summary
from skills.meeting.minutes import Minutes, read

WHY = {"listen": "to write down what is said in a meeting, and only while the lens shows it"}


class Meeting:
    """One wearer's meetings: one goes on at a time."""

    def __init__(self) -> None:
        """Hear none yet."""
        self._minutes: Minutes | None = None

    @skill(
        "(record|transcribe|write down) (this|the|my) (meeting|conversation|talk)",
        "take (minutes|notes) of (this|the|my) (meeting|conversation|talk)",
        "(start|begin) [recording] (the|a|this|my) meeting",
        "(start|begin) (meeting notes|recording [the conversation])",
        "(caption|subtitle) (this|the|my) (meeting|conversation|talk)",
        risk="change",
        permissions=WHY,
    )  # fmt: skip
    def start(self, ctx: Context) -> Reply:
        """Write down what is said from now on, and show it."""
        if self._minutes is not None and not self._minutes.ended:
            return self._minutes.card()
        path = ctx.folder / f"{_now(ctx):%Y-%m-%d-%H%M%S}.md"
        title = ctx.say("Meeting of {when}", when=f"{_now(ctx):%Y-%m-%d %H:%M}")
        head = ctx.say("Recording")
        try:
            self._minutes = Minutes(path, title, head, lambda: _now(ctx), ctx.show)
        except OSError:
            return Reply(ctx.say("That can't be saved right now."), kind="alert")
        ctx.listen(self._minutes)
        return self._minutes.card(ctx.say("What is said is written down."))

    @skill(
        "(stop|end|finish) (the|this|my) (meeting|talk)",  # the conversation is that of translate
        "(stop|end|finish) recording (the|this|my) (meeting|conversation|talk)",
        "(stop|end|finish) (recording|the recording|meeting notes)",
        "the meeting is over",
        risk="change",
        permissions=WHY,
    )
    def end(self, ctx: Context) -> Reply:
        """Write nothing down any more, and sum up what was said."""
        minutes, self._minutes = self._minutes, None
        if minutes is None:
            return Reply(ctx.say("No meeting is being recorded."))
        ctx.listen(None)
        minutes.over()
        kept = ctx.say("Saved: {count} lines", count=len(minutes.lines))
        if not minutes.lines:
            return Reply(ctx.say("Nothing was heard, so nothing is saved."))
        threading.Thread(
            target=_sum_up, args=(minutes.path, ctx), name="meeting", daemon=True
        ).start()
        return Reply(f"{kept}\n{ctx.say('Summing up …')}", title=minutes.path.name, speech=kept)

    @skill(
        "(sum up|summarize|recap) (the|my|this|that) [last] meeting",
        "what was (said|decided|the meeting about) [in (the|that|my) [last] meeting]",
        "[show me] the (summary|minutes) of (the|my) [last] meeting",
        permissions=WHY,
    )
    def recap(self, ctx: Context) -> Reply:
        """Show what the last meeting was about."""
        path = max(ctx.folder.glob("*.md"), default=None)
        if path is None:
            return Reply(ctx.say("No meeting is saved."))
        said = read(path)
        points = said.points or summary.quoted(said.lines)
        return Reply("\n".join(points), title=said.title, kind="list")

    @skill(
        "(export|where are) [the] (minutes|transcript|notes) [of] [the] [last] meeting",
        "(export the [last] meeting|(export|where is) the [last] transcript)",
        permissions=WHY,
    )
    def export(self, ctx: Context) -> Reply:
        """Say where the last meeting is, as Markdown."""
        path = max(ctx.folder.glob("*.md"), default=None)
        where = ctx.say("No meeting is saved.") if path is None else str(path)
        return Reply(where, speech="")


def _sum_up(path: Path, ctx: Context) -> None:
    """Sum a meeting up, write that into its file, and show it: it comes by itself."""
    said = read(path)
    points, by_model = summary.summed_up(said.lines, ctx)
    head = ctx.say("Summary") if by_model else ctx.say("Quoted")
    try:
        said.with_points(head, points).write(path)
    except OSError:
        ctx.show(Reply(ctx.say("That can't be saved right now."), kind="alert"))
    ctx.show(Reply("\n".join(points), title=head, kind="list"))


def _now(ctx: Context) -> datetime:
    now = ctx.clock()
    return now if now.tzinfo is None else now.astimezone().replace(tzinfo=None)


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Hand the actions to the agent."""
    register(Meeting())
