"""Timers, alarms, reminders and commands for later: what is said, and what is planned."""

from datetime import UTC, datetime, timedelta

import pytest

import skills.music as skill_music
import skills.pay as skill_pay
import skills.reminders as skill_reminders
from agent.act.schedule.store import Schedule
from agent.plugins.skills import Skills
from agent.skill.later import MOST_ENTRIES, Entry, Spot
from agent.testing.clock import VirtualClock
from agent.testing.conversation import Conversation, Doubles
from agent.testing.doubles import VirtualLocation
from hardware.base import Place
from hardware.speaker import VirtualSpeaker
from skills.reminders import places, tell

NOW = datetime(2026, 7, 15, 10, 20)  # a Wednesday


@pytest.fixture(scope="module")
def talk(tmp_path_factory):
    skills = Skills()
    for module in (skill_reminders, skill_music, skill_pay):
        skills.load(module)
    assert skills.problems == []
    clock = VirtualClock(begins=NOW)
    speaker = VirtualSpeaker(clock=clock.time, length_s=0.5)
    location = VirtualLocation(Place(48.0, 11.0))
    doubles = Doubles(clock=clock, speaker=speaker, location=location)
    made = Conversation(skills, tmp_path_factory.mktemp("day"), doubles)
    yield made
    made.close()


@pytest.fixture
def ask(talk):
    """One agent for all, with nothing planned and nothing ringing."""
    talk.agent.world.bell.stop()
    schedule = talk.agent.world.schedule
    schedule.remove([one.id for one in schedule.waiting()])
    talk.location.place = Place(48.0, 11.0)
    talk.clock.set(NOW)
    return talk


def planned(ask):
    return ask.agent.world.schedule.waiting()


def lines(ask, text):
    """Say something on a clock that stands still; return the answer's lines."""
    ask.clock.set(NOW)
    exchange = ask(text)
    exchange.succeeds()
    return exchange.reply.text.splitlines()


# -- what is planned ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "what", "when", "rule"),
    [
        ("set a timer for ten minutes", "timer", "", "10:30", ""),
        ("set a ten minute timer", "timer", "", "10:30", ""),
        ("set a timer for ten minutes called tea", "timer", "tea", "10:30", ""),
        ("start a pasta timer for 8 minutes", "timer", "pasta", "10:28", ""),
        ("count down from ninety seconds", "timer", "", "10:21:30", ""),
        ("wake me up at half past six", "alarm", "", "2026-07-16 06:30", ""),
        ("set an alarm for 18:45", "alarm", "", "18:45", ""),
        ("wake me up every weekday at seven", "alarm", "", "2026-07-16 07:00", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("remind me to buy milk tomorrow at eight", "reminder", "buy milk", "2026-07-16 08:00", ""),
        ("remind me at six to call mom", "reminder", "call mom", "18:00", ""),
        ("remind me in ten minutes to check the oven", "reminder", "check the oven", "10:30", ""),
        ("remind me to call the bank in an hour", "reminder", "call the bank", "11:20", ""),
        ("remind me to pay rent on the first of every month", "reminder", "pay rent", "2026-08-01 09:00", "FREQ=MONTHLY;BYMONTHDAY=1"),
        ("remind me every friday at five to take out the trash", "reminder", "take out the trash", "2026-07-17 17:00", "FREQ=WEEKLY;BYDAY=FR"),
        ("remind me tomorrow to call mom", "reminder", "call mom", "2026-07-16 09:00", ""),
        ("in ten minutes pause the music", "command", "pause the music", "10:30", ""),
        ("at three pm play music", "command", "play music", "15:00", ""),
        ("设一个十分钟的计时器", "timer", "", "10:30", ""),
        ("给面条计时八分钟", "timer", "面条", "10:28", ""),
        ("明天早上七点叫我起床", "alarm", "", "2026-07-16 07:00", ""),
        ("工作日早上七点叫我起床", "alarm", "", "2026-07-16 07:00", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("晚上八点提醒我吃药", "reminder", "吃药", "20:00", ""),
        ("十分钟后提醒我关火", "reminder", "关火", "10:30", ""),
        ("每周五下午五点提醒我倒垃圾", "reminder", "倒垃圾", "2026-07-17 17:00", "FREQ=WEEKLY;BYDAY=FR"),
        ("十分钟后暂停音乐", "command", "暂停音乐", "10:30", ""),
    ],
)  # fmt: skip
def test_it_is_planned_as_it_was_said(ask, text, kind, what, when, rule):
    lines(ask, text)
    (entry,) = planned(ask)
    due = datetime.fromtimestamp(ask.agent.world.schedule.due(entry))
    wanted = datetime.fromisoformat(when if "-" in when else f"2026-07-15 {when}")
    assert (entry.kind, entry.text, entry.rule) == (kind, what, rule)
    assert abs(due - wanted) < timedelta(seconds=5)
    assert ask("undo").succeeds()
    assert planned(ask) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("remind me yesterday to buy milk", "That has gone by: 14 Jul 00:00"),
        ("set an alarm for 25 o'clock", "There is no 25 o'clock."),
        ("wake me up on the 31st of april", "There is no 31st April."),
        ("remind me on february 30th to pay rent", "There is no 30th February."),
        ("set a timer for zero minutes", "I can't count that long."),
        ("in ten minutes dance the tango", "I can't do “dance the tango” later."),
        ("in ten minutes pay anna twenty dollars", "I never pay later. Ask me then."),
        ("cancel the tea timer", "No timer is running."),
        ("snooze for five minutes", "Nothing rings."),
        ("二十五点叫我", "没有25点。"),
        ("二月三十号提醒我交房租", "没有二月三十号。"),
    ],
)
def test_what_cannot_be_is_one_clear_line(ask, text, line):
    assert lines(ask, text)[0] == line
    assert planned(ask) == []


