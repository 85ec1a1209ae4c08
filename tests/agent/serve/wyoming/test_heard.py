"""Hearing for others: real pocketsphinx, real sockets, the library's client."""

import asyncio
import threading

import numpy as np
import pytest
from wyoming.info import Describe, Info

from agent.errors import EngineError
from agent.listen.sphinx.engine import PocketSphinx
from agent.serve import ears as ears_module
from agent.serve.ears import Utterance
from agent.testing import ScriptedTranscriber
from agent.version import __version__
from hardware.audio import Resampler, read
from hardware.spoken import clips
from tests.agent.serve.wyoming.conftest import heard, say, text

SEARCH, PLAY = "search for running shoes", "play ode to joy"


def clip(number):
    return read(clips()[number - 1])


@pytest.fixture
async def glasses(serve):
    return await serve(PocketSphinx(), builtin=True)


def told(events):
    return "".join(e.data["text"] for e in events if e.type == "transcript-chunk")


@pytest.mark.slow
async def test_what_ships_is_heard_and_told_while_it_is_spoken(glasses):
    for number, said in ((1, SEARCH), (5, "pay twenty dollars to anna"), (7, PLAY)):
        async with glasses.client() as client:
            await say(client, clip(number), language="en-US")
            events = await heard(client)
        assert text(events) == said
        assert told(events) == said
        kinds = [event.type for event in events]
        assert kinds[0] == "transcript-start"
        assert kinds[-2:] == ["transcript", "transcript-stop"]


@pytest.mark.slow
async def test_any_kind_of_sound_is_heard(glasses):
    plain = clip(1)
    samples = np.frombuffer(plain, "<i2")
    pair = np.repeat(samples, 2).astype("<i2").tobytes()
    deep = (samples.astype("<i4") << 8).view(np.uint8).reshape(-1, 4)[:, :3].tobytes()
    resampler = Resampler(44_100)
    high = resampler.feed(plain, 16_000) + resampler.flush()
    kinds = [
        (pair, 16_000, 2, 2),
        (deep, 16_000, 3, 1),
        ((samples.astype("<i4") << 16).tobytes(), 16_000, 4, 1),
        (high, 44_100, 2, 1),
    ]
    for pcm, rate, width, channels in kinds:
        async with glasses.client() as client:
            # pieces of an odd length: samples are cut in the middle
            await say(client, pcm, rate, width, channels, piece=3_001)
            assert text(await heard(client)) == SEARCH, (rate, width, channels)


@pytest.mark.slow
async def test_ten_at_once_are_all_heard(glasses):
    async def one(number):
        async with glasses.client() as client:
            await say(client, clip(1 if number % 2 else 7))
            return text(await heard(client))

    found = await asyncio.wait_for(asyncio.gather(*map(one, range(10))), 60)
    assert found == [SEARCH if number % 2 else PLAY for number in range(10)]


@pytest.mark.slow
async def test_who_stops_in_the_middle_keeps_nobody_waiting(glasses):
    async with glasses.client() as slow:
        pcm = clip(7)
        from wyoming.audio import AudioChunk, AudioStart, AudioStop

        await slow.write_event(AudioStart(16_000, 2, 1).event())
        await slow.write_event(AudioChunk(16_000, 2, 1, pcm[:20_000]).event())
        assert (await slow.read_event()).type == "transcript-start"
        async with glasses.client() as other:
            await say(other, clip(1))
            assert text(await asyncio.wait_for(heard(other), 15)) == SEARCH
        await slow.write_event(AudioChunk(16_000, 2, 1, pcm[20_000:]).event())
        await slow.write_event(AudioStop().event())
        assert text(await heard(slow)) == PLAY, "heard from its own recording"


@pytest.mark.slow
async def test_silence_is_nothing(glasses):
    async with glasses.client() as client:
        await say(client, bytes(48_000))
        events = await heard(client)
    assert (text(events), told(events)) == ("", "")


async def test_info_tells_what_is_installed(serve):
    glasses = await serve(ScriptedTranscriber())
    await glasses.server.ears.warm()
    info = Info.from_event(await glasses.ask(Describe()))
    (asr,), (handle,) = info.asr, info.handle
    assert (asr.name, asr.version, asr.installed) == ("glasses", __version__, True)
    assert [(m.name, m.languages, m.installed) for m in asr.models] == [
        ("scripted", ["en", "zh"], True)
    ]
    assert asr.attribution.name == "glasses"
    assert asr.supports_transcript_streaming
    assert handle.models[0].languages == ["en", "zh"]


