"""Virtual time: nothing waits, and everything happens when it should."""

import asyncio
import socket
import threading
import time
from datetime import datetime

import pytest

from agent.testing import VirtualClock
from tests.pace import PATIENCE_S

real_time = time.perf_counter


@pytest.fixture
def clock():
    made = VirtualClock()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def takes_no_time():
    began = real_time()
    yield
    assert real_time() - began < PATIENCE_S  # of the hours that pass here


def test_an_hour_passes_at_once_and_in_order(clock):
    order = []

    async def nap(seconds):
        await asyncio.sleep(seconds)
        order.append((seconds, clock.time()))

    async def main():
        await asyncio.gather(*(nap(s) for s in (7200, 3600, 0.02)))

    clock.run(main())
    assert order == [(0.02, 0.02), (3600, 3600), (7200, 7200)]


def test_a_time_out_is_exact(clock):
    async def main():
        async with asyncio.timeout(3600):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        clock.run(main())
    assert clock.time() == 3600


def test_time_stands_still_while_a_thread_works(clock):
    async def main():
        return await asyncio.wait_for(asyncio.to_thread(time.sleep, 0.2), 0.1)

    clock.run(main())
    assert clock.time() == 0


def test_a_thread_that_hangs_is_waited_for_in_real_time_only_so_long(clock):
    clock.patience_s = 0.1
    stuck = threading.Event()

    async def main():
        await asyncio.wait_for(asyncio.to_thread(stuck.wait), 3600)

    with pytest.raises(TimeoutError):
        clock.run(main())
    assert clock.time() == 3600
    stuck.set()


def test_sleep_in_a_worker_is_virtual_and_elsewhere_real(clock):
    async def main():
        naps = (asyncio.to_thread(clock.sleep, seconds) for seconds in (4000, 9000))
        await asyncio.gather(*naps)

    clock.run(main())
    assert clock.time() == 9000
    began = real_time()
    clock.sleep(0.05)
    assert real_time() - began >= 0.05
    assert clock.time() == 9000


def test_a_socket_is_waited_for(clock):
    here, there = socket.socketpair()
    here.setblocking(False)

    def answer():
        time.sleep(0.1)
        there.send(b"hi")

    async def main():
        async with asyncio.timeout(0.05):
            return await asyncio.get_running_loop().sock_recv(here, 2)

    thread = threading.Thread(target=answer)
    thread.start()
    assert clock.run(main()) == b"hi"
    thread.join()
    here.close()
    there.close()


def test_what_never_comes_is_an_error(clock, monkeypatch):
    monkeypatch.setattr("agent.testing.clock.STALLED_S", 0.05)

    async def main():
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="never comes"):
        clock.run(main())


def test_wall_time_follows(clock):
    clock.set(datetime(2031, 2, 3, 23, 59, 50))
    clock.advance(15)
    assert clock.now() == datetime(2031, 2, 4, 0, 0, 5)


async def test_it_runs_beside_the_loop_of_a_test(clock):
    clock.run(asyncio.sleep(100))
    assert clock.time() == 100

    async def broken():
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        clock.run(broken())


def test_closing_ends_what_still_runs():
    clock = VirtualClock()
    ended = []

    async def forever():
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def main():
        clock.forever = asyncio.create_task(forever())
        await asyncio.sleep(1)

    clock.run(main())
    clock.close()
    clock.close()
    assert ended == [True]
