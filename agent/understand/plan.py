"""A plan: what one sentence cannot route, taken as up to three calls, one after the other.

"Find a café and turn the music down" has two parts, each an order or a question of its own. Each is
read like any other utterance, with what it points back at ("there", "it") replaced by what the part
before it was about. Where the stages are unsure of a part, a real Qwen chooses among the likeliest
actions and those of the skill before, bound by a grammar, and may only copy. Where one part stays
unread there is no plan, and nothing is done of it.

Nothing here acts: each call goes through the same gate, permissions and lane as any other. What
moves money is read by its sentences alone, and is only ever a proposal, which comes last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from agent.language.text import clean
from agent.messages import Intent, NotRecognized, Transcript
from agent.models.llm.model import Model, NoModel
from agent.skill.declare import Action
from agent.skill.slots import Text
from agent.understand import mood, qwen

if TYPE_CHECKING:
    from agent.understand.router import Router

MOST = 3
"""Calls of a plan."""
LONGEST = 160
"""Characters of a request that is planned; longer ones tell something."""
PATIENT_S = 6.0
"""Longest a part may be thought about: nobody expects a plan at once."""

_JOINS = {
    "en": re.compile(r"\s*[,;]?\s+(?:and then|and also|then|and)\s+|\s*[,;]\s+", re.IGNORECASE),
    "zh": re.compile(
        r"[，,；;。]\s*(?:然后|接着|并且|再|并)?|然后再?|并且|接着|(?<=[^一])再(?![见一次])"
    ),
}
_BEGINS = {
    "en": re.compile(
        r"(?:please |also |just |kindly |could you |can you |will you )*(?:add|bring|buy|call"
        r"|clear|cancel|change|check|delete|directions|drop|empty|explain|export|find|forget|get|give"
        r"|go|guide|how|how's|increase|is|are|lead|list|locate|look|louder|lower|make|mute|navigate"
        r"|note|open|order|pause|pay|play|put|raise|read|remember|remind|remove|repeat|resume|say"
        r"|search|send|set|show|shuffle|skip|start|stop|switch|take|tell|throw|transfer|translate"
        r"|turn|walk|what|what's|when|when's|where|where's|which|who|who's|write)\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"(?:请|帮我|给我|帮忙|麻烦你?|顺便|还要|也)*(?:播放|放|听|来|翻译|把|向|付|支付|转|导航|带|去|走|到"
        r"|找|搜|查|看|买|订|添加|加|删|清空|暂停|停|关|开|调|下一|上一|记住|记一下|忘|告诉|说|声音|音量"
        r"|现在|今天|明天|离|距|怎么|多少|哪|谁|几|最近|日落|日出|我在哪|导出|列出|显示|大声|小声|随机|继续)"
    ),
}
"""What an order or a question begins with: where none follows a joining word, it joins things."""
_LEAD = re.compile(
    r"^(?:tell me|let me know|say|show me|i want to know)\s+(?=what|who|how|when|where|which|if)",
    re.I,
)
_IT = re.compile(
    r"\b(?:over there|to it|there|them|they|it|that one|this one|that|these|those|this)\b"
    r"(?!\s+(?:is|was))",
    re.IGNORECASE,
)
_IT_ZH = re.compile(r"那里|那儿|那边|它们?|这个|那个|过去|这里")
_DONE_BY = (
    "product",
    "song",
    "text",
    "place",
    "known",
    "category",
    "payee",
    "language",
    "festival",
)
"""Slots that say what a call was about, the most telling first."""


class Planner:
    """Makes plans for one router."""

    def __init__(
        self, router: Router, actions: Mapping[str, Action], ask: Callable[[], Model]
    ) -> None:
        """`ask` gives the real Qwen, as far as there is one now."""
        self._router = router
        self._actions = actions
        self._ask = ask

    def plan(self, transcript: Transcript) -> tuple[Intent, ...]:
        """Return the calls of a request that has several parts; none where it is no plan.

        Up to `PATIENT_S` a part where a real Qwen has to choose, for any thread.
        """
        parts = self.parts(transcript)
        made: list[Intent] = []
        for part in parts:
            intent = self._call(replace(transcript, text=part), made[-1] if made else None)
            if intent is None:
                return ()
            if made and intent.name == made[-1].name and _within(intent, made[-1]):
                continue  # "find a café near the station and take me there": it shows the way
            made.append(intent)
        money = [self._risk(intent) == "money" for intent in made]
        if sum(money) > 1 or (any(money) and any(map(self._takes_words, made))):
            return ()  # "play jazz and pay anna twenty": that may be one long title
        return tuple(sorted(made, key=self._pays))

    def parts(self, transcript: Transcript) -> tuple[str, ...]:
        """Return what a request asks for, one thing each; none where it asks for one thing."""
        text = transcript.text.strip()
        language = "zh" if transcript.language == "zh" else "en"
        if len(text) > LONGEST or mood.mood(clean(text)) == "forbidden":
            return ()
        parts: list[str] = []
        at = 0
        for join in _JOINS[language].finditer(text):
            rest = text[join.end() :]
            if text[at : join.start()].strip() and _BEGINS[language].match(rest):
                parts.append(text[at : join.start()].strip())
                at = join.end()
        parts.append(text[at:].strip(" .!?。！？"))
        if not 2 <= len(parts) <= MOST or not all(parts):
            return ()
        first = self._router.exactly(replace(transcript, text=parts[0]))
        told = first is not None and self._takes_any_words(first)
        # "remember that anna likes to sing and play the piano" is one thing to remember
        return (
            ()
            if told and re.search(r"\band\b(?! then)", text[: len(parts[0]) + 6])
            else tuple(parts)
        )

    # -- one part -------------------------------------------------------------------------------

    def _call(self, part: Transcript, before: Intent | None) -> Intent | None:
        """Return the call that a part makes, after the one before it."""
        ways = self._ways(part.text, before)
        for way in ways:
            meaning = self._router.decide(replace(part, text=way), quick=True).meaning
            if isinstance(meaning, Intent) and self._may(meaning, way):
                return meaning
        return self._chosen(part, ways[0], before)

    def _ways(self, text: str, before: Intent | None) -> list[str]:
        """Return how a part may be said so that it stands for itself, as it is first."""
        bare = _LEAD.sub("", text)
        bare = re.sub(r"\s+(?:instead|please|too|as well|for me)$", "", bare, flags=re.IGNORECASE)
        ways = list(dict.fromkeys((bare, text)))
        pointing = _IT_ZH if re.search(r"[\u3400-\u9fff]", text) else _IT
        if before is None or not pointing.search(bare):
            return ways
        named = (
            pointing.sub(lambda _, name=name: name, bare, count=1)  # type: ignore[misc]
            for name in self._names(before)
        )
        return [*named, *ways]

    def _names(self, intent: Intent) -> list[str]:
        """Return what a call was about, as it can be said again."""
        slot = next((one for one in _DONE_BY if isinstance(intent.slots.get(one), str)), None)
        if slot is None:
            return []
        value = str(intent.slots[slot])
        if slot != "category":
            return [f"to the {value}", value] if slot == "place" else [value]
        if intent.language == "zh":
            return [f"最近的{value}", value]
        return [f"to the nearest {value}", f"the nearest {value}", value]

    def _chosen(self, part: Transcript, text: str, before: Intent | None) -> Intent | None:
        """Let a real Qwen choose among the likeliest actions, and those of the skill before."""
        model = self._ask()
        if isinstance(model, NoModel):
            return None
        likely = self._router.likeliest(text, part.language)
        same = [one for one in self._actions.values() if before and one.skill == before.skill]
        offered = list(dict.fromkeys([*(one.name for one in likely), *(one.name for one in same)]))
        candidates = [self._actions[name] for name in offered if name in self._actions]
        meaning = qwen.choose(model, text, part.language, candidates, PATIENT_S)
        if isinstance(meaning, NotRecognized) or not self._may(meaning, text):
            return None
        return replace(meaning, stage="plan")

    def _may(self, intent: Intent, text: str) -> bool:
        """Whether a call may be part of a plan: nothing pays by a guess, or changes unordered."""
        risk = self._risk(intent)
        if risk is None or intent.missing or self._points(intent):
            return False
        if risk == "money":
            return intent.stage == "templates"
        return risk == "none" or mood.mood(text) == "order"

    def _points(self, intent: Intent) -> bool:
        """Whether a slot still holds a word that points back."""
        values = (value for value in intent.slots.values() if isinstance(value, str))
        return any(_IT.fullmatch(v.strip()) or _IT_ZH.fullmatch(v.strip()) for v in values)

    def _takes_any_words(self, intent: Intent) -> bool:
        action = self._actions.get(intent.name)
        return action is not None and any(
            isinstance(slot.kind, Text) for slot in action.declaration.slots
        )

    def _takes_words(self, intent: Intent) -> bool:
        """Whether free words stand in a call that pays nothing."""
        action = self._actions.get(intent.name)
        if action is None or self._pays(intent):
            return False
        return any(action.kind(slot).is_open for slot in intent.slots)

    def _risk(self, intent: Intent) -> str | None:
        action = self._actions.get(intent.name)
        return action.declaration.risk if action is not None else None

    def _pays(self, intent: Intent) -> bool:
        return self._risk(intent) == "money"


def _within(intent: Intent, before: Intent) -> bool:
    """Whether a call says nothing that the one before it did not say."""
    return all(before.slots.get(slot) == value for slot, value in intent.slots.items())
