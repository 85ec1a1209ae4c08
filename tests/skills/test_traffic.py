"""Incidents: told from GeoJSON and CAP, met on the way, and walked around."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent.skill.incidents import Incident, Shape
from agent.testing.doubles import MARKET
from hardware.base import DeviceError, Place
from hardware.location import Replay
from skills.navigate import atlas, feeds, incidents, maps, routers
from skills.navigate.course import Course
from skills.navigate.streets import Point, distance_m
from tests.pace import PATIENCE_S
from tests.skills import osm_town
from tests.skills.osm_town import at
from tests.skills.test_guide import GOAL, seen_in, walked
from tests.skills.test_routers import Server

pytestmark = pytest.mark.glasses(patience_s=PATIENCE_S)

CAP = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>fire-7</identifier><sender>town@example.org</sender><msgType>Alert</msgType>
  <info><event>Fire</event><headline>House on fire, street closed</headline>
  <expires>2031-01-01T00:00:00+00:00</expires>
  <area><areaDesc>Mill Lane</areaDesc>{area}</area></info>
</alert>"""


def geojson(*features) -> str:
    return json.dumps({"type": "FeatureCollection", "features": list(features)})


def feature(point: Point, text: str = "Road closed", **about):
    where = {"type": "Point", "coordinates": [point[1], point[0]]}
    return {"type": "Feature", "id": text, "geometry": where, "properties": {"headline": text, **about}}  # fmt: skip


def met(far_m: float) -> Point:
    """Return a point of the walk to the harbor, so far along it."""
    town = atlas.town()
    found = town.way(town.here((MARKET.lat, MARKET.lon)), GOAL)
    assert found is not None
    return min(Course(found).points(5.0), key=lambda one: abs(one[0] - far_m))[1]


@pytest.fixture
def told(ask, tmp_path, monkeypatch):
    """Write a feed, which is the one that is set."""
    path = tmp_path / "incidents.json"
    incidents._feed.cache_clear()
    monkeypatch.setattr(incidents, "setting", lambda: str(path))

    def write(text: str):
        path.write_text(text, "utf-8")

    return write


@pytest.fixture
def turns(ask):
    seen = []
    ask.agent._watching._also = seen.append
    return seen


def walk(ask, goal=GOAL):
    town = atlas.town()
    found = town.way(town.here((MARKET.lat, MARKET.lon)), goal)
    fixes = walked(found.line)
    ask.agent.devices = replace(ask.agent.devices, location=Replay(fixes, clock=ask.clock.time))
    return fixes[-1].at_s


# -- on the way -----------------------------------------------------------------------------------


def test_an_incident_ahead_interrupts_once_with_one_line_and_a_way_round(ask, told, turns):
    told(geojson(feature(met(190.0)), feature((41.0, -34.0), "Far away")))
    walk(ask)
    ask(f"navigate to the {GOAL}")
    seen_in(ask, 3)
    assert "Road closed" in ask.lens
    assert "Say “find a way around it”." in " ".join(ask.lens.split())
    seen_in(ask, 40)
    warned = [turn.reply for turn in turns if turn.reply.kind == "alert"]
    assert [reply.speech.partition(":")[0] for reply in warned] == ["In 190 m"]


def test_the_way_round_keeps_off_it_and_stays_so(ask, told):
    spot = met(190.0)
    told(geojson(feature(spot)))
    ask(f"navigate to the {GOAL}").shows("left into Bridge Street")
    around = ask("find a way around it").calls("navigate.way_round")
    around.hides("left into Bridge Street")
    trip = ask.agent._acting.memories.of("navigate")["trip"]
    assert trip.around
    assert min(distance_m(spot, point) for point in trip.line) > incidents.NEAR_M
    ask("next turn")
    assert ask.agent._acting.memories.of("navigate")["trip"].around == trip.around
    ask("find a way around it").shows("Nothing is told to be in your way.")


