"""Text mode: the same agent with typed transcripts, at a prompt or from a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from agent import config, dialogue
from agent.cli.compose import build
from agent.listen import grammar
from agent.loop import Agent
from agent.turn import Turn
from agent.understand.text import language_of
from hardware.display import TerminalDisplay
from hardware.profiles import load as load_profile

if TYPE_CHECKING:
    from prompt_toolkit.completion import CompleteEvent, Completer
    from prompt_toolkit.document import Document

HELP = """\
Type what you would say. Chinese works too: 播放音乐
  :skills    what can be said        :timings  when each stage of the last turn was done
  :help      this                    :quit     leave (so do Ctrl-D and "quit")"""


class NextWords:
    """Completion: the words that may follow, from the very graph that speech is recognised by."""

    def __init__(self, agent: Agent) -> None:
        """Complete what `agent` can be told."""
        self._agent = agent
        self._key: object = None
        self._next: dict[int, list[tuple[str, int]]] = {}
        self._start = 0

    def after(self, text: str) -> list[str]:
        """Return the words that can come next, given the whole words typed so far."""
        if language_of(text) == "zh":
            return []
        self._refresh()
        states = {self._start}
        for word in text.lower().split():
            states = {
                to
                for state in states
                for label, to in self._next.get(state, ())
                if label in (word, grammar.FREE_TEXT)
            } | {s for s in states if any(w == grammar.FREE_TEXT for w, _ in self._next.get(s, ()))}
        found = {w for s in states for w, _ in self._next.get(s, ()) if w != grammar.FREE_TEXT}
        return sorted(found)

    def _refresh(self) -> None:
        sayings = self._agent.sayings("en")
        if self._key == sayings:
            return
        graph = grammar.build(sayings)
        self._key, self._start, self._next = sayings, graph.start, {}
        for transition in graph.transitions:
            self._next.setdefault(transition.src, []).append((transition.word, transition.dst))


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

    def __init__(self, agent: Agent, display: TerminalDisplay) -> None:
        """Answer with `agent`; its display is the terminal."""
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
            self._last = await self._agent.hear(text)
            self._display.settle()
            if self._last.error:
                print(self._last.error, file=sys.stderr)
        return True


async def run(language: str | None, plugins: Sequence[str]) -> None:
    """Read lines until the end of input or `:quit`."""
    settings = config.load()
    display = TerminalDisplay(load_profile(settings.profile))
    agent = build(settings, display, plugins, language)
    for problem in agent.skills.problems:
        print(f"not loaded: {problem.plugin}: {problem.reason}", file=sys.stderr)
    session = Session(agent, display)
    try:
        if sys.stdin.isatty():
            await _interactive(session, agent)
        else:
            for text in _piped():
                if not await session.line(text):
                    break
    finally:
        await agent.close()


def _piped() -> Iterator[str]:
    for line in sys.stdin.buffer:
        yield line.decode("utf-8", errors="replace").rstrip("\r\n")


async def _interactive(session: Session, agent: Agent) -> None:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import FileHistory, InMemoryHistory

    folder = config.load().data
    try:
        folder.mkdir(parents=True, exist_ok=True)
        history: FileHistory | InMemoryHistory = FileHistory(str(folder / "repl-history"))
    except OSError:
        history = InMemoryHistory()
    prompt: PromptSession[str] = PromptSession(
        history=history, completer=_completer(NextWords(agent)), complete_while_typing=True
    )
    can = dialogue.abilities(agent.skills.actions, "en")
    print(f"Type what you would say: {can}. :help for more.")
    while True:
        try:
            text = await prompt.prompt_async("you › ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if not await session.line(text):
            return


def _completer(words: NextWords) -> Completer:
    from prompt_toolkit.completion import Completer, Completion

    class WordCompleter(Completer):
        def get_completions(self, document: Document, event: CompleteEvent) -> Iterable[Completion]:
            before, space, part = document.text_before_cursor.rpartition(" ")
            for word in words.after(before if space else ""):
                if word.startswith(part.lower()):
                    yield Completion(word, start_position=-len(part))

    return WordCompleter()
