"""Who is not let in, and what becomes of those who misbehave: it costs them alone."""

import asyncio
import contextlib
import json
import random
import resource
import socket

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from agent.serve.hub import door, protocol, sessions
from agent.serve.hub.protocol import NAME, Cursor, Hello, Nonsense, Say, Sound, read
from agent.serve.hub.tenants import Tenant, Tenants
from tests.agent.serve.hub.test_session import SPOKEN
from tests.agent.serve.hub.wearer import QUIET
from tests.pace import PATIENCE_S, soon

HELLO = json.dumps({"type": "hello", "version": 1})
CHUNK = bytes(640)


@contextlib.asynccontextmanager
async def link(hub, name="mine", hello=True, key=None):
    """A plain connection."""
    headers = {"Authorization": f"Bearer {key or hub.key}"}
    url = f"{hub.url}/glasses/{name}"
    async with connect(url, additional_headers=headers, max_size=None) as one:
        if hello:
            await one.send(HELLO)
            assert json.loads(await one.recv())["type"] == "welcome"
        yield one


async def rest(one):
    """What comes until the connection is closed, and the code it is closed with."""
    found = []
    with contextlib.suppress(ConnectionClosed):
        async with asyncio.timeout(PATIENCE_S):
            while True:
                found.append(json.loads(await one.recv()))
    return found, one.close_code


# -- who comes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "key", ["", "acme", "acme.", "acme.wrong", "zeta.wrong", "🙂.x", "a" * 9_000]
)
async def test_a_wrong_key_is_refused_before_anything_is_built(hub, key):
    here = await hub()
    headers = {"Authorization": f"Bearer {key}".encode().decode("latin-1")}
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{here.url}/glasses/mine", additional_headers=headers)
    assert refused.value.response.status_code in (400, 403)
    with pytest.raises(InvalidStatus):
        await connect(f"{here.url}/glasses/mine")
    assert here.agents == []
    assert not (here.folder / "glasses").exists()
    assert await here.lives()


async def test_a_key_is_taken_from_the_header_alone(hub):
    here = await hub()
    with pytest.raises(InvalidStatus):
        await connect(f"{here.url}/glasses/mine?key={here.key}")
    async with link(here) as one:
        assert one.close_code is None


async def test_a_key_that_was_taken_away_is_refused_from_then_on(hub):
    here = await hub()
    assert await here.lives()
    Tenants(here.folder).remove("acme")
    with pytest.raises(InvalidStatus):
        async with link(here):
            pass


async def test_a_damaged_list_of_tenants_lets_nobody_in(hub):
    here = await hub()
    kept = (here.folder / "tenants.json").read_text()
    for damaged in ("", "[]", "{", '{"acme": 3}', '{"acme": {"sessions": "many"}}'):
        (here.folder / "tenants.json").write_text(damaged)
        with pytest.raises(InvalidStatus):
            async with link(here):
                pass
    (here.folder / "tenants.json").write_text(kept)
    assert await here.lives()


@pytest.mark.parametrize("name", ["..", "a b", "%2e%2e", "a" * 65, "a.b", "ä"])
async def test_a_name_that_could_be_a_path_is_refused(hub, name):
    here = await hub()
    with pytest.raises(InvalidStatus):
        async with link(here, name):
            pass
    assert not NAME.fullmatch(name)


async def test_more_than_a_replica_holds_are_told_when_to_come_again(hub):
    here = await hub(sessions=1)
    async with link(here, "one"):
        async with link(here, "two", hello=False) as other:
            (bye,), code = await rest(other)
        assert (bye["type"], code) == ("bye", protocol.FULL)
        assert bye["retry_after_s"] > 0
    await soon(lambda: here.sessions._count == 0)
    assert await here.lives()


async def test_more_than_a_tenants_share_are_told_so_and_another_tenant_is_not(hub):
    here = await hub(tenant=Tenant("acme", sessions=1, glasses=2))
    other = Tenants(here.folder).add(Tenant("zeta"))
    async with link(here, "one"):
        async with link(here, "two", hello=False) as one:
            (bye,), code = await rest(one)
            assert ("all 1 sessions of acme" in bye["why"], code) == (True, protocol.FULL)
        async with link(here, "two", key=other):
            pass
    await soon(lambda: here.sessions._count == 0)
    async with link(here, "two"):
        pass
    await soon(lambda: here.sessions._count == 0)
    async with link(here, "three", hello=False) as one:
        (bye,), _ = await rest(one)
        assert "all 2 pairs of glasses of acme" in bye["why"]


