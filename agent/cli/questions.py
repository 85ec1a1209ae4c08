"""`glasses eval questions`: how well the agent answers what no skill foresaw, in numbers.

Each question is put to the agent itself, as typed, so that whatever it does about questions is
what is measured: the skill that takes it, the honest sentence, or the language model's words.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Literal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from agent import config
from agent.cli.compose import build
from agent.cli.output import print_json
from agent.errors import ConfigError, PromptError
from agent.language.text import language_of
from agent.loop.agent import Agent
from agent.messages import Intent
from agent.models.llm import prompts
from agent.turn import Turn
from agent.understand.learn.corpus import read_lines
from hardware.display import MemoryDisplay
from hardware.profiles import load as load_profile

Outcome = Literal["right", "wrong", "invented", "refused"]

GENERAL = "none"
"""What a question needs that a model can know."""

_OWN_WORDS = ("answer", "chat")
"""Prompts whose words no answer may repeat."""
_RUN = {"en": 5, "zh": 9}
"""Words, or Chinese characters, in a row that are no chance."""

_REFUSES = re.compile(
    r"\b(?:don't|do not|cannot|can't|unable to|not able to|isn't|is not) (?:\w+ )?(?:know|have|tell"
    r"|provide|access|see|determine|say|available|identify|answer|check|possible|sure)\b"
    r"|\bno (?:access|information|way of knowing|idea|data|camera)\b|\bneed(?:s)? (?:more|a|your)\b"
    r"|\bI(?:'m| am) sorry\b|\bunknown\b|\bunfortunately\b"
    r"|不知道|无法|不能|没有(?:办法|相关|实时|足够|[^。]{0,8}(?:信息|数据))|不清楚|抱歉|不确定",
    re.IGNORECASE,
)
"""How a model says that it does not know; by hand of some hundred answers of both Qwens."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question, and what a good answer has."""

    text: str
    """As the wearer asks."""
    language: str
    """`en` or `zh`."""
    needs: str = GENERAL
    """What has to be at hand to answer it ("weather"), or `none`: a model can know."""
    answer: str = ""
    """Pattern that a right answer has; empty where none is known."""
    after: tuple[str, ...] = ()
    """What was asked before it, in the same conversation."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one question."""

    question: Question
    """What was asked."""
    outcome: Outcome
    """`right`: the pattern is there, or a skill answered; `refused`: the honest sentence, or a
    model that says it does not know; `invented`: a model's words about what it cannot know."""
    echoes: bool
    """Whether the answer repeats the question or the agent's own instructions."""
    text: str
    """The answer."""
    by: str
    """The skill, the model, or `agent`."""
    first_ms: float | None
    """From the question to the first words on the lens; None where nothing was lit."""
    ms: float
    """From the question to the whole answer."""


def read(files: Iterable[Path]) -> list[Question]:
    """Read JSONL of `{text, needs, language?, answer?, after?}`. Raises ConfigError naming a line.

    `answer` is a pattern; `after` lists what was asked before.
    """
    found = []
    for path in files:
        for where, line in read_lines(path):
            try:
                text, needs = str(line["text"]), line["needs"] or GENERAL
                language = line.get("language") or language_of(text)
                answer, after = line.get("answer") or "", line.get("after", ())
                re.compile(answer)
            except (KeyError, TypeError, AttributeError):
                raise ConfigError(f"{where}: a line is {{text, needs, answer?}}") from None
            except re.error as error:
                raise ConfigError(f"{where}: {line['answer']!r} is no pattern: {error}") from None
            found.append(Question(text, language, str(needs), answer, tuple(map(str, after))))
    return found


def judge(question: Question, turn: Turn) -> Answered:
    """Say what became of a question."""
    text = f"{turn.reply.title} {turn.reply.text}".strip() if turn.reply is not None else ""
    skill = turn.intent.skill if isinstance(turn.intent, Intent) else None
    spoke = turn.model is not None and skill is None  # the model, in its own words
    outcome: Outcome
    if question.needs == GENERAL:
        found = re.search(_whole(question.answer), text, re.IGNORECASE)
        silent = turn.error is not None or (not spoke and skill is None)
        fits = found is not None and bool(question.answer)
        if fits and not silent:
            outcome = "right"
        else:
            outcome = "refused" if silent or _REFUSES.search(text) else "wrong"
    elif skill is not None:
        outcome = "right"
    elif not spoke or turn.error is not None or not text:
        outcome = "refused"
    else:
        outcome = "refused" if _REFUSES.search(text) else "invented"
    by = skill or (turn.model if spoke and turn.model else "agent")
    echo = spoke and (_same(text, question.text) or _recites(text, question.language))
    timings = turn.timings
    return Answered(
        question, outcome, echo, text, by, timings.first_glyph, timings.reply or 0.0
    )  # fmt: skip


def _whole(pattern: str) -> str:
    """Return a pattern that is found as words: no 7 in 1776."""
    return rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])"


def _runs(text: str, language: str) -> set[str]:
    """Return every run of words that is long enough to be no chance."""
    units = re.findall(r"[\u3400-\u9fff]|[a-z']+|\d+", text.casefold())
    length = _RUN["zh" if language == "zh" else "en"]
    return {" ".join(units[at : at + length]) for at in range(len(units) - length + 1)}


def _recites(text: str, language: str) -> bool:
    """Whether an answer has words of the agent's own prompts in it."""
    own, shipped = set[str](), prompts.Prompts()
    for name in _OWN_WORDS:
        try:
            taken = dict.fromkeys(shipped.variables(name, language), "")
            own |= _runs(shipped.render(name, language, **taken), language)
        except PromptError:
            continue  # a prompt that is not there
    return bool(own & _runs(text, language))


