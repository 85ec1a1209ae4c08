"""Notifications: read on request, answered, hushed by their source, or all of them for a while."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from agent import Context, Reply, hookimpl, skill
from agent.language import wording
from agent.language.folding import compared
from agent.skill.notices import Notice, Rule

WHY = {"notify": "to read your notifications out, and to hush them"}
SHOWN = 6
"""Most notifications that one answer shows."""
LONG = timedelta(hours=1)
"""How long “do not disturb” is, unless a length is said."""
LONGEST = timedelta(days=7)


@skill(
    "what did i miss",
    "(read|show) [me] my (notifications|messages)",
    "(do i have|are there) [any] [new] (notifications|messages)",
    permissions=WHY,
)
def read(ctx: Context) -> Reply:
    """Read out the notifications that wait; the one at the top can be answered."""
    found = ctx.inbox.unread()
    if not found:
        return _said(ctx.say("Nothing is new."))
    ctx.memory["last"] = found[0]
    lines = [_line(one) for one in found[:SHOWN]]
    if more := len(found) - len(lines):
        lines.append(ctx.say("and {count} more", count=more))
    return Reply("\n".join(lines), kind="list", speech=". ".join(lines))


@skill("(clear|dismiss|delete) [all] my (notifications|messages)", risk="change", permissions=WHY)
def clear(ctx: Context) -> Reply:
    """Let go of what waits to be read."""
    return _said(ctx.say("Gone: {count}", count=ctx.inbox.clear()))


@skill("(reply|answer) [(with|that)] {text}", risk="change", permissions=WHY)
def reply(text: str, ctx: Context) -> Reply:
    """Answer the notification that was read last, where its source takes answers."""
    last = ctx.memory.get("last")
    if not isinstance(last, Notice):
        return _said(ctx.say("There is nothing to answer."))
    if not ctx.inbox.answer(last, text):
        return _said(ctx.say("{source} takes no answers.", source=last.source))
    return _said(ctx.say("To {source}: {text}", source=last.title or last.source, text=text))


@skill(
    "do not disturb [me] [for {after}]",
    "(don't disturb me|no notifications) [for {after}]",
    risk="change",
    permissions=WHY,
)
def quiet(ctx: Context, after: timedelta = LONG) -> Reply:
    """Show no notification for a while; they wait to be read, and alarms still ring."""
    after = min(after, LONGEST)
    ctx.inbox.quiet(after.total_seconds())
    length = wording.exactly(after, ctx.language)
    return _said(ctx.say("No notifications for {length}", length=length))


@skill("(you can disturb me|notifications on|end do not disturb)", risk="change", permissions=WHY)
def loud(ctx: Context) -> Reply:
    """Show notifications again."""
    ctx.inbox.quiet(0.0)
    return _said(ctx.say("Notifications are shown. Waiting: {count}", count=ctx.inbox.waiting))


@skill("(hush|mute|silence) [notifications (from|of)] {source}", risk="change", permissions=WHY)
def hush(source: str, ctx: Context) -> Reply:
    """Hush what comes from a source."""
    return _ruled(source, "hush", ctx.say("{source} is hushed.", source=source), ctx)


@skill(
    "(summarize|sum up) [notifications (from|of)] {source}",
    risk="change",
    permissions=WHY,
)
def summarise(source: str, ctx: Context) -> Reply:
    """Only count what comes from a source."""
    return _ruled(source, "summarise", ctx.say("{source} is summed up.", source=source), ctx)


@skill("unmute [notifications (from|of)] {source}", risk="change", permissions=WHY)
def unhush(source: str, ctx: Context) -> Reply:
    """Show what comes from a source again."""
    return _ruled(source, "show", ctx.say("{source} is shown.", source=source), ctx)


def _ruled(source: str, rule: Rule, told: str, ctx: Context) -> Reply:
    known = {compared(one): one for one in ctx.inbox.sources()}
    ctx.inbox.rule(known.get(compared(source), source), rule)
    return _said(told)


def _line(notice: Notice) -> str:
    head = notice.title or notice.source
    return f"{head}: {notice.text}"


def _said(text: str) -> Reply:
    return Reply(text, speech=text)


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Hand the actions to the agent."""
    register(read, clear, reply, quiet, loud, hush, summarise, unhush)


@hookimpl
def dashboard(ctx: Context) -> str | None:
    """Return how many notifications wait."""
    count = ctx.inbox.waiting
    return f"{ctx.say('Messages')}\t{count}" if count else None
