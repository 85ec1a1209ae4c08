"""Translate between English and Chinese: a phrase book first, the language model after it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from agent import Context, OneOf, Reply, hookimpl, skill
from agent.errors import EngineError
from skills.translate.phrasebook import SPOKEN, book, is_chinese

_LONGEST = 300


def _english(_language: str) -> list[str]:
    return [phrase.en[0] for phrase in book().phrases[:SPOKEN]]


def _chinese(language: str) -> dict[str, str]:
    """Return Chinese phrases; for English ears those few that can be repeated by ear."""
    if language == "en":
        return {phrase.heard: phrase.zh[0] for phrase in book().phrases if phrase.heard}
    return {phrase.zh[0]: phrase.zh[0] for phrase in book().phrases[:SPOKEN]}


EnglishText = Annotated[str, OneOf(_english, open=True)]
ChineseText = Annotated[str, OneOf(_chinese, open=True)]


@skill(
    "translate {text} [(in|into|to) (chinese|mandarin)]",
    "how (do|would) (you|i) say {text} in (chinese|mandarin)",
    "what is {text} in (chinese|mandarin)",
    "what is the (chinese|mandarin) [word] for {text}",
    "say {text} in (chinese|mandarin)",
    "(can|could) you translate {text} [(in|into|to) (chinese|mandarin)]",
)
def to_chinese(text: EnglishText, ctx: Context) -> Reply:
    """Translate an English phrase into Chinese, with its pronunciation."""
    if is_chinese(text):  # the wearer named no language, or the wrong one
        return to_english(text, ctx)
    if phrase := book().from_english(text):
        return _show(ctx, text, phrase.zh[0], phrase.pinyin)
    return _ask_model(ctx, text, "zh")


@skill(
    "translate {text} (in|into|to) english",
    "how (do|would) (you|i) say {text} in english",
    "what is {text} in english",
    "what does {text} mean in english",
    "(can|could) you translate {text} (in|into|to) english",
)
def to_english(text: ChineseText, ctx: Context) -> Reply:
    """Translate a Chinese phrase, in characters or pinyin, into English."""
    if phrase := book().from_chinese(text):
        return _show(ctx, text, phrase.en[0])
    if is_chinese(text):
        return _ask_model(ctx, text, "en")
    return Reply(title=_heading(text), text=ctx.say("That is not Chinese to me."))


@skill(
    "(repeat|show [me]) the translation [again]",
    "translate that again",
)
def again(ctx: Context) -> Reply:
    """Show the last translation again."""
    if last := ctx.memory.get("last"):
        return Reply(title=last[0], text=last[1], kind="translation")
    return Reply(text=ctx.say("Nothing translated yet."))


def _ask_model(ctx: Context, text: str, target: str) -> Reply:
    if len(text) > _LONGEST:
        return Reply(
            title=_heading(text), text=ctx.say("Too long: {longest} letters.", longest=_LONGEST)
        )
    try:
        language = ctx.say("Chinese") if target == "zh" else ctx.say("English")
        prompt = ctx.prompt("translate", text=text, language=language)
        answer = _first_line(ctx.model.complete(prompt, cancel=ctx.cancel))
    except EngineError as error:
        return Reply(
            title=_heading(text),
            text=f"{ctx.say('Not in the phrase book.')}\n{ctx.say('Model: {why}', why=error)}",
        )
    if not _is_in(answer, target):
        return Reply(title=_heading(text), text=ctx.say("I can't translate that."))
    return _show(ctx, text, answer, ctx.say("(by the model, unchecked)"))


def _first_line(answer: str) -> str:
    lines = [line.strip().strip("\"'“”「」").strip() for line in answer.splitlines()]
    return next((line for line in lines if line), "")


def _is_in(answer: str, target: str) -> bool:
    """Return whether an answer is in the language asked for; small models often echo."""
    if target == "zh":
        return is_chinese(answer)
    return not is_chinese(answer) and any(char.isalpha() for char in answer)


def _show(ctx: Context, source: str, target: str, note: str = "") -> Reply:
    title, text = _heading(source), f"{target}\n{note}".strip()
    ctx.memory["last"] = (title, text)
    return Reply(title=title, text=text, kind="translation")


def _heading(text: str) -> str:
    """Return what was asked, cut to one line of the lens."""
    text, longest = " ".join(text.split()), 15 if is_chinese(text) else 31
    return text if len(text) <= longest else f"{text[:longest]}…"


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Hand the actions to the agent."""
    register(to_chinese, to_english, again)
