"""Translate between English and Chinese: a phrase book first, the language model after it.

Into other languages only the model can, and it is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

from agent import Context, OneOf, Reply, hookimpl, skill
from agent.errors import EngineError
from skills.translate import checked, languages, lexicon, live, signs
from skills.translate.phrasebook import SPOKEN, book, is_chinese, normal

_LONGEST = 300
_IT = frozenset(("it", "that", "this", "它", "这个", "那个", "这句", "那句"))


def _english(_language: str) -> list[str]:
    return [phrase.en[0] for phrase in book().phrases[:SPOKEN]]


def _chinese(language: str) -> dict[str, str]:
    """Return Chinese phrases; for English ears those few that can be repeated by ear."""
    if language == "en":
        return {phrase.heard: phrase.zh[0] for phrase in book().phrases if phrase.heard}
    return {phrase.zh[0]: phrase.zh[0] for phrase in book().phrases[:SPOKEN]}


def _known(language: str) -> list[str]:
    """Return the phrases whose meaning can be asked for, in characters.

    Not as they sound: speech would hear “ni hao” in the “water” of “what does water mean”.
    """
    phrases = book().phrases
    english = [said for phrase in phrases for said in phrase.en] if language == "zh" else []
    return [*(said for phrase in phrases for said in phrase.zh), *english]


EnglishText = Annotated[str, OneOf(_english, open=True)]
ChineseText = Annotated[str, OneOf(_chinese, open=True)]
Known = Annotated[str, OneOf(_known)]
Language = Annotated[str, OneOf(languages.said)]


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
        return to_english(ctx, text)
    if phrase := book().from_english(text):
        return _show(ctx, text, phrase.zh[0], phrase.pinyin)
    return _ask_model(ctx, text, ctx.say("Chinese"), ctx.say("Not in the phrase book."), is_chinese)


@skill(
    "translate {text} (in|into|to) english",
    "how (do|would) (you|i) say {text} in english",
    "what is {text} in english",
    "what does {text} mean in english",
    "(can|could) you translate {text} (in|into|to) english",
    "what does {known} mean",
    "what is the meaning of {known}",
)
def to_english(ctx: Context, text: ChineseText | None = None, known: Known | None = None) -> Reply:
    """Translate a Chinese phrase, in characters or pinyin, into English."""
    if known and not is_chinese(known) and book().from_english(known):
        return to_chinese(known, ctx)  # hello是什么意思
    if not (text := text or known):
        return Reply(ctx.say("What should I translate?"))
    if phrase := book().from_chinese(text):
        return _show(ctx, text, phrase.en[0])
    if is_chinese(text):
        return _ask_model(
            ctx, text, ctx.say("English"), ctx.say("Not in the phrase book."), _is_english
        )
    return Reply(title=_heading(text), text=ctx.say("That doesn't look like Chinese."))


@skill(
    "translate {text} (in|into|to) {language}",
    "how (do|would|can) (you|i|they) say {text} in {language}",
    "what is {text} in {language}",
    "what is the {language} [word] for {text}",
    "say {text} in {language}",
    "how (do|would) (you|i) say (it|that|this) in {language}",
    "translate (it|that|this) (in|into|to) {language}",
)
def into(language: Language, ctx: Context, text: EnglishText | None = None) -> Reply:
    """Translate into a language other than English and Chinese; without a phrase, the last one."""
    if text is None or text.strip().casefold() in _IT:
        text = ctx.memory.get("source")
    name = languages.shown(language, ctx.language)
    if not text:
        return Reply(text=ctx.say("What should I say in {language}?", language=name))
    return _ask_model(
        ctx, text, name, ctx.say("On my own I only know English and Chinese."), _is_other(text)
    )


@skill(
    "(repeat|show [me]) the translation [again]",
    "translate that again",
)
def again(ctx: Context) -> Reply:
    """Show the last translation again."""
    if last := ctx.memory.get("last"):
        return Reply(title=last[0], text=last[1], kind="translation")
    return Reply(text=ctx.say("Nothing translated yet."))


def _ask_model(
    ctx: Context, text: str, language: str, alone: str, fits: Callable[[str], bool]
) -> Reply:
    """Translate by the model; `alone` is said where there is none, and `fits` judges its answer."""
    if len(text) > _LONGEST:
        return Reply(
            title=_heading(text),
            text=ctx.say("Too long: {longest} characters at most.", longest=_LONGEST),
        )
    try:
        answer = _asked(ctx, "translate", text, language)
    except EngineError as error:
        return Reply(
            title=_heading(text), text=f"{alone}\n{ctx.say('Model: {why}', why=ctx.told(error))}"
        )
    if not (fits(answer) and _is_whole(text, answer)):
        with suppress(EngineError):  # then the first one counts
            again = _asked(ctx, "translate_again", text, language)
            answer = again if _is_better(again, answer, text, fits) else answer
    if not fits(answer):
        return Reply(
            title=_heading(text),
            text="\n".join([ctx.say("I can't translate that."), *_near(ctx, text)]),
        )
    if not _is_whole(text, answer):
        return _unsure(ctx, text, answer)
    return _show(ctx, text, answer, ctx.say("(by the model)"))


def _asked(ctx: Context, prompt: str, text: str, language: str) -> str:
    """Return what the model makes of a text. Raises EngineError."""
    asked = ctx.prompt(prompt, text=text, language=language)
    return _first_line(ctx.model.complete(asked, cancel=ctx.cancel))


def _is_whole(text: str, answer: str) -> bool:
    """Return whether nothing that can be checked was lost, and no word was left as it was."""
    return not checked.lost(text, answer) and not checked.mixed(text, answer)


def _is_better(again: str, before: str, text: str, fits: Callable[[str], bool]) -> bool:
    """Return whether a second answer is to be taken, and not the first."""
    if not fits(again) or checked.mixed(text, again):
        return False
    first = not fits(before) or checked.mixed(text, before)
    return first or len(checked.lost(text, again)) < len(checked.lost(text, before))


def _unsure(ctx: Context, text: str, answer: str) -> Reply:
    """Show a translation that may be wrong as such, and the nearest phrase that is right."""
    found = checked.lost(text, answer)
    lead = ctx.say("Unsure.")
    if what := ", ".join(dict.fromkeys(one.what for one in found if one.kind != "negation")):
        lead = ctx.say("Unsure: {what}?", what=what)
    elif found:
        lead = ctx.say("Unsure: “not”?")
    note = "\n".join([answer, *_near(ctx, text)])
    return _show(ctx, text, lead, note)


def _near(ctx: Context, text: str) -> list[str]:
    """Return a line with the phrase of the book that is nearest to a text, if one is near."""
    phrase = book().nearest(text)
    if phrase is None:
        return []
    pair = (phrase.zh[0], phrase.en[0]) if is_chinese(text) else (phrase.en[0], phrase.zh[0])
    lines = [ctx.say("Near it: {source}", source=pair[0]), pair[1]]
    return lines if is_chinese(text) else [*lines, phrase.pinyin]


def _first_line(answer: str) -> str:
    lines = [line.strip().strip("\"'“”「」").strip() for line in answer.splitlines()]
    return next((line for line in lines if line), "")


def _is_english(answer: str) -> bool:
    """Return whether an answer may be English; small models often echo the Chinese."""
    return not is_chinese(answer) and _has_letters(answer)


def _is_other(asked: str) -> Callable[[str], bool]:
    """Return a test of whether an answer may be in another language: it must not be an echo."""

    def fits(answer: str) -> bool:
        # One word may well be the same in both: “hotel” is.
        echo = normal(answer) == normal(asked) and len(asked.split()) > 1
        return _has_letters(answer) and not echo

    return fits


def _has_letters(answer: str) -> bool:
    return any(char.isalpha() for char in answer)


def _show(ctx: Context, source: str, target: str, note: str = "") -> Reply:
    title, text = _heading(source), f"{target}\n{note}".strip()
    ctx.memory.update(last=(title, text), source=source)
    return Reply(title=title, text=text, kind="translation")


def _heading(text: str) -> str:
    """Return what was asked, cut to one line of the lens."""
    text, longest = " ".join(text.split()), 15 if is_chinese(text) else 31
    return text if len(text) <= longest else f"{text[:longest]}…"


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Hand the actions to the agent. Raises DataError: without its data the skill is left out."""
    book(), languages.names(), lexicon.lexicon()
    register(to_chinese, to_english, into, again, signs.sign)
    register(live.captions, live.conversation, live.stop)
