"""Ducking: what plays is quieter while the wearer speaks, so that they are heard over it.

The speaker is changed at once. A player of a plugin may be a program at the other end of a network:
it is asked on a thread of its own, and what it takes or fails at delays nobody.
"""

from __future__ import annotations

import asyncio
import logging

from agent.act.world import World
from hardware.base import QUIETER, DeviceError, sounds

log = logging.getLogger(__name__)


class Ducking:
    """Makes room for one wearer; belongs to the thread of its loop."""

    def __init__(self, world: World) -> None:
        """Nobody speaks yet."""
        self._world = world
        self._speaks = False
        self._levels: tuple[int, int] | None = None  # the speaker's volume, and the lower one
        self._task: asyncio.Task[None] | None = None

    def speaking(self, speaks: bool) -> None:
        """Note whether somebody speaks now."""
        if speaks == self._speaks:
            return
        self._speaks = speaks
        self._speaker(speaks)
        if "player" in self._world.devices.others and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._player())

    def _speaker(self, speaks: bool) -> None:
        """Make the speaker quieter, or as loud as it was unless somebody has set it since."""
        speaker = self._world.devices.speaker
        if speaker is None:
            return
        try:
            if speaks and sounds(speaker) and not self._world.mouth.speaking:
                level = speaker.volume
                self._levels = level, round(level * QUIETER)
                speaker.volume = self._levels[1]
            elif not speaks and self._levels is not None:
                (level, lower), self._levels = self._levels, None
                if speaker.volume == lower:
                    speaker.volume = level
        except Exception as error:  # a speaker may come from a plugin
            log.warning("the speaker is as loud as before: %s", type(error).__name__)

    async def _player(self) -> None:
        """Tell the player, until it has been told how things are now."""
        told = None
        while told != self._speaks:
            told = self._speaks
            try:
                player = await asyncio.to_thread(self._world.devices.others["player"])
                await asyncio.to_thread(player.quieter, told)
            except DeviceError:
                return  # there is none
            except Exception as error:  # it comes from a plugin
                log.warning("the player is as loud as before: %s", type(error).__name__)
                return