def _same(text: str, question: str) -> bool:
    """Whether an answer begins by saying the question again, as a question."""
    bare = re.sub(r"[^\w]", "", question).casefold()
    return bool(bare) and re.sub(r"[^\w]", "", text).casefold().startswith(bare)


async def ask(agent: Agent, questions: Sequence[Question]) -> list[Answered]:
    """Put each question to an agent, each in a conversation of its own."""
    return [answered async for answered in _asked(agent, questions)]


async def _asked(agent: Agent, questions: Sequence[Question]) -> AsyncIterator[Answered]:
    for question in questions:
        for forget in ("never mind", "clear"):  # a question that is open, what was said so far
            await agent.hear(forget, "en")
        for before in question.after:
            await agent.hear(before, question.language)
        yield judge(question, await agent.hear(question.text, question.language))


def run(files: Sequence[Path], as_json: bool, plugins: Sequence[str]) -> None:
    """Ask every question of the files and report. Raises ConfigError for what cannot be read."""
    questions = read(files)
    if not questions:
        raise ConfigError(f"{', '.join(map(str, files))}: no questions in there")
    settings = config.load()
    with tempfile.TemporaryDirectory() as folder:  # nothing that is asked changes the wearer's own
        agent = build(
            settings, MemoryDisplay(load_profile(settings.profile)), plugins, folder=Path(folder)
        )
        agent.devices = replace(agent.devices, speaker=None)
        answered = asyncio.run(_all(agent, questions))
    if as_json:
        print_json(summary(answered, agent.model.name))
    else:
        show(answered, agent.model.name, Console(highlight=False, soft_wrap=True))


async def _all(agent: Agent, questions: Sequence[Question]) -> list[Answered]:
    columns = (TextColumn("{task.description:8}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    found = []
    try:
        with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as progress:
            bar = progress.add_task("warming", total=len(questions))
            for text, language in (("who wrote the odyssey", "en"), ("谁写了红楼梦", "zh")):
                await agent.hear(text, language)  # what is loaded once is no latency
            progress.update(bar, description="asking")
            async for one in _asked(agent, questions):
                found.append(one)
                progress.advance(bar)
    finally:
        await agent.close()
    return found


# -- the report ------------------------------------------------------------------------------------


def summary(answered: Sequence[Answered], model: str) -> dict[str, Any]:
    """Return everything as JSON has it: shares, times in ms, and each answer."""
    return {
        "model": model,
        "all": _shares(answered),
        "by_language": {key: _shares(some) for key, some in _grouped(answered, _language)},
        "by_needs": {key: _shares(some) for key, some in _grouped(answered, _needs)},
        "answers": [
            {
                "text": one.question.text,
                "language": one.question.language,
                "needs": one.question.needs,
                "outcome": one.outcome,
                "echo": one.echoes,
                "by": one.by,
                "answer": one.text,
                "first_ms": None if one.first_ms is None else round(one.first_ms, 1),
                "ms": round(one.ms, 1),
            }
            for one in answered
        ],
    }


def _shares(some: Sequence[Answered]) -> dict[str, Any]:
    count = len(some)
    shares = {
        outcome: round(sum(one.outcome == outcome for one in some) / count, 4)
        for outcome in ("right", "wrong", "invented", "refused")
    }
    first = [one.first_ms for one in some if one.first_ms is not None]
    whole = [one.ms for one in some]
    return {
        "questions": count,
        **shares,
        "echo": round(sum(one.echoes for one in some) / count, 4),
        "first_ms": _times(first),
        "ms": _times(whole),
    }


def _times(ms: Sequence[float]) -> dict[str, float | None]:
    if not ms:
        return {"p50": None, "p95": None}
    p95 = quantiles(ms, n=20, method="inclusive")[-1] if len(ms) > 1 else ms[0]
    return {"p50": round(median(ms), 1), "p95": round(p95, 1)}


def _grouped(
    answered: Sequence[Answered], key: Callable[[Answered], str]
) -> Iterator[tuple[str, list[Answered]]]:
    for name in dict.fromkeys(map(key, answered)):
        yield name, [one for one in answered if key(one) == name]


def _language(one: Answered) -> str:
    return one.question.language


def _needs(one: Answered) -> str:
    return one.question.needs


def show(answered: Sequence[Answered], model: str, console: Console) -> None:
    """Print the shares as a table, then every answer that is no good one."""
    told = ("right", "wrong", "invented", "refused", "echo")
    title = f"Questions, {model}; first words and whole in ms, p50/p95"
    table = Table("", "of", *told, "first", "whole", title=title)
    rows = [("all", list(answered)), *_grouped(answered, _language), *_grouped(answered, _needs)]
    for name, some in rows:
        shares = _shares(some)
        table.add_row(
            name, str(shares["questions"]), *(f"{shares[key]:.0%}" for key in told),
            _shown(shares["first_ms"]), _shown(shares["ms"]),
        )  # fmt: skip
    console.print(table)
    bad = [one for one in answered if _is_bad(one)]
    if bad:
        table = Table("question", "needs", "became", "by", "answer", title="Not as it should be")
        for one in bad:
            became = f"{one.outcome}, echo" if one.echoes else one.outcome
            row = (one.question.text, one.question.needs, became, one.by, one.text)
            table.add_row(*map(_escaped, row))
        console.print(table)


def _shown(times: Mapping[str, float | None]) -> str:
    return "/".join("–" if ms is None else f"{ms:.0f}" for ms in times.values())


def _is_bad(one: Answered) -> bool:
    if one.echoes or one.outcome in ("wrong", "invented"):
        return True
    return one.question.needs == GENERAL and one.outcome != "right"


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
