"""The head whose IMU sleeps: what it does is felt at once, and its rest costs nothing."""

import asyncio
from itertools import pairwise

import pytest

from agent.body import Body
from agent.serve.simulator.head import RestingImu
from agent.testing import VirtualClock
from hardware.base import Imu
from tests.pace import PATIENCE_S


@pytest.fixture
def clock():
    made = VirtualClock(PATIENCE_S)
    yield made
    made.close()


async def felt(plan, seconds):
    """Return what is felt of a plan of `(at_s, what, …)`, with times, and the readings."""
    imu, body, found, readings = RestingImu(), Body(), [], []
    now_s = asyncio.get_running_loop().time

    async def feel():
        async for motion in imu.readings():
            readings.append(motion)
            found.extend((movement, now_s()) for movement in body.feel(motion))

    feeling = asyncio.create_task(feel())
    for at_s, what, *given in plan:
        await asyncio.sleep(at_s - now_s())
        getattr(imu, what)(*given)
    await asyncio.sleep(seconds - now_s())
    feeling.cancel()
    return found, readings


def test_it_is_an_imu():
    assert isinstance(RestingImu(), Imu)


@pytest.mark.parametrize("gesture", ["nod", "shake"])
@pytest.mark.parametrize("at_s", [0.0, 0.3, 7.0, 3600.0])
def test_a_gesture_is_felt_whenever_it_is_made(clock, gesture, at_s):
    found, _ = clock.run(felt([(at_s, gesture)], at_s + 6))
    assert [movement for movement, _ in found] == [gesture]
    assert found[0][1] < at_s + 2.0


def test_a_head_at_rest_is_not_read(clock):
    _, readings = clock.run(felt([(60, "nod")], 600))
    assert len(readings) < 400
    assert all(before.at_ms < after.at_ms for before, after in pairwise(readings))


def test_walking_and_looking_up_last_until_they_end(clock):
    plan = [(1, "walk", True), (20, "walk", False), (30, "glance", True), (40, "glance", False)]
    found, _ = clock.run(felt(plan, 50))
    assert [movement for movement, _ in found] == ["walking", "standing", "glance", "lower"]
    assert [at_s for _, at_s in found] == pytest.approx([2, 21, 30.5, 40.5], abs=1.5)
