"""Pages and the glasses they wear, over real sockets: what is said, done, broken off and sent ill."""

import json
import logging
import re
import socket
import urllib.error
import urllib.request
from contextlib import ExitStack, suppress

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from agent.errors import EngineError
from agent.listen.thread import EngineThread
from agent.serve.simulator import protocol, to_page
from agent.serve.simulator.connections import Limits
from agent.serve.simulator.session import Page as SlowPage
from agent.testing import voiced
from hardware.spoken import clips
from tests.agent.serve.server import Page, Plugin, get, health, running, scripted
from tests.pace import PATIENCE_S, until

pytestmark = pytest.mark.slow

JPEG = b"\xff\xd8\xff" + bytes(97)


@pytest.fixture(scope="module")
def plugin():
    return Plugin()


@pytest.fixture(scope="module")
def address(tmp_path_factory, plugin):
    texts = ["greet anna"] * 50
    data = tmp_path_factory.mktemp("data")
    with running(scripted(texts, plugin), data, limits=Limits(pairs=200, linger_s=2)) as made:
        yield made


@pytest.fixture
def page(address, request):
    with Page(address, pair=re.sub(r"\W", "-", request.node.name)[-60:]) as made:
        made.welcome = made.until("welcome")
        yield made


def closed(sending):
    """Return the code that a connection is closed with after something was sent."""
    try:
        while True:
            sending.recv(timeout=PATIENCE_S)
    except ConnectionClosed as end:
        return end.rcvd.code


# -- what is said and done ------------------------------------------------------------------------


def test_a_page_is_told_what_it_wears(page):
    welcome = page.welcome
    assert welcome["profile"]["name"] == "quark-s1"
    assert "even-g1" in welcome["profiles"]
    greet = next(skill for skill in welcome["skills"] if skill["name"] == "demo.greet")
    assert greet["sentences"]["en"] == ["greet {name}"]
    assert greet["examples"]["en"][0].startswith("greet ")
    assert page.until("state")["on"] is True


def test_a_typed_line_is_answered_on_the_lens(page):
    page.send("say", text="greet bob")
    page.shows("Hello bob")
    assert page.told[-1]["png"]
    outcome = page.until("outcome")
    assert (outcome["kind"], outcome["owner"], outcome["priority"]) == (
        "shown",
        "demo",
        "foreground",
    )
    answered = page.until("answered")
    assert answered["turn"]["intent"]["action"] == "greet"
    assert answered["verdicts"][0]["stage"] == "templates"
    page.send("say", text="make me a sandwich")
    assert page.until("answered")["unknown"]


def test_what_is_spoken_is_heard_and_answered(page):
    page.speak(voiced(1.2))
    page.send("listen", on=False)
    assert page.until("heard", final=True)["text"] == "greet anna"
    page.shows("Hello anna")
    turn = page.until("answered")["turn"]
    assert turn["source"] == "microphone"
    assert turn["timings_ms"]["first_glyph"] > turn["timings_ms"]["speech_end"]
    assert page.until("health")["dropped"] == 0


def test_a_held_key_ends_its_utterance_when_it_is_let_go(page):
    page.send("listen", on=True)
    page.send("hold", down=True)
    page.speak(voiced(0.5), on=False)
    page.send("hold", down=False)
    page.send("listen", on=False)
    page.until("heard", final=True)
    page.shows("Hello anna")


def test_what_can_follow_is_offered(page):
    page.send("complete", text="gr")
    assert page.until("next")["options"] == ["greet"]
    page.send("complete", text="what do ")
    assert page.until("next") == {
        "type": "next", "text": "what do ", "options": ["what do you"], "asking": False,
    }  # fmt: skip


def test_a_nod_is_a_yes(page, plugin):
    before = len(plugin.paid)
    page.send("say", text="settle up with anna")
    page.shows("$4.00")
    page.send("gesture", name="nod")
    page.shows("Paid.")
    assert len(plugin.paid) == before + 1


def test_touches_reach_the_agent(page):
    page.send("say", text="greet bob")
    page.shows("Hello bob")
    page.send("gesture", name="double_tap")
    while page.until("answered")["turn"]["source"] != "double_tap":
        pass
    page.shows("")


def test_a_skill_sees_what_the_page_sees(page):
    page.send("say", text="what do you see")
    request = page.until("look")["request"]
    page.socket.send(b"\x02" + request.to_bytes(4, "big") + JPEG)
    page.shows("100 bytes")
    page.send("say", text="what do you see")
    page.send("blind", request=page.until("look")["request"], reason="the lid is closed")
    while not (error := page.until("answered")["turn"]["error"]):
        pass
    assert "the lid is closed" in error


