"""Engines that load slowly, fail, hang and come back: no call ends listening."""

import asyncio
import threading
import time

import pytest

from agent.errors import EngineError, SentenceError
from agent.listen import thread as engines
from agent.listen.thread import EVERY_LANGUAGE, EngineThread, MissingEngineError
from agent.testing import ScriptedTranscriber


def name(engine):
    return engine.name


class Making:
    """Makes engines, after failing as told; each kept."""

    def __init__(self, *failures, slow_s=0.0):
        self.failures = list(failures)
        self.slow_s = slow_s
        self.made = []

    def __call__(self):
        time.sleep(self.slow_s)
        if self.failures and (failure := self.failures.pop(0)) is not None:
            raise failure
        self.made.append(ScriptedTranscriber())
        return self.made[-1]


async def test_loading_has_a_time_of_its_own():
    make = Making(slow_s=0.3)
    ears = EngineThread(make, timeout_s=0.1)
    assert await ears.call(name) == "scripted"
    with pytest.raises(EngineError, match=r"no answer within 0\.1 s"):
        await ears.call(lambda engine: time.sleep(0.3))
    assert await ears.call(name) == "scripted"
    assert len(make.made) == 2
    await ears.close()


async def test_the_wearer_is_told_once_a_load_that_it_takes_long(monkeypatch):
    monkeypatch.setattr(engines, "TOLD_S", 0.05)
    told = []
    ears = EngineThread(Making(slow_s=0.2))
    ears.on_loading = lambda: told.append("loading")
    await ears.call(name)
    await ears.call(lambda engine: time.sleep(0.1))
    assert told == ["loading"]
    quick = EngineThread(Making())
    quick.on_loading = ears.on_loading
    await quick.call(name)
    await asyncio.sleep(0.1)
    assert told == ["loading"]


async def test_two_that_wait_for_it_load_it_once():
    make = Making(slow_s=0.1)
    ears = EngineThread(make)
    assert await asyncio.gather(ears.call(name), ears.call(name)) == ["scripted"] * 2
    assert len(make.made) == 1


async def test_a_load_that_takes_too_long_is_used_when_it_comes_after_all():
    make = Making(slow_s=0.4)
    ears = EngineThread(make, load_timeout_s=0.1, retry_s=0.0)
    began = time.monotonic()
    for _ in range(3):
        with pytest.raises(EngineError, match="still loading"):
            await ears.call(name)
    assert time.monotonic() - began < 0.35, "nobody waits for it twice"
    await asyncio.sleep(0.4)
    assert await ears.call(name) == "scripted"


async def test_a_load_that_never_ends_is_given_up_and_begun_anew():
    stuck, made = threading.Event(), []

    def make():
        made.append(1)
        if len(made) == 1:
            stuck.wait(5)
        return ScriptedTranscriber()

    ears = EngineThread(make, load_timeout_s=0.1)
    for _ in range(2):
        with pytest.raises(EngineError, match="still loading"):
            await ears.call(name)
        await asyncio.sleep(0.25)
    assert await ears.call(name) == "scripted"
    stuck.set()


async def test_no_engine_at_first_is_a_missing_one():
    ears = EngineThread(Making(EngineError("no model: pull one"), EngineError("gone"), None))
    for use in (ears.call(name), ears.languages(), ears.call(name)):
        with pytest.raises(MissingEngineError, match="no model: pull one"):
            await use


FAILURES = [
    OSError("no memory"), RuntimeError("driver"), SystemExit(3), StopIteration(), KeyError("x"),
    TimeoutError("server"), asyncio.CancelledError(), KeyboardInterrupt(), MemoryError(),
    GeneratorExit(), AssertionError(),
]  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES, ids=repr)
async def test_an_engine_that_fails_to_load_is_tried_again_after_a_pause(failure):
    make = Making(failure)
    ears = EngineThread(make, retry_s=0.2)
    for _ in range(3):
        with pytest.raises(EngineError, match=f"could not be loaded .{type(failure).__name__}"):
            await ears.call(name)
    assert not make.failures
    assert not make.made, "it was left alone"
    await asyncio.sleep(0.25)
    assert await ears.call(name) == "scripted"


@pytest.mark.parametrize("failure", [*FAILURES, EngineError("dead")], ids=repr)
async def test_an_engine_that_fails_in_use_is_replaced(failure):
    make = Making()
    ears = EngineThread(make)

    def use(engine):
        raise failure

    with pytest.raises(EngineError) as told:
        await ears.call(use)
    assert "\n" not in str(told.value)
    assert await ears.call(name) == "scripted"
    assert len(make.made) == 2


async def test_an_engine_that_was_and_cannot_be_built_again_is_not_missing():
    """It had worked: listening goes on until it does again."""
    make = Making(None, EngineError("no memory"))
    ears = EngineThread(make, retry_s=0.05)

    def use(engine):
        raise EngineError("dead")

    for why in ("dead", "no memory", "no memory"):
        with pytest.raises(EngineError, match=why) as told:
            await ears.call(use)
        assert not isinstance(told.value, MissingEngineError)
    await asyncio.sleep(0.1)
    assert await ears.call(name) == "scripted"


async def test_what_is_wrong_with_the_sentences_is_no_fault_of_the_engine():
    make = Making()
    ears = EngineThread(make)

    def use(engine):
        raise SentenceError("unknown slot")

    with pytest.raises(SentenceError):
        await ears.call(use)
    await ears.call(name)
    assert len(make.made) == 1


async def test_languages_are_told_whatever_the_engine_does():
    make = Making(RuntimeError("driver"))
    ears = EngineThread(make, retry_s=0.0)
    assert await ears.languages() == EVERY_LANGUAGE
    assert await ears.languages() == ScriptedTranscriber.languages
    make.made[0].__class__ = type("Odd", (ScriptedTranscriber,), {"languages": frozenset({"en"})})
    assert await ears.languages() == {"en"}

    def use(engine):
        raise EngineError("dead")

    make.failures = [OSError("no memory")]
    with pytest.raises(EngineError):
        await ears.call(use)
    assert await ears.languages() == {"en"}, "as it was last known"


@pytest.mark.parametrize("failure", [EngineError("x"), OSError("y"), SystemExit(1)], ids=repr)
async def test_an_engine_that_cannot_be_closed_stops_nothing(failure):
    class Clinging(ScriptedTranscriber):
        def close(self):
            raise failure

    ears = EngineThread(Clinging)
    await ears.call(name)
    await ears.use(ScriptedTranscriber)
    assert await ears.call(name) == "scripted"
    clinging = EngineThread(Clinging)
    await clinging.call(name)
    await clinging.close()


async def test_closing_waits_for_no_engine_that_hangs():
    class Hanging(ScriptedTranscriber):
        def close(self):
            time.sleep(1.0)

    ears = EngineThread(Hanging, timeout_s=0.1)
    await ears.call(name)
    began = time.monotonic()
    await ears.close()
    assert time.monotonic() - began < 0.8


async def test_a_caller_that_goes_leaves_the_engine_to_others():
    make = Making(slow_s=0.2)
    ears = EngineThread(make)
    first = asyncio.create_task(ears.call(name))
    await asyncio.sleep(0.05)
    first.cancel()
    assert await ears.call(name) == "scripted"
    assert len(make.made) == 1
