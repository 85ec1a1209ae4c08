"""Timetables: feeds by a script, what leaves next, and feeds that are none."""

from __future__ import annotations

import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from agent.cli.commands import main
from hardware.base import Place
from skills.travel import gtfs
from skills.travel.gtfs import FeedError
from skills.travel.timetable import Timetable

STOPS = """stop_id,stop_name,stop_lat,stop_lon,parent_station,platform_code
hb,Hauptbahnhof,48.41,15.61,,
hb1,Hauptbahnhof,48.41,15.61,hb,1
hb2,Hauptbahnhof,48.41,15.61,hb,2
vm,Wien Mitte,48.206,16.385,,
vh,Wien Hbf,48.185,16.376,,
st,Steinbrücke,48.42,15.62,,
"""
TIMES = """trip_id,arrival_time,departure_time,stop_id,stop_sequence
t1,10:00:00,10:00:00,hb1,1
t1,11:00:00,11:00:00,vm,2
t2,10:20:00,10:20:00,hb2,1
t2,11:30:00,11:30:00,vh,2
b1,10:05:00,10:05:00,hb,1
b1,10:15:00,10:15:00,st,2
n1,24:10:00,24:10:00,hb1,1
n1,25:10:00,25:10:00,vm,2
"""


def feed(path: Path, times: str = TIMES, zone: str = "Europe/Vienna", **others: str) -> Path:
    files = {
        "agency.txt": f"agency_name,agency_url,agency_timezone\nA,http://a,{zone}\n",
        "stops.txt": STOPS,
        "routes.txt": "route_id,route_short_name,route_type\nr,REX 4,2\nb,7,3\n",
        "trips.txt": "route_id,service_id,trip_id,trip_headsign\n"
        "r,wk,t1,Wien Mitte\nr,wk,t2,\nb,wk,b1,Steinbrücke\nr,wk,n1,Wien Mitte\n",
        "calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,"
        "start_date,end_date\nwk,1,1,1,1,1,0,0,20260101,20261231\n",
        "calendar_dates.txt": "service_id,date,exception_type\nwk,20261126,2\n",
        "stop_times.txt": times,
    } | {f"{name}.txt": text for name, text in others.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, text in files.items():
            if text:
                out.writestr(name, text)
    return path


@pytest.fixture
def table(tmp_path) -> Timetable:
    gtfs.add(feed(tmp_path / "krems.zip"), tmp_path)
    return Timetable(tmp_path / "krems.db")


def at(hour: int, minute: int = 0, day: int = 25) -> datetime:
    """Return a time of November 2026 in UTC; Vienna is an hour ahead. The 25th is a Wednesday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


def shown(found):
    return [(f"{one.at:%d %H:%M}", one.line, one.to, one.platform) for one in found]


def test_what_leaves_next(table):
    here = table.called("hauptbahnhof")
    assert shown(table.next(here, at(8, 59))) == [
        ("25 10:00", "REX 4", "Wien Mitte", "1"), ("25 10:05", "7", "Steinbrücke", ""),
        ("25 10:20", "REX 4", "Wien Hbf", "2"),
    ]  # fmt: skip
    assert shown(table.next(here, at(9, 1), mode="train", limit=1)) == [
        ("25 10:20", "REX 4", "Wien Hbf", "2")
    ]
    assert len(table.next(here, at(8, 59), to=table.called("wien"))) == 3


def test_after_midnight_it_is_still_the_service_of_the_day_before(table):
    here = table.called("hauptbahnhof")
    assert shown(table.next(here, at(23, 5), limit=1)) == [("26 00:10", "REX 4", "Wien Mitte", "1")]
    # The 26th has no service, so that after it the next is on the 27th.
    assert shown(table.next(here, at(22, 59, day=26), limit=1)) == [
        ("27 10:00", "REX 4", "Wien Mitte", "1")
    ]
    assert shown(table.next(here, at(12, 0, day=26), limit=1)) == [
        ("27 10:00", "REX 4", "Wien Mitte", "1")
    ]


@pytest.mark.parametrize(("heard", "name"), [("stine brooker", "Steinbrücke"), ("paris nord", None), ("steinbruke", "Steinbrücke"), ("vine mitte", "Wien Mitte")])  # fmt: skip
def test_stops_are_found_as_they_are_heard(table, heard, name):
    assert [table.name(one) for one in table.called(heard)] == ([name] if name else [])


@pytest.fixture
def stand(ask, tmp_path, monkeypatch):
    monkeypatch.setattr(gtfs, "folder", lambda: tmp_path)
    ask.location.place = Place(48.4105, 15.6105)
    ask.agent.now = lambda: at(8, 50)
    return ask


def test_without_a_timetable_it_says_how_to_add_one(stand):
    stand("when is the next train").shows("no timetable here", "glasses travel add")


def test_in_words(stand, tmp_path):
    gtfs.add(feed(tmp_path / "krems.zip"), tmp_path)
    ask = stand
    ask("which platform").shows("Say “when is the next train”")
    ask("when is the next train to vienna").shows("is in no timetable")
    ask("when is the next train to wien mitte").shows("in 10 min", "10:00", "REX 4", "platform 1")
    ask("which platform").shows("Platform 1", "Hauptbahnhof")
    ask("when must i leave").shows("Leave at 09:5", "on foot")
    ask("下一班火车几点").shows("10分钟后", "1站台")
    ask("next bus to steinbrücke").shows("10:05")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"times": ""}, "stop_times.txt is missing"),
        ({"times": "trip_id,stop_id\n"}, "no whole GTFS feed"),
        ({"times": TIMES.splitlines()[0] + "\n"}, "no departure"),
        ({"zone": "Mars/Olympus"}, "agency_timezone"),
        ({"stops": "stop_id,stop_name,stop_lat,stop_lon\nx,X,north,west\n"}, "no whole GTFS feed"),
        ({"trips": ""}, "trips.txt is missing"),
    ],
)
def test_a_feed_that_is_none_is_told_in_one_line(tmp_path, change, says):
    with pytest.raises(FeedError) as told:
        gtfs.add(feed(tmp_path / "bad.zip", **change), tmp_path)
    assert says in str(told.value)
    assert "\n" not in str(told.value)
    assert list(tmp_path.glob("*.db")) == []
    assert list(tmp_path.glob("*.new")) == []


def test_the_commands(tmp_path, monkeypatch):
    monkeypatch.setattr(gtfs, "folder", lambda: tmp_path / "tables")
    run = CliRunner().invoke
    assert "no timetables yet" in run(main, ["travel", "list"]).output
    assert (
        "krems: 8 stop times"
        in run(main, ["travel", "add", str(feed(tmp_path / "krems.zip"))]).output
    )
    assert run(main, ["travel", "list"]).output == "krems\n"
    (tmp_path / "noise.zip").write_bytes(b"PK\x03\x04noise")
    for wrong in ("noise.zip", "gone.zip"):
        told = run(main, ["travel", "add", str(tmp_path / wrong)])
        assert (told.exit_code, told.output.count("\n")) == (1, 1)
    assert run(main, ["travel", "remove", "../krems"]).exit_code == 1
    assert run(main, ["travel", "remove", "krems"]).exit_code == 0


@pytest.mark.slow
def test_a_city_is_read_soon_and_asked_at_once(tmp_path):
    """A hundred thousand stop times here; a million take ten times as long."""
    stops = [f"s{n},Stop {n},{48 + n / 10_000},{16 + n / 9_000},," for n in range(500)]
    trips = [f"r,wk,x{n},Stop {n % 500}" for n in range(5_000)]
    rows = [
        f"x{n},{5 + n % 18:02}:{(n * 7 + at) % 60:02}:00,{5 + n % 18:02}:{(n * 7 + at) % 60:02}:00,"
        f"s{(n * 13 + at) % 500},{at}"
        for n in range(5_000)
        for at in range(20)
    ]
    path = feed(
        tmp_path / "city.zip",
        times="\n".join([TIMES.splitlines()[0], *rows]),
        stops="\n".join([STOPS.splitlines()[0], *stops]),
        trips="\n".join(["route_id,service_id,trip_id,trip_headsign", *trips]),
    )
    began = time.perf_counter()
    assert gtfs.add(path, tmp_path)[1] == 100_000
    assert time.perf_counter() - began < 15  # some five times what two idle cores take
    table = Timetable(tmp_path / "city.db")
    took = []
    for n in range(50):
        began = time.perf_counter()
        assert table.next([n + 1], at(8, n))
        took.append(time.perf_counter() - began)
    assert sorted(took)[25] < 0.05
