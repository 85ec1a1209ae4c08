"""Guidance while walking: the next turn counts down, is said, is found again, and ends."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import pairwise
from operator import xor

import pytest

from agent.testing.doubles import MARKET
from hardware.base import DeviceError, Place
from hardware.location import Fix, Replay, gpx, nmea
from skills.navigate import atlas, cards, maps
from skills.navigate.atlas import Way
from skills.navigate.course import Course
from skills.navigate.streets import WALKING_M_S, Point, Step, Turn, distance_m
from tests.pace import PATIENCE_S
from tests.skills import osm_town
from tests.skills.osm_town import METRE_E, METRE_N

pytestmark = [pytest.mark.slow, pytest.mark.glasses(patience_s=PATIENCE_S)]

GOAL = "harbor"


@pytest.fixture
def way() -> Way:
    """The walk from the market to the harbor of the town that ships."""
    town = atlas.town()
    found = town.way(town.here((MARKET.lat, MARKET.lon)), GOAL)
    assert found is not None
    assert len(found.steps) > 2
    return found


def walked(line: tuple[Point, ...], noise_m: float = 0.0, speed: float = WALKING_M_S) -> list[Fix]:
    """Return a fix a second along a line, each off by some error that changes slowly."""
    dice, at_s, fixes, off = random.Random(17), 0.0, [], (0.0, 0.0)
    for one, other in pairwise(line):
        metres = distance_m(one, other)
        for n in range(max(1, round(metres / speed))):
            share = n * speed / metres if metres else 0.0
            off = tuple(0.9 * o + 0.44 * dice.gauss(0, noise_m) for o in off)
            lat = one[0] + share * (other[0] - one[0]) + off[0] * METRE_N
            lon = one[1] + share * (other[1] - one[1]) + off[1] * METRE_E
            fixes.append(Fix(at_s, lat, lon, max(5.0, noise_m)))
            at_s += 1.0
    return [*fixes, Fix(at_s, *line[-1])]


@pytest.fixture
def walk(ask):
    """Let the wearer walk along a line from now on."""

    def begin(line, noise_m: float = 0.0) -> float:
        fixes = walked(line, noise_m)
        ask.agent.devices = replace(ask.agent.devices, location=Replay(fixes, clock=ask.clock.time))
        return fixes[-1].at_s

    return begin


@pytest.fixture
def turns(ask):
    """What came by itself and had something to say."""
    seen = []
    ask.agent._watching._also = seen.append
    return seen


def seen_in(ask, seconds: float) -> list[str]:
    """Let time pass, and return each lens that was seen."""
    found = []
    for _ in range(round(seconds)):
        ask.advance(1.0)
        if not found or ask.lens != found[-1]:
            found.append(ask.lens)
    return found


@pytest.mark.parametrize("noise_m", [0.0, 4.0, 8.0])
def test_the_way_is_guided_turn_by_turn_to_its_end(ask, walk, turns, way, noise_m):
    took_s = walk(way.line, noise_m)
    ask(f"navigate to the {GOAL}").calls("navigate.route").succeeds()
    seen_in(ask, took_s + 5)
    said = [turn.reply.speech for turn in turns]
    now = [text for text in said if text.startswith("Now ")]
    wanted = [
        cards.then(way.steps[at:], GOAL, atlas.town(), _english(ask))
        for at in range(len(way.steps) - 1)
    ]
    assert now[: len(wanted)] == [f"Now {turn}." for turn in wanted]
    assert said[-1] == "You have arrived"
    assert not any("unclear" in text for text in said)
    ask("when will i arrive").shows("No route.")


def _english(ask):
    return ask.agent._acting.own_context("navigate", "en")


def test_the_distance_counts_down_within_each_stretch(ask, walk, way):
    took_s = walk(way.line, 4.0)
    ask(f"navigate to the {GOAL}")
    before = "", 10_000
    counted = 0
    for lens in seen_in(ask, took_s):
        if " left, there at" not in lens:
            continue
        arrow, turn = lens.split("\n")[:2]
        metres = int(arrow.split()[1])
        if turn == before[0]:
            assert metres <= before[1], lens
            counted += metres < before[1]
        before = turn, metres
    assert counted > 10


def test_a_walk_that_was_asked_for_aloud_is_guided_too(ask, walk, turns, way):
    """Its answer is made ready before the turn has ended, and the plan is kept."""
    took_s = walk(way.line)
    ask.aloud(f"navigate to the {GOAL}").calls("navigate.route")
    seen_in(ask, took_s + 5)
    assert turns[-1].reply.speech == "You have arrived"


def test_in_chinese_too(ask, walk, turns, way):
    took_s = walk(way.line)
    ask("导航到港口").calls("navigate.route")
    seen_in(ask, took_s + 5)
    assert any(turn.reply.speech.startswith("现在") for turn in turns)
    assert turns[-1].reply.speech == "您已到达"


def test_whoever_leaves_the_way_gets_a_new_one(ask, walk, turns, way):
    ask.location.place = replace(MARKET)
    ask(f"navigate to the {GOAL}")
    away = atlas.town().point("library")
    other = atlas.town().way(atlas.town().here((MARKET.lat, MARKET.lon)), "library")
    assert other is not None
    took_s = walk(other.line)
    lenses = seen_in(ask, took_s)
    assert any("Off the way: turn around." in " ".join(lens.split()) for lens in lenses)
    assert any("Off the way: a new one." in (turn.reply.speech or "") for turn in turns)
    back = atlas.town().way(atlas.town().here(away), GOAL)
    assert back is not None
    took_s = walk(back.line)
    seen_in(ask, took_s + 5)
    assert turns[-1].reply.speech == "You have arrived"


def test_a_jump_of_ten_kilometres_is_one_line_and_the_walk_goes_on(ask, walk, turns, way):
    fixes = walked(way.line)
    jumped = [
        replace(fix, lat=fix.lat + (10_000 * METRE_N if n == 60 else 0.0))
        for n, fix in enumerate(fixes)
    ]
    place = Stepped(jumped, ask.clock)
    ask.agent.devices = replace(ask.agent.devices, location=place)
    ask(f"navigate to the {GOAL}")
    seen_in(ask, fixes[-1].at_s + 5)
    said = [turn.reply.speech for turn in turns]
    assert said.count("Position unclear: it jumps. Walk on.") == 1
    assert said[-1] == "You have arrived"


def test_off_the_map_and_in_the_sea_are_one_line_each(ask, walk, turns, way):
    ask(f"navigate to the {GOAL}")
    seen_in(ask, 3)
    ask.location.place = Place(40.5, -34.0, simulated=True)
    seen_in(ask, 30)
    assert [turn.reply.speech for turn in turns] == [
        "Position unclear: it jumps. Walk on.",
        "Off the map: guidance waits.",
    ]
    ask("where am i").shows("I only have a map of Tollmere.")


def test_a_receiver_that_is_lost_is_told_once_and_found_again(ask, walk, turns, way):
    class Lost:
        def where(self):
            raise DeviceError("gpsd has no position now: go under open sky and wait a minute")

    ask(f"navigate to the {GOAL}")
    ask.agent.devices = replace(ask.agent.devices, location=Lost())
    told = [lens for lens in seen_in(ask, 60) if "under open sky" in lens.replace("\n", " ")]
    assert len(told) == 1
    took_s = walk(way.line)
    seen_in(ask, took_s + 5)
    assert turns[-1].reply.speech == "You have arrived"


def test_a_walk_that_is_stopped_is_silent_and_dark(ask, walk, turns, way):
    walk(way.line)
    ask(f"navigate to the {GOAL}")
    seen_in(ask, 10)
    ask("stop navigation").shows("Route ended.")
    told = len(turns)
    seen_in(ask, 40)
    assert len(turns) == told
    assert ask.lens == ""


def test_who_stands_still_has_a_dark_lens(ask, turns, way):
    ask(f"navigate to the {GOAL}")
    seen_in(ask, 90)
    assert ask.lens == ""


def test_while_walking_two_rows_are_lit(ask, walk, way):
    walk(way.line)
    ask.agent.lens.walking(True)
    ask(f"navigate to the {GOAL}")
    lenses = [lens for lens in seen_in(ask, 60) if lens]
    assert all(lens.count("\n") <= 1 for lens in lenses)
    assert "↰   40 m\n    left into Bridge Street" in lenses


class Stepped:
    """Fixes as a receiver tells them, nothing between two of them."""

    def __init__(self, fixes: list[Fix], clock) -> None:
        self._fixes, self._clock, self._began = fixes, clock, clock.time()

    def where(self) -> Place:
        at = min(len(self._fixes) - 1, int(self._clock.time() - self._began))
        fix = self._fixes[at]
        return Place(fix.lat, fix.lon, simulated=True, error_m=fix.error_m)


# -- recorded walks, on a real map -----------------------------------------------------------------


def as_gpx(fixes: list[Fix]) -> str:
    begins = datetime(2026, 11, 30, 12, tzinfo=UTC)
    inside = "".join(
        f"<trkpt lat='{fix.lat:.7f}' lon='{fix.lon:.7f}'>"
        f"<time>{begins + timedelta(seconds=fix.at_s):%Y-%m-%dT%H:%M:%SZ}</time></trkpt>"
        for fix in fixes
    )
    return f"<gpx version='1.1' creator='test'><trk><trkseg>{inside}</trkseg></trk></gpx>"


def as_nmea(fixes: list[Fix]) -> str:
    def degrees(value: float, wide: int) -> str:
        whole = int(value)
        return f"{whole:0{wide}d}{(value - whole) * 60:08.5f}"

    lines = []
    for fix in fixes:
        at = datetime(2026, 11, 30, 12, tzinfo=UTC) + timedelta(seconds=fix.at_s)
        body = f"GPGGA,{at:%H%M%S},{degrees(fix.lat, 2)},N,{degrees(fix.lon, 3)},E,1,08,1.2,50.0,M,,M,,"
        lines.append(f"${body}*{reduce(xor, body.encode()):02X}")
    return "\r\n".join(lines)


@pytest.fixture
def steinau(tmp_path, monkeypatch):
    """The little town of the tests of maps is the map in use."""
    maps.add(osm_town.town().write(tmp_path / "steinau.osm"), tmp_path / "maps")
    monkeypatch.setattr(maps, "folder", lambda: tmp_path / "maps")
    yield atlas.at(Place(*osm_town.at(0, 0)))
    atlas.at(Place(0, 0))


@pytest.mark.parametrize(("written", "read"), [(as_gpx, gpx), (as_nmea, nmea)])
def test_a_recorded_walk_on_a_real_map_is_guided(ask, turns, steinau, written, read):
    begin = steinau.here(osm_town.at(2, 20))
    (goal,) = steinau.goals("Löwen-Apotheke", begin.point).keys
    found = steinau.way(begin, goal)
    assert found is not None
    fixes = read(written(walked(found.line, 4.0)))
    ask.agent.devices = replace(ask.agent.devices, location=Replay(fixes, clock=ask.clock.time))
    ask("navigate to Löwen-Apotheke").succeeds()
    seen_in(ask, fixes[-1].at_s + 5)
    assert [turn.reply.speech for turn in turns][-2:] == [
        "Now to Löwen-Apotheke.",
        "You have arrived",
    ]


def test_without_a_heading_things_are_told_by_the_compass(ask, steinau):
    ask.location.place = Place(*osm_town.at(2, 60), has_heading=False)
    ask("what is around me").shows("north Café Sonne", "(heading unknown: by the compass)")
    ask("我周围有什么").shows("北 Café Sonne", "朝向未知")


# -- the way that is followed ---------------------------------------------------------------------


def test_a_way_that_comes_by_the_same_corner_twice_is_not_mixed_up():
    """Out along a street, round a block, and back along the same street."""

    def at(north: float, east: float) -> Point:
        return 47.0 + north * METRE_N, 9.0 + east * METRE_E

    line = (at(0, 0), at(0, 300), at(5, 300), at(5, 0))
    course = Course(Way((Step(Turn.START, "a", 605.0, 90.0),), line))
    for metres in range(0, 300, 2):
        course.follow(at(2.4, metres), 2.0, 25.0)
        assert abs(course.along_m - metres) < 10
    for metres in range(300, 0, -2):
        course.follow(at(2.6, metres), 2.0, 25.0)
    assert course.left_m < 12


def test_progress_does_not_tremble(way):
    course = Course(way)
    along = []
    for fix in walked(way.line, 6.0):
        course.follow((fix.lat, fix.lon), WALKING_M_S, 26.0)
        along.append(course.along_m)
    assert all(other >= one for one, other in pairwise(along))
    assert along[-1] > course.metres - 10
