"""The agent's own voice: how soon it is heard, that it says nothing to the agent, and that it ends.

`espeak-ng` says replies; a virtual speaker plays them, and a microphone in the same simulated room
hears them. Three measures: from the first glyph of an answer to its first sound, on this machine's
clock; turns that the agent's own voice opens, of 100 replies of which every tenth holds a word that
stops, beside the same without half duplex; and how soon "stop", said by other voices over it, makes
it silent. The last two are in virtual time: the time of the sound, without that of the machine.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from agent import config
from agent.act.mouth import Mouth
from agent.loop.agent import Agent
from agent.models import store
from agent.testing.check.voices import find_voices
from agent.testing.clock import VirtualClock
from agent.turn import Turn
from hardware.audio import read
from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ, Voice
from hardware.microphone import FileMicrophone
from hardware.piper import PiperVoice, Voices
from hardware.speaker import VirtualSpeaker
from hardware.voice import find_voice
from tests.bench import listening, turns
from tests.bench.words import speech_span_ms
from tests.echo import EchoMicrophone, Room
from tests.pace import PATIENCE_S

REPLIES = (
    ("en", "It is six thirty, and the next bus leaves in twelve minutes."),
    ("en", "Today it is 21° and sunny, tomorrow there may be rain."),
    ("en", "You have three reminders. The first is at 18:30: call the dentist."),
    ("en", "Play the music again? Say yes or no."),
    ("en", "Turn left at the church, then go on for 200 m."),
    ("zh", "今天二十一度，晴，明天可能下雨。"),
    ("zh", "下一班车十二分钟后到。"),
    ("en", "The best coffee here costs four dollars fifty, and it is open until nine."),
    ("zh", "提醒您：下午六点半给牙医打电话。"),
    ("en", "The bus stop is behind the station. Say stop to stop, or cancel."),
)
"""What is said; the last holds words that stop."""
ROOMS = (Room(24.0), Room(12.0), Room(12.0, 150.0, 400.0), Room(6.0))
"""How loud and how late the agent is heard: an earpiece, a headset, one in a hall, a speaker."""
CLIPS, QUICK = 100, 8
TAIL_S = 2.0
"""Silence after the agent's last word, in which a turn that it had opened would end."""
SAID_MS = 1200.0
"""When "stop" is said, after the microphone opened; the agent speaks from its beginning."""
LONG = (
    "Here is what I found about the weather of the next days, town by town and hour by hour,"
    " with everything that the service tells about wind and rain in each of them."
)
"""What "stop" interrupts."""
HEARD_MS = 500.0
"""How soon "stop" has to be heard."""


class Deaf(Mouth):
    """One that never says that it speaks: what half duplex keeps out is heard."""

    speaking = False  # type: ignore[assignment]


class Timed(VirtualSpeaker):
    """A speaker that notes when it began to play and when it was silenced, by its clock."""

    def __init__(self, clock: Any) -> None:
        super().__init__(clock=clock)
        self.began_s: list[float] = []
        self.ended_s: list[float] = []
        self._time = clock

    def play(self, path: Path, at_s: float = 0.0) -> None:
        """Play, and note it."""
        super().play(path, at_s)
        self.began_s.append(self._time())

    def stop(self) -> None:
        """Stop, and note it where something played."""
        if self.playing is not None:
            self.ended_s.append(self._time())
        super().stop()


def make_agent(folder: Path, speaker: VirtualSpeaker) -> Agent:
    """Build the agent as the command line does, with a voice that is on."""
    agent = listening.make_agent([], folder, speaker)
    agent.devices = replace(agent.devices, voice=find_voice())
    agent.world.mouth.mode = "on"
    return agent


def piper() -> Voice | None:
    """Return the Piper voice that is in the models folder, loaded; None where there is none."""
    path = store.choose("voice", config.load().models, "en").path
    if path is None or not find_voice().languages:
        return None
    found = Voices(PiperVoice(path), find_voice())
    found.load()
    return found


def first_sounds_ms(count: int, voice: Voice | None = None) -> list[float]:
    """Return how long after the first glyph of each answer its first sound was played."""

    async def work() -> list[float]:
        with tempfile.TemporaryDirectory() as folder:
            speaker = Timed(time.monotonic)
            agent = make_agent(Path(folder), speaker)
            if voice is not None:
                agent.devices = replace(agent.devices, voice=voice)
            took = []
            for line in islice(cycle(("what time is it", "help", "what is 3 km in miles")), count):
                speaker.began_s.clear()
                lit_s: list[float] = []
                show = agent.devices.display.show

                def lit(frame: Any, show: Any = show, lit_s: list[float] = lit_s) -> None:
                    show(frame)
                    lit_s.append(time.monotonic())

                agent.devices.display.show = lit  # type: ignore[method-assign]
                await agent.hear(line, "en")
                agent.devices.display.show = show  # type: ignore[method-assign]
                while not speaker.began_s:
                    await asyncio.sleep(0.001)
                took.append((speaker.began_s[0] - lit_s[0]) * 1000)
                agent.world.mouth.hush()
            await agent.close()
            return took

    return asyncio.run(work())


def own_turns(count: int, deaf: bool = False) -> tuple[int, int]:
    """Return how many replies opened a turn, and how many ended before their end."""
    clock = VirtualClock(PATIENCE_S)
    opened = ended = 0
    try:
        for number, (language, text) in enumerate(islice(cycle(REPLIES), count)):
            room = ROOMS[number % len(ROOMS)]
            found, cut = clock.run(_hears_itself(clock, text, language, room, number, deaf))
            opened += bool(found)
            ended += cut
    finally:
        clock.close()
    return opened, ended


