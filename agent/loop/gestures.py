"""What the wearer says without a word: nods, looks up, taps."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Literal

from agent.act import dashboard
from agent.act.dispatch import Acting
from agent.act.pin import Taps
from agent.act.wording import SAID
from agent.act.world import World
from agent.display.request import Priority
from agent.language.controls import Own
from agent.loop.expected import Expectations
from agent.loop.turns import Turns
from agent.turn import Turn

Gesture = Literal["nod", "shake", "glance", "lower", "tap", "double_tap"]


class Gestures:
    """Takes gestures for one agent."""

    def __init__(self, world: World, turns: Turns, acting: Acting, expected: Expectations) -> None:
        """Get ready."""
        self._world = world
        self._turns = turns
        self._acting = acting
        self._expected = expected
        self._taps = Taps()

    async def mean(self, gesture: Gesture, *, rested: bool) -> Turn | None:
        """Do what a nod, a shake or two taps mean; None where no turn comes of it.

        A nod and a shake are yes and no to an open question, and nothing else. A nod pays only from
        a head that was at rest (`rested`) and while nobody walks; else the yes has to be said. Two
        taps clear the lens. While an alarm is lit, a nod or a tap stops it; a shake lets it come
        again later.
        """
        world = self._world
        words = "zh" if world.spoken == "zh" else "en"
        if world.bell.in_sight and not (gesture == "nod" and world.lens.is_walking):
            match gesture:
                case "nod" | "tap" | "double_tap":
                    return await self._turns.meant(Own("stop"), words, gesture)
                case "shake":
                    return await self._turns.meant(Own("snooze"), words, gesture)
        match gesture:
            case "tap" | "double_tap" if self._wants_pin:
                self._tapped(1 if gesture == "tap" else 2)
                return None
            case "nod" if self._wants_pin and (digits := self._taps.take()):
                return await self._turns.typed(digits, words, gesture)
            case "nod" if world.gate.open is not None and (world.lens.is_walking or not rested):
                return None  # steps, or what the head does anyhow, can look like a nod
            case "nod" if self._expected.asking:
                return await self._turns.meant(Own(answer="yes"), words, gesture)
            case "shake" if self._expected.asking:
                return await self._turns.meant(Own(answer="no"), words, gesture)
            case "double_tap":
                return await self._turns.meant(Own("clear"), words, gesture)
            case _:
                return None  # a nod that answers nothing

    @property
    def _wants_pin(self) -> bool:
        opened = self._world.gate.open
        return opened is not None and opened.pin

    def _tapped(self, taps: int) -> None:
        """Take taps for a digit of the PIN, and show how many digits there are."""
        dots = self._taps.tap(asyncio.get_running_loop().time(), taps)
        language = "zh" if self._world.spoken == "zh" else "en"
        proposal = self._world.gate.tell(SAID[language]["pin"])
        shown = replace(proposal, text=f"{proposal.text} {dots}")
        self._world.lens.light(shown, language)

    async def look(self, gesture: Gesture) -> bool:
        """Change what is lit; say whether the gesture did.

        `glance` lights the dashboard under everything else until `lower`. A tap turns the page
        where there is another.
        """
        world = self._world
        match gesture:
            case "glance":
                words = "zh" if world.spoken == "zh" else "en"
                card = await dashboard.card(world, self._acting.own_context, words)
                world.lens.offer(card, Priority.DASHBOARD, language=words, key="dashboard")
            case "lower":
                world.lens.drop(Priority.DASHBOARD)
            case "tap":
                return self._wants_pin or world.lens.turn(1)[1]
            case _:
                return False
        return True