def test_the_page_plays_what_the_speaker_should_and_fetches_nothing_else(page, address):
    page.send("say", text="sing")
    play = page.until("play", do="play")
    assert get(f"{address}sound/{play['key']}") == clips()[0].read_bytes()
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(f"{address}sound/another")
    page.send("played", key=play["key"])
    page.send("say", text="greet bob")  # after it, since messages are taken in order
    page.until("answered")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(f"{address}sound/{play['key']}")


def test_other_glasses_can_be_put_on(page):
    page.send("setting", profile="even-g1", language="en")
    welcome = page.until("welcome")
    assert (welcome["profile"]["width_px"], welcome["profile"]["height_px"]) == (576, 136)
    page.send("say", text="greet bob")
    page.shows("Hello bob")
    page.send("setting", profile="no-such-glasses", language="en")
    assert "no-such-glasses" in page.until("note", kind="broken")["text"]
    page.send("say", text="greet eve")
    page.shows("Hello eve")


def test_without_a_cell_the_glasses_go_off_and_go_on_where_they_were(page):
    page.send("say", text="greet bob")
    page.until("answered")
    page.send("cell", index=0, level=None)
    page.send("cell", index=1, level=None)
    page.until("state", on=False)
    page.send("say", text="greet nobody")
    page.until("note", kind="off")
    page.send("cell", index=1, level=0.6)
    page.until("welcome")
    page.shows("Hello bob")


def test_without_a_link_nothing_is_shown_and_it_is_said_why(page):
    page.send("say", text="greet bob")
    page.shows("Hello bob")
    page.send("link", lost=True)
    page.shows("")
    page.send("say", text="greet eve")
    while not (error := page.until("answered")["turn"]["error"]):
        pass
    assert "link to the glasses is lost" in error
    page.send("link", lost=False)
    page.until("state", lost=False)
    page.send("say", text="greet eve")
    page.shows("Hello eve")


def test_surroundings_are_kept_for_a_page_that_comes_later(page, address):
    page.send("light", lux=4)
    page.send("temperature", celsius=36)
    page.send("walk", on=True)
    page.until("state", walking=True)
    with Page(address, page.pair) as later:
        state = later.until("state")
        assert (state["lux"], state["temperature_c"], state["walking"]) == (4, 36, True)


def test_without_ears_the_rest_goes_on(tmp_path):
    def deaf(parts):
        built = scripted()(parts)

        def none():
            raise EngineError("no engine for this language: put one there")

        built.agent._ears = EngineThread(none)
        return built

    with running(deaf, tmp_path) as address, Page(address) as page:
        assert "put one there" in page.until("note", kind="deaf")["text"]
        page.send("say", text="settle up with anna")
        page.shows("$4.00")
        page.send("gesture", name="shake")
        page.shows("Nothing was paid")
        page.send("gesture", name="double_tap")
        page.shows("")


def test_a_page_that_takes_no_messages_is_let_go():
    page = SlowPage(3)
    for _ in range(5):
        page.tell(to_page.Note("busy"))
    assert [page.outbox.get_nowait() for _ in range(5)][3:] == [None, None]


# -- two pages, and pages that go -----------------------------------------------------------------


def test_the_page_that_comes_last_wears_the_glasses_and_the_other_watches(page, address):
    assert {"type": "role", "wearer": True, "pages": 1} in page.told
    with Page(address, page.pair) as second:
        assert second.until("role") == {"type": "role", "wearer": True, "pages": 2}
        assert page.until("role") == {"type": "role", "wearer": False, "pages": 2}
        page.send("say", text="greet bob")
        page.until("note", kind="watching")
        second.send("say", text="greet eve")
        assert page.until("answered")["turn"]["transcript"] == "greet eve"
        page.shows("Hello eve")
        page.send("wear")
        assert page.until("role")["wearer"] is True
        assert second.until("role", wearer=False)
        page.send("say", text="greet bob")
        second.shows("Hello bob")
    assert page.until("role")["pages"] == 1


def test_a_page_closed_in_the_middle_of_a_sentence_ends_it(tmp_path):
    with running(scripted(["greet anna"]), tmp_path) as address:
        with Page(address, "leaving") as page:
            page.until("welcome")
            page.send("hold", down=True)
            page.speak(voiced(0.8))
            page.until("lens", listening=True)
        with Page(address, "leaving") as page:
            page.shows("Hello anna")
            page.send("say", text="greet bob")
            page.shows("Hello bob")


