"""A Wyoming server as an engine: the library's server, and servers that hang, die and lie."""

import asyncio
import contextlib
import re
import socket
import threading
import time
from functools import partial

import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStop
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.server import AsyncEventHandler

from agent import config
from agent.cli import engines
from agent.errors import ConfigError, EngineError
from agent.language.saying import Saying
from agent.listen.sphinx.engine import PocketSphinx
from agent.listen.transcriber import Transcriber
from agent.listen.whisper.engine import Written
from agent.listen.whisper.pair import Pair, Resting
from agent.listen.whisper.window import Hypothesis
from agent.listen.wyoming.engine import Address, Far, FarOptions
from agent.listen.wyoming.frames import written
from agent.messages import Transcript as Heard
from hardware.audio import read
from hardware.spoken import clips

QUICK = FarOptions(connect_s=0.5, answer_s=1.5, patience_s=0.5, retry_s=0.0)
PLAY = [Saying("music.play", "play {song}", {"song": ("ode to joy", "moonlight")})]
SPEECH = read(clips()[6])
"""Play ode to joy."""


class Answering(AsyncEventHandler):
    """Transcribes as it is told."""

    def __init__(self, answer, heard, *streams):
        super().__init__(*streams)
        self.answer, self.heard, self.pcm = answer, heard, b""

    async def handle_event(self, event):
        if Describe.is_type(event.type):
            await self.write_event(Info().event())
        elif Transcribe.is_type(event.type):
            self.heard.append(event.data.get("language"))
        elif AudioChunk.is_type(event.type):
            self.pcm += event.payload
        elif AudioStop.is_type(event.type):
            self.heard.append(self.pcm)
            for told in self.answer() if callable(self.answer) else self.answer:
                await self.write_event(told.event())
            return False
        return True


@contextlib.contextmanager
def running(come, port=0):
    """Serve in a thread: `come` takes reader and writer. Yields the address."""
    loop, bound = asyncio.new_event_loop(), socket.create_server(("127.0.0.1", port))

    async def serve():
        server = await asyncio.start_server(come, sock=bound)
        async with server:
            with contextlib.suppress(asyncio.CancelledError):
                await server.serve_forever()

    task = loop.create_task(serve())
    thread = threading.Thread(target=partial(loop.run_until_complete, task))
    thread.start()
    try:
        yield Address(*bound.getsockname()[:2])
    finally:

        def end():
            for other in asyncio.all_tasks(loop):
                other.cancel()

        loop.call_soon_threadsafe(end)
        thread.join(10)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


@contextlib.contextmanager
def library(*answer, heard=None, port=0):
    """The library's own handler, with these answers."""
    heard = [] if heard is None else heard
    said = answer[0] if len(answer) == 1 and callable(answer[0]) else answer

    async def come(reader, writer):
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await Answering(said, heard, reader, writer).run()

    with running(come, port) as address:
        yield address


@pytest.fixture
def far():
    """Return a function that makes the engine."""
    made = []

    def make(address, **options):
        told = []
        engine = Far(address, options=QUICK, tell=told.append, **options)
        made.append(engine)
        engine.told = told
        engine.expect(PLAY)
        return engine

    yield make
    for engine in made:
        engine.close()


def hear(engine, pcm=SPEECH, prepare=True):
    engine.start()
    for at in range(0, len(pcm), 640):
        engine.feed(pcm[at : at + 640])
    if prepare:
        engine.prepare()
    engine.feed(bytes(16_000))
    return engine.finish()


