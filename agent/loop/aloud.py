"""What of an answer is said aloud: its speech or its text; of money nothing unless it is wished.

Others can hear what is said, so amounts and payees are only shown, as is all that an action says
which may see the wearer's money; that there is something to see is said.
"""

from __future__ import annotations

from agent.act.world import World
from agent.language.said import said_in
from agent.messages import Intent, Proposal, Reply
from agent.turn import Turn


def tell(world: World, turn: Turn, reply: Reply, settles: bool = False) -> None:
    """Say a reply, where answers are said; `settles` is one about a payment that was open."""
    mouth = world.mouth
    failed = reply.kind == "alert" or turn.error is not None
    if failed:
        mouth.earcon("error")
    said = sayable(world, turn, reply, settles)
    if said or not failed:
        mouth.say(said, turn.transcript.language)


def sayable(world: World, turn: Turn, reply: Reply, settles: bool) -> str:
    """Return what is said of a reply; nothing where it is silent."""
    text = f"{reply.title}\n{reply.text}".strip() if reply.speech is None else reply.speech
    pays = isinstance(reply, Proposal) and not reply.asks
    if not text or "money" in world.options.aloud or not (pays or settles or _money(world, turn)):
        return text
    return said_in(turn.transcript.language)["payment aloud" if pays else "on the lens"]


def _money(world: World, turn: Turn) -> bool:
    """Whether what was done may see the wearer's money."""
    done = (intent for intent in (*turn.before, turn.intent) if isinstance(intent, Intent))
    found = (world.skills.actions.get(intent.name) for intent in done)
    return any(one is not None and "money" in one.declaration.permissions for one in found)
