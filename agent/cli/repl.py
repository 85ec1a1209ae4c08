"""Text mode: the same agent with typed transcripts, at a prompt or from a pipe."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Sequence,
)
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent import config, private
from agent.act.pin import HIDDEN
from agent.cli import push, streams
from agent.cli.compose import build
from agent.config import Config
from agent.derive import page
from agent.derive.completion import Completion
from agent.language.text import language_of
from agent.loop.agent import Agent
from agent.plugins.skills import Skills
from agent.turn import Turn
from hardware.display import TerminalDisplay
from hardware.profiles import load as load_profile

if TYPE_CHECKING:
    from prompt_toolkit.completion import CompleteEvent, Completer
    from prompt_toolkit.document import Document

    from agent.testing.session import Recorder

HELP = """\
Type what you would say. Chinese works too: 播放音乐
  :skills    what can be said        :timings  when each stage of the last turn was done
  :help      this                    :quit     leave (so do Ctrl-D and "quit")"""


def skills_text(agent: Agent) -> str:
    """Return every installed skill with its sentences, as the REPL and `help` print them."""
    lines = []
    for action in agent.skills.actions.values():
        lines.append(f"{action.name}  {action.declaration.summary}")
        for sentences in action.languages.values():
            lines += [f"    {template}" for template in sentences.templates]
    lines += [f"not loaded: {p.plugin}: {p.reason}" for p in agent.skills.problems]
    return "\n".join(lines)


def timings_text(turn: Turn | None) -> str:
    """Return when each stage of a turn was done, as a small table."""
    if turn is None:
        return "No turn yet: type something first."
    times = {name: t for name, t in turn.timings.rounded().items() if t is not None}
    return "\n".join(f"  {name:<12} {time:8.1f} ms" for name, time in times.items())


class Session:
    """One REPL: what a line does, wherever it came from."""

    def __init__(
        self, agent: Agent, display: TerminalDisplay, recorder: Recorder | None = None
    ) -> None:
        """Answer with `agent`; its display is the terminal."""
        self._recorder = recorder
        self._agent = agent
        self._display = display
        self._last: Turn | None = None

    async def line(self, text: str) -> bool:
        """Obey or answer one line; return False when it was the last."""
        command = text.strip().lower()
        if command in (":quit", ":q", ":exit", "quit", "exit"):
            return False
        if command in (":skills", ":timings", ":help", ":h"):
            print(
                {
                    ":skills": lambda: skills_text(self._agent),
                    ":timings": lambda: timings_text(self._last),
                }.get(command, lambda: HELP)()
            )
        elif command.startswith(":"):
            print(f"There is no command {text.strip()[:40]}; :help lists them.")
        elif not command:
            print("Nothing was typed. Type what you would say, or :help.")
        else:
            if self._recorder:
                self._recorder.typed(HIDDEN if asks_pin(self._agent) else text)
            self._display.settle()  # what came meanwhile is above this line
            self._last = await self._agent.hear(text)
            if self._recorder:
                self._recorder.turn(self._last)
            self._display.settle()
            if self._last.error:
                print(self._last.error, file=sys.stderr)
        return True


def asks_pin(agent: Agent) -> bool:
    """Whether the next line is a PIN, which is kept nowhere."""
    return agent.gate.open is not None and agent.gate.open.pin


Meanwhile = Callable[[Skills, Callable[[str], Awaitable[None]]], Coroutine[Any, Any, None]]
"""What goes on beside a conversation: is given the skills, and what shows a line to the user."""


async def run(
    language: str | None,
    plugins: Sequence[str],
    meanwhile: Meanwhile | None = None,
    record: Path | None = None,
) -> None:
    """Read lines until the end of input or `:quit`."""
    streams.source()  # says when there is none
    settings = config.load()
    display = TerminalDisplay(load_profile(settings.profile))
    agent = build(settings, display, plugins, language)
    for problem in agent.skills.problems:
        print(f"not loaded: {problem.plugin}: {problem.reason}", file=sys.stderr)
    recorder = None
    if record is not None:
        from agent.cli.session import start

        recorder = start(record, agent, plugins)
    session = Session(agent, display, recorder)
    beside = asyncio.create_task(meanwhile(agent.skills, _tell)) if meanwhile else None
    await asyncio.sleep(0)  # it may load a skill before the first line
    try:
        async with push.serving(agent, settings):
            await _conversed(session, agent, settings, beside is not None or bool(settings.push))
    finally:
        if beside is not None:
            beside.cancel()
        await agent.close()
        if recorder:
            recorder.close()


async def _conversed(session: Session, agent: Agent, settings: Config, busy: bool) -> None:
    """Take lines until there is none; `busy` where other things go on meanwhile."""
    if sys.stdin.isatty():
        await _interactive(session, agent, settings.data)
    elif not busy:
        for text in streams.lines():
            if not await session.line(text):
                break
    else:
        async for text in _arriving():
            if not await session.line(text):
                break


async def _tell(line: str) -> None:
    """Show a line above the prompt, if one is being typed at."""
    if not sys.stdin.isatty():
        print(line, flush=True)
        return
    from prompt_toolkit.application import get_app_or_none, run_in_terminal

    if get_app_or_none() is None:
        print(line, flush=True)
    else:
        await run_in_terminal(lambda: print(line, flush=True))


async def _arriving() -> AsyncIterator[str]:
    """Yield the lines of a pipe as they come, while other things go on."""
    loop, lines = asyncio.get_running_loop(), asyncio.Queue[bytes | None]()
    decode = streams.Decoder()

    def read() -> None:
        # By file descriptor: the lock of sys.stdin must not be held when the process ends.
        rest = b""
        with suppress(RuntimeError):  # the loop has ended, and nobody waits for lines
            while block := _block():
                *whole, rest = (rest + block).split(b"\n")
                for line in whole:
                    loop.call_soon_threadsafe(lines.put_nowait, line)
            for end in (rest, None) if rest else (None,):
                loop.call_soon_threadsafe(lines.put_nowait, end)

    threading.Thread(target=read, name="standard input", daemon=True).start()
    while (line := await lines.get()) is not None:
        yield decode(line)


def _block() -> bytes:
    try:
        return os.read(0, 65536)
    except OSError:  # a folder; a terminal that went away
        return b""


async def _interactive(session: Session, agent: Agent, data: Path) -> None:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory, InMemoryHistory
    from prompt_toolkit.patch_stdout import patch_stdout

    class TextHistory(FileHistory):
        def store_string(self, string: str) -> None:
            if not asks_pin(agent):
                super().store_string(
                    streams.text(string)
                )  # a terminal may send bytes that are none

    try:
        kept = private.file(data / "repl-history")
        history: FileHistory | InMemoryHistory = TextHistory(str(kept))
    except OSError:
        history = InMemoryHistory()
    prompt: PromptSession[str] = PromptSession(
        history=history, completer=_completer(Completion(agent.sayings)), complete_while_typing=True
    )
    can = page.abilities(agent.skills.actions, "en")
    print(f"Type what you would say: {can}. :help for more.")
    while True:
        try:
            with patch_stdout(raw=True):  # an alert that comes meanwhile goes above the prompt
                text = await prompt.prompt_async("you › ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if not await session.line(streams.text(text)):
            return


def _completer(completion: Completion) -> Completer:
    from prompt_toolkit.completion import Completer
    from prompt_toolkit.completion import Completion as Offer

    class WordCompleter(Completer):
        def get_completions(self, document: Document, event: CompleteEvent) -> Iterable[Offer]:
            typed = document.text_before_cursor
            if typed and language_of(typed) == "zh":
                for text in completion.continuations(typed):
                    yield Offer(text, start_position=-len(typed))
                return
            before, space, part = typed.rpartition(" ")
            for word in completion.words(before if space else ""):
                if word.startswith(part.lower()):
                    yield Offer(word, start_position=-len(part))

    return WordCompleter()