def test_glasses_that_nobody_wears_are_put_away(tmp_path):
    with running(scripted(), tmp_path, limits=Limits(linger_s=0.1)) as address:
        with Page(address) as page:
            page.until("welcome")
            assert health(address)["pairs"] == 1
        until(lambda: health(address)["pairs"] == 0)
        assert health(address) == {"pairs": 0, "pages": 0, "closed": {"1000": 1}}


def test_there_are_only_so_many_glasses_and_pages(tmp_path):
    with (
        running(scripted(), tmp_path, limits=Limits(pairs=2, pages=3)) as address,
        ExitStack() as stack,
    ):
        for name in ("one", "two", "two"):
            stack.enter_context(Page(address, name)).until("role")
        assert closed(Page(address, "two", hello=False).socket) == protocol.BUSY
        stack.close()
        until(lambda: health(address)["pages"] == 0)
        for name in ("one", "two"):  # they wait for their pages
            stack.enter_context(Page(address, name)).until("role")
        assert closed(Page(address, "three").socket) == protocol.BUSY


# -- what is sent ill -----------------------------------------------------------------------------


JUNK = {
    "nothing": "",
    "no JSON": "{",
    "no object": "[1]",
    "a key is missing": '{"type": "say"}',
    "a second hello": '{"type": "hello", "version": 1, "pair": "x"}',
    "null": "null",
    "half a head": b"\x00",
    "no sound": b"\x01\x00\x00\x00\x00",
    "no JPEG": b"\x02" + bytes(100),
    "no kind": b"\xff" * 1000,
}


@pytest.mark.parametrize("sent", JUNK.values(), ids=JUNK)
def test_junk_closes_the_connection_and_nothing_else(address, page, sent):
    before = health(address)["closed"].get("1007", 0)
    with Page(address, "junk") as other:
        other.until("role")
        other.socket.send(sent)
        assert closed(other.socket) == protocol.JUNK
    assert health(address)["closed"]["1007"] == before + 1
    page.send("say", text="greet bob")
    page.shows("Hello bob")


def test_a_page_of_another_version_is_told_so(address):
    with Page(address, hello=False) as page:
        page.send("hello", version=99, pair="mine")
        assert closed(page.socket) == protocol.REFUSED


def test_who_never_says_hello_is_let_go(tmp_path):
    with running(scripted(), tmp_path, limits=Limits(hello_s=0.05)) as address:
        assert closed(Page(address, hello=False).socket) == protocol.REFUSED


def test_a_flood_closes_the_connection(tmp_path):
    """However long it takes: nothing is allowed anew, and what it asks for fits into its outbox."""
    limits = Limits(rate=0, burst=50)
    with running(scripted(), tmp_path, limits=limits) as address, Page(address, "flood") as page:
        page.until("role")
        with suppress(ConnectionClosed):
            for _ in range(200):
                page.send("walk", on=True)
        assert closed(page.socket) == protocol.REFUSED
        assert health(address)["closed"] == {"1008": 1}


def test_what_is_within_the_allowance_is_no_flood(tmp_path):
    limits = Limits(rate=0, burst=50)
    with running(scripted(), tmp_path, limits=limits) as address, Page(address, "calm") as page:
        page.until("role")
        for _ in range(48):  # with the hello and the line 50
            page.send("walk", on=True)
        page.send("say", text="greet bob")
        page.shows("Hello bob")


def test_a_message_of_two_megabytes_is_refused(address):
    with Page(address, "long") as page:
        page.until("role")
        page.socket.send(bytes(2 << 20))
        assert closed(page.socket) == protocol.TOO_BIG
    until(lambda: health(address)["closed"].get("1009"))


