"""The schedule: each thing once, on time or told late, whatever happens to power and clocks."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.act.schedule.clock import DOUBT_S, Clock
from agent.act.schedule.sounds import NOTES, earcon
from agent.act.schedule.store import LATE_S, Schedule, distance_m
from agent.language import repeats, times
from agent.skill.later import Entry, Spot

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 7, 15, 12, 0, tzinfo=UTC)


def noon():
    """They stand still at noon."""
    return NOON.timestamp(), 0.0


@pytest.fixture
def schedule(tmp_path):
    made = Schedule(tmp_path, BERLIN)
    yield made
    made.close()


def alarm(wall, rule=""):
    return Entry("alarm", wall=wall, rule=rule)


def timer(instant):
    return Entry("timer", instant=instant)


# -- once -----------------------------------------------------------------------------------------


def test_nothing_is_written_before_something_is_planned(schedule, tmp_path):
    assert schedule.take(NOON) == []
    assert schedule.waiting() == []
    assert [*tmp_path.iterdir()] == []


def test_what_is_due_comes_once(schedule):
    (kept,) = schedule.add(timer(NOON))
    assert schedule.take(NOON - timedelta(seconds=1)) == []
    (fired,) = schedule.take(NOON)
    assert (fired.entry, fired.late, fired.times) == (kept, False, 1)
    assert schedule.take(NOON + timedelta(days=1)) == []
    assert schedule.waiting() == []


def test_what_was_missed_is_late(schedule):
    schedule.add(timer(NOON))
    (fired,) = schedule.take(NOON + timedelta(seconds=LATE_S + 1))
    assert fired.late
    assert fired.due == datetime(2026, 7, 15, 14, 0)


def test_what_was_taken_and_not_told_is_told_after_power_went(schedule, tmp_path):
    schedule.add(timer(NOON))
    taken = schedule.take(NOON)
    schedule.close()
    again = Schedule(tmp_path, BERLIN)
    assert again.take(NOON) == []
    (untold,) = again.untold()
    assert (untold.entry, untold.late) == (taken[0].entry, True)
    again.told([untold])
    assert again.untold() == []
    again.close()


def test_what_rang_shortly_before_power_went_rings_on(schedule):
    schedule.add(timer(NOON), timer(NOON - timedelta(hours=1)))
    schedule.told(schedule.take(NOON - timedelta(hours=1)))
    schedule.told(schedule.take(NOON))
    (ringing,) = schedule.wake(NOON + timedelta(seconds=30)).ringing
    assert ringing.entry.instant == NOON


def test_days_that_were_slept_through_are_one_line(schedule):
    schedule.add(alarm(datetime(2026, 7, 15, 7), "FREQ=DAILY"))
    (fired,) = schedule.take(NOON + timedelta(days=3))
    assert (fired.times, fired.due, fired.late) == (4, datetime(2026, 7, 18, 7), True)
    (waiting,) = schedule.waiting()
    assert waiting.wall == datetime(2026, 7, 19, 7)


def test_what_is_held_is_not_due_and_goes_on_with_what_it_had_left(tmp_path):
    now = [NOON.timestamp()]
    schedule = Schedule(tmp_path, BERLIN, clocks=lambda: (now[0], now[0]))
    (entry,) = schedule.add(timer(NOON + timedelta(minutes=10)))
    now[0] += 240
    assert schedule.hold(entry.id)
    assert not schedule.hold(entry.id)
    assert schedule.next_due() == float("inf")
    assert schedule.take(NOON + timedelta(hours=1)) == []
    schedule.close()  # power goes
    now[0] += 86_400
    again = Schedule(tmp_path, BERLIN, clocks=lambda: (now[0], now[0]))
    assert [one.held_s for one in again.waiting()] == [pytest.approx(360, abs=1)]
    assert again.go_on(entry.id)
    assert not again.go_on(entry.id)
    assert again.next_due() == pytest.approx(now[0] + 360, abs=1)
    again.close()


def test_what_comes_again_or_at_a_wall_time_is_not_held(tmp_path):
    schedule = Schedule(tmp_path, BERLIN, clocks=noon)
    daily, morning = schedule.add(
        Entry("timer", instant=NOON, rule="FREQ=DAILY"), alarm(datetime(2026, 7, 16, 7))
    )
    assert not schedule.hold(daily.id)
    assert not schedule.hold(morning.id)
    assert not schedule.hold("nobody")
    assert [one.held_s for one in schedule.waiting()] == [None, None]
    schedule.close()


def test_a_file_of_a_version_that_could_hold_nothing_is_read_on(schedule, tmp_path):
    (entry,) = schedule.add(timer(NOON))
    schedule.close()
    with sqlite3.connect(tmp_path / "later.sqlite") as db:
        db.execute("ALTER TABLE entries DROP COLUMN held")
    db.close()
    again = Schedule(tmp_path, BERLIN, clocks=noon)
    assert again.waiting() == [entry]
    assert again.hold(entry.id)
    again.close()


def test_only_its_own_skill_lets_go_of_an_entry(schedule):
    (kept,) = schedule.add(Entry("timer", instant=NOON, skill="walk"))
    assert schedule.remove([kept.id], "other") == 0
    assert schedule.remove([kept.id], "walk") == 1


@pytest.mark.parametrize(
    "due",
    [
        {},
        {"wall": datetime(2026, 1, 1), "instant": NOON},
        {"place": Spot("home", 0, 0), "rule": "FREQ=DAILY"},
        {"instant": NOON, "call": {"name": "x"}},
    ],
)
def test_an_entry_that_is_never_due_is_refused(due):
    with pytest.raises(ValueError, match=r"an entry|comes again|a command"):
        Entry("alarm", **due)


def test_a_damaged_file_is_an_os_error(tmp_path):
    (tmp_path / "later.sqlite").write_bytes(b"not a database, but long enough to be one" * 100)
    with pytest.raises(OSError, match="cannot be used"):
        Schedule(tmp_path).take(NOON)


def test_the_file_is_the_wearers_alone(schedule, tmp_path):
    schedule.add(timer(NOON))
    assert {path.stat().st_mode & 0o077 for path in tmp_path.iterdir()} == {0}


# -- zones and daylight saving --------------------------------------------------------------------


def test_an_alarm_is_at_seven_wherever_the_wearer_is(schedule):
    schedule.add(alarm(datetime(2026, 7, 16, 7)))
    assert schedule.next_due() == datetime(2026, 7, 16, 5, tzinfo=UTC).timestamp()
    schedule.zone = ZoneInfo("Asia/Tokyo")
    assert schedule.next_due() == datetime(2026, 7, 15, 22, tzinfo=UTC).timestamp()


def test_a_timer_takes_as_long_in_any_zone(schedule):
    schedule.add(timer(NOON))
    schedule.zone = ZoneInfo("Asia/Tokyo")
    assert schedule.next_due() == NOON.timestamp()


def test_an_alarm_in_the_skipped_hour_rings_when_the_clocks_go_past_it(schedule):
    schedule.add(alarm(datetime(2026, 3, 29, 2, 30)))
    change = datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert schedule.next_due() == change.timestamp()
    assert schedule.take(change - timedelta(seconds=1)) == []
    (fired,) = schedule.take(change)
    assert not fired.late


def test_an_alarm_in_the_hour_that_comes_twice_rings_once(schedule):
    schedule.add(alarm(datetime(2026, 10, 25, 2, 30), "FREQ=DAILY"))
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert len(schedule.take(first)) == 1
    assert schedule.take(first + timedelta(hours=1)) == []
    assert schedule.waiting()[0].wall == datetime(2026, 10, 26, 2, 30)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)), st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai", "Africa/Casablanca"]
))  # fmt: skip
@settings(deadline=None)
def test_the_moment_of_a_wall_time_is_the_first_that_shows_it_or_more(wall, name):
    zone = ZoneInfo(name)
    wall = wall.replace(microsecond=0)
    moment = times.instant(wall, zone)
    assert times.shown(moment, zone) >= wall
    before = moment - timedelta(seconds=1)
    assert times.shown(before, zone) < wall


# -- clocks ---------------------------------------------------------------------------------------


def test_a_timer_moves_along_with_a_clock_that_is_set(schedule):
    schedule.add(timer(NOON), alarm(datetime(2026, 7, 16, 7)))
    schedule.shift(3600)
    first, second = schedule.waiting()
    assert first.instant == NOON + timedelta(hours=1)
    assert second.wall == datetime(2026, 7, 16, 7)


def test_a_timer_goes_on_where_a_clock_without_power_begins_anew(schedule):
    schedule.add(timer(NOON + timedelta(minutes=10)))
    schedule.take(NOON)
    begins = datetime(1970, 1, 1, tzinfo=UTC)
    assert schedule.wake(begins).behind_s > 0
    assert schedule.waiting()[0].instant == begins + timedelta(minutes=10)


def test_a_clock_that_is_corrected_is_believed_at_once():
    clock = Clock()
    clock.look(1000.0, 0.0)
    assert clock.look(1011.0, 10.0).set_by_s == 0
    looked = clock.look(1020.0 + 3600, 20.0)
    assert looked.now_s == 4620
    assert looked.set_by_s == pytest.approx(3599)


def test_a_clock_that_jumps_by_a_year_is_believed_once_it_stays():
    clock, year = Clock(), 365 * 86_400.0
    clock.look(0.0, 0.0)
    assert clock.look(10 + year, 10.0).now_s == 10
    assert clock.look(20.0, 20.0).now_s == 20, "it was a glitch"
    assert clock.look(30 + year, 30.0).now_s == 30
    looked = clock.look(30 + DOUBT_S + year, 30 + DOUBT_S)
    assert looked.set_by_s == year
    assert clock.look(40 + DOUBT_S, 40 + DOUBT_S).now_s == 40 + DOUBT_S + year
    assert clock.look(41 + 2 * DOUBT_S, 41 + 2 * DOUBT_S).far_back


def test_a_clock_that_began_behind_is_believed_when_it_is_set():
    clock = Clock(behind_s=1.8e9)
    clock.look(0.0, 0.0)
    assert clock.look(1.8e9, 10.0).set_by_s == pytest.approx(1.8e9 - 10)


def test_what_comes_again_goes_on_after_a_year_that_was_none(schedule):
    schedule.add(alarm(datetime(2026, 7, 16, 7), "FREQ=DAILY"), alarm(datetime(2026, 8, 1, 7)))
    fired = schedule.take(NOON + timedelta(days=365))
    assert sorted(one.times for one in fired) == [1, 365]
    schedule.rewind(NOON)
    (waiting,) = schedule.waiting()
    assert waiting.wall == datetime(2026, 7, 16, 7)
    assert [one.times for one in schedule.take(NOON + timedelta(days=1))] == [1]


# -- places ---------------------------------------------------------------------------------------


def test_a_reminder_at_a_place_comes_on_coming_there(schedule):
    schedule.add(Entry("reminder", place=Spot("station", 48.0, 11.0)))
    assert schedule.near(48.0, 11.0) == [], "the wearer is there, and does not come"
    assert schedule.near(48.1, 11.0) == []
    (there,) = schedule.near(48.0005, 11.0)
    assert schedule.arrive(there, NOON) is not None
    assert schedule.arrive(there, NOON) is None
    assert schedule.near(48.0, 11.0) == []


def test_a_reminder_on_leaving_comes_once_the_wearer_was_there(schedule):
    schedule.add(Entry("reminder", place=Spot("home", 48.0, 11.0, leaving=True)))
    assert schedule.near(48.1, 11.0) == []
    assert schedule.near(48.0, 11.0) == []
    assert len(schedule.near(48.1, 11.0)) == 1


def test_distances_are_along_the_ground():
    assert distance_m(48.0, 11.0, 48.0, 11.0) == 0
    assert distance_m(52.52, 13.405, 48.137, 11.575) == pytest.approx(504_000, rel=0.01)


# -- sounds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NOTES)
def test_a_sound_is_made_once(name, tmp_path):
    path = earcon(name, tmp_path)
    made = path.stat().st_mtime_ns
    assert path.read_bytes()[:4] == b"RIFF"
    assert earcon(name, tmp_path).stat().st_mtime_ns == made


# -- a year ---------------------------------------------------------------------------------------

THINGS = 10_000
ZONES = [ZoneInfo(name) for name in (
    "Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", "Asia/Kathmandu",
)]  # fmt: skip
RULES = ("FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "FREQ=WEEKLY;BYDAY=SU",
         "FREQ=MONTHLY;BYMONTHDAY=-1", "FREQ=DAILY;INTERVAL=2")  # fmt: skip


class Year:
    """A year of one wearer: what is on, what the clock shows, where they are."""

    def __init__(self, folder, seed):
        self.rng, self.folder = random.Random(seed), folder
        self.begins = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
        self.true_s = self.looked_s = self.begins
        self.off_s = 0.0  # by how much the clock is wrong
        self.zone = BERLIN
        self.clock = Clock()
        self.clock.look(self.true_s, self.true_s)
        self.schedule = Schedule(folder, self.zone)
        self.fired, self.shown = [], Counter()
        self.disturbed_s = self.true_s
        self.wrong = []
        self.kills, self.steady = 0, False

    def plan(self):
        entries = []
        for n in range(THINGS):
            at_s = self.begins + self.rng.uniform(60, 364 * 86_400)
            wall = times.shown(datetime.fromtimestamp(at_s, UTC), BERLIN).replace(
                second=0, microsecond=0
            )
            if n % 100 == 0:
                rule = self.rng.choice(RULES)
                wall = repeats.after(rule, wall, wall - timedelta(seconds=1))
                entries.append(Entry("alarm", str(n), wall=wall, rule=rule))
            elif n % 2:
                entries.append(Entry("reminder", str(n), wall=wall))
            else:
                entries.append(
                    Entry("timer", str(n), instant=datetime.fromtimestamp(round(at_s), UTC))
                )
        self.planned = self.schedule.add(*entries)

    def look(self):
        looked = self.clock.look(self.true_s + self.off_s, self.true_s)
        now = datetime.fromtimestamp(looked.now_s, UTC)
        if looked.set_by_s:
            self.schedule.shift(looked.set_by_s)
            self.disturbed_s = self.true_s
        assert not looked.far_back
        if self.steady:
            self.fired += (taken := self.schedule.take(now))
            self.show(taken)
            return None
        if self.rng.random() < 0.01:
            return self.kill()
        taken = self.schedule.take(now)
        self.fired += taken
        calm = self.true_s - self.disturbed_s > 1
        self.wrong += [one for one in taken if one.late and calm]
        if taken and self.rng.random() < 0.01:  # taken, and nobody was told
            return self.kill()
        self.show(taken)
        return None

    def show(self, fired):
        if fired:
            self.shown.update((one.entry.id, one.occurrence) for one in fired)
            self.schedule.told(fired, over=True)

    def kill(self):
        """Be without power for up to two days."""
        self.kills += 1
        self.schedule.close()
        self.true_s += self.rng.choice((1, 60, 3600, 2 * 86_400)) * self.rng.random()
        self.schedule = Schedule(self.folder, self.zone)
        now = datetime.fromtimestamp(self.true_s + self.off_s, UTC)
        woken = self.schedule.wake(now)
        self.clock = Clock(woken.behind_s)
        self.clock.look(now.timestamp(), self.true_s)
        self.disturbed_s = self.true_s
        self.show(self.schedule.untold())

    def disturb(self):
        match self.rng.randrange(4):
            case 0:
                self.kill()
            case 1:  # a clock that is set, or drifts far; half of the time by a year, for a moment
                self.off_s = self.rng.choice((0, 5, -5, 300, -300, 3600, -7200))
            case 2:
                before, self.off_s = self.off_s, self.rng.choice((1, -1)) * 365 * 86_400
                self.steady = True  # who begins with a clock a year ahead cannot know it
                self.look()
                self.true_s += 30
                self.look()
                self.off_s, self.steady = before, False
            case 3:
                self.zone = self.schedule.zone = self.rng.choice(ZONES)
        self.disturbed_s = self.true_s
        self.look()

    def live(self, until_s):
        next_s = self.true_s + self.rng.expovariate(1 / 43_200)
        while self.true_s < until_s:
            due_s = self.schedule.next_due() - self.off_s
            if due_s >= next_s:
                self.true_s = max(self.true_s, next_s)
                next_s = self.true_s + self.rng.expovariate(1 / 43_200)
                self.disturb()
            else:
                self.true_s = max(self.true_s, due_s)
                self.look()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_a_year_of_ten_thousand_things(seed):
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a year forces the disk too often
    with TemporaryDirectory(dir=memory) as folder:
        year = Year(Path(folder), seed)
        year.plan()
        year.live(year.begins + 366 * 86_400)
        times_fired = Counter(one.entry.id for one in year.fired)
        once = [one for one in year.planned if not one.rule]
        assert {times_fired[one.id] for one in once} == {1}, "each once, none lost"
        for entry in year.planned:
            if entry.rule:
                own = sorted(
                    (one for one in year.fired if one.entry.id == entry.id),
                    key=lambda one: one.occurrence,
                )
                due, _ = repeats.count(entry.rule, entry.wall, own[-1].due)
                assert sum(one.times for one in own) == due, "each day of it once"
        taken = {(one.entry.id, one.occurrence) for one in year.fired}
        assert len(taken) == len(year.fired)
        year.show(year.schedule.untold())
        assert set(year.shown) == taken, "all were told"
        assert year.wrong == [], "while it was on and the clock right, nothing was late"
        assert year.kills > 100
        year.schedule.close()


FIRES = """
import sys, time
from datetime import datetime, UTC
from pathlib import Path
from agent.act.schedule.store import Schedule
schedule = Schedule(Path(sys.argv[1]))
told = open(sys.argv[2], "a", buffering=1)
schedule.wake(datetime.now(UTC))
for fired in schedule.untold():
    told.write(fired.entry.text + "\\n"); schedule.told([fired], over=True)
