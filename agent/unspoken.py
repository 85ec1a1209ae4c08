"""What the wearer says without a word: nods, looks up, taps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from agent import dashboard
from agent.controls import CONTROLS
from agent.display.request import Priority
from agent.understand import yesno

if TYPE_CHECKING:
    from agent.loop import Agent
    from agent.turn import Turn

Gesture = Literal["nod", "shake", "glance", "lower", "tap", "double_tap"]


async def take(agent: Agent, gesture: Gesture, language: str, *, rested: bool) -> Turn | None:
    """Do what a gesture means; None where no turn comes of it.

    A nod and a shake are yes and no to an open question, and nothing else. A nod pays only from a
    head that was at rest (`rested`) and while nobody walks; else the yes has to be said. `glance`
    lights the dashboard under everything else until `lower`. A tap turns the page where there is
    another, else wakes; two taps clear the lens.
    """
    words = "zh" if language == "zh" else "en"
    match gesture:
        case "nod" if agent.gate.open is not None and (agent.lens.is_walking or not rested):
            return None  # steps, or what the head does anyhow, can look like a nod: it would pay
        case "nod" if agent.asking:
            return await agent.hear(yesno.PHRASES[words]["yes"][0], words, gesture)
        case "shake" if agent.asking:
            return await agent.hear(yesno.PHRASES[words]["no"][0], words, gesture)
        case "glance":
            card = await dashboard.card(agent, words)
            agent.lens.offer(card, Priority.DASHBOARD, language=words, key="dashboard")
        case "lower":
            agent.lens.drop(Priority.DASHBOARD)
        case "tap":
            _, turned = agent.lens.turn(1)
            if not turned:
                agent.touch()
        case "double_tap":
            return await agent.hear(CONTROLS[words]["clear"][0], words, gesture)
        case _:
            pass  # a nod that answers nothing
    return None
