"""Walking: the geometry, the routes on the map that ships, and the cards."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import skills.navigate as navigate
from agent import Context, Reply
from agent.errors import Refused
from agent.messages import Intent, Transcript
from agent.plugins.skills import Skills
from agent.understand.router import Router
from hardware.base import DeviceError, Place
from skills.navigate import cards
from skills.navigate import town as towns
from skills.navigate.streets import (
    WALKING_M_S,
    Leg,
    Point,
    Segment,
    Streets,
    Turn,
    bearing_deg,
    distance_m,
    minutes,
    shortest,
    snap,
    steps,
    turn_between,
)

FOLDER = Path(navigate.__file__).parent
TOWN = towns.load()
DEGREE_M = 111_195.08  # of latitude, on the sphere of the module


@pytest.fixture
def installed() -> Skills:
    skills = Skills()
    skills.load(navigate)
    return skills


class Walker:
    """Someone who can be moved about the town."""

    def __init__(self, language: str = "en") -> None:
        raw = yaml.safe_load((FOLDER / "sentences" / "zh.yaml").read_text(encoding="utf-8"))
        self.at: Place | None = None
        self.ctx = Context(
            skill="navigate",
            language=language,
            folder=Path("unused"),
            memory={},
            responses=raw["responses"] if language == "zh" else {},
            permissions={"location": "test"},
            locate=self._where,
        )

    def _where(self) -> Place:
        if self.at is None:
            raise DeviceError("the phone is out of reach: pair it again")
        return self.at

    def stand(self, place: Point | str, *, simulated: bool = False) -> Walker:
        lat, lon = TOWN.point(place) if isinstance(place, str) else place
        self.at = Place(lat, lon, simulated=simulated)
        return self


# Geometry


def test_distances_agree_with_known_ones() -> None:
    assert distance_m((0, 0), (1, 0)) == pytest.approx(DEGREE_M, rel=1e-6)
    assert distance_m((60, 0), (60, 1)) == pytest.approx(DEGREE_M / 2, rel=1e-3)
    assert distance_m((10, 20), (10, 20)) == 0
    assert distance_m((0, 0), (0, 180)) == pytest.approx(180 * DEGREE_M, rel=1e-6)


@pytest.mark.parametrize(
    ("to", "bearing"), [((1, 0), 0), ((0, 1), 90), ((-1, 0), 180), ((0, -1), 270)]
)
def test_bearings_of_the_compass(to: Point, bearing: float) -> None:
    assert bearing_deg((0, 0), to) == pytest.approx(bearing)


@pytest.mark.parametrize(
    ("before", "after", "turn"),
    [
        (0, 0, Turn.STRAIGHT),
        (0, 20, Turn.STRAIGHT),
        (350, 5, Turn.STRAIGHT),
        (0, 21, Turn.SLIGHT_RIGHT),
        (0, -40, Turn.SLIGHT_LEFT),
        (0, 90, Turn.RIGHT),
        (90, 0, Turn.LEFT),
        (10, 280, Turn.LEFT),
        (0, 121, Turn.SHARP_RIGHT),
        (0, -170, Turn.SHARP_LEFT),
        (0, 171, Turn.U_TURN),
        (0, 180, Turn.U_TURN),
        (45, 225, Turn.U_TURN),
    ],
)
def test_turns_are_named_by_the_change_of_direction(
    before: float, after: float, turn: Turn
) -> None:
    assert turn_between(before, after) is turn


@given(st.integers(0, 360), st.integers(-720, 720))
def test_left_and_right_are_mirror_images(before: int, change: int) -> None:
    mirror = {"left": "right", "right": "left"}
    one, other = turn_between(before, before + change), turn_between(before, before - change)
    assert one.value.split() == [mirror.get(word, word) for word in other.value.split()]


@pytest.mark.parametrize(
    ("north_m", "east_m", "turn"),
    [
        (100, 0, Turn.STRAIGHT),
        (100, 60, Turn.SLIGHT_RIGHT),
        (0, 100, Turn.RIGHT),
        (0, -100, Turn.LEFT),
        (-80, 40, Turn.SHARP_RIGHT),
        (-80, -40, Turn.SHARP_LEFT),
    ],
)
def test_the_turn_of_a_route_is_that_of_the_drawing(
    north_m: float, east_m: float, turn: Turn
) -> None:
    """Walk 100 m north on A, then to a point seen from the corner, on B."""
    streets = drawn(
        {"s": (0, 0), "x": (100, 0), "g": (100 + north_m, east_m)},
        [("s", "x", "A"), ("x", "g", "B")],
    )
    way = steps(shortest(streets, snap(streets, streets.junctions["s"]), "g") or [])
    assert [(step.turn, step.street) for step in way] == [(Turn.START, "A"), (turn, "B")]
    assert way[0].metres == pytest.approx(100, abs=0.1)
    assert way[0].bearing_deg == pytest.approx(0, abs=0.1)


def drawn(junctions: dict[str, tuple[float, float]], edges: list[tuple[str, str, str]]) -> Streets:
    """Make a graph from metres north and east of the equator at longitude zero."""
    points = {k: (north / DEGREE_M, east / DEGREE_M) for k, (north, east) in junctions.items()}
    return Streets(points, tuple(Segment(*edge) for edge in edges))


def test_a_street_that_bends_gently_is_one_step_and_a_corner_in_it_is_two() -> None:
    gentle = [Leg("A", (0, 0), (0.001, 0)), Leg("A", (0.001, 0), (0.002, 0.0005))]
    corner = [Leg("A", (0, 0), (0.001, 0)), Leg("A", (0.001, 0), (0.001, 0.001))]
    assert [step.turn for step in steps(gentle)] == [Turn.START]
    assert [step.turn for step in steps(corner)] == [Turn.START, Turn.RIGHT]


def test_the_shorter_way_wins_even_with_more_corners() -> None:
    streets = drawn(
        {"s": (0, 0), "a": (100, 0), "g": (100, 100), "far": (0, 900)},
        [("s", "a", "A"), ("a", "g", "B"), ("s", "far", "C"), ("far", "g", "C")],
    )
    legs = shortest(streets, snap(streets, streets.junctions["s"]), "g")
    assert legs is not None
    assert [leg.street for leg in legs] == ["A", "B"]


def test_a_walk_begins_between_junctions_in_the_right_direction() -> None:
    streets = drawn({"a": (0, 0), "b": (100, 0)}, [("a", "b", "A")])
    spot = snap(streets, (30 / DEGREE_M, 8 / DEGREE_M))
    assert spot.offset_m == pytest.approx(8, abs=0.01)
    (south,) = steps(shortest(streets, spot, "a") or [])
    (north,) = steps(shortest(streets, spot, "b") or [])
    assert (round(south.metres), round(south.bearing_deg)) == (30, 180)
    assert (round(north.metres), round(north.bearing_deg) % 360) == (70, 0)


def test_there_may_be_no_way() -> None:
    streets = drawn(
        {"a": (0, 0), "b": (100, 0), "c": (0, 500), "d": (100, 500)},
        [("a", "b", "A"), ("c", "d", "B")],
    )
    assert shortest(streets, snap(streets, streets.junctions["a"]), "d") is None


def test_walking_time_is_at_the_stated_speed() -> None:
    assert WALKING_M_S == 1.3
    assert minutes(780) == 10
    assert minutes(3) == 1


# The map


inside = st.tuples(st.floats(39.998, 40.009), st.floats(-35.002, -34.989))


@given(inside, st.sampled_from(sorted(TOWN.places)))
def test_a_route_is_as_long_as_its_steps_and_no_shorter_than_the_bird_flies(
    point: Point, place: str
) -> None:
    spot = snap(TOWN.streets, point)
    legs = shortest(TOWN.streets, spot, TOWN.places[place].at)
    assert legs is not None
    way = steps(legs)
    walked = sum(distance_m(leg.start, leg.end) for leg in legs)
    assert sum(step.metres for step in way) == pytest.approx(walked)
    assert walked >= distance_m(spot.point, TOWN.point(place)) - 1e-6
    for before, after in itertools.pairwise(legs):
        assert before.end == after.start
    if legs:
        assert (legs[0].start, legs[-1].end) == (spot.point, TOWN.point(place))
        assert all(step.turn is not Turn.START for step in way[1:])


def test_every_place_is_reached_from_every_junction_the_shortest_way() -> None:
    """Compared with the algorithm of Floyd and Warshall, which shares no code with ours."""
    junctions = TOWN.streets.junctions
    far = dict.fromkeys(((a, b) for a in junctions for b in junctions), float("inf"))
    for segment in TOWN.streets.segments:
        length = distance_m(junctions[segment.a], junctions[segment.b])
        far[segment.a, segment.b] = far[segment.b, segment.a] = length
    for k in junctions:
        for a in junctions:
            for b in junctions:
                far[a, b] = min(far[a, b], far[a, k] + far[k, b])
    for place in TOWN.places.values():
        for start, point in junctions.items():
            if start != place.at:
                legs = shortest(TOWN.streets, snap(TOWN.streets, point), place.at) or []
                walked = sum(distance_m(leg.start, leg.end) for leg in legs)
                assert walked == pytest.approx(far[start, place.at])


def test_the_map_is_whole() -> None:
    assert len(TOWN.streets.junctions) == 60
    assert len(TOWN.streets.segments) == 100
    assert {s.street for s in TOWN.streets.segments} == set(TOWN.street_names)
    ends = [tuple(sorted((s.a, s.b))) for s in TOWN.streets.segments]
    assert len(set(ends)) == len(ends)
    assert {end for pair in ends for end in pair} == set(TOWN.streets.junctions)
    assert all(spot.at in TOWN.streets.junctions for spot in TOWN.places.values())
    assert set(TOWN.categories) <= {spot.category for spot in TOWN.places.values()}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_name_exists_and_means_one_thing(language: str) -> None:
    for names in (*TOWN.street_names.values(), *TOWN.categories.values()):
        assert names[language]
    said = [name for spot in TOWN.places.values() for name in spot.names[language]]
    assert len(set(said)) == len(said)
    # A kind of place that is called like one place means that place, the only one of its kind.
    for name, key in towns.categories(language).items():
        meant = towns.destinations(language)[name]
        assert meant in (key, *towns.of_category(key, TOWN))
    assert len(towns.destinations(language)) <= 100


def test_the_town_lies_where_no_one_walks() -> None:
    for lat, lon in TOWN.streets.junctions.values():
        assert (round(lat), round(lon)) == (40, -35)  # open Atlantic, 300 km from the Azores


# Cards


def test_the_card_says_the_next_turn_first() -> None:
    reply = navigate.route("train-station", Walker().stand("harbor").ctx)
    assert reply.kind == "route"
    metres, unit = reply.title.split()
    assert unit == "m"
    assert 100 < int(metres) < 200
    lines = reply.text.splitlines()
    assert lines[0] == "↰ left into Bridge Street"
    assert lines[1].startswith("Train Station: ")
    assert lines[2] == "Head northeast on Harbor Steps"
    assert lines[-1] == "◎ Train Station"
    assert "simulated" not in reply.text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_lines_fit_the_lens_for_every_route(language: str) -> None:
    from wcwidth import wcswidth

    for start in list(TOWN.places)[::4]:
        walker = Walker(language).stand(start, simulated=True)
        for goal in TOWN.places:
            reply = navigate.route(goal, walker.ctx)
            assert wcswidth(reply.title) <= 16
            for line in reply.text.splitlines():
                assert wcswidth(line) <= 40  # one wrap at most, on 32 columns


def test_a_simulated_position_is_called_so() -> None:
    walker = Walker().stand("harbor", simulated=True)
    for reply in (navigate.route("abbey", walker.ctx), navigate.where(walker.ctx)):
        assert "(simulated position)" in reply.text.splitlines()


def goal(reply: Reply) -> str:
    return reply.text.splitlines()[1].partition(":")[0]


def test_a_kind_of_place_means_the_nearest_on_foot() -> None:
    ctx = Walker().stand("swan-hotel").ctx
    assert goal(navigate.nearest("pharmacy", ctx)) == "Hill Pharmacy"
    assert goal(navigate.route("pharmacy", ctx)) == "Hill Pharmacy"
    ctx = Walker().stand("bank").ctx
    assert goal(navigate.nearest("pharmacy", ctx)) == "Market Pharmacy"


def test_next_step_follows_the_wearer() -> None:
    walker = Walker().stand("harbor")
    navigate.route("train-station", walker.ctx)
    corner = TOWN.streets.junctions["c2"]
    walker.stand(corner)
    moved = navigate.next_step(walker.ctx)
    assert moved.text.splitlines()[0] == "↗ bear right into Fox Alley"
    walker.stand("train-station")
    there = navigate.next_step(walker.ctx)
    assert (there.title, there.text) == ("You have arrived", "Train Station")
    assert navigate.next_step(walker.ctx).text.startswith("No route.")


def test_next_step_on_the_same_spot_looks_further_ahead_until_the_goal() -> None:
    walker = Walker().stand("harbor", simulated=True)
    shown = [navigate.route("train-station", walker.ctx)]
    shown += [navigate.next_step(walker.ctx) for _ in range(7)]
    instructions = [reply.text.splitlines()[0] for reply in shown]
    assert instructions[:3] == [
        "↰ left into Bridge Street", "↗ bear right into Fox Alley", "↱ right into Church Street",
    ]  # fmt: skip
    assert instructions[-1] == instructions[-2] == "◎ to Train Station"


def test_a_route_can_be_ended() -> None:
    walker = Walker().stand("harbor")
    navigate.route("abbey", walker.ctx)
    assert navigate.stop_route(walker.ctx).text == "Route ended."
    assert navigate.stop_route(walker.ctx).text == "There is no route to stop."


def test_far_from_the_map_nothing_is_made_up() -> None:
    walker = Walker().stand((40.06, -35.0))
    navigate_there: list[Callable[[], Reply]] = [
        lambda: navigate.route("abbey", walker.ctx),
        lambda: navigate.nearest("cafe", walker.ctx),
        lambda: navigate.where(walker.ctx),
        lambda: navigate.how_long(walker.ctx, "abbey"),
    ]
    for ask in navigate_there:
        reply = ask()
        assert reply.title == "No map here"
        assert reply.text.splitlines() == [
            "I only have a map of Tollmere.", "Add one: glasses maps add FILE",
        ]  # fmt: skip
    assert walker.ctx.memory == {}


def test_off_the_streets_the_way_to_the_first_one_is_told() -> None:
    reply = navigate.route("harbor", Walker().stand((39.996, -34.9985)).ctx)
    assert any(line.endswith("m away") for line in reply.text.splitlines())


def test_without_a_position_the_device_says_why() -> None:
    with pytest.raises(DeviceError, match="pair it again"):
        navigate.route("abbey", Walker().ctx)


def test_every_action_that_asks_for_the_position_declares_it(installed: Skills) -> None:
    asks = {"route", "nearest", "choose", "how_long", "arrival", "next_step", "where"}
    asks |= {"building", "around", "describe", "traffic", "way_round"}
    for action in installed.actions.values():
        named = action.declaration.name
        assert ("location" in action.declaration.permissions) == (named in asks)
    undeclared = Walker().stand("abbey").ctx
    undeclared.permissions = {}
    with pytest.raises(Refused):
        navigate.where(undeclared)


def test_where_am_i_names_the_street_and_a_place() -> None:
    reply = navigate.where(Walker().stand("town-museum").ctx)
    assert reply.title in {"King Street", "High Street"}
    assert reply.text.splitlines() == ["5 m from Town Museum", "Tollmere"]


def test_a_place_that_is_not_on_the_map_is_said_so() -> None:
    reply = navigate.route("atlantis", Walker().stand("harbor").ctx)
    assert reply.text == "“atlantis” is not on my map."
    ctx = Walker().stand("harbor").ctx
    for ask in (
        navigate.nearest("x" * 1000, ctx),
        navigate.nearest("cafe", ctx, "x\ny " * 1000),
        navigate.how_long(ctx, "\ud800 {place} %s"),
        navigate.how_long(ctx, "abbey", start="atlantis"),
        navigate.route("", ctx),
    ):
        assert "is not on my map." in ask.text
        assert len(ask.text) < 80
    assert ctx.memory == {}


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("train-station", "train-station"),
        ("the nearest pharmacy", "pharmacy"),
        ("My Library", "library"),
        ("Old  Mill Bakery", "old-mill-bakery"),
        ("movie theater", "cinema"),
        ("最近的药店", "pharmacy"),
        ("火车站", "train-station"),
        ("nearest", None),
        ("the", None),
        ("", None),
        ("library card", None),
    ],
)
def test_words_for_a_place_are_read_with_what_stands_around_it(words: str, key: str | None) -> None:
    assert towns.key_of(words) == key


def test_nearest_to_another_place() -> None:
    ctx = Walker().stand("swan-hotel").ctx
    assert goal(navigate.nearest("pharmacy", ctx)) == "Hill Pharmacy"
    assert goal(navigate.nearest("pharmacy", ctx, "bank")) == "Market Pharmacy"
    assert goal(navigate.nearest("pharmacy", ctx, "me")) == "Hill Pharmacy"


def test_another_way_than_on_foot_is_not_known() -> None:
    ctx = Walker().stand("harbor").ctx
    note = "(walking routes only)"
    assert note in navigate.route("abbey", ctx, "bus").text.splitlines()
    assert note in navigate.how_long(ctx, "abbey", "car").text.splitlines()
    assert note not in navigate.route("abbey", ctx, "walk").text
    assert note not in navigate.how_long(ctx, "abbey").text


def test_how_long_is_the_time_of_the_walk() -> None:
    walker = Walker().stand("harbor", simulated=True)
    reply = navigate.how_long(walker.ctx, "train-station")
    total, note = reply.text.splitlines()
    assert total == navigate.route("train-station", walker.ctx).text.splitlines()[1]
    assert total.endswith(f", {reply.title}")
    assert note == "(simulated position)"


def test_how_long_from_a_place_does_not_depend_on_the_wearer() -> None:
    walker = Walker().stand("harbor", simulated=True)
    reply = navigate.how_long(walker.ctx, "train-station", start="the abbey")
    far = Walker().stand("abbey")
    assert reply.title == navigate.how_long(far.ctx, "train-station").title
    assert reply.text.splitlines()[1:] == ["from Abbey"]
    assert navigate.how_long(Walker().ctx, "train-station", start="abbey").text == reply.text


def test_how_long_without_a_place_is_about_the_route() -> None:
    walker = Walker().stand("harbor")
    assert navigate.how_long(walker.ctx).text == "Where to? Say “how far is the station”."
    navigate.route("abbey", walker.ctx)
    for place in (None, "there"):
        assert navigate.how_long(walker.ctx, place).text.startswith("Abbey: ")


def test_there_is_no_news_of_traffic() -> None:
    ctx = Walker().ctx
    reply = navigate.traffic(ctx, "the abbey")
    assert reply.text == "I have no traffic news.\nI can show you the way on foot."
    assert navigate.traffic(ctx) == reply


def test_chinese_cards() -> None:
    reply = navigate.route("train-station", Walker("zh").stand("harbor", simulated=True).ctx)
    assert reply.title.endswith("米")
    assert reply.text.splitlines()[0] == "↰ 左转进入桥街"
    assert "（模拟位置）" in reply.text


# Sentences


@pytest.mark.parametrize(
    ("said", "action", "slots"),
    [
        ("navigate to the train station", "route", {"place": "train-station"}),
        ("take me to market square", "route", {"place": "market-square"}),
        ("how do i get to the pharmacy", "route", {"place": "pharmacy"}),
        ("directions to the old mill bakery", "route", {"place": "old-mill-bakery"}),
        ("where is the nearest coffee shop", "nearest", {"category": "cafe"}),
        ("navigate to the nearest park", "nearest", {"category": "park"}),
        ("navigate to atlantis", "route", {"place": "atlantis"}),
        ("how do i get to the library on foot", "route", {"place": "library", "by": "walk"}),
        ("how do i get to new york by bus", "route", {"place": "new york", "by": "bus"}),
        ("take me to the nearest pharmacy", "nearest", {"category": "pharmacy"}),
        ("navigate to the nearest sushi bar", "nearest", {"category": "sushi bar"}),
        (
            "which cafe is closest to the train station",
            "nearest",
            {"category": "cafe", "near": "train-station"},
        ),
        (
            "how long does it take to get to the abbey by bus",
            "how_long",
            {"place": "abbey", "by": "bus"},
        ),
        (
            "how long does it take to get from the bank to the airport",
            "how_long",
            {"place": "airport", "start": "bank"},
        ),
        ("how long is the walk to the school", "how_long", {"place": "school", "by": "walk"}),
        ("how far is the moon", "how_long", {"place": "moon"}),
        ("how far is it", "how_long", {}),
        ("is there a bakery near the bank", "nearest", {"category": "bakery", "near": "bank"}),
        ("what's the distance to the harbor", "how_long", {"place": "harbor"}),
        ("how is the traffic", "traffic", {}),
        ("is there much traffic on the ring road", "traffic", {"place": "ring road"}),
        ("next turn", "next_step", {}),
        ("what's next on the route", "next_step", {}),
        ("where am i", "where", {}),
        ("stop navigation", "stop_route", {}),
        ("end the route", "stop_route", {}),
        ("导航到火车站", "route", {"place": "train-station"}),
        ("怎么去博物馆", "route", {"place": "museum"}),
        ("最近的药店在哪里", "nearest", {"category": "pharmacy"}),
        ("下一步怎么走", "next_step", {}),
        ("我在哪里", "where", {}),
        ("停止导航", "stop_route", {}),
        ("导航到北京", "route", {"place": "北京"}),
        ("坐公交去医院", "route", {"place": "hospital", "by": "bus"}),
        ("走路去公园", "route", {"place": "park", "by": "walk"}),
        ("火车站附近最近的药店在哪", "nearest", {"category": "pharmacy", "near": "train-station"}),
        ("到灯塔有多远", "how_long", {"place": "lighthouse"}),
        ("从学校到银行要多久", "how_long", {"place": "bank", "start": "school"}),
        ("开车去医院要多久", "how_long", {"place": "hospital", "by": "car"}),
        ("现在堵车吗", "traffic", {}),
        ("火车站的路况怎么样", "traffic", {"place": "train-station"}),
    ],
)
def test_what_is_said_reaches_its_action(
    installed: Skills, said: str, action: str, slots: dict[str, object]
) -> None:
    intent = Router(installed.actions).exactly(Transcript(said, language=""))
    assert isinstance(intent, Intent), said
    assert (intent.action, dict(intent.slots)) == (action, slots)


@pytest.mark.parametrize("said", ["next song", "next", "how far", "take me", "stop"])
def test_what_is_not_for_the_map_is_left_alone(installed: Skills, said: str) -> None:
    assert Router(installed.actions).exactly(Transcript(said)) is None


@pytest.mark.parametrize(
    ("said", "key"),
    [
        ("theatre", "theater"),
        ("the Harbour", "harbor"),
        ("Harbour Café", "harbor-cafe"),
        ("movie theatre", "cinema"),
        ("drugstore", "pharmacy"),
        ("a chemist", "pharmacy"),
        ("railway station", "train-station"),
        ("city hall", "town-hall"),
        ("戏院", "theater"),
        ("码头", "harbor"),
        ("游泳池", "swimming-pool"),
        ("narnia", None),
    ],
)
def test_a_place_is_found_by_what_people_call_it(said: str, key: str | None) -> None:
    assert towns.key_of(said) == key


@pytest.mark.parametrize(
    ("language", "said", "later"),
    [
        ("en", "bank and then to the pharmacy", "then: pharmacy"),
        ("en", "bank, then the pharmacy", "then: pharmacy"),
        ("en", "bank and the pharmacy", "then: pharmacy"),
        ("zh", "银行然后去药店", "然后：药店"),
        ("zh", "银行再去药店", "然后：药店"),
    ],
)
def test_two_places_are_gone_to_one_after_the_other(language: str, said: str, later: str) -> None:
    walker = Walker(language)
    walker.stand(TOWN.point("theater"))
    reply = navigate.route(said, walker.ctx)
    bank = towns.shown(TOWN.places["bank"].names, language)
    assert bank in reply.text
    assert later in reply.text.splitlines()
    walker.stand(TOWN.point("bank"))
    on = navigate.next_step(walker.ctx)
    pharmacy = towns.shown(TOWN.places["market-pharmacy"].names, language)
    assert pharmacy in on.text
    assert later not in on.text
    walker.stand(TOWN.point("market-pharmacy"))
    there = navigate.next_step(walker.ctx)
    assert pharmacy in there.text
    assert there.title in ("You have arrived", "您已到达")


def test_of_two_places_the_second_may_be_unknown() -> None:
    walker = Walker()
    walker.stand(TOWN.point("theater"))
    assert "then: narnia" in navigate.route("bank and then narnia", walker.ctx).text
    walker.stand(TOWN.point("bank"))
    assert navigate.next_step(walker.ctx).text == "“narnia” is not on my map."
    assert "narnia and bank" in navigate.route("narnia and bank", walker.ctx).text


def test_every_turn_has_an_arrow() -> None:
    assert set(cards.ARROWS) == set(Turn)