def test_it_is_said_and_asked_in_chinese(ask, told, turns):
    told(geojson(feature(met(150.0), "道路封闭")))
    walk(ask)
    ask("导航到港口")
    seen_in(ask, 3)
    assert "前方" in ask.lens
    assert "道路封闭" in ask.lens
    ask("绕路").calls("navigate.way_round").succeeds()


def test_where_there_is_no_way_round_the_walk_stays_as_it_was(ask, told):
    town = atlas.town()
    goal = town.point(GOAL)
    told(geojson(feature(goal)))
    ask(f"navigate to the {GOAL}")
    before = ask.agent._acting.memories.of("navigate")["trip"]
    ask("take a detour").shows("There is no way around it.")
    assert ask.agent._acting.memories.of("navigate")["trip"] == before


def test_without_a_walk_or_an_incident_that_is_said(ask, told):
    told(geojson())
    ask("find a way around it").shows("No route.")
    ask(f"navigate to the {GOAL}")
    ask("换条路").shows("没有消息说前方有阻碍")


def test_how_the_traffic_is_lists_the_nearest(ask, told):
    told(geojson(feature(met(200.0), "Burst pipe"), feature(met(10.0), "Market day")))
    ask("how is the traffic").shows("Traffic", "Market day", "Burst pipe")
    assert ask.last.reply.text.index("Market day") < ask.last.reply.text.index("Burst pipe")
    told(geojson())
    ask("how is the traffic").shows("Nothing is told to be in the way within 3.0 km.")


def test_what_is_over_or_not_yet_is_not_told(ask, told):
    over = feature(met(10.0), "Over", end_date="2029-12-31T00:00:00Z")
    later = feature(met(10.0), "Later", start_date="2030-06-01T00:00:00Z")
    told(geojson(over, later, feature(met(10.0), "Now", end_date="2030-06-01T00:00:00+08:00")))
    ask("how is the traffic").shows("Now").hides("Over", "Later")


def test_a_feed_over_the_network_and_one_that_is_gone(ask, monkeypatch):
    server = Server()
    server.answer = lambda *_: (200, geojson(feature(met(10.0), "Marathon")).encode())
    incidents._feed.cache_clear()
    monkeypatch.setattr(incidents, "setting", lambda: f"{server.url}/incidents")
    ask("how is the traffic").shows("Marathon")
    server.close()
    monkeypatch.setattr(incidents, "setting", lambda: f"{server.url}/gone")
    ask("how is the traffic").shows("did not answer")
    ask(f"navigate to the {GOAL}")
    seen_in(ask, 5)
    assert ask.agent.skills.offences == {}


def test_a_plugin_may_tell(ask):
    class Teller:
        name = "radio"

        def incidents(self, near):
            return [Incident("one", "Tree down", (Shape("point", (met(10.0),)),))]

    ask.agent.devices = replace(ask.agent.devices, others={"traffic": Teller})
    ask("is there any traffic").shows("Tree down")


def test_a_real_map_leads_around_too_and_so_does_a_router_that_can(
    ask, told, tmp_path, monkeypatch
):
    maps.add(osm_town.town().write(tmp_path / "steinau.osm"), tmp_path / "maps")
    monkeypatch.setattr(maps, "folder", lambda: tmp_path / "maps")
    here = atlas.at(Place(*at(0, 0)))
    shape = Shape("line", (at(0, 250), at(0, 350)))
    (goal,) = here.goals("Löwen-Apotheke", at(0, 100)).keys
    straight = here.way(here.here(at(0, 100)), goal)
    around = here.way(here.here(at(0, 100)), goal, [shape])
    assert straight.metres < 310
    assert around.metres > 800
    assert not any(incidents.touches(shape, point, 10.0) for point in around.line[:-2])
    server = Server()
    server.answer = lambda *_: (400, {"error_code": 442, "error": "no path"})
    monkeypatch.setattr(routers, "setting", lambda: f"valhalla+{server.url}")
    assert here.way(here.here(at(0, 100)), goal, [shape]) is None
    assert len(server.asked[-1][1]["exclude_locations"]) == 2
    monkeypatch.setattr(routers, "setting", lambda: f"osrm+{server.url}")
    assert here.way(here.here(at(0, 100)), goal, [shape]).metres == around.metres
    server.close()
    atlas.at(Place(0, 0))


