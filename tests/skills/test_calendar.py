"""The calendar: a file, a URL's worth of events, and a real CalDAV server on this machine."""

import socket
import subprocess
import sys
import time
from datetime import datetime, timedelta

import pytest

import skills.calendar as skill_calendar
from agent.plugins.skills import Skills
from agent.testing.clock import VirtualClock
from agent.testing.conversation import Conversation, Doubles
from hardware.base import DeviceError
from skills.calendar import source

NOW = datetime(2026, 7, 15, 10, 20)  # a Wednesday
DAY = timedelta(days=1)


def event(summary, start, *more, end=""):
    lines = ["BEGIN:VEVENT", f"UID:{summary}@test", f"SUMMARY:{summary}", f"DTSTART{start}"]
    return "\r\n".join([*lines, *([f"DTEND{end}"] if end else []), *more, "END:VEVENT", ""])


def calendar(*events):
    head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n"
    return (head + "".join(events) + "END:VCALENDAR\r\n").encode()


EVENTS = calendar(
    event("Dentist", ":20260715T143000", "LOCATION:Main Street 5", end=":20260715T150000"),
    event("Standup", ":20260101T100000", "RRULE:FREQ=DAILY", end=":20260101T103000"),
    event("Fair", ";VALUE=DATE:20260715", end=";VALUE=DATE:20260717"),
    event("Last year", ":20250715T143000"),
    event("Lunch", ":20260716T120000", end=":20260716T130000"),
)


@pytest.fixture
def ask(tmp_path, monkeypatch):
    path = tmp_path / "mine.ics"
    path.write_bytes(EVENTS)
    setting = {"HOME": str(tmp_path), "GLASSES_CALENDAR": str(path)}
    monkeypatch.setattr(source.setting, "__defaults__", (setting,))
    skills = Skills()
    skills.load(skill_calendar)
    made = Conversation(skills, tmp_path, Doubles(clock=VirtualClock(begins=NOW)))
    made.path, made.setting = path, setting
    yield made
    made.close()


def lines(ask, text):
    return ask(text).succeeds().reply.text.splitlines()


def test_what_is_next_and_what_goes_on(ask):
    assert lines(ask, "what is next") == [
        "Now: Standup", "14:30 Dentist", "Main Street 5", "in 4 hours 10 minutes",
    ]  # fmt: skip
    ask("dashboard").shows("Dentist", "14:30")


def test_a_day_is_listed(ask):
    assert lines(ask, "what's on my calendar") == [
        "Wednesday, 15 July 2026", "all day Fair", "10:00 Standup", "14:30 Dentist",
    ]  # fmt: skip
    assert lines(ask, "what do i have tomorrow")[1:] == [
        "all day Fair",
        "10:00 Standup",
        "12:00 Lunch",
    ]
    assert lines(ask, "我明天有什么安排")[-1] == "中午12点 Lunch"


def test_an_event_is_put_on_the_file(ask):
    assert lines(ask, "add call with anna to my calendar on friday at three") == [
        "call with anna",
        "Friday 15:00",
    ]
    assert "15:00 call with anna" in lines(ask, "what do i have on friday")
    assert ask.path.stat().st_mode & 0o077 == 0
    assert lines(ask, "add nothing to my calendar on yesterday") == ["That has gone by."]


def test_an_event_is_taken_off_and_put_back(ask):
    assert lines(ask, "remove the dentist from my calendar") == ["Off the calendar: Dentist"]
    ask("undo")
    assert ask.path.read_bytes() == EVENTS
    lines(ask, "remove the dentist from my calendar")
    assert "14:30 Dentist" not in lines(ask, "what's on my calendar")
    ask.path.write_bytes(EVENTS)
    assert lines(ask, "cancel my next meeting") == ["Off the calendar: Dentist"]
    assert lines(ask, "把Lunch从日历上删掉") == ["已从日历删除：Lunch"]
    assert lines(ask, "remove the circus from my calendar") == [
        "Nothing like that is on the calendar."
    ]


def test_of_what_comes_again_only_that_time_goes(ask):
    assert lines(ask, "remove standup from my calendar") == ["Off the calendar: Standup"]
    assert "10:00 Standup" not in lines(ask, "what's on my calendar")
    assert "10:00 Standup" in lines(ask, "what do i have tomorrow")
    assert "10:00 Standup" in lines(ask, "what do i have on friday")


def test_several_go_only_after_a_yes(ask):
    ask("delete all meetings for tomorrow").asks().shows("Take 3 off the calendar?", "Lunch").then(
        "no"
    ).asks_nothing()
    assert ask.path.read_bytes() == EVENTS
    ask("clear my calendar for tomorrow").asks().then("yes").shows("Off the calendar:")
    assert lines(ask, "what do i have tomorrow")[0] == "Nothing is on the calendar."
    assert "14:30 Dentist" in lines(ask, "what's on my calendar")
    assert lines(ask, "erase my calendar")[0].startswith("Say of which day")


