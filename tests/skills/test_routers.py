"""Ways from a router by HTTP: a stand-in on loopback answers as OSRM and Valhalla document it."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hardware.base import Place
from skills.navigate import atlas, maps, routers
from skills.navigate.streets import Turn, distance_m
from tests.pace import PATIENCE_S
from tests.skills import osm_town
from tests.skills.osm_town import at

pytestmark = [pytest.mark.slow, pytest.mark.glasses(patience_s=PATIENCE_S)]

LINE = [at(0, 20), at(0, 200), at(300, 200), at(300, 250)]
GOAL = "Café Sonne"


def folded(points) -> str:
    """Encode a polyline of six digits, as Valhalla does."""
    made, last = "", [0, 0]
    for point in points:
        for axis in (0, 1):
            value = round(point[axis] * 1e6)
            change, last[axis] = value - last[axis], value
            left = ~(change << 1) if change < 0 else change << 1
            while left >= 32:
                made += chr((32 | left & 31) + 63)
                left >>= 5
            made += chr(left + 63)
    return made


def osrm(_path, _body):
    def step(kind, modifier, name, metres, bearing):
        move = {"type": kind, "modifier": modifier, "bearing_after": bearing, "location": [0, 0]}
        return {"name": name, "distance": metres, "maneuver": move}

    steps = [
        step("depart", "straight", "Steinerne Gasse", 180.0, 90),
        step("turn", "left", "Mühlweg", 150.0, 0),
        step("new name", "straight", "Mühlweg", 150.0, 0),
        step("turn", "right", "", 50.0, 90),
        step("arrive", "left", "", 0.0, 0),
    ]
    points = [[lon, lat] for lat, lon in LINE]
    route = {"legs": [{"steps": steps}], "geometry": {"coordinates": points}}
    return 200, {"code": "Ok", "routes": [route]}


def valhalla(_path, _body):
    def move(kind, name, begin, end):
        return {
            "type": kind, "street_names": [name] if name else [], "length": 0.1,
            "begin_shape_index": begin, "end_shape_index": end,
        }  # fmt: skip

    moves = [move(1, "Steinerne Gasse", 0, 1), move(15, "Mühlweg", 1, 2), move(40, "", 2, 2),
             move(10, "", 2, 3), move(4, "", 3, 3)]  # fmt: skip
    return 200, {"trip": {"legs": [{"shape": folded(LINE), "maneuvers": moves}]}}


class Server:
    """Answers every request by a function of path and body, and keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict]] = []
        self.answer = osrm
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.asked.append((self.path, json.loads(body or b"{}")))
                code, told = outer.answer(*outer.asked[-1])
                self.send_response(code)
                self.end_headers()
                self.wfile.write(told if isinstance(told, bytes) else json.dumps(told).encode())

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server():
    made = Server()
    yield made
    made.close()


@pytest.fixture
def here(ask, tmp_path, monkeypatch):
    """The wearer stands in the little town."""
    maps.add(osm_town.town().write(tmp_path / "steinau.osm"), tmp_path / "maps")
    monkeypatch.setattr(maps, "folder", lambda: tmp_path / "maps")
    routers._read.cache_clear()
    ask.location.place = Place(*at(0, 20))
    yield ask
    atlas.at(Place(0, 0))


@pytest.fixture
def use(monkeypatch, server):
    """Let a kind of router be the one that is set."""

    def by(kind, answer=None):
        server.answer = answer or {"osrm": osrm, "valhalla": valhalla}[kind]
        monkeypatch.setattr(routers, "setting", lambda: f"{kind}+{server.url}")

    return by


@pytest.mark.parametrize("kind", ["osrm", "valhalla"])
def test_a_way_is_the_routers_and_places_are_the_maps(here, use, server, kind):
    use(kind)
    shown = here("navigate to Altes Zeughaus")
    shown.shows("↰ left into Mühlweg").hides("own map")
    assert "Steinerne Gasse" in shown.reply.text
    ((path, body),) = server.asked
    if kind == "osrm":
        assert path.startswith("/route/v1/foot/9.00026")
        assert "steps=true" in path
    else:
        assert body["costing"] == "pedestrian"
        assert body["locations"][0]["lat"] == pytest.approx(47.0)
    steps = routers.found().walk(at(0, 20), at(300, 250))[0]
    assert [step.turn for step in steps] == [Turn.START, Turn.LEFT, Turn.RIGHT]
    assert [round(step.metres) for step in steps] == [180, 300, 50]


def test_steps_of_stairs_are_told(here, use):
    use("valhalla")
    (_, up, _) = routers.found().walk(at(0, 20), at(300, 250))[0]
    assert up.notes == ("steps",)


@pytest.mark.parametrize("kind", ["osrm", "valhalla"])
@pytest.mark.parametrize(
    "answer",
    [
        lambda *_: (200, b"not json"),
        lambda *_: (200, {"code": "Ok", "routes": [], "trip": {"legs": []}}),
        lambda *_: (500, {"code": "InvalidUrl", "error": "\u202eodd\n", "error_code": 100}),
        lambda *_: (200, []),
    ],
)
def test_one_that_answers_nonsense_costs_one_line(here, use, server, kind, answer):
    use(kind, answer)
    name = "OSRM" if kind == "osrm" else "Valhalla"
    here("navigate to Altes Zeughaus").shows(f"({name} is away: own map)").succeeds()
    here("next turn").shows("own map")
    assert len(server.asked) == 1  # it is left alone for a while


def test_one_that_is_gone_costs_one_line_in_chinese_too(here, use, server):
    use("osrm")
    server.close()
    here("导航到Altes Zeughaus").shows("OSRM没有回应，用自带地图")


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("osrm", lambda *_: (400, {"code": "NoRoute", "message": "Impossible route"})),
        ("valhalla", lambda *_: (400, {"error_code": 442, "error": "No path could be found"})),
    ],
)
def test_no_way_is_no_way(here, use, kind, answer):
    use(kind, answer)
    here("navigate to Altes Zeughaus").shows("no way on foot")


@pytest.mark.parametrize(
    "setting", ["http://here", "osrm://here", "osrm+ftp://here", "graphhopper+http://here"]
)
def test_a_setting_that_names_no_router_is_told(here, monkeypatch, setting):
    monkeypatch.setattr(routers, "setting", lambda: setting)
    here("navigate to Altes Zeughaus").shows("GLASSES_ROUTER is", "write osrm+http")


def test_a_polyline_is_unfolded_as_it_was_folded():
    read = list(routers.unfolded(folded(LINE)))
    assert all(distance_m(*pair) < 0.2 for pair in zip(read, LINE, strict=True))