def test_an_alarm_that_daylight_saving_skips_says_when_it_rings(ask, monkeypatch):
    import time

    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        ask.clock.set(datetime(2026, 3, 28, 20, 0))
        told = ask("wake me up tomorrow at 2:30 am").reply.text
    finally:
        monkeypatch.undo()
        time.tzset()
    assert "The clocks go forward then: tomorrow 03:00" in told


def test_what_is_missing_is_asked_for(ask):
    ask("set an alarm").shows("Alarm …?").then("seven thirty").shows("tomorrow 07:30")
    ask("remind me to buy bread").shows("Remind me to buy bread …?").then("tomorrow at nine")
    assert [one.text for one in planned(ask)] == ["", "buy bread"]


@pytest.mark.parametrize(
    ("begin", "pause", "resume", "held", "left"),
    [
        ("set a pasta timer for ten minutes", "pause the pasta timer", "resume the timer",
         "pasta: paused, 10 minutes left", "pasta: 10 minutes left"),
        ("set a timer for ten minutes", "put the timer on hold", "carry on with my timer",
         "Timer: paused, 10 minutes left", "Timer: 10 minutes left"),
        ("给面条计时十分钟", "暂停面条的计时器", "继续计时", "面条：已暂停，还剩10分钟", "面条：还剩10分钟"),
    ],
)  # fmt: skip
def test_a_timer_is_paused_and_goes_on(ask, begin, pause, resume, held, left):
    lines(ask, begin)
    assert lines(ask, pause) == [held]
    ask.clock.set(NOW + timedelta(hours=2))
    assert ask.agent.world.schedule.take(datetime.now(UTC) + timedelta(days=400)) == []
    chinese = not begin.isascii()
    assert lines(ask, pause) == ["没有在走的计时器。" if chinese else "No timer is running."]
    assert lines(ask, resume) == [left]
    assert lines(ask, resume) == ["没有暂停的计时器。" if chinese else "No timer is paused."]


def test_a_timer_that_is_paused_takes_no_more_time(ask):
    lines(ask, "set a timer for ten minutes")
    lines(ask, "pause the timer")
    assert lines(ask, "add five minutes to the timer") == ["No timer is running."]
    assert lines(ask, "cancel the timer")
    assert planned(ask) == []