# -- what is read ---------------------------------------------------------------------------------


def test_every_geometry_is_read_and_what_is_none_is_left_out():
    ring = [[9.0, 47.0], [9.001, 47.0], [9.001, 47.001], [9.0, 47.0]]
    kinds = [
        {"type": "Point", "coordinates": [9.0, 47.0]},
        {"type": "MultiPoint", "coordinates": [[9.0, 47.0], [9.0, 47.1]]},
        {"type": "LineString", "coordinates": ring},
        {"type": "MultiLineString", "coordinates": [ring, ring]},
        {"type": "Polygon", "coordinates": [ring]},
        {"type": "MultiPolygon", "coordinates": [[ring], [ring]]},
        {"type": "GeometryCollection", "geometries": [{"type": "Point", "coordinates": [9, 47]}]},
    ]
    broken = [
        None, 7, {"type": "Point", "coordinates": "here"}, {"type": "Point", "coordinates": [1e9, 0]},
        {"type": "LineString", "coordinates": [[9.0, 47.0]]}, {"type": "Blob", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[9.0, "x"], [9, 47], [9, 47]]]},
    ]  # fmt: skip
    told = [{"geometry": one, "properties": {"name": "It"}} for one in [*kinds, *broken]]
    found = feeds.read(geojson(*told, 7, {"properties": []}).encode())
    assert [[shape.form for shape in one.shapes] for one in found] == [
        ["point"], ["point"] * 2, ["line"], ["line"] * 2, ["area"], ["area"] * 2, ["point"],
    ]  # fmt: skip


def test_a_work_zone_is_told_by_its_core_details():
    core = {"event_type": "work-zone", "description": "Pavement closed\nuse the other side"}
    told = feature(at(0, 0))
    told["properties"] = {"core_details": core, "end_date": "2030-02-03T04:05:06Z"}
    (found,) = feeds.read(geojson(told).encode())
    assert found.text == "Pavement closed use the other side"
    assert found.ends == datetime(2030, 2, 3, 4, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("area", "inside", "outside"),
    [
        (
            "<polygon>47.0,9.0 47.0,9.01 47.01,9.01 47.0,9.0</polygon>",
            (47.001, 9.005),
            (47.02, 9.0),
        ),
        ("<circle>47.0,9.0 0.5</circle>", (47.004, 9.0), (47.006, 9.0)),
    ],
)
def test_a_cap_alert_is_read(area, inside, outside):
    (found,) = feeds.read(CAP.format(area=area).encode())
    assert (found.id, found.text) == ("fire-7", "House on fire, street closed")
    assert found.ends.year == 2031
    (shape,) = found.shapes
    assert incidents.touches(shape, inside, 15.0)
    assert not incidents.touches(shape, outside, 15.0)


def test_a_cancelled_alert_and_one_without_a_place_are_none():
    area = "<circle>47.0,9.0 0.5</circle>"
    cancelled = CAP.format(area=area).replace(">Alert<", ">Cancel<")
    assert feeds.read(cancelled.encode()) == ()
    assert feeds.read(CAP.format(area="<circle>here</circle>").encode()) == ()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe", "not text"),
        (b"", "cannot be read"),
        (b"[1, 2]", "neither GeoJSON nor CAP"),
        (b"<rss></rss>", "neither GeoJSON nor CAP"),
        (b"<alert><info>", "cannot be read as XML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><alert/>', "document type"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_feed_is_one_line(content, says):
    with pytest.raises(DeviceError, match=says) as caught:
        feeds.read(content)
    assert "\n" not in str(caught.value)


def test_a_broken_feed_is_told_to_who_asks_and_stops_nobody(ask, told, turns):
    told("{")
    ask("how is the traffic").shows("the traffic feed cannot be read")
    took_s = walk(ask)
    ask(f"navigate to the {GOAL}")
    seen_in(ask, took_s + 5)
    assert turns[-1].reply.speech == "You have arrived"
