"""Questions that no skill answers go to the language model: three lines, shown as they come.

The pocket Qwen is not asked: it routes and fills slots, and has nothing to say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from agent.messages import CancelScope
from agent.models.llm import prompts
from agent.models.llm.model import Model

LINES = 3
"""Lines that can be read at a glance."""
MAX_TOKENS = 120
"""Three lines of a wide lens."""
TIMEOUT_S = 20.0
"""Longest an answer may take, even from a small model on a slow core."""


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()][:LINES]


async def reply(
    model: Model, question: str, language: str, cancel: CancelScope, show: Callable[[str], None]
) -> str:
    """Return the model's answer, `LINES` lines at most; `show` is given it as it grows.

    Raises EngineError or Cancelled.
    """
    loop = asyncio.get_running_loop()
    prompt = prompts.render("answer", language, question=question, facts="")

    def work() -> str:
        text, shown = "", ""
        for piece in model.stream(
            prompt, max_tokens=MAX_TOKENS, timeout_s=TIMEOUT_S, cancel=cancel
        ):
            text += piece
            done = "\n".join(_lines(text.rpartition("\n")[0]))  # what has been written to its end
            if done != shown:
                shown = done
                loop.call_soon_threadsafe(show, shown)
            if shown.count("\n") == LINES - 1:
                break
        return "\n".join(_lines(text))

    try:
        return await asyncio.to_thread(work)
    except asyncio.CancelledError:
        cancel.cancel()  # the thread cannot be ended, but the model can
        raise