def gone():
    """An address where nobody is."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return Address("127.0.0.1", bound.getsockname()[1])


# -- a server as it should be ---------------------------------------------------------------------


def test_it_is_a_transcriber(far):
    assert isinstance(far(gone()), Transcriber)


@pytest.mark.parametrize("prepare", [True, False])
def test_free_speech_is_what_the_server_writes(far, prepare):
    got = []
    with library(Transcript("What is the meaning of life?"), heard=got) as address:
        heard = hear(far(address, language="en"), prepare=prepare)
    assert heard == Heard(
        "What is the meaning of life?", "en", heard.confidence, True, str(address)
    )
    assert got[0] == "en"
    assert got[1].startswith(SPEECH)


def test_a_sentence_that_can_be_said_is_put_right(far):
    with library(Transcript("Play owed to joy.")) as address:
        assert hear(far(address)).text == "play ode to joy"


def test_chinese_is_known_by_its_characters(far):
    with library(Transcript("今天天气怎么样")) as address:
        heard = hear(far(address))
    assert (heard.text, heard.language) == ("今天天气怎么样", "zh")


def test_a_server_alone_is_not_sure_enough_to_pay(far):
    from agent.loop.respond import SURE, SURE_OF_MONEY

    for said in ("yes please", "play ode to joy"):
        with library(Transcript(said)) as address:
            assert 0 < hear(far(address)).confidence < min(SURE, SURE_OF_MONEY)


def test_what_is_said_after_the_pause_is_asked_for_again(far):
    got = []
    with library(Transcript("What is the meaning of life?"), heard=got) as address:
        engine = far(address)
        engine.start()
        engine.feed(SPEECH[:20_000])
        engine.prepare()
        engine.feed(SPEECH[20_000:])
        engine.finish()
        assert SPEECH in got  # the first, which was called off, may come to its end later


def test_the_answer_is_ready_in_the_pause(far):
    with library(Transcript("What is the meaning of life?")) as address:
        engine = far(address)
        engine.start()
        engine.feed(SPEECH)
        assert engine.partial() is None
        engine.prepare()
        until = time.monotonic() + 5
        while engine.partial() is None and time.monotonic() < until:
            time.sleep(0.01)
        assert engine.partial().text == "What is the meaning of life?"
        assert not engine.partial().final


def test_nothing_is_nothing(far):
    with library(Transcript("")) as address:
        engine = far(address)
        assert hear(engine).text == ""
        assert engine.told == []


# -- servers as they are --------------------------------------------------------------------------


async def _hang(reader, writer):
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(60)
    writer.close()


async def _die(reader, writer):
    await reader.read(1_000)
    writer.transport.abort()


def _says(raw):
    async def come(reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            writer.write(raw)
            await writer.drain()
            while await reader.read(65_536):
                pass
        writer.close()

    return come


async def _flood(reader, writer):
    with contextlib.suppress(ConnectionError, asyncio.CancelledError):
        while True:
            writer.write(written(Sent("noise", b"x" * 100_000)))
            await writer.drain()


class Sent:
    """An event of any kind."""

    def __init__(self, kind, payload):
        self.event = lambda: Event(kind, {}, payload)


BAD = {
    "hangs": (_hang, "no answer in time"),
    "dies": (_die, "Connection reset by peer|hung up without an answer|Broken pipe"),
    "babbles": (_says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "its answer is no Wyoming event"),
    "floods": (_flood, "longer than 4,194,304 bytes|no answer in time"),
    "lies": (_says(b'{"type": "transcript", "payload_length": 99999999}\n'), "payload_length"),
    "cannot": (_says(written(Error("secret words"))), "it could not hear this"),
    "no text": (_says(written(Sent("transcript", b""))), "its transcript has no text"),
    "long": (_says(written(Transcript("a b " * 400))), "longer than 500 characters"),
}


@pytest.mark.parametrize("way", BAD)
def test_a_server_that_fails_costs_one_line_and_a_moment(far, way):
    come, why = BAD[way]
    with running(come) as address:
        engine = far(address)
        began = time.monotonic()
        with pytest.raises(Resting):
            hear(engine)
        assert time.monotonic() - began < 3
        (line,) = engine.told
        assert line.startswith(f"{address}: ")
        assert line.endswith("; meanwhile only commands are heard")
        assert len(line.splitlines()) == 1
        assert "secret" not in line
        assert re.search(why, line), line


def test_a_server_that_is_away_is_not_waited_for_again_and_is_found_when_it_is_back(far):
    engine = far(gone())
    for _ in range(3):
        began = time.monotonic()
        with pytest.raises(EngineError):
            hear(engine)
        assert time.monotonic() - began < 2
        time.sleep(0.05)
    assert len(engine.told) == 1, engine.told
    assert "Connection refused" in engine.told[0]
    with library(Transcript("What is the meaning of life?"), port=engine.address.port):
        until = time.monotonic() + 10
        while len(engine.told) < 2 and time.monotonic() < until:
            with contextlib.suppress(EngineError):
                hear(engine)
            time.sleep(0.05)
        assert engine.told[1] == f"{engine.address} is back"
        assert hear(engine).text == "What is the meaning of life?"


class Local:
    """Stands where faster-whisper does."""

    name = "local"

    def __init__(self):
        self.pcm, self.closed, self.told = b"", threading.Event(), None

    ready = None

    def expect(self, sayings):
        self.told = sayings

    def start(self):
        self.pcm = b""

    def feed(self, pcm):
        self.pcm += pcm

    def prepare(self):
        pass

    def abort(self):
        pass

    def written(self, timeout_s=None):
        return Written((Hypothesis(f"it heard {len(self.pcm)}", -0.1, 3),), "en")

    def close(self):
        self.closed.set()


def test_the_local_engine_hears_what_the_server_did_not(far):
    local = Local()
    engine = far(gone(), local=lambda: local)
    size = len(SPEECH) + 16_000
    assert hear(engine).text == f"it heard {size}", "the utterance that the server failed on"
    assert hear(engine).text == f"it heard {size}", "and the next, as it is spoken"
    assert engine.told == [
        f"{engine.address}: Connection refused; meanwhile the local engine hears"
    ]
    assert local.told == PLAY
    engine.close()
    assert local.closed.wait(5)


def test_a_local_engine_that_cannot_be_loaded_is_said_once(far):
    def broken():
        raise EngineError("weights are broken")

    engine = far(gone(), local=broken)
    with contextlib.suppress(EngineError):
        hear(engine)
    with pytest.raises(EngineError):
        hear(engine)
    assert engine.told[1:] == ["weights are broken; only commands are heard"]


# -- beside the grammar engine --------------------------------------------------------------------


@pytest.fixture
def pair():
    made = []

    def make(address, told):
        far = partial(Far, address, "en", options=QUICK, tell=told.append)
        made.append(Pair(PocketSphinx(), far, frozenset({"en"}), tell=told.append))
        made[-1].load(10)
        made[-1].expect(PLAY)
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_commands_are_heard_without_the_server_and_all_else_with_it(pair):
    told = []
    engine = pair(gone(), told)
    assert hear(engine).text == "play ode to joy"
    assert hear(engine, read(clips()[8])).text == ""
    assert hear(engine, read(clips()[8])).text == ""
    assert len([line for line in told if "meanwhile" in line]) == 1
    assert len(told) == 1
    assert hear(engine).text == "play ode to joy", "the pair lives on"


def test_free_speech_beside_commands(pair):
    with library(Transcript("What is the meaning of life?")) as address:
        told = []
        assert hear(pair(address, told), read(clips()[8])).text == "What is the meaning of life?"
        assert told == []


# -- the setting ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("setting", "address"),
    [
        ("wyoming://nas:10300", Address("nas", 10_300)),
        ("wyoming://[::1]:1", Address("::1", 1)),
    ],
)
def test_an_address_is_read(setting, address):
    assert Address.of(setting) == address
    assert str(address) == setting


@pytest.mark.parametrize(
    "setting",
    [
        "nas:10300",
        "wyoming://nas",
        "http://nas:1",
        "wyoming://:1",
        "wyoming://nas:99999",
        "wyoming://a:1/b",
    ],
)
def test_what_is_no_address_is_one_line(tmp_path, setting):
    settings = config.load({"HOME": str(tmp_path), "GLASSES_EARS": setting})
    with pytest.raises(ConfigError, match=r"ears is '.*': write wyoming://HOST:PORT"):
        engines.ears(settings, "en")


@pytest.mark.parametrize(
    ("language", "name"),
    [("auto", "pocketsphinx and wyoming://nas:1"), ("zh", "wyoming://nas:1")],
)
def test_the_setting_chooses_it(tmp_path, language, name):
    settings = config.load({"HOME": str(tmp_path), "GLASSES_EARS": "wyoming://nas:1"})
    chosen = engines.ears(settings, language)
    assert chosen.name == name
    engine = chosen.make()
    assert isinstance(engine, Far if language == "zh" else Pair)
    engine.close()