# -- what they send -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[" * 20_000, "no JSON"),
        ("[]", "no JSON object"),
        ("{}", "no message 'None'"),
        ('{"type": "shutdown"}', "no message 'shutdown'"),
        ('{"type": "say", "line": 0}', "a line is text"),
        ('{"type": "say", "line": 0, "text": 7}', "a line is text"),
        ('{"type": "say", "line": -1, "text": "hi"}', "a number is 0"),
        ('{"type": "say", "line": 4294967296, "text": "hi"}', "a number is 0"),
        ('{"type": "say", "line": true, "text": "hi"}', "a number is 0"),
        ('{"type": "say", "line": 0, "text": "\\ud800"}', "no JSON"),
        (json.dumps({"type": "say", "line": 0, "text": "x" * 2_001}), "2000 characters"),
        (HELLO, "say hello once"),
        (b"", "chunks of 640"),
        (b"\0\0\0\0", "chunks of 640"),
        (b"\0\0\0\0" + CHUNK[:-1], "chunks of 640"),
        (b"\0\0\0" + CHUNK, "chunks of 640"),
        (b"\xff\xff\xff\xff" + CHUNK * 2, "numbers up to"),
        (b"\0\0\0\0" + CHUNK * 101, "100 chunks at most"),
    ],
)
async def test_nonsense_is_named_and_ends_its_connection(hub, sent, why):
    here = await hub()
    async with link(here) as one:
        await one.send(sent)
        found, code = await rest(one)
    assert why in found[-1]["why"]
    assert code == protocol.NONSENSE
    assert await here.lives()


@pytest.mark.parametrize(
    "first",
    [
        '{"type": "say", "line": 0, "text": "pay anna 20 dollars"}',
        b"\0\0\0\0" + CHUNK,
        '{"type": "hello"}',
        '{"type": "hello", "version": 2}',
        '{"type": "hello", "version": 1, "language": "fr"}',
        '{"type": "hello", "version": 1, "profile": "../../etc"}',
        '{"type": "hello", "version": 1, "profile": "no-such-lens"}',
        '{"type": "hello", "version": 1, "through": 3}',
        '{"type": "hello", "version": 1, "again": {"sound": "all"}}',
    ],
)
async def test_what_is_no_hello_begins_no_session(hub, first):
    here = await hub()
    async with link(here, hello=False) as one:
        await one.send(first)
        (bye,), code = await rest(one)
    assert (bye["type"], code) == ("bye", protocol.NONSENSE)
    assert here.agents == []


async def test_sound_that_is_cut_at_any_byte_is_nonsense_or_whole():
    whole = protocol.sound(7, CHUNK * 2)
    for length in range(len(whole)):
        if length == 4 + 640:
            assert read(whole[:length]) == Sound(7, (CHUNK,))
        else:
            with pytest.raises(Nonsense):
                read(whole[:length])
    assert read(whole) == Sound(7, (CHUNK, CHUNK))


async def test_anything_is_read_or_is_nonsense():
    luck = random.Random(5)
    for _ in range(3_000):
        message = bytearray(luck.choice([HELLO.encode(), b'{"type":"say","line":3,"text":"hi"}']))
        for _ in range(luck.randrange(1, 4)):
            message[luck.randrange(len(message))] = luck.randrange(256)
        with contextlib.suppress(Nonsense, UnicodeDecodeError):
            assert isinstance(read(message.decode()), (Hello, Say))
    assert read(HELLO) == Hello(Cursor(), Cursor(), "auto", "")


async def test_a_connection_cut_in_the_midst_of_a_frame_costs_itself_alone(hub):
    here = await hub(["what time is it"])
    for length in (1, 3, 10, 300):
        async with link(here) as one:
            await one.send(protocol.sound(length, CHUNK))
            frame = b"\x82\xfe\x02\x84" + bytes(length)  # it promises 644 bytes
            one.transport.write(frame)
            one.transport.abort()
    await soon(lambda: here.sessions._count == 0)
    async with here.wearer("mine") as wearer:
        assert (await wearer.speak(SPOKEN))["transcript"] == "what time is it"


async def test_a_message_that_is_too_long_is_refused_by_its_head(hub):
    here = await hub()
    async with link(here) as one:
        await one.send(bytes(protocol.MOST_BYTES + 1))
        _, code = await rest(one)
    assert code == 1009
    assert await here.lives()


