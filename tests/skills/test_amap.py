"""Amap's web service, played by a server on loopback, and the coordinates of China."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.base import Place
from skills.navigate import amap, china, maps
from skills.navigate.streets import distance_m

HERE = (30.2790, 120.1290)  # Hangzhou
MAINLAND = st.tuples(st.floats(20, 50), st.floats(75, 130))


@given(MAINLAND)
def test_there_and_back_is_the_same_place(point):
    assert distance_m(china.to_wgs(china.to_gcj(point)), point) < 0.01
    assert 10 < distance_m(china.to_gcj(point), point) < 1_000


def test_a_known_place_and_one_outside():
    # Tian'anmen as satellites and as Chinese maps tell it, to some metres.
    assert distance_m(china.to_gcj((39.90734, 116.39089)), (39.90874, 116.39713)) < 15
    assert china.to_gcj((48.2, 16.3)) == (48.2, 16.3) == china.to_wgs((48.2, 16.3))


class Gateway(BaseHTTPRequestHandler):
    asked: ClassVar[list[tuple[str, dict[str, list[str]]]]] = []
    refuse = False

    def do_GET(self):
        url = urlparse(self.path)
        query = parse_qs(url.query)
        self.asked.append((url.path, query))
        body = {"status": "1", "info": "OK"}
        if self.refuse:
            body = {"status": "0", "info": "INVALID_USER_KEY"}
        elif url.path == "/v3/place/around":
            near = china.to_gcj((HERE[0] + 0.003, HERE[1]))
            body["pois"] = [
                {"name": "西湖药店", "location": f"{near[1]:.6f},{near[0]:.6f}"},
                {"name": [], "location": ""}, "nonsense",
            ]  # fmt: skip
        elif url.path == "/v3/direction/walking":
            body["route"] = {"paths": [{"distance": "420", "steps": [
                {"road": "文一西路", "distance": "80", "action": "左转", "polyline": "120.12,30.27;120.12,30.28"},
                {"road": [], "distance": "340", "action": [], "polyline": "120.12,30.28;120.11,30.28"},
            ]}]}  # fmt: skip
        elif url.path == "/v3/geocode/regeo":
            body["regeocode"] = {
                "formatted_address": "浙江省杭州市",
                "addressComponent": {"streetNumber": {"street": "文一西路"}},
            }
        raw = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_):
        pass


@pytest.fixture
def gateway(monkeypatch, tmp_path, ask):
    Gateway.asked, Gateway.refuse = [], False
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(amap, "KEY", "secret-key")
    monkeypatch.setattr(amap, "URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(maps, "folder", lambda: tmp_path / "maps")
    ask.location.place = Place(*HERE)
    yield ask
    server.shutdown()
    server.server_close()


def test_the_way_on_foot(gateway):
    gateway("最近的药店在哪里").shows("80米", "↰ 左转进入", "西湖药店：420米")
    paths = [path for path, _ in Gateway.asked]
    assert "/v3/direction/walking" in paths
    lon, lat = map(float, Gateway.asked[-1][1]["origin"][0].split(","))
    assert distance_m((lat, lon), china.to_gcj(HERE)) < 1


def test_where_one_is(gateway):
    gateway("where am i").shows("Amap", "文一西路")


def test_a_refusal_and_a_silence_are_told_without_the_key(gateway, monkeypatch):
    Gateway.refuse = True
    gateway("导航到西湖药店").shows("Amap", "INVALID_USER_KEY")
    monkeypatch.setattr(amap, "URL", "http://127.0.0.1:9")
    gateway("导航到西湖药店").shows("Amap does not answer")
    assert all("secret-key" not in str(one.turn.reply) for one in gateway.exchanges)


def test_outside_china_nothing_is_asked(gateway):
    gateway.location.place = Place(48.2, 16.3)
    gateway("where am i").shows("No map here")
    assert Gateway.asked == []
