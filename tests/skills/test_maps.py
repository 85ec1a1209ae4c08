"""Real maps: importing, routing against another algorithm, names as they are misheard, looking."""

from __future__ import annotations

import gzip
import heapq
import itertools
import json
import random
import re
import shutil
import subprocess
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from agent.cli.commands import main
from agent.skill.context import Context
from hardware.base import Place
from skills.navigate import atlas, facts, kinds, look, maps, osm
from skills.navigate.places import Places
from skills.navigate.roads import Roads
from skills.navigate.streets import Turn, distance_m
from tests.shared import DATA
from tests.skills.osm_town import at, grid, town

KREMS, MONACO = DATA / "maps" / "krems.osm.gz", DATA / "maps" / "monaco.osm.gz"
HEARD = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


def needed(path: Path) -> Path:
    if not path.is_file():
        pytest.skip(f"not run: {path} is not here")
    return path


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("maps")
    maps.add(town().write(folder / "steinau.osm"), folder)
    return folder


@pytest.fixture
def here(root, monkeypatch):
    """The little town is the map in use."""
    monkeypatch.setattr(maps, "folder", lambda: root)
    yield atlas.at(Place(*at(0, 0)))
    atlas.at(Place(0, 0))  # nobody is there any more


@pytest.fixture
def stand(ask, here):
    def go(north: float, east: float, heading: float = 0.0):
        ask.location.place = Place(*at(north, east), heading)
        return ask

    return go


# -- importing ------------------------------------------------------------------------------------


def test_a_map_is_added_listed_and_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(maps, "folder", lambda: tmp_path / "maps")
    file = str(town().write(tmp_path / "steinau.osm"))
    run = CliRunner().invoke
    added = run(main, ["maps", "add", file])
    assert added.exit_code == 0, added.output
    assert "steinau: " in added.output
    assert "OpenStreetMap contributors" in added.output
    assert "steinau" in run(main, ["maps", "list"]).output
    for path in (tmp_path / "maps" / "steinau").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name
    assert run(main, ["maps", "remove", "narnia"]).exit_code == 1
    assert run(main, ["maps", "remove", "steinau"]).exit_code == 0
    assert "no maps yet" in run(main, ["maps", "list"]).output


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("gone.osm", None, "No such file"),
        ("empty.osm", b"", "is empty"),
        ("letter.txt", b"dear", "a map is a file that ends in .osm.pbf"),
        ("broken.osm", b"<osm><node id='1'", "cannot be read as OpenStreetMap data"),
        ("noise.osm.pbf", bytes(range(256)) * 9, "cannot be read as OpenStreetMap data"),
        ("cut.osm.gz", gzip.compress(b"<osm version='0.6'>" * 99, mtime=0)[:-9], "cannot be read"),
        ("sea.osm", b"<osm version='0.6'></osm>", "no street in it"),
    ],
)
def test_what_is_no_map_is_told_in_one_line(tmp_path, monkeypatch, name, content, says):
    monkeypatch.setattr(maps, "folder", lambda: tmp_path / "maps")
    if content is not None:
        (tmp_path / name).write_bytes(content)
    told = CliRunner().invoke(main, ["maps", "add", str(tmp_path / name)])
    assert told.exit_code == 1
    assert says in told.output
    assert told.output.count("\n") == 1
    assert list(maps.installed(tmp_path / "maps")) == []


