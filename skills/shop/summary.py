"""What reviews say, in three claims: what is liked, what is not, and whom it suits.

Each claim names the reviews that it is of. The language model may word them; a claim of its that
the reviews it names do not bear out is dropped for one taken from the reviews word for word.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from agent import Context
from agent.errors import Cancelled, EngineError
from agent.language.world import world_text
from skills.shop.product import Review, of

Kind = Literal["pros", "cons", "suits"]
KINDS: tuple[Kind, ...] = ("pros", "cons", "suits")
LONGEST = 60
"""Most characters of a claim."""
ASKED = 20
"""Most reviews that the model is asked about."""
TIMEOUT_S = 6.0
"""Longest the model may take; an action has ten seconds."""

_CLAIM = {
    "type": "object",
    "properties": {
        "text": {"type": "string", "maxLength": LONGEST},
        "from": {"type": "array", "items": {"type": "integer"}, "maxItems": 8},
    },
    "required": ["text", "from"],
    "additionalProperties": False,
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": dict.fromkeys(KINDS, _CLAIM),
    "required": list(KINDS),
    "additionalProperties": False,
}

_BUT = re.compile(
    r"[,;，；]?\s*(?:\b(?:but|although|though|however|except)\b|但是?|不过|可是|就是)\s*", re.I
)
_END = re.compile(r"(?<=[.!?])\s+|[。！？；;\n]+")
_SUITS = re.compile(
    r"\b(?:great|good|perfect|ideal|fine|nice|best|made|enough|suits?|works?)\b[^.,;]*?\bfor\s+"
    r"(?!me\b|us\b|the (?:price|money)\b|it\b)(?P<en>[^.,;!]{3,40})|适合(?P<zh>[^，。！；,]{2,16})",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[a-z][a-z']+|[0-9]+|[\u3400-\u9fff]+", re.IGNORECASE)
_EMPTY = frozenset(
    ("the", "and", "but", "for", "with", "that", "this", "was", "are", "its", "they", "them", "had",
     "has", "have", "not", "very", "too", "just", "all", "when", "than", "then", "from", "after",
     "get", "got")
)  # fmt: skip
"""Words of three letters and more that speak of nothing."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that reviews say."""

    kind: Kind
    """Whether it is liked, disliked, or whom it suits."""
    text: str
    """A few words: text from the world."""
    reviews: tuple[int, ...]
    """Places of the reviews that say so, from 0; never empty."""
    quoted: bool = True
    """Taken word for word, not worded by the language model."""


def summed_up(reviews: Sequence[Review], ctx: Context) -> tuple[Claim, ...]:
    """Return at most one claim of each kind, by the language model where it can."""
    taken = {claim.kind: claim for claim in extracted(reviews, ctx.language)}
    asked = {claim.kind: claim for claim in _asked(reviews, ctx)}
    found = (asked.get(kind) or taken.get(kind) for kind in KINDS)
    return tuple(claim for claim in found if claim is not None)


# -- by the language model ------------------------------------------------------------------------


def _asked(reviews: Sequence[Review], ctx: Context) -> Iterator[Claim]:
    if not reviews or ctx.engine is None:
        return
    listed = "\n".join(
        f"{at}. {one.stars}/5 {world_text(of(one.words, ctx.language))}"
        for at, one in enumerate(reviews[:ASKED], start=1)
    )
    said = _in_time(ctx, ctx.prompt("reviews", reviews=listed))
    if said is None:
        return  # what was taken from the reviews stands
    for kind in KINDS:
        text = world_text(said[kind]["text"], LONGEST)
        named = tuple(dict.fromkeys(at - 1 for at in said[kind]["from"]))
        claim = Claim(kind, text, named, quoted=False)
        if borne_out(claim, reviews[:ASKED], ctx.language):
            yield claim


