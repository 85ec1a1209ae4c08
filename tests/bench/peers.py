"""The agent beside what others do with the same weights, on the same clips.

`ours` is the whole agent in real time. `home assistant` is plain faster-whisper behind webrtcvad and
its own count of 700 ms of silence, its text routed by the same router; `realtimestt` opens with webrtcvad and
silero, ends with 600 ms of webrtcvad's silence, and lets Whisper write all of it. Of the other two
the wait is when their rule ends the turn, and then the time that writing and routing take here.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.progress import track

from agent.loop import Agent
from hardware.audio import read
from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ
from hardware.microphone import FileMicrophone
from tests.bench import detectors, turns
from tests.bench.detectors import Detected
from tests.bench.free import plain_whisper, transcribed
from tests.bench.listening import Wearer
from tests.bench.mix import BEFORE_MS, NOISES, mixed, samples
from tests.bench.pair import listening_agent, load_average, routing
from tests.bench.recognition import meant
from tests.bench.turns import Clip
from tests.bench.words import BYTES_PER_MS, speech_span_ms
from tests.shared import Order, orders

SNR_DB = 12
AFTER_MS = 2500
"""Sound after the last speech, noise included."""
HA_SPEECH_MS, HA_COMMAND_MS, HA_SILENCE_MS, HA_RESET_MS = 300.0, 1000.0, 700.0, 1000.0
"""Home Assistant's defaults: speech that begins a command, the shortest command, silence that ends
it, and the silence before it, or unbroken speech in it, after which is counted anew."""
REALTIMESTT_MS = 600.0
"""`post_speech_silence_duration` by default."""
BEFORE_VOICE_MS = 1000.0
"""Sound before the voice that RealtimeSTT keeps: `pre_recording_buffer_duration`."""
OURS, HOME_ASSISTANT, REALTIMESTT = "ours", "home assistant", "realtimestt"


@dataclass(frozen=True, slots=True)
class Sound:
    """A clip as all of them hear it."""

    order: Order
    """What is said."""
    pcm: bytes
    """Its speech, with room before and after."""
    end_ms: float
    """Last speech."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one of them made of a clip."""

    right: bool
    """Action and every slot."""
    wait_ms: float
    """From the last speech until the meaning was known; negative where it was cut off."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a rule hands to Whisper."""

    begin_ms: float
    """Where the sound begins that it is given."""
    end_ms: float
    """When the turn ends."""


def home_assistant(pcm: bytes) -> Ended:
    """Return the first turn of Home Assistant: all that it was sent until the command was over."""
    return command(detectors.webrtcvad(pcm), len(pcm) / BYTES_PER_MS)


def command(heard: Detected, length_ms: float) -> Ended:
    """Return when a command is over by Home Assistant's counting: silences in it add up."""
    speech_ms = silence_ms = lasted_ms = run_ms = 0.0  # run: unbroken, of what is counted anew by
    begun = False
    for number, speech in enumerate(heard.flags, start=1):
        if not begun:
            speech_ms += heard.frame_ms if speech else 0.0
            run_ms = 0.0 if speech else run_ms + heard.frame_ms
            if run_ms >= HA_RESET_MS:
                speech_ms = run_ms = 0.0
            if speech_ms >= HA_SPEECH_MS:
                begun, run_ms, lasted_ms = True, 0.0, HA_SPEECH_MS
            continue
        lasted_ms += heard.frame_ms
        silence_ms += 0.0 if speech else heard.frame_ms
        run_ms = run_ms + heard.frame_ms if speech else 0.0
        if run_ms >= HA_RESET_MS:
            silence_ms = run_ms = 0.0
        if not speech and silence_ms >= HA_SILENCE_MS and lasted_ms >= HA_COMMAND_MS:
            return Ended(0.0, number * heard.frame_ms)
    return Ended(0.0, length_ms)


def realtimestt(pcm: bytes) -> Ended:
    """Return the first recording of RealtimeSTT."""
    return recording(detectors.webrtcvad(pcm), detectors.silero(pcm), len(pcm) / BYTES_PER_MS)


