"""The shared ears, and the sound that they are given."""

import asyncio
import os
import signal
import time

import pytest

from agent.errors import EngineError
from agent.serve.cutting import Clip
from agent.serve.hub import apart
from agent.serve.hub.apart import Apart
from agent.serve.hub.pool import Pool
from agent.testing import ScriptedTranscriber
from tests.pace import soon


class Slow(ScriptedTranscriber):
    """Takes its time, and tells how much it was given."""

    def __init__(self, finish_s=0.0):
        super().__init__()
        self.finish_s = finish_s

    def finish(self):
        time.sleep(self.finish_s)
        self.texts.append(f"{self.heard_bytes} bytes")
        return super().finish()


def hang():
    return Slow(60.0)


def broken():
    raise EngineError("there is no engine: get one")


async def closed(pool, heard):
    await pool.close()
    return heard


async def test_a_batch_is_heard_by_all_engines_in_order():
    pool = Pool(Slow, 3, lambda language: [])
    await pool.warm()
    heard = await pool.batch([Clip(bytes(640 * n)) for n in range(1, 9)])
    assert [one.text for one in heard] == [f"{640 * n} bytes" for n in range(1, 9)]
    assert pool.waiting == 0
    await pool.close()


async def test_what_one_utterance_costs_no_other_loses():
    engine = ScriptedTranscriber(["one", "two"])
    pool = Pool(lambda: engine, 1, lambda language: [])
    before, engine.finish = engine.finish, lambda: 1 / 0
    with pytest.raises(EngineError, match="say it again"):
        await pool.hear(Clip(b""))
    engine.finish = before
    assert (await pool.hear(Clip(b""))).text == "one"
    await pool.close()


async def test_without_an_engine_each_utterance_is_told_why(caplog):
    pool = Pool(broken, 2, lambda language: [])
    loading = asyncio.create_task(pool.warm())
    await soon(lambda: "get one" in caplog.text)
    with pytest.raises(EngineError, match="get one"):
        await pool.hear(Clip(b""))
    await pool.close()
    await loading


async def test_no_pool_is_no_ears():
    with pytest.raises(EngineError, match="hear nothing"):
        await Pool(Slow, 0).hear(Clip(b""))


async def test_an_engine_apart_hears_and_is_begun_anew_when_it_dies():
    made = []

    def make():
        made.append(Apart(Slow))
        return made[-1]

    pool = Pool(make, 1)
    assert (await pool.hear(Clip(bytes(64)))).text == "64 bytes"
    os.kill(made[0].pid, signal.SIGKILL)
    with pytest.raises(EngineError, match="has died"):
        await pool.hear(Clip(bytes(64)))
    assert (await pool.hear(Clip(bytes(96)))).text == "96 bytes"
    await pool.close()
    await soon(lambda: made[1].pid is None or not made[1]._process.is_alive())


def test_an_engine_apart_that_hangs_is_killed(monkeypatch):
    engine = Apart(hang)
    monkeypatch.setattr(apart, "CALL_S", 0.2)
    engine.start()
    with pytest.raises(EngineError, match="gave no answer"):
        engine.finish()
    assert not engine._process.is_alive()


def test_an_engine_apart_that_cannot_be_built_says_why():
    with pytest.raises(EngineError, match="get one"):
        Apart(broken)
