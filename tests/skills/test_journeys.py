"""Journeys that are booked: what the calendar says of them, and when one must leave for them."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agent.errors import Refused
from agent.skill.events import Event
from hardware.base import DeviceError, Place
from skills.calendar import source
from skills.navigate import atlas
from skills.travel import gtfs, journeys
from skills.travel.timetable import Timetable
from tests.skills.test_travel import TIMES, at, feed

NOW = at(8, 50)


def planned(text, hour, minute=0, place="", where=None, day=25):
    """Return an event at an hour of Vienna's, as a calendar on this machine tells it."""
    begins = at(hour - 1, minute, day).astimezone().replace(tzinfo=None)
    return Event(text, begins, begins + timedelta(hours=1), place=place, at=where)


class Diary:
    """A calendar that holds what a test puts in."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.fault = ""

    def between(self, begins, ends):
        if self.fault:
            raise DeviceError(self.fault)
        return [one for one in self.events if begins <= one.begins < ends]


@pytest.fixture
def diary():
    return Diary()


@pytest.fixture
def ask(ask, diary, tmp_path, monkeypatch):
    monkeypatch.setattr(gtfs, "folder", lambda: tmp_path)
    monkeypatch.setenv("TZ", "Europe/Vienna")
    time.tzset()
    ask.location.place = Place(48.4105, 15.6105)
    ask.agent.now = lambda: NOW
    kept = ask.agent.devices
    ask.agent.devices = replace(kept, others={**kept.others, "calendar": lambda: diary})
    yield ask
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "mode", "line", "to", "stop"),
    [
        ("RJ 42 Krems → Wien Hbf", "train", "RJ 42", "Wien Hbf", "Krems"),
        ("Train to Vienna", "train", "", "Train to Vienna", ""),
        ("REX 4 → Wien Hbf", "train", "REX 4", "Wien Hbf", ""),
        ("G1234 北京南-上海虹桥", "train", "G1234", "上海虹桥", "北京南"),
        ("G11 北京南-上海虹桥", "train", "G11", "上海虹桥", "北京南"),
        ("北京南到上海虹桥 G11次", "train", "G11", "上海虹桥 次", "北京南"),
        ("CA1883 首都T3-浦东T2", "plane", "CA1883", "浦东T2", "首都T3"),
        ("Flight OS 201 Vienna – Berlin", "plane", "OS 201", "Berlin", "Flight Vienna"),
        ("飞机去上海", "plane", "", "飞机去上海", ""),
    ],
)
def test_an_event_is_read_as_a_journey(text, mode, line, to, stop):
    found = journeys.read(planned(text, 14))
    assert (found.mode, found.line, found.to, found.stop) == (mode, line, to, stop)
    assert found.booked


@pytest.mark.parametrize(
    "text",
    ["Dentist", "Meeting in C12", "Training", "Review Q4 2026", "Call Anna - urgent", "", "开会"],
)
def test_another_event_is_no_journey(text):
    assert journeys.read(planned(text, 14)) is None


def test_what_is_booked_comes_first_with_its_platform(ask, diary, tmp_path):
    diary.events = [planned("REX 4 → Wien Hbf", 10, 20, "Hauptbahnhof"), planned("Dentist", 11)]
    ask("when is the next train").shows("in 30 min", "10:20", "REX 4", "(booked)")
    ask("which platform").shows("The timetable tells no platform")
    gtfs.add(feed(tmp_path / "krems.zip"), tmp_path)
    ask("when is the next train").shows("10:20", "platform 2", "(booked)", "10:00", "platform 1")
    ask("which platform").shows("Platform 2", "Hauptbahnhof")
    ask("when must i leave").shows("Leave at 10:1", "on foot", "(booked)")
    ask("when is the next bus").shows("10:05")
    assert "booked" not in ask("next bus to steinbrücke").reply.text
    ask("next train to wien mitte").shows("10:00")
    ask("下一班火车几点").shows("30分钟后", "2站台", "（已预订）")


@pytest.mark.parametrize(
    ("text", "platform"),
    [("REX 4 → Wien Hbf", "2"), ("Train to Vienna", "2"), ("RJ 42 → Wien Hbf", ""), ("REX 44 → X", "")],
)  # fmt: skip
def test_only_the_one_line_that_it_may_be_tells_the_platform(tmp_path, text, platform):
    gtfs.add(feed(tmp_path / "krems.zip"), tmp_path)
    table = Timetable(tmp_path / "krems.db")
    journey = journeys.read(planned(text, 10, 20, "Hauptbahnhof"))
    found = journeys.timed(journey, [table])
    assert (found.platform, found.where) == (platform, (48.41, 15.61))


def test_of_two_departures_at_once_none_tells_the_platform(tmp_path):
    gtfs.add(feed(tmp_path / "krems.zip", TIMES.replace("10:20:00", "10:00:00")), tmp_path)
    table = Timetable(tmp_path / "krems.db")
    journey = journeys.read(planned("Train to Vienna", 10, 0, "Hauptbahnhof"))
    assert journeys.timed(journey, [table]).platform == ""


def test_when_to_leave_for_what_the_calendar_has(ask, diary, tmp_path):
    ask("when must i leave").shows("Which one?")
    diary.events = [
        planned("Dentist", 14, place="Main Street 5", where=(48.4205, 15.6105)),
        planned("OS 201 Vienna → Berlin", 18, place="Wien Flughafen", where=(48.11, 16.57)),
        planned("Lunch", 20, place="somewhere"),
    ]
    ask("when must i leave").shows("Leave at 13:3", "Main Street 5", "14:00", "Dentist")
    ask("when must i leave for the dentist").shows("Leave at 13:3", "19 min on foot")
    ask("when do i have to leave for my flight").shows("18:00", "km away: too far to walk")
    ask("when should i leave for my lunch").shows("20:00", "I don't know where “somewhere” is.")
    ask("when should i leave for my wedding").shows("“wedding” is not on your calendar")
    ask("我几点出发去看Dentist", "zh").shows("13:3", "出发", "步行")
    ask.agent.now = lambda: at(12, 55)
    ask("when must i leave for the dentist").shows("Leave now")


def test_a_walk_is_along_the_streets_of_a_map_that_has_both_ends(ask, diary, monkeypatch):
    diary.events = [planned("Dentist", 14, place="Main Street 5", where=(48.4205, 15.6105))]
    asked = []

    class Known:
        def walk_m(self, here, goal):
            asked.append((here.lat, goal.lat))
            return 3900.0

    kept = ask.agent.devices
    ask.agent.devices = replace(kept, others={**kept.others, "places": Known})
    ask("when must i leave").shows("50 min on foot", "Leave at 13:08")
    assert asked == [(48.4105, 48.4205)]
    assert atlas.walk_m((48.4105, 15.6105), (48.4205, 15.6105)) is None  # the made-up town is none


def test_a_calendar_that_cannot_be_read_is_told(ask, diary):
    diary.fault = "the calendar cannot be read"
    ask("when is the next train").shows("no timetable here", "Your calendar cannot be read.")
    ask("我应该什么时候出发", "zh").shows("无法读取您的日历")


def test_the_calendar_is_the_wearers_own(ask, diary, tmp_path):
    """Whoever has no permission `personal` is not given it."""
    from agent.skill.context import Context

    nosy = Context("nosy", "en", tmp_path, {}, devices={"calendar": lambda: diary})
    with pytest.raises(Refused, match="personal"):
        nosy.device("calendar")


PLACES = """BEGIN:VCALENDAR
BEGIN:VEVENT
UID:a
SUMMARY:One
DTSTART:20260715T143000
GEO:48.2;16.37
END:VEVENT
BEGIN:VEVENT
UID:b
SUMMARY:Two
DTSTART:20260715T153000
X-APPLE-STRUCTURED-LOCATION;VALUE=URI;X-TITLE="Wien":geo:48.185,16.376
END:VEVENT
BEGIN:VEVENT
UID:c
SUMMARY:Three
DTSTART:20260715T163000
X-APPLE-STRUCTURED-LOCATION;VALUE=URI:geo:nan,9e9
END:VEVENT
END:VCALENDAR
"""


def test_where_an_event_is_comes_from_the_calendar(tmp_path, monkeypatch):
    path = tmp_path / "mine.ics"
    path.write_text(PLACES.replace("\n", "\r\n"))
    setting = {"HOME": str(tmp_path), "GLASSES_CALENDAR": str(path)}
    day = datetime(2026, 7, 15)
    monkeypatch.setattr(source.setting, "__defaults__", (setting,))
    found = source.Mine(tmp_path).between(day, day + timedelta(days=1))
    assert [one.at for one in found] == [(48.2, 16.37), (48.185, 16.376), None]
    monkeypatch.setattr(source.setting, "__defaults__", ({"HOME": str(tmp_path)},))
    assert source.Mine(tmp_path).between(day, day + timedelta(days=1)) == []
    assert NOW.tzinfo is UTC