print("on", flush=True)
while True:
    for fired in schedule.take(datetime.now(UTC)):
        told.write(fired.entry.text + "\\n"); schedule.told([fired], over=True)
"""


@pytest.mark.slow
def test_each_is_told_though_the_process_is_killed_again_and_again(tmp_path):
    """What is told twice was cut between telling it and noting so: at most one for each kill."""
    begins, rng = time.time(), random.Random(7)
    schedule = Schedule(tmp_path)
    moments = [begins + rng.uniform(0, 6) for _ in range(400)]
    schedule.add(
        *(
            Entry("timer", str(n), instant=datetime.fromtimestamp(at, UTC))
            for n, at in enumerate(moments)
        )
    )
    schedule.close()
    kills = 0
    while time.time() < begins + 6.5 or kills < 4:  # a busy machine begins few processes
        command = [sys.executable, "-c", FIRES, str(tmp_path), str(tmp_path / "told")]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            time.sleep(rng.uniform(0.0, 0.5))
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
    schedule = Schedule(tmp_path)
    rest = [one.entry.text for one in (*schedule.untold(), *schedule.take(datetime.now(UTC)))]
    told = Counter((tmp_path / "told").read_text().split())
    schedule.close()
    assert set(told) | set(rest) == {str(n) for n in range(400)}
    assert sum(told.values()) - len(told) + len(set(rest) & set(told)) <= kills