async def test_a_pair_is_told_as_two_models(serve):
    glasses = await serve(ScriptedTranscriber())
    await glasses.server.ears.warm()
    glasses.server.ears.name = "pocketsphinx and faster-whisper base"
    info = Info.from_event(await glasses.ask(Describe()))
    assert all(m.attribution.url.startswith("https://") for m in info.asr[0].models)
    assert [(m.name, m.languages, m.attribution.name) for m in info.asr[0].models] == [
        ("pocketsphinx", ["en"], "Carnegie Mellon University"),
        ("faster-whisper base", ["en", "zh"], "OpenAI and SYSTRAN"),
    ]


async def test_without_ears_the_agent_still_answers(serve):
    class Broken(ScriptedTranscriber):
        @property
        def languages(self):
            raise EngineError("no weights")

    glasses = await serve(Broken())
    async with glasses.client() as client:
        await say(client, bytes(3_200))
        assert "see glasses doctor" in (await heard(client))[-1].data["text"]
    info = Info.from_event(await glasses.ask(Describe()))
    assert (info.asr, len(info.handle)) == ([], 1)
    async with glasses.client() as client:
        await say(client, bytes(3_200))
        assert "see glasses doctor" in (await heard(client))[-1].data["text"]


async def test_what_is_served_is_told_before_the_ears_are_loaded(serve):
    loading = threading.Event()

    class Slow(ScriptedTranscriber):
        def load(self, timeout_s):
            loading.wait(timeout_s)

    glasses = await serve(Slow(["hello there"]))
    info = Info.from_event(await asyncio.wait_for(glasses.ask(Describe()), 1))
    assert info.asr[0].models[0].name == "ears"
    async with glasses.client() as client:
        await say(client, bytes(32_000))
        loading.set()
        assert text(await heard(client)) == "hello there", "kept until the ears were there"


async def test_an_unknown_language_is_said_so(serve):
    glasses = await serve(ScriptedTranscriber())
    async with glasses.client() as client:
        await say(client, bytes(320), language="fr")
        error = (await heard(client))[-1]
    assert error.data["text"] == "these ears do not know the language 'fr'; they know en, zh"


async def test_an_engine_that_fails_is_one_line_and_the_next_is_heard(serve):
    class Fails(ScriptedTranscriber):
        failed = False

        def finish(self):
            if not self.failed:
                self.failed = True
                raise EngineError("the decoder broke")
            return super().finish()

    glasses = await serve(Fails(["hello there"]))
    async with glasses.client() as client:
        await say(client, bytes(3_200))
        assert (await heard(client))[-1].data["text"] == "the decoder broke"
    async with glasses.client() as client:
        await say(client, bytes(3_200))
        assert text(await heard(client)) == "hello there"


async def test_an_utterance_without_end_costs_no_more_than_half_a_minute_of_sound(serve):
    glasses = await serve(ScriptedTranscriber(["hello there"]))
    async with glasses.client() as client:
        await say(client, bytes(40 * 32_000), piece=320_000)
        assert text(await heard(client)) == "hello there"
    engine = await glasses.server.ears._thread.call(lambda engine: engine)
    assert engine.heard_bytes == ears_module.MOST_BYTES


# -- what is told while it is spoken --------------------------------------------------------------


class Partials:
    """Ears that hear what they are told to."""

    def __init__(self, *texts):
        self.texts = list(texts)

    async def along(self, utterance):
        from agent.messages import Transcript

        return Transcript(self.texts.pop(0), final=False)

    async def end(self, utterance):
        from agent.messages import Transcript

        return Transcript(self.texts.pop(0))


async def test_words_are_told_once_they_are_settled():
    utterance = Utterance(Partials(*["play ode"] * 4, *["play ode to"] * 4, "play ode to joy"))
    new = [await utterance.hear(bytes(8_000)) for _ in range(8)]
    assert new == ["", "", "", "play", "", "", "", " ode"]
    assert (await utterance.end())[1] == " to joy"


async def test_words_that_were_told_wrongly_are_not_taken_back():
    utterance = Utterance(Partials(*["play ode"] * 4, "stop the music"))
    assert [await utterance.hear(bytes(8_000)) for _ in range(4)][-1] == "play"
    transcript, new = await utterance.end()
    assert (transcript.text, new) == ("stop the music", "")