def handshaken(address, pair="raw"):
    """A bare socket on which the WebSocket's opening is done."""
    port = int(address.split(":")[2].strip("/"))
    bare = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    bare.sendall(
        b"GET /socket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    assert b"101" in bare.recv(4096)
    return bare


def test_a_hundred_megabytes_are_refused_by_their_head(address):
    with handshaken(address) as bare:
        bare.sendall(b"\x82\xff" + (100 << 20).to_bytes(8, "big") + bytes(4) + bytes(1000))
        answer = bare.recv(4096)
        assert answer[0] == 0x88
        assert int.from_bytes(answer[2:4], "big") == protocol.TOO_BIG


def test_half_a_frame_harms_nobody(tmp_path):
    with running(scripted(), tmp_path) as address, Page(address) as page:
        page.until("role")
        with handshaken(address) as bare:
            until(lambda: health(address)["pages"] == 2)
            bare.sendall(b"\x82\xfe\x02\x85" + bytes(4) + bytes(100))  # 645 bytes were promised
        until(lambda: health(address)["pages"] == 1)
        page.send("say", text="greet bob")
        page.shows("Hello bob")


def test_text_that_is_no_utf_8_closes_the_connection(address):
    with handshaken(address) as bare:
        bare.sendall(b"\x81\x82" + bytes(4) + b"\xff\xfe")
        answer = bare.recv(4096)
        assert answer[0] == 0x88
        assert int.from_bytes(answer[2:4], "big") == 1007


def test_no_word_of_it_is_logged(page, caplog):
    with caplog.at_level(logging.DEBUG):
        page.send("say", text="greet bartholomew")
        page.shows("bartholomew")
        page.until("answered")
        page.socket.send('{"type": "bartholomew"}')
        assert closed(page.socket) == protocol.JUNK
    ours = [r.getMessage() for r in caplog.records if r.name.startswith(("agent", "uvicorn"))]
    assert not [line for line in ours if "bartholomew" in line]


# -- sessions -------------------------------------------------------------------------------------


def send_session(address, pair, body):
    return urllib.request.urlopen(
        urllib.request.Request(f"{address}session/{pair}", data=body, method="POST")
    )


def test_a_session_is_recorded_saved_and_replayed(page, address):
    page.send("record", on=True)
    page.until("state", recording=True)
    page.send("say", text="greet bob")
    page.until("answered")
    page.speak(voiced(1.0))
    page.send("listen", on=False)
    page.until("answered")
    page.send("record", on=False)
    key = page.until("recorded")["key"]
    session = get(f"{address}recording/{key}")
    kinds = [next(k for k in json.loads(line) if k != "at_ms") for line in session.splitlines()]
    assert {"typed", "sound", "turn", "frame"} <= set(kinds)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(f"{address}recording/{key}")
    with send_session(address, page.pair, session) as answer:
        assert json.loads(answer.read()) == {"inputs": 2, "turns": 2, "cut": 0}
    assert page.until("replay")["running"] is True
    assert page.until("answered", replayed=True)["turn"]["transcript"] == "greet bob"
    page.send("say", text="greet eve")
    page.until("note", kind="replaying")
    done = page.until("replay", running=False)
    assert (done["done"], done["total"], done["differences"]) == (2, 2, [])
    page.send("say", text="greet eve")
    page.shows("Hello eve")


def test_a_replay_can_be_ended_and_tells_what_differs(page, address):
    header = {
        "glasses_session": 1,
        "recorded": "2030-01-01T12:00:00+00:00",
        "profile": "even-g1",
        "language": "en",
        "plugins": [],
        "speaker": True,
        "place": None,
    }
    typed = {"at_ms": 0, "typed": {"text": "greet bob", "language": None}}
    other = {
        "at_ms": 1,
        "turn": {
            "source": "text",
            "transcript": "greet bob",
            "intent": None,
            "reply": None,
            "error": None,
        },
    }
    late = {"at_ms": 9_000_000, "typed": {"text": "greet bob", "language": None}}

    def lines(*records):
        return "\n".join(map(json.dumps, records)).encode()

    send_session(address, page.pair, lines(header, typed, other)).close()
    done = page.until("replay", running=False)
    assert any(difference.startswith("1: intent: null") for difference in done["differences"])
    send_session(address, page.pair, lines(header, typed, late, other, other)).close()
    page.until("answered", replayed=True)
    page.send("end_replay")
    assert page.until("replay", running=False)["done"] == 0
    assert page.told[-3]["type"] == "lens", "the worn lens came back"


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"", 400, "the file"),
        (b"not json", 400, "not a recorded session"),
        (b"\xff\xfe", 400, "not text"),
        (
            b'{"glasses_session": 1, "recorded": "2030-01-01T12:00:00+00:00", "profile": "x", "language": "en", "plugins": [], "speaker": true, "place": null}',
            400,
            "not known",
        ),
    ],
    ids=["empty", "no JSON", "no text", "unknown glasses"],
)
def test_what_is_no_session_is_one_line(page, address, body, status, says):
    with pytest.raises(urllib.error.HTTPError) as refusal:
        send_session(address, page.pair, body)
    assert refusal.value.code == status
    text = refusal.value.read().decode()
    assert says in text
    assert "/tmp" not in text


def test_a_session_for_glasses_that_nobody_wears_is_refused(address):
    with pytest.raises(urllib.error.HTTPError, match="404"):
        send_session(address, "nobody", b"{}")


def test_a_client_that_is_no_browser_may_connect_without_an_origin(address):
    with connect(address.replace("http", "ws") + "socket") as bare:
        assert bare.protocol.state.name == "OPEN"
