"""The main job: listen, answer, and draw the lens in the terminal."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from agent import config
from agent.cli import pair, push
from agent.cli.compose import build, settle
from agent.cli.engines import ears
from agent.cli.provided import provided
from agent.cli.repl import Meanwhile
from agent.config import Config
from agent.derive import page
from agent.loop.agent import Agent
from agent.messages import Transcript
from agent.plugins.skills import Skills
from agent.turn import Turn
from agent.version import __version__
from hardware import microphone, spoken
from hardware.base import DeviceError, Microphone
from hardware.display import TerminalDisplay
from hardware.profiles import load as load_profile


class Screen:
    """The terminal around the lens: what is being heard, and how fast the answer came."""

    def __init__(self, display: TerminalDisplay) -> None:
        """Write around the frames of `display`."""
        self._display = display
        self._tty = sys.stdout.isatty()

    def line(self, text: str) -> None:
        """Write a line of its own."""
        self._display.settle()
        print(f"\r\x1b[K{text}" if self._tty else text, flush=True)

    def heard(self, transcript: Transcript) -> None:
        """Show what is heard so far on one line, and the final words above the answer."""
        self._display.settle()
        if transcript.final:
            self.line(f"you › {transcript.text or '…'}")
        elif self._tty:
            print(f"\r\x1b[K\x1b[2m  ● {transcript.text}\x1b[0m", end="", flush=True)

    def answered(self, turn: Turn) -> None:
        """Say how long the wearer waited, under the answer."""
        times = turn.timings
        if times.first_glyph is not None and times.speech_end is not None:
            waited = f"{times.first_glyph - times.speech_end:.0f} ms after the last syllable"
            self.line(f"\x1b[2m  {waited}\x1b[0m" if self._tty else f"  {waited}")
        if turn.error:
            self.line(f"  {turn.error}")


async def run(
    language: str | None,
    plugins: Sequence[str],
    demo: bool,
    meanwhile: Meanwhile | None = None,
    record: Path | None = None,
) -> None:
    """Listen until the stream ends or Ctrl-C. Raises DeviceError when the microphone vanishes."""
    settings = config.load()
    display = TerminalDisplay(load_profile(settings.profile))
    agent = build(settings, display, plugins, language)
    settle()
    pair.feel(agent)
    screen = Screen(display)
    for problem in agent.skills.problems:
        print(f"not loaded: {problem.plugin}: {problem.reason}", file=sys.stderr)
    source, examples = _source(settings, demo, screen, agent.skills)
    name = "spoken examples" if examples else source.name
    recorder = None
    if record is not None:
        from agent.cli.session import start

        recorder = start(record, agent, plugins)

    async def tell(line: str) -> None:
        screen.line(line)

    beside = asyncio.create_task(meanwhile(agent.skills, tell)) if meanwhile else None
    await asyncio.sleep(0)  # it may load a skill before the first word
    _greet(settings, agent, language or settings.language, name, screen)
    turns = 0
    try:
        heard = recorder.microphone(source) if recorder else source
        async with push.serving(agent, settings):
            async for turn in agent.listen(heard, on_transcript=screen.heard):
                screen.answered(turn)
                if recorder:
                    recorder.turn(turn)
                turns += not turn.replaces
    finally:
        if beside is not None:
            beside.cancel()
        await agent.close()
        if recorder:
            recorder.close()
    if examples:
        screen.line(f"Those were {turns} spoken examples. Type your own: glasses repl")


def _source(
    settings: Config, demo: bool, screen: Screen, skills: Skills
) -> tuple[Microphone, bool]:
    """Return the microphone, or the spoken examples where there is none."""
    own = provided(skills, "microphone", settings)
    for note in own.notes:
        screen.line(note)
    if own.provider is not None and not demo:
        return own.thing, False
    there, why = microphone.available()
    if there and not demo:
        return _returning(screen), False
    if not demo:
        screen.line(f"{why} – streaming spoken examples instead")
    clips = spoken.clips()
    if not clips:
        raise DeviceError("the spoken examples are missing: install glasses-agent again")
    return microphone.FileMicrophone(*clips, pace="realtime"), True


def _returning(screen: Screen) -> Microphone:
    """Open the microphone; one that vanishes is waited for and opened again."""
    opened = [microphone.LiveMicrophone()]  # the first time, devices need not be looked for again
    return microphone.ReturningMicrophone(
        lambda: opened.pop() if opened else microphone.find_again(), tell=screen.line
    )


def _greet(settings: Config, agent: Agent, language: str, source: str, screen: Screen) -> None:
    heard = "en" if language == "auto" else language
    engine = ears(settings, heard)
    can = page.abilities(agent.skills.actions, heard)
    screen.line(f"glasses {__version__} · {engine.name} · model: {agent.model.name} · {source}")
    screen.line(f"Say what you want: {can}. Ctrl-C ends.")