def recording(webrtc: Detected, silero: Detected, length_ms: float) -> Ended:
    """Return what is recorded: from where both detectors hear a voice to a silence of the first."""
    opened, quiet_ms = None, 0.0
    for number, speech in enumerate(webrtc.flags):
        at_ms = number * webrtc.frame_ms
        judged = int(at_ms / silero.frame_ms)
        voice = judged < len(silero.flags) and silero.flags[judged]
        if opened is None:
            opened = at_ms if speech and voice else None
            continue
        quiet_ms = 0.0 if speech else quiet_ms + webrtc.frame_ms
        if quiet_ms >= REALTIMESTT_MS:
            return Ended(max(0.0, opened - BEFORE_VOICE_MS), at_ms + webrtc.frame_ms)
    return Ended(max(0.0, (opened or 0.0) - BEFORE_VOICE_MS), length_ms)


RULES: Mapping[str, Callable[[bytes], Ended]] = {
    HOME_ASSISTANT: home_assistant,
    REALTIMESTT: realtimestt,
}


def sounds(said: Sequence[Order], noisy: bool) -> list[Sound]:
    """Return the clips as they are, or in kitchen and café noise in turn."""
    noises = [(name, samples(path)) for name, path in NOISES.items()]
    found = []
    for number, order in enumerate(said):
        name, noise = noises[number % len(noises)]
        pcm = read(order.path)
        begin_ms, end_ms = speech_span_ms(pcm)
        sound = mixed(f"{order.path.name}/{name}", pcm, noise if noisy else None, SNR_DB, AFTER_MS)
        found.append(Sound(order, sound, BEFORE_MS + end_ms - begin_ms))
    return found


def figures(step: int = 6) -> dict[str, dict[str, float]]:
    """Return the figures of each, by name; nothing without recordings."""
    said = orders()[::step]
    if not said:
        return {}
    found: dict[str, dict[str, float]] = {}
    for noisy, where in ((False, "clean"), (True, f"{SNR_DB}db")):
        clips = sounds(said, noisy)
        results = {OURS: asyncio.run(_ours(clips)), **_theirs(clips)}
        for who, judged in results.items():
            found.setdefault(who, {}).update(_summary(where, judged))
            found[who]["load_average"] = load_average()
    return found


def _summary(where: str, results: Sequence[Result]) -> dict[str, float]:
    waits = [result.wait_ms for result in results if result.wait_ms >= 0]
    return {
        f"{where}_accepted_percent": turns.percent(result.right for result in results),
        f"{where}_wait_p50_ms": turns.percentile(waits, 0.5),
        f"{where}_wait_p95_ms": turns.percentile(waits, 0.95),
        f"{where}_cut_off_or_unheard_percent": turns.percent(not r.wait_ms >= 0 for r in results),
    }


async def _ours(clips: Sequence[Sound]) -> list[Result]:
    results = []
    with tempfile.TemporaryDirectory() as folder:
        agent = await listening_agent(Path(folder))
        wearer = Wearer(agent)
        for clip in track(clips, "ours, in real time"):
            microphone = FileMicrophone(clip.pcm, tail_ms=0)
            heard = [turn async for turn in wearer.listen(microphone)]
            outcome = turns.judge(heard, Clip(clip.order, clip.end_ms), wearer.ended_ms)
            cut = outcome.cut() or "intent" not in outcome.waits_ms
            wait_ms = float("nan") if cut else outcome.waits_ms["intent"]
            results.append(Result(outcome.right, wait_ms))
        await agent.close()
    return results


def _theirs(clips: Sequence[Sound]) -> dict[str, list[Result]]:
    found: dict[str, list[Result]] = {}
    plain = plain_whisper()
    with routing() as agent:
        agent.route("what time is it", "en")  # everything is loaded
        for who, rule in RULES.items():
            found[who] = [
                _result(agent, clip, rule(clip.pcm), lambda pcm: transcribed(plain, pcm))
                for clip in track(clips, who)
            ]
    return found


def _result(agent: Agent, clip: Sound, ended: Ended, transcribe: Callable[[bytes], str]) -> Result:
    begin, end = (
        round(ms * SAMPLE_RATE_HZ / 1000) * SAMPLE_BYTES for ms in (ended.begin_ms, ended.end_ms)
    )
    began_s = time.perf_counter()
    means = meant(agent, transcribe(clip.pcm[begin:end]))
    took_ms = (time.perf_counter() - began_s) * 1000
    early = ended.end_ms < clip.end_ms
    wait_ms = float("nan") if early else ended.end_ms + took_ms - clip.end_ms
    return Result(means == (clip.order.action, clip.order.slots), wait_ms)
