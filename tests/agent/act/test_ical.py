"""Reminders as iCalendar, there and back."""

from datetime import UTC, datetime

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.act.schedule import ical
from agent.act.schedule.store import Schedule
from agent.cli.commands import main
from agent.skill.later import Entry, Spot

NOW = datetime(2026, 7, 15, 10, 20)


def test_alarms_and_reminders_come_back_as_they_were():
    kept = [
        Entry(
            "alarm", wall=datetime(2026, 7, 16, 7), rule="FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", id="a"
        ),
        Entry("reminder", "buy milk; 买牛奶, and bread", wall=datetime(2026, 7, 16, 18), id="b"),
    ]
    left_out = [
        Entry("timer", instant=datetime(2026, 7, 15, tzinfo=UTC)),
        Entry("reminder", "x", place=Spot("home", 0, 0)),
    ]
    back = ical.read(ical.written([*kept, *left_out]), NOW, "reminders")
    shown = {(one.kind, one.text, one.wall, one.rule) for one in back}
    assert shown == {(one.kind, one.text, one.wall, one.rule) for one in kept}


@given(st.text(max_size=150), st.datetimes(datetime(2026, 7, 16), datetime(2030, 1, 1)))
@settings(deadline=None, max_examples=50)
def test_any_text_comes_back(text, wall):
    wall = wall.replace(microsecond=0)
    text = " ".join("".join(c for c in text if c.isprintable()).split())
    (back,) = ical.read(
        ical.written([Entry("reminder", text or "x", wall=wall, id="a")]), NOW, "reminders"
    )
    assert (back.wall, back.text) == (wall, text or "x") or text in ("alarm", "reminder")


def test_what_has_gone_by_and_what_is_done_stay_out():
    gone = Entry("reminder", "gone", wall=datetime(2026, 7, 1), id="a")
    assert ical.read(ical.written([gone]), NOW, "reminders") == []
    again = Entry("reminder", "again", wall=datetime(2026, 7, 1, 8), rule="FREQ=DAILY", id="a")
    (one,) = ical.read(ical.written([again]), NOW, "reminders")
    assert one.wall == datetime(2026, 7, 16, 8)


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"\xff\xfe\x00", b"BEGIN:VCALENDAR\r\nBEGIN:VTODO\r\n"]
)
def test_what_is_no_calendar_is_one_line(content):
    with pytest.raises(ical.CalendarError, match="this is no iCalendar"):
        ical.read(content, NOW, "reminders")


def test_the_command_lists_writes_and_takes(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSES_DATA", str(tmp_path / "data"))
    schedule = Schedule(tmp_path / "data")
    schedule.add(Entry("reminder", "buy milk", wall=datetime(2099, 7, 16, 18)))
    schedule.close()
    run = CliRunner().invoke
    out = tmp_path / "out.ics"
    assert "buy milk" in run(main, ["reminders"]).output
    assert run(main, ["reminders", "--export", str(out)]).exit_code == 0
    monkeypatch.setenv("GLASSES_DATA", str(tmp_path / "other"))
    assert "1 reminders taken" in run(main, ["reminders", "--import", str(out)]).output
    out.write_text("nothing")
    failed = run(main, ["reminders", "--import", str(out)])
    assert failed.exit_code != 0
    assert "this is no iCalendar" in failed.output
