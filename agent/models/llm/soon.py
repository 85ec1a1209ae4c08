"""Ask a model for what would be nice to have: soon, or not at all."""

from __future__ import annotations

import threading
from contextlib import suppress

from agent.errors import GlassesError
from agent.messages import CancelScope
from agent.models.llm.model import Model


def soon(
    model: Model,
    prompt: str,
    within_s: float,
    max_tokens: int = 80,
    cancel: CancelScope | None = None,
) -> str | None:
    """Return the model's answer; None where there is no model, or no answer in time.

    A model that is loaded from disk first cannot be hurried: it goes on behind, for the next time.
    """
    answers: list[str] = []

    def ask() -> None:
        with suppress(GlassesError):
            answers.append(
                model.complete(prompt, max_tokens=max_tokens, timeout_s=within_s, cancel=cancel)
            )

    thread = threading.Thread(target=ask, name="soon", daemon=True)
    thread.start()
    thread.join(within_s)
    return answers[0] if answers else None
