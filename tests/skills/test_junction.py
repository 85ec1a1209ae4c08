"""The sketch of a junction: heading up, on lenses that draw, in the place of the arrow."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import cos, hypot, radians, sin

import pytest
from PIL import ImageChops

from agent.display.layout import lay_out
from agent.messages import Reply
from agent.plugins import wire
from hardware import profiles, raster
from hardware.base import Place, Stroke
from skills.navigate import atlas, junction, maps
from skills.navigate.course import Course
from skills.navigate.streets import Point, distance_m
from tests.skills import osm_town
from tests.skills.osm_town import LAT, LON, METRE_E, METRE_N

CROSSING = (0.0, 90.0, 180.0, 270.0)
LENSES = ("quark-s1", "even-g1", "halo", "ssd1322", "vuzix-z100")


def line(*metres: tuple[float, float], turned_deg: float = 0.0) -> list[Point]:
    """Return points so many metres east and north of a place, turned clockwise."""
    s, c = sin(radians(turned_deg)), cos(radians(turned_deg))
    turned = [(e * c + n * s, n * c - e * s) for e, n in metres]
    return [(LAT + n * METRE_N, LON + e * METRE_E) for e, n in turned]


LEFT = junction.sketch(line((0, 0), (0, 100), (-100, 100)), 100.0, CROSSING)


def card(sketch=LEFT) -> Reply:
    return Reply("↰ left into Mill Lane\n6 min", title="80 m", kind="route", sketch=sketch)


def test_the_way_comes_from_below_and_its_arrow_points_where_it_goes():
    *streets, way, head = LEFT
    assert way.points[0] == (0.0, pytest.approx(1.5, abs=0.01))
    assert way.points[-1] == (pytest.approx(-0.8, abs=0.01), pytest.approx(0.0, abs=0.01))
    assert head.points[1] == way.points[-1]
    assert all(x > way.points[-1][0] for x, _ in (head.points[0], head.points[2]))
    ends = [street.points[1] for street in streets]
    assert sorted(ends) == [(0.0, -0.9), (0.9, 0.0)], "straight on and right; the rest is the way"
    assert all(street.brightness < way.brightness for street in streets)


@pytest.mark.parametrize("turned", [30, 90, 200, 359])
def test_the_way_in_points_up_wherever_it_comes_from(turned):
    way = line((0, 0), (0, 100), (-100, 100), turned_deg=turned)
    same = junction.sketch(way, 100.0, [(arm + turned) % 360 for arm in CROSSING])
    for one, other in zip(LEFT, same, strict=True):
        for a, b in zip(one.points, other.points, strict=True):
            assert hypot(a[0] - b[0], a[1] - b[1]) < 0.02


def test_a_walk_that_begins_at_its_junction_comes_from_below_as_well():
    way = junction.sketch(line((0, 0), (0, 5), (-100, 5)), 5.0, CROSSING)[-2]
    assert way.points[0] == (0.0, junction.AFTER)
    assert way.points[-1][0] < -0.7


def test_a_line_may_have_a_point_twice():
    way = line((0, 0), (0, 100), (0, 100), (-100, 100), (-100, 100))
    assert [stroke.points[-1] for stroke in junction.sketch(way, 100.0, CROSSING)] == [
        stroke.points[-1] for stroke in LEFT
    ]


def test_a_way_back_and_the_ends_of_a_way_are_no_junction():
    assert junction.sketch(line((0, 0), (0, 100), (1, 0)), 100.0, CROSSING) == ()
    there = line((0, 0), (0, 100))
    assert junction.sketch(there, 100.0, ()) == junction.sketch(there, 0.0, ()) == ()


def test_streets_of_the_town_and_of_a_real_map_leave_their_junctions(tmp_path):
    maps.add(osm_town.town().write(tmp_path / "steinau.osm"), tmp_path / "maps")
    real = atlas.RealMap(tmp_path / "maps" / "steinau")
    for on in (atlas.town(), real):
        start = on.here(on.point("harbor") if on is not real else osm_town.at(2, 20))
        goal = "train-station" if on is not real else on.near(start.point, 2_000.0)[-1]
        course = Course(on.way(start, goal))
        for step in range(len(course.steps) - 1):
            drawn = junction.ahead(course, step, on)
            assert drawn, "there is a way on"
            arms = on.arms(_at(course, course.turn_m(step)))
            assert len(set(arms)) == len(arms) >= 2
        assert junction.ahead(course, len(course.steps) - 1, on) == ()
    assert real.arms(osm_town.at(2, 5_000)) == []


def _at(course: Course, metres: float) -> Point:
    for one, other in pairwise(course.line):
        if (piece := distance_m(one, other)) >= metres:
            share = metres / piece
            return one[0] + share * (other[0] - one[0]), one[1] + share * (other[1] - one[1])
        metres -= piece
    return course.line[-1]


@pytest.mark.parametrize("name", LENSES)
def test_a_lens_that_draws_has_the_sketch_beside_the_words(name):
    lens = raster.in_type(profiles.load(name))
    with_sketch, with_arrow = (lay_out(card(drawn), lens)[0] for drawn in (LEFT, ()))
    assert with_sketch.lines == with_arrow.lines, "no row moves"
    grid = raster.Grid.of(lens)
    box = raster.changed(raster.render(with_sketch), raster.render(with_arrow))
    assert grid.left <= box[0] < box[2] <= grid.left + 4 * grid.cell, "in the gutter"
    levels = {value for _, value in raster.render(with_sketch).getcolors()}
    steps = lens.grey_levels - 1
    assert levels <= {round(step * 255 / steps) for step in range(lens.grey_levels)}
    dim = raster.render(replace(with_sketch, light=0.5))
    assert dim.getextrema()[1] < 255 or lens.grey_levels == 2


def test_who_sets_lines_has_the_arrow():
    lens = profiles.load("quark-s1")
    assert lay_out(card(), lens) == lay_out(card(()), lens)
    picture = raster.render(lay_out(card(), lens)[0])
    assert (
        ImageChops.difference(picture, raster.render(lay_out(card(()), lens)[0])).getbbox() is None
    )


def test_a_route_of_the_skill_has_one(ask):
    ask.location.place = Place(*atlas.town().point("harbor"))
    assert ask("navigate to the train station").turn.reply.sketch
    assert not ask("play some music").turn.reply.sketch


def test_a_skill_in_a_process_of_its_own_has_one_as_well():
    said = wire.reply(card())
    assert wire.replied(said).sketch == LEFT
    for stroke in ([[0, 0], 1.0, 0.1], [[0, 0], [0, float("nan")], 1.0, 0.1], [[0, 0], [1], 1, 1]):
        with pytest.raises(ValueError):  # noqa: PT011  # each says something else
            wire.replied(said | {"sketch": [stroke]})


def test_a_sketch_however_wild_is_drawn_in_its_place():
    wild = (
        Stroke(((-1e9, 0.0), (1e9, 1e9)), 7.0, 1e9),
        Stroke(((0.0, 0.0), (0.0, 0.0)), -1.0, 0.0),
    )
    for name in LENSES:
        lens = raster.in_type(profiles.load(name))
        frames = [lay_out(card(drawn), lens)[0] for drawn in (wild, ())]
        box = raster.changed(*map(raster.render, frames))
        assert box[2] <= raster.Grid.of(lens).left + 4 * raster.Grid.of(lens).cell
