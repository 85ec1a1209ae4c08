"""What plays is quieter while the wearer speaks, and as loud as before when they have spoken."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.testing.clock import VirtualClock
from hardware.base import DeviceError
from hardware.speaker import VirtualSpeaker
from tests.pace import PATIENCE_S

pytestmark = pytest.mark.glasses(patience_s=PATIENCE_S)

LOUD = 70
LOW = 21


class Watched(VirtualSpeaker):
    """A speaker that remembers each volume it was given."""

    def __init__(self, clock: VirtualClock) -> None:
        self.levels: list[int] = []
        super().__init__(clock=clock.time, length_s=600.0)

    @property
    def volume(self) -> int:
        return self.levels[-1]

    @volume.setter
    def volume(self, level: int) -> None:
        self.levels.append(level)


class Server:
    """A player beside the speaker."""

    def __init__(self, fails: Exception | None = None) -> None:
        self.told: list[bool] = []
        self._fails = fails

    def quieter(self, on: bool) -> None:
        self.told.append(on)
        if self._fails is not None:
            raise self._fails


@pytest.fixture
def speaker(clock):
    return Watched(clock)


def test_music_makes_room_for_what_is_said_and_comes_back(ask, speaker):
    ask("play ode to joy")
    ask.aloud("what is playing").shows("Ode")
    assert speaker.levels == [LOUD, LOW, LOUD]


def test_nothing_is_changed_where_nothing_plays(ask, speaker):
    ask.aloud("what time is it")
    assert speaker.levels == [LOUD]


def test_a_volume_that_is_said_counts_from_what_it_was(ask, speaker):
    ask("play ode to joy")
    ask.aloud("make it louder").shows("Volume 80")
    assert speaker.levels == [LOUD, LOW, LOUD, 80]


def test_a_player_beside_it_is_told_too_and_may_fail(ask, speaker):
    for fails, words in (
        (None, "what is playing"),
        (DeviceError("gone"), "what time is it"),
        (ZeroDivisionError(), "what is playing"),
    ):
        server = Server(fails)
        ask.agent.devices = replace(ask.agent.devices, others={"player": lambda made=server: made})
        ask.aloud(words).succeeds()
        ask.advance(1.0)
        assert server.told[0] is True
        assert fails is not None or server.told[-1] is False


def test_whoever_listens_no_more_leaves_it_as_loud_as_it_was(ask, speaker):
    ask("play ode to joy")
    ask.aloud("what is playing", "what is playing")
    assert speaker.levels[-1] == LOUD
    assert LOW in speaker.levels
