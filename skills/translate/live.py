"""What is said around the wearer, while it is said: captions, and a conversation in two languages.

Both need ears for free speech. The newest line stands first; “more” scrolls back to what was said
before. Nothing of it is written down, and it is forgotten when the captions end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from agent import Context, Reply, skill
from agent.skill.context import Listener
from skills.translate import signs
from skills.translate.phrasebook import is_chinese

if TYPE_CHECKING:
    from agent.messages import Transcript

KEPT = 30
"""Lines that can be scrolled back to."""
LONGEST = 400
"""Characters of one utterance that are shown."""
ASKED_S = 5.0
"""How long the model may take for a translation; the next may be said meanwhile."""
SURE_OF_WEARER = 0.7
"""From here on it is the wearer's voice; below, the language tells who speaks."""
WHY = {"listen": "to show what is said around you, for as long as you wish"}

Mode = Literal["captions", "conversation"]


@skill(
    "(show|start|turn on) [the] (captions|subtitles)",
    "(caption|subtitle) (this|them|what they say)",
    "show me what (they|people|others) (say|are saying)",
    permissions=WHY,
    risk="change",
)
def captions(ctx: Context) -> Reply:
    """Show what others say, until it is ended."""
    return _begin("captions", ctx.say("Captions on. Say “stop captions” to end."), ctx)


@skill(
    "(start|begin|turn on) [the|a] conversation mode",
    "translate (our|this|the) conversation",
    "(interpret|translate) for us",
    permissions=WHY,
    risk="change",
)
def conversation(ctx: Context) -> Reply:
    """Show what both sides say, each with its translation between English and Chinese."""
    said = ctx.say("Conversation mode. Say “stop conversation” to end.")
    return _begin("conversation", said, ctx)


@skill(
    "(stop|end|turn off|hide) [the] (captions|subtitles)",
    "(stop|end|leave|turn off) [the] conversation [mode]",
    permissions=WHY,
    risk="change",
)
def stop(ctx: Context) -> Reply:
    """End captions or conversation mode."""
    ctx.listen(None)
    there = ctx.memory.pop("mode", None) is not None
    ctx.memory.pop("said", None)
    return Reply(ctx.say("Captions off.") if there else ctx.say("There are no captions to stop."))


def _begin(mode: Mode, said: str, ctx: Context) -> Reply:
    ctx.memory.update(mode=mode, said=[])
    ctx.listen(Live())
    return Reply(said)


class Live(Listener):
    """Is given what both sides say, and keeps none of it."""

    stoppable, beside = False, True

    def heard(self, ctx: Context, said: Transcript, continues: bool) -> Reply | bool | None:
        """Show what was heard, the newest first."""
        mode = ctx.memory.get("mode")
        return False if mode is None else _shown(mode, said, continues, ctx)


def _shown(mode: Mode, said: Transcript, continues: bool, ctx: Context) -> Reply:
    words = " ".join(said.text.split())[:LONGEST]
    before: list[str] = ctx.memory.setdefault("said", [])
    if continues:
        del before[:1]  # it begins what is shown now
    if mode == "captions":
        lines, title, speech = [words, *before], "", ""
        before.insert(0, words)
    else:
        who = ctx.say("You") if _is_wearer(said, ctx) else ctx.say("They")
        target, engine = translated(words, ctx)
        title, speech = f"{who}: {words}", "" if target == signs.UNKNOWN else target
        lines = [target, *filter(None, [engine]), *before]
        before.insert(0, f"{who}: {words} → {target}")
    del before[KEPT:]
    return Reply("\n".join(lines), title=title, kind="translation" if title else "answer",
                 speech=speech)  # fmt: skip


def _is_wearer(transcript: Transcript, ctx: Context) -> bool:
    """Return whether the wearer speaks: by the voice where it is known, else by the language."""
    if transcript.wearer is not None:
        return transcript.wearer > SURE_OF_WEARER
    return is_chinese(transcript.text) == (ctx.language == "zh")


def translated(words: str, ctx: Context) -> tuple[str, str]:
    """Return words in the other of the two languages, and who says so; UNKNOWN where nobody does.

    Whichever language the wearer speaks: Chinese becomes English, and all else Chinese.
    """
    language = "en" if is_chinese(words) else "zh"
    found = signs.looked_up(words, language) or signs.by_model(words, ASKED_S, ctx, language)
    if found is None:
        return signs.UNKNOWN, ctx.say("? = no engine here knows it")
    return found[0], ctx.say("(by the model, unchecked)") if found[1] == "model" else ""
