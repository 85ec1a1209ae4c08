"""Spoken: samples spoken by synthetic voices must come through the real listening path.

That is `Agent.listen` with its endpointer, speech engine and router. No skill runs: the agent is
given a copy of the installed actions in which every function is replaced by one that does nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from agent.derive.sample import Sample
from agent.listen.transcriber import Transcriber
from agent.listen.vad import CascadeVad, Vad
from agent.loop.agent import Agent, AgentOptions
from agent.loop.stream import Listening
from agent.messages import Intent, Reply
from agent.plugins.skills import Skills
from agent.skill.declare import Action
from agent.testing.check.said import mismatch
from agent.testing.check.voices import Noise, Read, Voice
from agent.turn import Turn, kept
from hardware.base import Devices, Microphone

SNRS_DB = (24.0, 12.0)
"""Noise that samples are spoken in, beside none: a quiet office, and a loud kitchen."""

AHEAD = 6
"""Sentences synthesised before their turn, while the engine listens to others."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What became of one sentence, spoken once."""

    sample: Sample
    """The sentence."""
    voice: Voice
    """Who spoke it."""
    snr_db: float | None
    """How far the noise was below it; None for none."""
    text: str
    """What was heard."""
    wrong: str
    """"" when it arrived, else what it was taken for."""


@dataclass(frozen=True, slots=True)
class Take:
    """One sentence to speak."""

    sample: Sample
    """The sentence."""
    voice: Voice
    """Who speaks it."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the listening path is made of; only the command line names the concrete things."""

    ears: Callable[[], Transcriber]
    """Builds the speech engine."""
    devices: Devices
    """A display that is not looked at is enough."""
    folder: Path
    """For what the agent keeps; an empty one."""
    microphone: Callable[[bytes], Microphone]
    """Hears PCM as fast as it can, and enough silence after it for the turn to end."""
    read: Read
    """Decodes what a voice has written."""
    vad: Callable[[int], Vad] = CascadeVad
    """Tells speech from noise."""


def takes(samples: Mapping[str, Sequence[Sample]], voices: Sequence[Voice]) -> list[Take]:
    """Have each sentence template spoken by every natural voice and by one of the robotic ones.

    Where a template has several sentences, each voice speaks another. One voice after the other.
    """
    natural = [voice for voice in voices if voice.group == "natural"]
    robotic = [voice for voice in voices if voice.group == "robotic"]
    spoken = [
        Take(found[at % len(found)], voice)
        for number, found in enumerate(filter(None, samples.values()))
        for at, voice in enumerate([*natural, *robotic[number % max(1, len(robotic)) :][:1]])
    ]
    return sorted(spoken, key=lambda take: voices.index(take.voice))


def hearing_only(actions: Mapping[str, Action]) -> Skills:
    """Return the actions with every function replaced by one that does nothing."""
    skills = Skills()
    skills.actions.update(
        {name: replace(action, function=_nothing) for name, action in actions.items()}
    )
    return skills


def _nothing(**_: object) -> Reply:
    return Reply("heard")


async def check_heard(
    actions: Mapping[str, Action],
    spoken: Sequence[Take],
    snrs_db: Sequence[float | None],
    noise: Noise,
    where: Surroundings,
) -> AsyncIterator[Spoken]:
    """Speak every take in every noise into one agent, as a wearer's day would be.

    Raises EngineError when a voice or the speech engine fails.
    """
    options = AgentOptions(language="en")
    skills = hearing_only(actions)
    agent = Agent(
        skills,
        where.devices,
        where.folder,
        transcriber=where.ears,
        options=options,
        listening=Listening(vad=where.vad, stop=None),
    )
    try:
        # An engine gets used to a voice and a noise, so these change as seldom as can be.
        for voice in dict.fromkeys(take.voice for take in spoken):
            mine = [take for take in spoken if take.voice == voice]
            voiced: list[bytes] = []
            for snr_db in snrs_db:
                for turn, (take, pcm) in enumerate(_voiced(mine, voiced, where.read)):
                    microphone = where.microphone(noise.mixed(pcm, snr_db, turn))
                    turns = kept([turn async for turn in agent.listen(microphone)])
                    heard = [turn for turn in turns if turn.transcript.text or turn.error]
                    yield _judged(take, snr_db, heard)
    finally:
        await agent.close()


def _judged(take: Take, snr_db: float | None, turns: Sequence[Turn]) -> Spoken:
    calls = [turn.intent for turn in turns if isinstance(turn.intent, Intent)]
    if len(calls) > 1:
        wrong = "several: " + ", ".join(call.name for call in calls)
    else:
        wrong = mismatch(take.sample, calls[0] if calls else None, free_matters=False)
    text = " | ".join(turn.transcript.text for turn in turns)
    return Spoken(take.sample, take.voice, snr_db, text, wrong)


def _voiced(
    spoken: Sequence[Take], voiced: list[bytes], read: Read
) -> Iterator[tuple[Take, bytes]]:
    """Synthesise a few sentences ahead, in other processes; `voiced` keeps them for next time."""
    if len(voiced) == len(spoken):
        yield from zip(spoken, voiced, strict=True)
        return
    with ThreadPoolExecutor(2, thread_name_prefix="voice") as pool:
        waiting: deque[tuple[Take, Future[bytes]]] = deque()
        try:
            for take in (*spoken, *[None] * AHEAD):
                if take is not None:
                    waiting.append((take, pool.submit(take.voice.speak, take.sample.text, read)))
                if waiting and (len(waiting) > AHEAD or take is None):
                    ready, done = waiting.popleft()
                    voiced.append(done.result())
                    yield ready, voiced[-1]
        finally:
            for _, late in waiting:
                late.cancel()