def test_several_timers_go_at_once_each_by_its_name(ask):
    lines(ask, "set a tea timer for 3 minutes")
    lines(ask, "set a pasta timer for 9 minutes")
    assert lines(ask, "how much time is left on the tea timer") == ["tea: 3 minutes left"]
    assert len(lines(ask, "what timers are running")) == 2
    lines(ask, "add one minute to the tea timer")
    assert lines(ask, "how much time is left on the tea timer") == ["tea: 4 minutes left"]
    lines(ask, "cancel the pasta timer")
    assert [one.text for one in planned(ask)] == ["tea"]


def test_alarms_and_reminders_are_listed_and_cancelled(ask):
    lines(ask, "wake me up every weekday at seven")
    lines(ask, "set an alarm for 18:45")
    assert lines(ask, "what alarms do i have") == ["18:45", "tomorrow 07:00 (on weekdays)"]
    lines(ask, "cancel the 18:45 alarm")
    assert lines(ask, "我有哪些闹钟") == ["明天早上7点 (工作日)"]
    lines(ask, "remind me at six to call mom")
    assert lines(ask, "what are my reminders") == ["18:00 call mom"]
    assert lines(ask, "cancel the reminder to call mom") == ["Cancelled:", "18:00 call mom"]
    ask("undo")
    assert lines(ask, "cancel all reminders")[1:] == ["18:00 call mom"]
    assert lines(ask, "cancel all alarms")[1:] == ["tomorrow 07:00 (on weekdays)"]


def test_a_place_is_named_and_found(ask):
    told = lines(ask, "remind me to buy milk when i get to the station")
    assert told == [
        "I do not know where “the station” is.",
        "Go there and say “call this place the station”.",
    ]
    assert lines(ask, "remember this place as my home") == ["This place is “home” now."]
    assert lines(ask, "remind me to lock the door when i leave home") == [
        "lock the door",
        "on leaving home",
    ]
    assert lines(ask, "到家的时候提醒我收快递")[0].startswith("不知道")
    lines(ask, "记住这里是家")
    assert lines(ask, "到家的时候提醒我收快递") == ["收快递", "到家时"]
    ask.location.place = Place(48.01, 11.0)
    ask.advance(45)
    assert "lock the door" in ask.lens


def test_the_wearers_places_are_theirs_and_a_damaged_file_is_none(tmp_path):
    places.keep(tmp_path, "home", Place(1.0, 2.0))
    path = tmp_path / places.NAME
    assert path.stat().st_mode & 0o077 == 0
    path.write_text("{broken")
    places.keep(tmp_path, "work", Place(3.0, 4.0))
    assert "work" in path.read_text()


def test_the_dashboard_shows_what_is_next(ask):
    lines(ask, "set an alarm for 18:45")
    ask("dashboard").shows("Alarm", "18:45")
    lines(ask, "set a tea timer for 5 minutes")
    ask("dashboard").shows("tea")


def test_there_is_an_end_to_how_much_is_planned(ask):
    schedule = ask.agent.world.schedule
    many = (
        Entry("alarm", wall=NOW + timedelta(days=1), skill="reminders") for _ in range(MOST_ENTRIES)
    )
    schedule.add(*many)
    assert lines(ask, "set an alarm for 18:45") == ["There are too many: cancel some first."]


def test_a_disk_that_is_full_is_one_line(ask, monkeypatch):
    def full(*_):
        raise OSError("full")

    monkeypatch.setattr(Schedule, "add", full)
    assert lines(ask, "set a timer for ten minutes") == ["That can't be saved right now."]


def test_what_is_called_alike_is_found():
    tea = Entry("timer", "green tea", place=Spot("x", 0, 0))
    assert tell.called([tea], "tea") == [tea]
    assert tell.called([tea], "coffee") == []


def test_a_place_of_the_map_is_found(tmp_path):
    import skills.navigate as skill_navigate

    skills = Skills()
    skills.load(skill_navigate)
    (provider,) = skills.providers("places")
    known = provider.make(None)
    name, place = known.find("station", Place(40.0026, -34.9963), "en")
    assert "station" in name.lower()
    assert place.simulated
    assert known.find("nowhere at all", Place(40.0, -35.0), "en") is None
