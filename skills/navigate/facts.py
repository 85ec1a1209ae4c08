"""What the map tells of a place, and whether a sentence says nothing beyond it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from agent import Context
from skills.navigate import kinds
from skills.navigate.places import Site

LONGEST = 60
"""Characters of one fact."""

_HAN = re.compile(r"[㐀-鿿]")
_WORD = re.compile(r"[㐀-鿿]+|(?:(?![㐀-鿿])[^\W_])+(?:['’](?:(?![㐀-鿿])[^\W_])+)*")
_COMMON = frozenset((
    "a", "an", "and", "are", "as", "at", "behind", "beside", "building", "built", "by", "close",
    "facing", "from", "has", "have", "here", "hours", "in", "is", "it", "its", "left", "levels",
    "metres", "near", "nearby", "next", "of", "on", "open", "opens", "opening", "right",
    "serves", "stands", "street", "style", "that", "the", "there", "this", "to", "today", "was",
    "where", "which", "with", "you", "your", "ahead", "known", "called", "located", "dates",
    "year", "architect", "designed", "floors", "place", "also", "for", "name", "named",
))  # fmt: skip
"""Words of a sentence that tell nothing by themselves."""
_NUMBERS = frozenset((
    "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred",
    "thousand", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth",
    "ninth", "tenth", "half", "double", "several", "many",
))  # fmt: skip
_COMMON_HAN = frozenset(
    "这是的在座栋家个位于您你前面后左右边旁附近建筑物由设计师建成于年为风格名叫做有和与距离米层"
    "营业时间它此处里，。、；：（）！“”"
)


def of(site: Site, ctx: Context) -> list[str]:
    """Return one line for each fact that is tagged, the most telling first; the name is not one."""
    tags, said = site.tags, []
    built = tags.get("start_date") or tags.get("year_of_construction")
    style = tags.get("building:architecture") or tags.get("architecture")
    if site.kind:
        said.append(kinds.shown(site.kind, ctx.language))
    if built:
        said.append(ctx.say("built: {what}", what=plain(built)))
    if architect := tags.get("architect"):
        said.append(ctx.say("architect: {what}", what=plain(architect)))
    if style:
        said.append(ctx.say("style: {what}", what=plain(style)))
    return [*said, *_more(tags, ctx), *([site.address] if site.address else [])]


def _more(tags: Mapping[str, str], ctx: Context) -> list[str]:
    known = {
        "artist_name": ctx.say("artist: {what}", what="{what}"),
        "denomination": "{what}",
        "cuisine": "{what}",
        "opening_hours": ctx.say("open: {what}", what="{what}"),
        "building:levels": ctx.say("floors: {what}", what="{what}"),
        "height": ctx.say("height: {what}", what="{what}"),
        "ele": ctx.say("above the sea: {what} m", what="{what}"),
        "operator": ctx.say("run by: {what}", what="{what}"),
    }
    return [form.replace("{what}", plain(tags[key])) for key, form in known.items() if key in tags]


def plain(value: str) -> str:
    """Return a tag's value as it is shown, on one line."""
    words = " ".join(value.replace("_", " ").replace(";", ", ").split())
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}…"


def grounded(sentence: str, facts: Iterable[str]) -> bool:
    """Return whether every number and every name of a sentence stands in the facts.

    Strict, since a model that adds a year or a name does so fluently: whatever is neither in the
    facts nor among the words of any sentence counts as a name.
    """
    given = " ".join(facts).casefold()
    known = {_bare(word) for word in _WORD.findall(given)}
    for word in _WORD.findall(sentence):
        if _HAN.search(word):
            if any(han not in given and han not in _COMMON_HAN for han in word):
                return False
            continue
        bare = _bare(word)
        if bare in known:
            continue
        if any(char.isdigit() for char in bare) or bare in _NUMBERS or bare not in _COMMON:
            return False
    return True


def _bare(word: str) -> str:
    return word.casefold().removesuffix("'s").removesuffix("’s")
