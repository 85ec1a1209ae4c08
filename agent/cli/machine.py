"""The commands for scripts: `say`, `listen` and `route`. One JSON object a line, keys stable."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Literal

import click

from agent import config
from agent.cli import streams
from agent.cli.compose import build
from agent.cli.output import print_json
from agent.cli.streams import StreamError
from agent.errors import EngineError
from agent.language.text import clean
from agent.listen.health import HealthLog
from agent.messages import Intent, NotRecognized, Transcript, Verdict
from agent.turn import Timings, Turn
from hardware.base import DeviceError
from hardware.display import MemoryDisplay
from hardware.profiles import load as load_profile

MOST_PIPED_BYTES = 1 << 28
"""Most sound from a pipe, 256 MiB: two hours of it as the agent hears it."""


def _printable(turn: Turn) -> str:
    heard = f"“{turn.transcript.text}”" if turn.transcript.text else "(nothing heard)"
    lines = [line.text for frame in turn.frames for line in frame.lines]
    return "\n".join([heard, *(f"  {line}" for line in lines)])


def _print(turn: Turn, as_json: bool) -> None:
    if as_json:
        print_json(turn.as_json())
    elif turn.error and turn.reply is None:
        streams.echo(f"{turn.source}: {turn.error}", err=True)
    else:
        streams.echo(_printable(turn))


async def say(text: str, as_json: bool, language: str | None, plugins: Sequence[str]) -> int:
    """Answer one text; return the exit status."""
    settings = config.load()
    agent = build(settings, MemoryDisplay(load_profile(settings.profile)), plugins, language)
    turn = await agent.hear(text, language)
    _print(turn, as_json)
    await agent.close()
    return 1 if turn.error else 0


async def listen(
    files: Sequence[str],
    pace: Literal["realtime", "fast"],
    as_json: bool,
    language: str | None,
    plugins: Sequence[str],
) -> int:
    """Hear every file; return 1 when one could not be heard, 0 otherwise."""
    from hardware.microphone import FileMicrophone

    settings = config.load()
    agent = build(settings, MemoryDisplay(load_profile(settings.profile)), plugins, language)
    failed = False
    for source in files:
        turns = 0
        try:
            microphone = FileMicrophone(_sound(source), pace=pace)
            latest: Turn | None = None
            async for turn in agent.listen(microphone, source):
                if turn.source == "watch":  # of a walk that was begun, and nothing that was said
                    continue
                turns += 1
                failed |= turn.error is not None
                if latest is not None and not turn.replaces:
                    _print(latest, as_json)  # a turn that is replaced is none
                latest = turn
            if latest is not None:
                _print(latest, as_json)
            _warn(source, agent.listening.health)
        except (DeviceError, EngineError, StreamError) as error:
            failed = True
            message = " ".join(str(error).split())
            _print(Turn(source, Transcript(""), error=message), as_json)
        else:
            if turns == 0:
                _print(Turn(source, Transcript(""), timings=Timings()), as_json)
    await agent.close()
    return int(failed)


def _warn(source: str, health_log: HealthLog | None) -> None:
    """Say beside the output, in one line, what was wrong with the sound of a file."""
    health = None if health_log is None else health_log.load()
    if health is not None and (advice := health.advice()):
        click.echo(f"{source}: {advice}", err=True)


def _sound(source: str) -> str | bytes:
    """Return the name of a file, or what a pipe holds. Raises StreamError or DeviceError."""
    from hardware import audio

    if source != "-":
        return source
    with streams.saved(MOST_PIPED_BYTES) as file:
        try:
            return audio.read(file)
        except DeviceError as error:
            raise DeviceError(str(error).replace(str(file), "standard input")) from None


def route(
    texts: Iterable[str],
    as_json: bool,
    language: str | None,
    plugins: Sequence[str],
    explain: bool = False,
) -> None:
    """Route every text; a line that means nothing has `"intent": null`.

    With `explain`, also say what each stage made of it.
    """
    settings = config.load()
    agent = build(settings, MemoryDisplay(load_profile(settings.profile)), plugins, language)
    for text in texts:
        spoken, decision = agent.decide(text, language)
        turn = Turn("text", Transcript(clean(text), spoken), intent=decision.meaning)
        if as_json:
            stages = {"stages": [asdict(verdict) for verdict in decision.verdicts]}
            print_json({**turn.as_json(), **(stages if explain else {})})
            continue
        streams.echo(_means(decision.meaning))
        if explain:
            for verdict in decision.verdicts:
                streams.echo("  " + _judged(verdict))


def _means(meaning: Intent | NotRecognized) -> str:
    if isinstance(meaning, Intent):
        slots = " ".join(f"{k}={v}" for k, v in meaning.slots.items())
        missing = " ".join(f"{name}=?" for name in meaning.missing)
        return " ".join(filter(None, (meaning.name, slots, missing)))
    options = " or ".join(option.name for option in meaning.options)
    return f"not recognised: {meaning.reason}" + (f"; asks: {options}" if options else "")


def _judged(verdict: Verdict) -> str:
    """Return `semantic    music 0.98  accepted from 0.14  3.1 ms`."""
    sure = "" if verdict.probability is None else f"{verdict.probability:.3f}"
    took = f"{verdict.took_ms:.1f} ms" if verdict.took_ms else ""
    parts = (f"{verdict.stage:10}", f"{verdict.intent or '-':24}", f"{sure:6}", f"{took:8}")
    return f"{' '.join(parts)} {verdict.reason}".rstrip()