def _in_time(ctx: Context, prompt: str) -> dict[str, Any] | None:
    """Return what the model says, or None where it fails or is late.

    On a thread of its own: a model that is being loaded, or that reads a long prompt, cannot be
    interrupted, and what was taken from the reviews should not wait for it.
    """
    model, said = ctx.model, list[dict[str, Any]]()

    def ask() -> None:
        with suppress(EngineError, Cancelled):
            said.append(
                model.json(prompt, SCHEMA, max_tokens=160, timeout_s=TIMEOUT_S, cancel=ctx.cancel)
            )

    asking = threading.Thread(target=ask, name="reviews", daemon=True)
    asking.start()
    asking.join(TIMEOUT_S)
    return said[0] if said else None


def borne_out(claim: Claim, reviews: Sequence[Review], language: str) -> bool:
    """Say whether the reviews that a claim names say it: most of its words, in the right mood."""
    if not claim.text or not claim.reviews:
        return False
    if not all(0 <= at < len(reviews) for at in claim.reviews):
        return False
    words = terms(claim.text)
    for at in claim.reviews:
        said = of(reviews[at].words, language)
        mood = [part for part, liked in parts(reviews[at], said) if _fits(claim.kind, liked)]
        if len(words & terms(" ".join(mood))) * 2 < max(1, len(words)):
            return False
    return bool(words)


def _fits(kind: Kind, liked: bool) -> bool:
    return kind == "suits" or liked == (kind == "pros")


# -- word for word --------------------------------------------------------------------------------


def extracted(reviews: Sequence[Review], language: str) -> tuple[Claim, ...]:
    """Return the part of a review that most reviews bear out, of each kind."""
    said = [
        (at, part, liked)
        for at, review in enumerate(reviews)
        for part, liked in parts(review, of(review.words, language))
    ]
    found = []
    for kind in KINDS[:2]:
        of_kind = [(at, part) for at, part, liked in said if liked == (kind == "pros")]
        if claim := _most_shared(kind, of_kind):
            found.append(claim)
    whom = [(at, match) for at, part, _ in said if (match := _SUITS.search(part))]
    if whom:
        at, match = whom[0]
        text = (match["zh"] or match["en"]).strip()[:LONGEST]
        also = tuple(other for other, m in whom if terms(m[0]) & terms(text))
        found.append(Claim("suits", text, tuple(dict.fromkeys((at, *also)))))
    return tuple(found)


def parts(review: Review, text: str) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a review, and whether each tells what is liked.

    What stands after a "but" tells the contrary of what stands before it; else the stars say.
    """
    for sentence in filter(None, map(str.strip, _END.split(text))):
        pieces = [piece.strip(" ,.;!，。") for piece in _BUT.split(sentence)]
        if len(pieces) == 1 and pieces[0]:
            if review.stars != 3:
                yield pieces[0], review.stars > 3
            continue
        for at, piece in enumerate(pieces):
            if piece:
                yield piece, (at == 0) if review.stars >= 3 else (at != 0)


def _most_shared(kind: Kind, said: Sequence[tuple[int, str]]) -> Claim | None:
    known = [(at, part, terms(part)) for at, part in said if len(part) <= LONGEST]
    if not known:
        return None
    common = Counter(word for _, _, words in known for word in words)

    def worth(one: tuple[int, str, frozenset[str]]) -> tuple[int, int]:
        return max((common[word] for word in one[2]), default=0), -len(one[1])

    at, part, words = max(known, key=worth)
    shared = {word for word in words if common[word] > 1}
    others = (other for other, _, theirs in known if shared & theirs)
    return Claim(kind, part, tuple(dict.fromkeys((at, *others))))


def terms(text: str) -> frozenset[str]:
    """Return what a text speaks of: the beginnings of its words, of Chinese each two characters."""
    found: set[str] = set()
    for word in _WORDS.findall(text.casefold()):
        if word.isascii():
            if word not in _EMPTY and len(word) > 2:
                found.add(word[:5])
        else:
            found |= {word[at : at + 2] for at in range(max(1, len(word) - 1))}
    return frozenset(found)