async def _hears_itself(
    clock: VirtualClock, text: str, language: str, room: Room, seed: int, deaf: bool
) -> tuple[list[Turn], bool]:
    with tempfile.TemporaryDirectory() as folder:
        speaker = Timed(clock.time)
        agent = make_agent(Path(folder), speaker)
        if deaf:
            agent.world.mouth.__class__ = Deaf
        long_s = len(_spoken(text, language)) / SAMPLE_BYTES / SAMPLE_RATE_HZ
        pcm = _hiss(0.6 + long_s + TAIL_S, seed)
        inner = FileMicrophone(pcm, tail_ms=0, clock=clock.time)
        heard: list[Turn] = []

        async def listen() -> None:
            async for turn in agent.listen(EchoMicrophone(inner, speaker, room, seed)):
                heard.append(turn)

        task = asyncio.create_task(listen())
        await asyncio.sleep(0.5)
        if seed % 2:  # as a notification does
            agent.world.mouth.announce(text, language, "a source")
        else:
            agent.world.mouth.say(text, language)
        await task
        cut = bool(speaker.ended_s)
        await agent.close()
        return heard, cut


def stopped_ms(count: int) -> list[float | None]:
    """Return how long after "stop" was said over its voice the agent was silent; None: it went on."""
    voices = [voice for voice in find_voices()[0] if voice.group == "natural"]
    said = [voice.speak("stop", read) for voice in voices]
    clock = VirtualClock(PATIENCE_S)
    try:
        return [
            clock.run(_stopped(clock, said[number % len(said)], ROOMS[number % len(ROOMS)], number))
            for number in range(count)
        ]
    finally:
        clock.close()


async def _stopped(clock: VirtualClock, word: bytes, room: Room, seed: int) -> float | None:
    import numpy as np

    with tempfile.TemporaryDirectory() as folder:
        speaker = Timed(clock.time)
        agent = make_agent(Path(folder), speaker)
        at = round((SAID_MS + 70 * (seed % 10)) * SAMPLE_RATE_HZ / 1000)
        heard = np.frombuffer(_hiss(4.5, seed), "<i2").astype(float)
        voice = np.frombuffer(word, "<i2").astype(float)
        heard[at : at + len(voice)] += voice
        pcm = heard.round().clip(-32768, 32767).astype("<i2").tobytes()
        inner = FileMicrophone(pcm, tail_ms=0, clock=clock.time)
        over_s = clock.time() + at / SAMPLE_RATE_HZ + speech_span_ms(word)[1] / 1000

        async def listen() -> None:
            async for _ in agent.listen(EchoMicrophone(inner, speaker, room, seed)):
                pass

        task = asyncio.create_task(listen())
        await asyncio.sleep(0.1)
        agent.world.mouth.say(LONG, "en")
        await task
        ended = [s - over_s for s in speaker.ended_s]
        await agent.close()
        return ended[0] * 1000 if ended and ended[0] < 2.0 else None


def figures(quick: bool = False) -> dict[str, float]:
    """Return the figures of the benchmark; none without espeak-ng."""
    if not find_voice().languages:
        return {}
    count = QUICK if quick else CLIPS
    sound = first_sounds_ms(count)
    found = {
        "first_sound_p50_ms": turns.percentile(sound, 0.5),
        "first_sound_p95_ms": turns.percentile(sound, 0.95),
    }
    if (neural := piper()) is not None:
        sound = first_sounds_ms(count, neural)
        found |= {
            "piper_first_sound_p50_ms": turns.percentile(sound, 0.5),
            "piper_first_sound_p95_ms": turns.percentile(sound, 0.95),
        }
    opened, cut = own_turns(count)
    found |= {"own_clips": float(count), "own_turns": float(opened), "own_cut": float(cut)}
    few = max(1, count // 5)
    found |= {"full_duplex_clips": few, "full_duplex_turns": float(own_turns(few, deaf=True)[0])}
    return found | _stops(stopped_ms(count))


def _stops(took: Sequence[float | None]) -> dict[str, float]:
    heard = [ms for ms in took if ms is not None and ms > -HEARD_MS]  # its end may be a breath
    return {
        "stop_said": float(len(took)),
        "stop_within_500_ms": float(sum(ms <= HEARD_MS for ms in heard)),
        "stop_p50_ms": turns.percentile(heard, 0.5),
        "stop_p95_ms": turns.percentile(heard, 0.95),
        "stop_too_soon": float(sum(ms is not None and ms <= -HEARD_MS for ms in took)),
    }


def _spoken(text: str, language: str) -> bytes:
    from agent.language import aloud

    voice = find_voice()
    runs = (run for sentence in aloud.sentences(text, language) for run in sentence)
    return b"".join(voice.sound(run.text, run.language) for run in runs)


def _hiss(seconds: float, seed: int) -> bytes:
    """Return the noise of a quiet room."""
    import numpy as np

    noise = np.random.default_rng(seed).normal(0.0, 40.0, round(seconds * SAMPLE_RATE_HZ))
    return bytes(noise.round().astype("<i2").tobytes())


if __name__ == "__main__":
    for name, value in figures().items():
        print(f"{name.replace('_', ' '):24}{value:10,.1f}")