async def test_another_tenants_frames_reach_nobody_elses_glasses(hub):
    here = await hub()
    other = Tenants(here.folder).add(Tenant("zeta"))
    async with here.wearer("mine") as wearer, link(here, "mine", key=other) as stranger:
        await stranger.send('{"type": "say", "line": 0, "text": "remember that i am a stranger"}')
        await stranger.recv()
        assert "stranger" not in str(await wearer.say("what do you remember"))


async def test_missing_chunks_are_silence_and_are_counted(hub):
    here = await hub(["what time is it"])
    pcm = QUIET + SPOKEN + QUIET
    chunks = [pcm[at : at + 640] for at in range(0, len(pcm) // 640 * 640, 640)]
    async with link(here) as one:
        for number, chunk in enumerate(chunks):
            if number % 10 != 9:
                await one.send(protocol.sound(number, chunk))
                await one.send(protocol.sound(number, chunk))  # what comes twice counts once
        while (message := json.loads(await one.recv()))["type"] != "turn":
            pass
    assert message["turn"]["transcript"] == "what time is it"
    metrics = here.sessions.watch.written().decode()
    missing = next(
        x for x in metrics.splitlines() if x.startswith("glasses_hub_chunks_missing_total")
    )
    assert float(missing.split()[1]) == pytest.approx(len(chunks) // 10, abs=1)


async def test_sound_faster_than_it_can_be_spoken_is_made_to_wait(hub, monkeypatch):
    monkeypatch.setattr(sessions, "SOUND_S", 1.0)
    here = await hub()
    async with link(here) as one:
        began_s = asyncio.get_running_loop().time()
        for number in range(0, 200, 50):
            await one.send(protocol.sound(number, CHUNK * 50))
        await one.send('{"type": "say", "line": 0, "text": "what time is it"}')
        while json.loads(await one.recv())["type"] != "turn":
            pass
        assert asyncio.get_running_loop().time() - began_s > 0.5  # 4 s of sound, one at once


# -- who says nothing -----------------------------------------------------------------------------


async def test_who_says_no_hello_is_let_go(hub, monkeypatch):
    monkeypatch.setattr(sessions, "HELLO_S", 0.1)
    here = await hub()
    async with link(here, hello=False) as one:
        (bye,), code = await rest(one)
    assert ("nothing came within" in bye["why"], code) == (True, protocol.STALLED)


@pytest.mark.slow
async def test_glasses_that_read_nothing_are_let_go(hub, monkeypatch):
    monkeypatch.setattr(sessions, "WRITE_S", 0.2)
    monkeypatch.setattr(sessions, "OUTBOX", 4)
    here = await hub()
    async with link(here) as one:
        one.transport.pause_reading()
        for line in range(200):
            with contextlib.suppress(ConnectionClosed):
                await one.send(json.dumps({"type": "say", "line": line, "text": "help"}))
        await soon(lambda: here.sessions._count == 0)
    assert await here.lives()


async def test_a_request_that_never_comes_is_not_waited_for(hub, monkeypatch):
    monkeypatch.setattr(door, "HELLO_S", 0.1)
    here = await hub()
    host, port = here.url.removeprefix("ws://").split(":")
    for begun in (b"", b"GET /glasses/mine HTTP/1.1\r\nHost: a\r\n"):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(begun)
        with contextlib.suppress(ConnectionResetError):
            async with asyncio.timeout(PATIENCE_S):
                assert await reader.read() == b""
        writer.close()
    assert await here.lives()


@pytest.mark.slow
async def test_ten_thousand_connections_that_say_nothing_keep_nobody_out(hub):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 12_000:
        pytest.skip(f"not run: a process may open {hard} files here, and 10,000 are wanted")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    here = await hub()
    host, port = here.url.removeprefix("ws://").split(":")
    silent = []
    try:
        async with here.wearer("mine") as wearer:
            for count in range(10_000):
                one = socket.socket()
                one.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    one.connect((host, int(port)))
                silent.append(one)
                if count % 100 == 99:
                    await asyncio.sleep(0)
                if count % 2_000 == 1_999:
                    assert (await wearer.say("what time is it"))["error"] is None
                    assert await here.lives()  # one that comes now is let in
            assert len(door.PatientProtocol._silent) <= door.MOST_SILENT
        assert wearer.breaks == []
    finally:
        for one in silent:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
