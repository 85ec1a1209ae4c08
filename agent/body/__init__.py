"""What the head does: readings of an IMU in, what they mean out. No clock and no loop in here."""

from __future__ import annotations

from typing import Literal

from agent.body.gestures import Gesture, GestureOptions, Gestures
from agent.body.glance import Glance, GlanceOptions, Look
from agent.body.motion import Gait, Walking, WalkingOptions
from agent.body.orientation import Felt, Orientation
from hardware.base import Motion

__all__ = [
    "Body",
    "Felt",
    "Gait",
    "Gesture",
    "GestureOptions",
    "Gestures",
    "Glance",
    "GlanceOptions",
    "Look",
    "Movement",
    "Orientation",
    "Walking",
    "WalkingOptions",
]

Movement = Literal["walking", "standing", "nod", "shake", "glance", "lower"]
"""What a body can be seen to do."""


class Body:
    """The wearer's body, as one IMU on the head tells of it."""

    def __init__(
        self,
        walking: WalkingOptions | None = None,
        gestures: GestureOptions | None = None,
        glance: GlanceOptions | None = None,
    ) -> None:
        """Stand still and look ahead."""
        self._orientation = Orientation()
        self._gait = Walking(walking)
        self._gestures = Gestures(gestures)
        self._glance = Glance(glance)

    @property
    def walking(self) -> bool:
        """Whether the wearer walks now."""
        return self._gait.walking

    @property
    def rested(self) -> bool:
        """Whether the head was at rest before the last nod or shake."""
        return self._gestures.rested

    @property
    def steps_hz(self) -> float | None:
        """Steps a second, while the wearer walks."""
        return self._gait.steps_hz

    def feel(self, motion: Motion) -> tuple[Movement, ...]:
        """Take a reading; return what has been seen with it, mostly nothing.

        Readings that are no numbers or come late are ignored; after a gap it begins anew.
        """
        felt = self._orientation.feel(motion)
        if felt is None:
            return ()
        seen = (self._gait.feel(felt), self._gestures.feel(felt), self._glance.feel(felt))
        return tuple(movement for movement in seen if movement is not None)