def test_what_was_done_before_power_went_is_not_done_again(tmp_path, monkeypatch):
    file, folder = town().write(tmp_path / "steinau.osm"), tmp_path / "maps"

    def gone(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as power:
        power.setattr(osm, "read_places", gone)
        with pytest.raises(KeyboardInterrupt):
            maps.add(file, folder)
    assert list(maps.installed(folder)) == []
    with monkeypatch.context() as once:
        once.setattr(osm, "read_streets", gone)
        assert maps.add(file, folder).name == "steinau"
    assert [one.name for one in maps.installed(folder)] == ["steinau"]


def test_a_damaged_map_is_told(tmp_path, stand, here, monkeypatch):
    maps.add(town().write(tmp_path / "steinau.osm"), tmp_path)
    (tmp_path / "steinau" / "streets.npz").write_bytes(b"no more")
    monkeypatch.setattr(maps, "folder", lambda: tmp_path)
    stand(0, 10)("where am i").shows("is damaged")


# -- routes ---------------------------------------------------------------------------------------


def dijkstra(graph: dict[str, list[tuple[str, float]]], start: str, goal: str) -> float | None:
    queue, seen = [(0.0, start)], set()
    while queue:
        far, here = heapq.heappop(queue)
        if here == goal:
            return far
        if here not in seen:
            seen.add(here)
            for other, metres in graph.get(here, ()):
                heapq.heappush(queue, (far + metres, other))
    return None


def read_xml(file: Path):
    """Read streets with no code of ours but the rules of which ways are walked."""
    nodes, graph, blocked = {}, {}, set()
    with (gzip.open if file.suffix == ".gz" else open)(file, "rb") as source:
        for _, element in ET.iterparse(source):
            tags = {tag.get("k"): tag.get("v") for tag in element.findall("tag")}
            if element.tag == "node":
                nodes[element.get("id")] = (float(element.get("lat")), float(element.get("lon")))
                if "barrier" in tags and not osm.passable(tags):
                    blocked.add(element.get("id"))
            elif element.tag == "way" and osm.walkable(tags):
                refs = [nd.get("ref") for nd in element.findall("nd") if nd.get("ref") in nodes]
                for one, other in itertools.pairwise(refs):
                    metres = distance_m(nodes[one], nodes[other])
                    for a, b in ((one, other), (other, one)):
                        if a not in blocked:
                            graph.setdefault(a, []).append((b, metres))
    return nodes, graph


@pytest.fixture(params=["grid", "krems", "monaco"])
def streets(request, tmp_path) -> Path:
    if request.param == "grid":
        return grid(14).write(tmp_path / "grid.osm")
    return needed({"krems": KREMS, "monaco": MONACO}[request.param])


@pytest.mark.slow
def test_routes_are_as_short_as_another_algorithm_finds_them(streets):
    nodes, graph = read_xml(streets)
    roads = Roads(osm.read_streets(streets, lambda *_: None))
    chance = random.Random(17)
    compared, took = 0, []
    while compared < 200:
        one, other = chance.sample(sorted(graph), 2)
        expected = dijkstra(graph, one, other)
        if expected is None:
            continue
        compared += 1
        began = time.perf_counter()
        start = roads.snap(nodes[one])
        goal = roads.snap_goal(nodes[other], start)
        found = roads.path(start, goal)
        took.append(time.perf_counter() - began)
        assert found is not None
        assert found[0] == pytest.approx(expected, rel=1e-3, abs=0.5)
        steps, line = roads.steps(start, goal)
        assert sum(step.metres for step in steps) == pytest.approx(expected, rel=2e-3, abs=1.5)
        assert distance_m(line[-1], nodes[other]) < 1
    assert sorted(took)[100] < 0.1  # some ten times what it takes on two idle cores


def test_walkers_keep_off_private_ways_and_do_not_go_through_walls(here):
    start, goal = here.roads.snap(at(0, 50)), here.roads.snap(at(300, 150))
    metres, edges = here.roads.path(start, goal)
    assert {here.street_name(here.roads.key(edge), "en") for edge, _ in edges} >= {"Mühlweg"}
    assert metres == pytest.approx(150 + 300 + 50, abs=1)


def test_a_turn_is_told_with_the_name_of_the_street(here):
    way = here.way(here.here(at(0, 60)), here.goals("Bären-Apotheke", at(0, 0)).keys[0])
    assert [(step.turn, here.street_name(step.street, "en")) for step in way.steps] == [
        (Turn.START, "Steinerne Gasse"), (Turn.LEFT, "Mühlweg"), (Turn.LEFT, "Am Bach"),
        (Turn.LEFT, "Torgasse"),
    ]  # fmt: skip


def test_steps_are_told_before(stand):
    stand(0, 380)("navigate to kirchplatz").shows("Kirchenstiege", "(with steps)")


def test_where_no_way_leads_is_said(stand):
    stand(0, 10)("navigate to inselbar").shows("no way on foot to Inselbar")


def test_the_route_in_both_languages(stand):
    ask = stand(0, 60)
    ask("navigate to bären apotheke").shows("left into Mühlweg")
    ask("导航到Bären-Apotheke").shows("左转进入Mühlweg")
    ask("我在哪里").shows("石头巷")


def test_off_the_way_there_is_a_new_one(stand):
    ask = stand(0, 60)
    ask("navigate to bären apotheke")
    stand(300, 380)("next turn").shows("Off the way")
    stand(300, 300)("next turn")
    assert "left the way" not in ask.exchanges[-1].turn.reply.text


def test_the_time_of_arrival(stand):
    ask = stand(0, 60)
    ask("when will i arrive").shows("No route")
    ask("navigate to bären apotheke")
    assert re.fullmatch(r"\d\d:\d\d", ask("when will i arrive").turn.reply.title)


def test_in_the_sea_there_is_no_map(ask, here):
    ask.location.place = Place(0.0, -30.0)
    ask("where am i").shows("No map here", "glasses maps add")


# -- names ----------------------------------------------------------------------------------------


def test_a_place_that_exists_twice_is_asked_about_the_nearest_first(stand):
    ask = stand(0, 100)
    asked = ask("navigate to café sonne").turn.reply
    assert asked.title == "Which one?"
    assert [line.rsplit(" ", 2)[1] for line in asked.text.splitlines()[:2]] == ["40", "330"]
    ask("navigate to number two").shows("Café Sonne: ")
    ask("navigate to the third one").shows("There are only 2")


@pytest.mark.parametrize(
    ("heard", "name"),
    [
        ("lowen apoteke", "Löwen-Apotheke"),
        ("stein urna gasse", "Steinerne Gasse"),
        ("kirk n steeger", "Kirchenstiege"),
        ("altus zoig house", "Altes Zeughaus"),
        ("mule veg", "Mühlweg"),
    ],
)
def test_misheard_names_are_found(here, heard, name):
    assert name in [hit.site.name("") for hit in here.places.find(heard, at(0, 0))[:3]]


def test_kinds_and_addresses(stand, here):
    ask = stand(0, 300)
    ask("where is the nearest pharmacy").shows("Löwen-Apotheke")
    ask("navigate to 12 steinerne gasse").shows("Altes Zeughaus")
    ask("where is the nearest cash machine").shows("ATM")
    assert here.places.find("mühlweg 7 a", at(0, 0))[0].site.address == "Mühlweg 7a"


def test_what_sounds_like_nothing_is_not_on_the_map(stand):
    stand(0, 0)("navigate to xylophone quartz").shows("not on my map")


def test_speech_listens_for_names_near_by(stand, here):
    stand(0, 60)("where am i")
    said = atlas.destinations("en")
    assert said["löwen-apotheke"] == "Löwen-Apotheke"
    assert "market-square" not in said.values()
    assert len(said) <= atlas.SAID + 200


def spelt(ipa: str) -> str:
    """Write sounds as somebody who knows no German hears them."""
    heard = {
        "ts": "ts", "tʃ": "ch", "pf": "f", "aɪ": "i", "aʊ": "ow", "ɔø": "oy", "ʃ": "sh", "ç": "sh",
        "x": "k", "ŋ": "ng", "ʁ": "r", "ɾ": "r", "ɜ": "er", "ɐ": "er", "ə": "e", "ɛ": "e",
        "eː": "ay", "iː": "ee", "ɪ": "i", "oː": "oh", "ɔ": "o", "uː": "oo", "ʊ": "u", "yː": "oo",
        "ʏ": "u", "øː": "er", "œ": "er", "aː": "ah", "ɑː": "ah", "ɑ": "a", "ɡ": "g", "ʒ": "j",
    }  # fmt: skip
    for sound, letters in heard.items():
        ipa = ipa.replace(sound, letters)
    return re.sub(r"[^a-z ]", "", ipa)


@HEARD
@pytest.mark.slow
def test_names_as_they_are_heard_are_in_the_first_three(tmp_path):
    maps.add(needed(KREMS), tmp_path)
    index = Places(tmp_path / "krems")
    names = sorted({name for name in index.names_near((48.41, 15.6), 2_000) if len(name) > 3})
    sample = random.Random(1).sample(names, 200)
    speak = ["espeak-ng", "-v", "de", "-q", "--ipa"]
    right = 0
    for name in sample:
        ipa = subprocess.run([*speak, name], capture_output=True, text=True, check=True).stdout
        found = index.find(spelt(" ".join(ipa.split())), (48.41, 15.6), limit=3)
        right += any(name in hit.site.tags.values() for hit in found)
    assert right >= 190, right


# -- looking --------------------------------------------------------------------------------------


def test_a_building_is_told_from_its_tags(stand, model):
    ask = stand(0, 310)
    told = ask("what is this building").turn.reply
    assert told.title == "Altes Zeughaus"
    for fact in ("1573", "Hans Kremser", "renaissance", "Steinerne Gasse 12", "ahead"):
        assert fact in told.text
    ask("这座建筑是什么").shows("建成：1573")


def test_with_a_model_only_what_is_tagged_is_said(stand, model):
    ask = stand(0, 310)
    model.replies.append("Altes Zeughaus, built 1573 by Hans Kremser.")
    ask("what is this building").shows("built 1573 by Hans Kremser")
    model.replies.append("Altes Zeughaus, built in 1573 for Emperor Rudolf.")
    ask("what is this building").shows("architect: Hans Kremser")
    assert "Rudolf" not in ask.exchanges[-1].turn.reply.text


def test_what_is_behind_is_not_what_one_looks_at(stand):
    stand(130, 310, 0.0)("what is this building").shows("knows nothing before you")


def test_what_is_around(stand):
    ask = stand(0, 60, 90.0)
    ask("what's around me").shows("Around you", "← Café Sonne")
    ask("describe where i am").shows("Steinerne Gasse", "Near: ")
    ask("附近有什么").shows("您的周围")


@pytest.mark.parametrize(
    ("sentence", "true"),
    [
        ("The Altes Zeughaus was built in 1573.", True),
        ("It stands at Steinerne Gasse 12.", True),
        ("The Altes Zeughaus was built in 1574.", False),
        ("It was built by Martin.", False),
        ("It has three floors.", False),
        ("It is a famous baroque hall.", False),
        ("这座Altes Zeughaus建于1573年。", True),
        ("这座建筑建于1580年。", False),
        ("这是皇帝的宫殿。", False),
    ],
)
def test_no_word_of_number_or_name_is_invented(sentence, true):
    given_ = ["Altes Zeughaus", "built: 1573", "Steinerne Gasse 12", "renaissance"]
    assert facts.grounded(sentence, given_) is true


@given(st.lists(st.sampled_from(["Zeughaus", "1573", "Gasse", "alt", "石头"]), max_size=6))
def test_what_is_made_of_facts_is_grounded(words):
    assert facts.grounded(" ".join(words), ["Zeughaus 1573", "alt Gasse 石头巷"])


def test_nothing_is_told_that_is_not_in_the_data(tmp_path):
    """Every number and name of what is said of 200 places stands in their tags."""
    maps.add(needed(KREMS), tmp_path)
    index = Places(tmp_path / "krems")
    ctx = Context("navigate", "en", tmp_path, {})
    labels = ["built architect style artist open floors height above the sea m run by"]
    for number in random.Random(5).sample(range(1, len(index) + 1), 200):
        site = index.site(number)
        told = look.two_lines([site.name("en"), *facts.of(site, ctx)])
        data = json.dumps(dict(site.tags), ensure_ascii=False).replace("_", " ")
        known = [data, *labels, kinds.shown(site.kind, "en")]
        assert facts.grounded(" ".join(told), known), told


# -- how long a walk is, for other skills ---------------------------------------------------------


def test_a_walk_between_two_points_is_along_the_streets(here):
    assert atlas.walk_m(at(0, 20), at(250, 200)) == pytest.approx(180 + 250, rel=0.01)
    assert atlas.walk_m(at(0, 20), at(900, 100)) is None  # no street of this map is near it
    assert atlas.walk_m(at(0, 20), at(5000, 5050)) is None  # no street leads to the island
    assert atlas.walk_m((0.0, 0.0), at(0, 20)) is None
