"""What a client asks of the agent as text, and what it is told.

It goes through the lane and the gate like anything said, but answers no question: a client can
propose a payment, and the yes is the wearer's.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agent.language.text import language_of
from agent.loop.agent import Agent
from agent.messages import Intent, NotRecognized, Proposal
from agent.turn import Turn

LANGUAGES = frozenset({"en", "zh"})
"""What the agent understands."""
HANDLE_S = 60.0
"""How long an answer may take: a language model may think of it."""

_SAID = {
    "en": {
        "proposed": "Proposed on the glasses; not done before the wearer says yes there: {text}",
        "late": "That took too long.",
        "nothing": "Nothing came of it.",
        "language": "I understand English and Chinese.",
    },
    "zh": {
        "proposed": "已在眼镜上提出，佩戴者在眼镜上说“是”之前不会执行：{text}",
        "late": "用时太久了。",
        "nothing": "没有结果。",
        "language": "我听得懂英语和中文。",
    },
}


@dataclass(frozen=True, slots=True)
class Told:
    """What a client is told."""

    text: str
    """In the language that was asked in; never empty."""
    handled: bool
    """Whether the agent knew what to do, and nothing failed."""
    intents: tuple[Intent, ...] = ()
    """What was done or proposed, in order."""


async def ask(agent: Agent, text: str, language: str | None, source: str) -> Told:
    """Return what the agent says to a text; `language` is a code as `zh-CN`, None finds it out."""
    wanted = (language or language_of(text)).replace("_", "-").partition("-")[0].lower()
    said = _SAID["zh" if wanted == "zh" else "en"]
    if wanted not in LANGUAGES:
        return Told(said["language"], False)
    try:
        async with asyncio.timeout(HANDLE_S):
            turn = await agent.hear(text, wanted if language else None, source, answers=False)
    except TimeoutError:
        return Told(said["late"], False)
    said = _SAID["zh" if turn.transcript.language == "zh" else "en"]
    known = turn.model is not None or not isinstance(turn.intent, NotRecognized | None)
    told = _told(turn) or said["nothing"]
    if isinstance(turn.reply, Proposal):
        told = said["proposed"].format(text=told)
    return Told(told, known and turn.error is None, _done(turn))


def _told(turn: Turn) -> str:
    """Return what is said of a turn: of a proposal all that the wearer sees, amount and payee."""
    reply = turn.reply
    if isinstance(reply, Proposal):
        return " ".join(line.text.strip() for frame in turn.frames for line in frame.lines)
    return "" if reply is None else reply.text or reply.title


def _done(turn: Turn) -> tuple[Intent, ...]:
    """Return what a turn has done, but for what still lacks a word."""
    intents = (*turn.before, turn.intent)
    return tuple(one for one in intents if isinstance(one, Intent) and not one.missing)
