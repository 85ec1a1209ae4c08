"""The hub on a Ray that is begun for it, and ended with it. One hub for all of it: Ray is slow."""

import asyncio
import importlib.util
import os
import signal

import pytest

from tests.agent.serve.hub.running import Running, temporary_home
from tests.agent.serve.hub.test_session import SPOKEN
from tests.bench.hub import audit, killed
from tests.pace import PATIENCE_S, soon

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None,
        reason="not run: no Ray here; pip install 'glasses-agent[hub]' gets it",
    ),
]


@pytest.fixture(scope="module")
def running():
    with (
        temporary_home() as home,
        Running(home, "--ray", "local", "--replicas", "2", "--sessions", "30") as hub,
    ):
        yield hub
    assert not [pid for pid in hub.family() if hub._ours(pid)]


async def test_it_hears_in_batches_and_pays_by_the_one_writer(running):
    async with (
        asyncio.TaskGroup() as group,
        running.wearer("one") as one,
        running.wearer("two") as two,
    ):
        turns = [group.create_task(wearer.speak(SPOKEN)) for wearer in (one, two)]
        for turn in turns:
            assert (await turn)["transcript"] == "pay twenty dollars to anna"
        await one.say("yes")
    assert [entry.state for entry in running.ledger("one")] == ["settled"]
    assert running.ledger("two") == []


async def test_a_replica_that_is_killed_loses_no_turn_and_pays_nothing_twice(running):
    paid = await killed(running, 6, "killed")
    assert audit(running, paid) == (0, 0, 0)
    assert paid.breaks
    assert all(paid.told.values())


async def test_replicas_are_replaced_without_a_lost_turn(running):
    async with running.wearer("rolling") as wearer:
        await wearer.say("what time is it")
        before = running.replicas()
        os.kill(running.process.pid, signal.SIGHUP)
        await soon(lambda: wearer.breaks and not {*running.replicas()} & {*before}, 4 * PATIENCE_S)
        assert (await wearer.say("what time is it"))["error"] is None
    assert [number for _, number in wearer.answers] == [0, 1]
