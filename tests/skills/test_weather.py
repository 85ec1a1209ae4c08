"""The weather, from a file and from a feed on this machine."""

import json
import threading
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import skills.weather as skill_weather
from agent.plugins.skills import Skills
from agent.skill import feed
from agent.testing.clock import VirtualClock
from agent.testing.conversation import Conversation, Doubles
from agent.testing.doubles import VirtualLocation
from hardware.base import DeviceError, Place
from skills.weather import provider

NOW = datetime(2026, 7, 15, 10, 20)
FORECAST = {
    "current": {"temperature_2m": 21.4, "weather_code": 2},
    "daily": {
        "time": ["2026-07-15", "2026-07-16"],
        "weather_code": [2, 63],
        "temperature_2m_max": [24, 19],
        "temperature_2m_min": [14, 12],
        "precipitation_probability_max": [10, 80],
    },
}


MADRID = {"name": "Madrid", "country": "Spain", "latitude": 40.4165, "longitude": -3.70256}


class Feed:
    """A weather feed on loopback."""

    def __init__(self):
        self.asked, self.status, self.body = [], 200, json.dumps(FORECAST).encode()
        self.places = json.dumps({"results": [MADRID]}).encode()
        feed_ = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                feed_.asked.append(self.path)
                body = feed_.places if "/search?" in self.path else feed_.body
                self.send_response(feed_.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/forecast"
        self.search = self.url.replace("forecast", "search")

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def served():
    made = Feed()
    yield made
    made.close()
    feed._failed_s.clear()


@pytest.fixture
def ask(tmp_path, served, monkeypatch):
    monkeypatch.setattr(
        provider.current, "__defaults__", ({"HOME": str(tmp_path), "GLASSES_WEATHER": served.url},)
    )
    skills = Skills()
    skills.load(skill_weather)
    doubles = Doubles(
        clock=VirtualClock(begins=NOW), location=VirtualLocation(Place(48.137, 11.575))
    )
    made = Conversation(skills, tmp_path, doubles)
    yield made
    made.close()


def test_it_is_told_from_the_feed_and_kept(ask, served):
    assert ask("what's the weather like").reply.text.splitlines() == [
        "partly cloudy, 21°", "partly cloudy, 14 to 24°, ☂ 10 %",
    ]  # fmt: skip
    assert ask("will it rain tomorrow").reply.text.splitlines()[0] == "Yes, probably: 80 %"
    assert ask("明天天气怎么样").reply.text.splitlines()[1] == "雨，12到19度, ☂ 80 %"
    assert len(served.asked) == 1
    assert "latitude=48.1&" in served.asked[0], "the feed is not told where exactly the wearer is"
    ask("dashboard").shows("partly cloudy", "21°")


def test_what_a_question_in_other_words_is_told_is_of_here_and_now(ask):
    assert ask("what is it like outside").reply.text == "partly cloudy, 21°, here and now"
    assert ask("现在外面怎么样").reply.text == "此时此地多云，21度"


@pytest.fixture
def elsewhere(ask, served, tmp_path, monkeypatch):
    """The same, with a feed that finds places."""
    environ = {
        "HOME": str(tmp_path),
        "GLASSES_WEATHER": served.url,
        "GLASSES_WEATHER_PLACES": served.search,
    }
    for function in (provider.forecast, provider.searches, provider.find):
        monkeypatch.setattr(function, "__defaults__", (environ,))
    return ask


def test_another_place_is_found_and_told(elsewhere, served):
    exchange = elsewhere("what's the weather in madrid tomorrow")
    assert exchange.reply.title == "Madrid, Spain"
    assert exchange.reply.text.splitlines()[1] == "rain, 12 to 19°, ☂ 80 %"
    search, forecast = served.asked
    assert "name=madrid" in search
    assert "latitude=40.4&longitude=-3.7" in forecast
    assert elsewhere("看看马德里的天气").reply.text.startswith("多云")
    assert "language=zh" in served.asked[2]
    before = len(served.asked)
    assert elsewhere("what's the weather in town").reply.title == ""
    assert "latitude=48.1" in served.asked[before]


@pytest.mark.parametrize(
    ("places", "answer"),
    [
        ({}, "I found no place called atlantis."),
        ({"results": []}, "I found no place called atlantis."),
        ({"results": [{"latitude": 91, "longitude": 0}]}, "GLASSES_WEATHER_PLACES"),
        ({"results": [{"latitude": "north"}]}, "GLASSES_WEATHER_PLACES"),
        ({"results": 7}, "GLASSES_WEATHER_PLACES"),
        ([], "GLASSES_WEATHER_PLACES"),
    ],
)
def test_a_place_that_is_none_is_one_line(elsewhere, served, places, answer):
    served.places = json.dumps(places).encode()
    assert answer in elsewhere("what's the weather in atlantis").reply.text


@pytest.mark.parametrize(
    ("weather", "places", "found_by"),
    [
        ("https://api.open-meteo.com/v1/forecast", "", provider.PLACES),
        ("https://weather.example/v1", "", ""),
        ("https://weather.example/v1", "https://places.example", "https://places.example"),
        ("weather.json", "https://places.example", ""),
        ("", "", ""),
    ],
)
def test_where_places_are_found(weather, places, found_by, tmp_path):
    environ = {"HOME": str(tmp_path), "GLASSES_WEATHER": weather, "GLASSES_WEATHER_PLACES": places}
    assert provider.searches(environ) == found_by


def test_a_day_beyond_the_forecast_is_said(ask):
    ask("what is the weather on friday").shows("The forecast does not reach to")


def test_a_feed_that_fails_is_one_line(ask, served):
    served.status = 503
    assert ask("what's the weather").reply.text.startswith("127.0.0.1")
    assert "answered 503" in ask.last.reply.text
    served.status = 200
    assert "try again in a moment" in ask("what's the weather").reply.text


def test_what_was_read_before_stays_in_use(served, tmp_path):
    assert feed.read(served.url, tmp_path, 900, now_s=None).content == served.body
    served.status = 500
    assert feed.read(served.url, tmp_path, 0).content == served.body


def test_without_a_source_it_says_how_to_get_one(tmp_path):
    assert provider.current(Place(0, 0), tmp_path, {"HOME": str(tmp_path)}) is None


@pytest.mark.parametrize(
    "content",
    [b"", b"[1]", b'{"current": {"temperature_2m": 1e9, "weather_code": 0}}', b"\xff\xfe"],
)
def test_weather_that_is_none_is_one_line(content):
    with pytest.raises(DeviceError, match="check GLASSES_WEATHER"):
        provider.read(content)


def test_every_sky_has_a_name_in_both_languages():
    for code in (0, 1, 3, 45, 51, 61, 65, 71, 95):
        assert provider.sky(code, "en") != "—" != provider.sky(code, "zh")
