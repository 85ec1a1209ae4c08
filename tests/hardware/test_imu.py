"""The virtual IMU, in virtual time."""

import asyncio
import math
from contextlib import aclosing

import pytest

from agent.testing.clock import VirtualClock
from hardware.base import DeviceError, Imu
from hardware.imu import VirtualImu
from hardware.moves import look_down


@pytest.fixture
def clock():
    clock = VirtualClock()
    yield clock
    clock.close()


async def read(imu, seconds, at=None):
    """Read for some seconds, doing what `at` has for a time in seconds."""
    todo, motions = dict(at or {}), []
    begin = None
    async with aclosing(imu.readings()) as readings:
        async for motion in readings:
            motions.append(motion)
            begin = motion.at_ms if begin is None else begin
            for when in [w for w in todo if motion.at_ms - begin >= w * 1000]:
                todo.pop(when)()
            if motion.at_ms - begin >= seconds * 1000:
                break
    return motions


def pitch(motions):
    """Pitch in degrees as the gyroscope adds it up, without its drift."""
    rates = [math.degrees(m.rotation[0]) for m in motions]
    drift = sum(rates[:50]) / 50
    total, found = 0.0, []
    for rate in rates:
        total += (rate - drift) / 100
        found.append(total)
    return found


def shaking(motions):
    up = [m.acceleration[1] for m in motions]
    mean = sum(up) / len(up)
    return math.sqrt(sum((value - mean) ** 2 for value in up) / len(up))


def test_it_is_an_imu():
    assert isinstance(VirtualImu(), Imu)


@pytest.mark.parametrize("rate_hz", [0, 49, 201, -100])
def test_a_rate_that_no_imu_has_is_refused(rate_hz):
    with pytest.raises(DeviceError, match=f"50 … 200 readings a second, not {rate_hz}"):
        VirtualImu(rate_hz=rate_hz)


@pytest.mark.parametrize("rate_hz", [50, 100, 200])
def test_readings_come_when_they_are_due(clock, rate_hz):
    async def times():
        loop = asyncio.get_running_loop()
        begin, found = loop.time(), []
        async with aclosing(VirtualImu(rate_hz).readings()) as readings:
            async for motion in readings:
                found.append((motion.at_ms, (loop.time() - begin) * 1000))
                if len(found) == 2 * rate_hz:
                    break
        return found

    found = clock.run(times())
    assert [at for at, _ in found] == [n * 1000 / rate_hz for n in range(2 * rate_hz)]
    assert max(abs(at - now) for at, now in found) < 1e-6


def test_a_head_is_never_quite_still(clock):
    motions = clock.run(read(VirtualImu(seed=3), 2))
    assert 0 < shaking(motions) < 0.2


def test_nods_from_the_next_reading_on(clock):
    imu = VirtualImu()
    motions = clock.run(read(imu, 4, {2: lambda: imu.nod(degrees=20, hz=2, cycles=2)}))
    angles = pitch(motions)
    assert min(angles[200:260]) == pytest.approx(-20, abs=3)
    assert abs(angles[195]) < 2
    assert abs(angles[330] - angles[195]) < 3


def test_what_is_told_before_the_first_reading_begins_with_it(clock):
    imu = VirtualImu()
    imu.nod(degrees=20, hz=1)
    motions = clock.run(read(imu, 1))
    assert min(math.degrees(m.rotation[0]) for m in motions[:50]) < -50


def test_walks_and_stops(clock):
    imu = VirtualImu()
    motions = clock.run(
        read(
            imu,
            12,
            {2: lambda: imu.walk(True), 3: lambda: imu.walk(True), 8: lambda: imu.walk(False)},
        )
    )
    assert shaking(motions[:200]) < 0.2
    assert 1.2 < shaking(motions[300:800]) < 3.0
    assert shaking(motions[900:]) < 0.2


def test_raises_the_head_and_lowers_it(clock):
    imu = VirtualImu()
    steps = {1: lambda: imu.glance(True), 2: lambda: imu.glance(True)}
    steps |= {4: lambda: imu.glance(False), 5: lambda: imu.glance(False)}
    angles = pitch(clock.run(read(imu, 6, steps)))
    assert angles[200] == pytest.approx(22, abs=3)
    assert angles[390] == pytest.approx(22, abs=4)
    assert angles[500] == pytest.approx(0, abs=4)


def test_shakes_while_it_walks(clock):
    imu = VirtualImu()
    imu.walk(True)
    motions = clock.run(read(imu, 4, {2: imu.shake}))
    yaw = [abs(math.degrees(m.rotation[1])) for m in motions]
    assert max(yaw[200:320]) > 120 > 3 * max(yaw[:200])
    assert shaking(motions[200:320]) > 1


def test_does_any_move(clock):
    imu = VirtualImu()
    do = lambda: imu.do(look_down(degrees=40, hold_s=2), 3.0)  # noqa: E731
    angles = pitch(clock.run(read(imu, 5, {1: do})))
    assert min(angles) == pytest.approx(-40, abs=4)
    assert angles[-1] == pytest.approx(0, abs=5)


def test_what_nobody_reads_is_lost_and_time_goes_on(clock):
    imu = VirtualImu()

    async def twice():
        first = await read(imu, 1)
        await asyncio.sleep(10)
        return first, await read(imu, 1)

    first, second = clock.run(twice())
    assert first[-1].at_ms == 1000
    assert second[0].at_ms == pytest.approx(11_000, abs=20)
    assert second[0].at_ms % 10 == 0


def test_a_slow_reader_gets_all_of_it(clock):
    imu = VirtualImu()

    async def slowly():
        times = []
        async with aclosing(imu.readings()) as readings:
            async for motion in readings:
                times.append(motion.at_ms)
                if len(times) == 50:
                    await asyncio.sleep(1)
                if len(times) == 200:
                    break
        return times

    assert clock.run(slowly()) == [n * 10 for n in range(200)]


def test_it_vanishes(clock):
    imu = VirtualImu()
    with pytest.raises(DeviceError, match="virtual IMU is gone"):
        clock.run(read(imu, 10, {1: imu.vanish}))