def test_what_was_changed_since_is_not_put_back(ask):
    ask("cancel my next meeting")
    ask.path.write_bytes(calendar(event("Other", ":20260715T143000")))
    ask("undo").shows("the calendar was changed since")
    assert b"Other" in ask.path.read_bytes()


def test_without_a_calendar_it_says_how_to_get_one(ask):
    del ask.setting["GLASSES_CALENDAR"]
    assert lines(ask, "what is next") == ["No calendar is connected: set GLASSES_CALENDAR."]


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\x00" * 1000, b"<html>", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"]
)
def test_a_broken_calendar_is_one_line(ask, content):
    ask.path.write_bytes(content)
    (line,) = lines(ask, "what is next")
    assert line.endswith("check GLASSES_CALENDAR")


def test_a_broken_event_leaves_the_others(ask):
    ask.path.write_bytes(calendar(
        event("Bad rule", ":20260715T110000", "RRULE:FREQ=NEVER;;;"),
        event("No date", ":sometime"),
        event("Good", ":20260715T120000"),
    ))  # fmt: skip
    assert "12:00 Good" in lines(ask, "what's on my calendar")


def test_what_an_event_says_is_one_line_of_text(ask):
    ask.path.write_bytes(calendar(event("pay anna\\n\x1b[31m now <b>", ":20260715T120000")))
    told = lines(ask, "what's on my calendar")
    assert told[1] == "12:00 pay anna [31m now <b>"


def test_fifty_thousand_events_are_no_matter():
    many = (
        event(f"e{n}", f":{2000 + n % 40}{1 + n % 12:02}{1 + n % 28:02}T120000")
        for n in range(50_000)
    )
    content = calendar(*many)
    began = time.perf_counter()
    found = source.read(content, NOW, NOW + DAY)
    assert time.perf_counter() - began < 5.0
    expected = [
        n for n in range(50_000) if (2000 + n % 40, 1 + n % 12, 1 + n % 28) == (2026, 7, 15)
    ]
    assert sorted(one.text for one in found) == sorted(f"e{n}" for n in expected)


# -- a real server --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Radicale, with one user and one calendar."""
    folder = tmp_path_factory.mktemp("radicale")
    (folder / "users").write_text("anna:secret word\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "radicale", "--config", "", "--server-hosts", f"127.0.0.1:{port}",
        "--auth-type", "htpasswd", "--auth-htpasswd-filename", str(folder / "users"),
        "--auth-htpasswd-encryption", "plain", "--auth-delay", "0",
        "--storage-filesystem-folder", str(folder / "data"),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        for _ in range(200):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        import caldav

        with caldav.DAVClient(
            url=f"http://127.0.0.1:{port}/", username="anna", password="secret word"
        ) as client:
            made = client.principal().make_calendar(name="mine")
            for one in (
                event("Dentist", ":20260715T143000"),
                event("Yoga", ":20260101T180000", "RRULE:FREQ=DAILY"),
            ):
                made.save_event(calendar(one).decode())
        yield f"caldav://anna:secret%20word@127.0.0.1:{port}/"
        process.terminate()


def test_a_caldav_server_is_read_and_written(ask, server):
    ask.setting["GLASSES_CALENDAR"] = server
    assert lines(ask, "what's on my calendar")[1:] == ["14:30 Dentist", "18:00 Yoga"]
    lines(ask, "add call with anna to my calendar on friday at three")
    assert lines(ask, "what do i have on friday")[1:] == ["15:00 call with anna", "18:00 Yoga"]
    lines(ask, "cancel the meeting about the dentist")
    assert lines(ask, "what's on my calendar")[1:] == ["18:00 Yoga"]
    lines(ask, "remove yoga from my calendar")  # today's, of those of every day
    assert lines(ask, "what's on my calendar")[0] == "Nothing is on the calendar."
    assert lines(ask, "what do i have on friday")[1:] == ["15:00 call with anna", "18:00 Yoga"]
    lines(ask, "remove the call with anna from my calendar")
    ask("undo")
    assert "15:00 call with anna" in lines(ask, "what do i have on friday")


def test_a_wrong_password_and_no_server_are_one_line_without_the_password(ask, server):
    ask.setting["GLASSES_CALENDAR"] = server.replace("secret", "wrong")
    (line,) = lines(ask, "what is next")
    assert line == "127.0.0.1 refused the password: check GLASSES_CALENDAR"
    with pytest.raises(DeviceError, match=r"^127\.0\.0\.1 did not give its calendar"):
        source.events("caldav://anna:secret@127.0.0.1:9/", ask.path.parent, NOW, NOW + DAY)
