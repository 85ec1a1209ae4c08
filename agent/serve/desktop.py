"""The desktop's notifications: what programs here ask the session bus to show.

The bus lets it look on (`BecomeMonitor`): the desktop shows them as ever, and the glasses under the
wearer's rules, the program's name being the source. Nothing is sent, and none takes an answer.
"""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from agent.act.inbox import Inbox
from agent.skill.notices import Notice

if TYPE_CHECKING:
    from dbus_fast.message import Message

RULE = "type='method_call',interface='org.freedesktop.Notifications',member='Notify'"
SIGNATURE = "susssasa{sv}i"
"""Program, replaced number, icon, summary, body, actions, hints, time (Desktop Notifications
Specification 1.2)."""
AGAIN_S, LONGEST_S = 2.0, 60.0

_TAG = re.compile(r"</?(?:b|i|u|a|img)\b[^<>]{0,500}>", re.IGNORECASE)


async def run(inbox: Inbox, tell: Callable[[str], None], address: str | None = None) -> None:
    """Look on until cancelled; a bus that is gone is called again, less and less often.

    `address` is that of the bus, the session's unless one is given.
    """
    try:
        from dbus_fast import DBusError, Message
        from dbus_fast.aio import MessageBus
    except ImportError:
        tell("desktop: dbus-fast is not installed: pip install dbus-fast")
        return
    wait_s, fault = AGAIN_S, ""
    while True:
        bus = None
        try:
            bus = await MessageBus(bus_address=address).connect()
            asked = Message(
                destination="org.freedesktop.DBus", path="/org/freedesktop/DBus",
                interface="org.freedesktop.DBus.Monitoring", member="BecomeMonitor",
                signature="asu", body=[[RULE], 0],
            )  # fmt: skip
            answer = await bus.call(asked)
            if answer is not None and answer.error_name:
                raise OSError(answer.error_name)

            def seen(message: Message) -> bool:
                if (notice := notice_of(message)) is not None:
                    inbox.take(notice)
                return True  # a monitor that answers is thrown out

            bus.add_message_handler(seen)
            tell("notifications: those of the desktop")
            wait_s, fault = AGAIN_S, ""
            await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]  # dbus-fast's own
            reason = "the bus has gone"
        except (OSError, EOFError, DBusError, ValueError) as error:
            reason = " ".join(str(error).split())[:200] or type(error).__name__
        finally:
            if bus is not None:
                bus.disconnect()
        if reason != fault:
            fault = reason
            tell(f"desktop: its notifications cannot be seen, trying again: {reason}")
        await asyncio.sleep(wait_s)
        wait_s = min(2 * wait_s, LONGEST_S)


def notice_of(message: Message) -> Notice | None:
    """Return what a program wants shown; None for what is no notification, or says nothing."""
    if message.member != "Notify" or message.signature != SIGNATURE:
        return None
    program, _, _, summary, body = message.body[:5]
    text = html.unescape(_TAG.sub("", body)).strip()
    title = summary.strip()
    if not text:
        title, text = "", title
    if not text:
        return None
    return Notice(program.strip() or "desktop", text, title)
