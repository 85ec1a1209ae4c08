"""Questions that another agent asks the wearer: a card, and the answer to it.

A plugin like any other, so that question and answer go through the lane: “yes” and “no” are taken
by the gate, and other words by “tell them …”. Nothing that asks for a secret is put to the wearer.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from agent.language.world import WorldText
from agent.messages import Proposal, Receipt, Reply
from agent.plugins.hooks import Register, hookimpl
from agent.skill.context import Context
from agent.skill.declare import skill

NAME = "asked"
"""Name of the plugin, none of whose actions another agent may call."""

_SAID = {
    "en": ("Say yes, no, or “tell them …”.", "Told.", "Nobody asks anything."),
    "zh": ("请说“是”“不”，或“告诉他们……”。", "已告知。", "没有人提问。"),
}


@dataclass(slots=True)
class Question:
    """One question, until it is answered."""

    text: WorldText
    """As the other agent put it."""
    answer: asyncio.Future[str]
    """What the wearer said."""


class Asked:
    """The open question."""

    __name__ = NAME

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self.question: Question | None = None

    @hookimpl
    def register_skills(self, register: Register) -> None:
        """Register what shows a question, and what answers it."""
        register(self)

    @skill("what (was i|am i being) asked")
    def ask(self, ctx: Context) -> Reply:
        """Show the question that another agent asks."""
        how, told, nothing = _SAID.get(ctx.language, _SAID["en"])
        question = self.question
        if question is None or question.answer.done():
            return Reply(nothing)

        def yes(key: str) -> Receipt:
            settle(question, "yes")
            return Receipt(told)

        return Proposal(f"{question.text}\n{how}", kind="proposal", commit=yes, asks=True)

    @skill("tell them {words}")
    def answer(self, words: str, ctx: Context) -> Reply:
        """Answer the question that another agent asks."""
        _, told, nothing = _SAID.get(ctx.language, _SAID["en"])
        question = self.question
        if question is None or question.answer.done():
            return Reply(nothing)
        settle(question, words)
        return Reply(told)


def settle(question: Question, words: str) -> None:
    """Note the answer; on any thread."""

    def put() -> None:
        if not question.answer.done():
            question.answer.set_result(words)

    question.answer.get_loop().call_soon_threadsafe(put)
