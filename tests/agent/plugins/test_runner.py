"""Whose threads are whose: only what a plugin's calls begin is held against it."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.plugins.runner import MAX_THREADS, Runner

MANY = MAX_THREADS + 1


@pytest.fixture
def stop():
    event = threading.Event()
    yield event
    event.set()


def begin(stop, count=MANY):
    for _ in range(count):
        threading.Thread(target=stop.wait, daemon=True).start()


def begin_nested(stop):
    """Each thread begins the next."""
    last = threading.Event()

    def one(left):
        if left:
            threading.Thread(target=one, args=(left - 1,), daemon=True).start()
        else:
            last.set()
        stop.wait()

    threading.Thread(target=one, args=(MANY - 1,), daemon=True).start()
    last.wait(5)


def begin_as_subclass(stop):
    class Mine(threading.Thread):
        def run(self):
            stop.wait()

        def start(self):
            super().start()

    for _ in range(MANY):
        Mine(daemon=True).start()


def begin_timers(stop):
    for _ in range(MANY):
        timer = threading.Timer(0.0, stop.wait)
        timer.daemon = True
        timer.start()


def begin_in_a_pool(stop):
    pool = ThreadPoolExecutor(MANY)
    for _ in range(MANY):
        pool.submit(stop.wait)


async def test_threads_that_others_begin_meanwhile_are_not_the_plugins(stop):
    runner, inside, begun = Runner(), threading.Event(), threading.Event()

    def innocent():
        inside.set()
        begun.wait(5)

    call = asyncio.create_task(runner.run("innocent", innocent, 5.0))
    await asyncio.to_thread(inside.wait, 5)
    begin(stop)
    begun.set()
    assert (await call).offences == ()


async def test_nor_are_those_of_a_plugin_that_runs_at_the_same_time(stop):
    runner, inside, begun = Runner(), threading.Event(), threading.Event()

    def innocent():
        inside.set()
        begun.wait(5)

    call = asyncio.create_task(runner.run("innocent", innocent, 5.0))
    await asyncio.to_thread(inside.wait, 5)
    guilty = await runner.run("guilty", lambda: begin(stop), 5.0)
    begun.set()
    assert (await call).offences == ()
    assert f"left {MANY} threads running" in guilty.offences[0]
    assert (await runner.run("innocent", lambda: None, 5.0)).offences == ()


@pytest.mark.parametrize(
    "sin", [begin, begin_nested, begin_as_subclass, begin_timers, begin_in_a_pool]
)
async def test_threads_that_its_call_begins_are_the_plugins(sin, stop):
    outcome = await Runner().run("guilty", lambda: sin(stop), 5.0)
    (offence,) = outcome.offences
    assert f"left {MANY} threads running" in offence


async def test_a_coroutines_threads_are_its_plugins(stop):
    async def guilty():
        begin(stop)
        await asyncio.sleep(0)

    (offence,) = (await Runner().run("guilty", guilty, 5.0)).offences
    assert f"left {MANY} threads running" in offence


async def test_threads_begun_between_two_calls_by_its_own_are_seen_at_the_next(stop):
    runner, go, done = Runner(), threading.Event(), threading.Event()

    def later():
        go.wait(5)
        begin(stop)
        done.set()

    def call():
        threading.Thread(target=later, daemon=True).start()

    assert (await runner.run("sly", call, 5.0)).offences == ()
    go.set()
    await asyncio.to_thread(done.wait, 5)
    assert (await runner.run("sly", lambda: None, 5.0)).offences != ()


async def test_a_name_of_the_runners_own_hides_no_thread(stop):
    def sly():
        for _ in range(MANY):
            threading.Thread(target=stop.wait, name="glasses:sly", daemon=True).start()

    assert (await Runner().run("sly", sly, 5.0)).offences != ()


async def test_threads_that_have_ended_are_nobodys_business(stop):
    def tidy():
        threads = [threading.Thread(target=time.sleep, args=(0.01,)) for _ in range(MANY)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert (await Runner().run("tidy", tidy, 5.0)).offences == ()


async def test_a_call_that_never_ends_is_no_thread_of_the_plugins(stop):
    runner = Runner()
    for _ in range(MANY):
        outcome = await runner.run("slow", stop.wait, 0.01, interrupt=False)
        assert outcome.timed_out
        assert outcome.offences == ()


def test_many_runners_note_it_once():
    Runner()
    noting = threading.Thread.start
    Runner()
    assert threading.Thread.start is noting
