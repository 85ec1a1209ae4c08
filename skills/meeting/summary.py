"""What a meeting comes to, of its transcript alone.

The language model words it, part by part. A point of which a number, a name or most words are not
in the transcript is dropped; where none is left, lines are quoted as they were said: those with
numbers, names, and words of what is to be done.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from agent import Context
from agent.errors import EngineError
from agent.language.numbers import parse_number
from agent.language.world import world_text
from agent.skill.notes import telling

PART = 1600
"""Characters that the model is asked about at once: some 500 tokens, a few seconds."""
MOST_PARTS = 24
"""Parts of a long meeting; of one that is longer, evenly many lines are left out."""
POINTS = 7
"""Most points of a summary."""
QUOTED = 5
"""Most lines that are quoted."""
TIMEOUT_S = 90.0
"""Longest that the model may take for a part: it is not waited for."""
SHARE = 0.7
"""Share of a point's telling words that the transcript has."""
LONGEST = 200
"""Characters of a point."""

_SCHEMA = {
    "type": "object",
    "properties": {
        "points": {
            "type": "array",
            "items": {"type": "string", "maxLength": LONGEST},
            "maxItems": 3,
        }
    },
    "required": ["points"],
    "additionalProperties": False,
}  # fmt: skip

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
    " hundred thousand million billion"
)
_SPELT = rf"\b(?:{'|'.join(_SMALL.split())})\b"
_NUMBERS = re.compile(
    rf"\d+(?:[.,:]\d+)*|{_SPELT}(?:(?:[ -]|\sand\s){_SPELT})*"
    r"|[零〇一二两三四五六七八九十百千万亿]+",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<![.!?。]\s)(?<!^)\b[A-Z][\w'’-]+")
"""A word with a capital that does not begin a sentence."""
_FIRST = re.compile(r"(?:^|[.!?]\s)\s*([A-Z][\w'’-]+)")
_OPENING = """
the a an we they it he she i you there this that these those all some everyone everybody nobody
somebody one next then first second last finally after before in on at by for from with to as if
when while because so and but or no not please our their his her its meeting discussion decision
action team participants speaker speakers project plan each both most
"""
_OPENERS = frozenset(_OPENING.split())
"""Words that begin a sentence and name nobody."""
_TITLED = re.compile(r"([㐀-鿿]{1,3})(?:先生|女士|小姐|老师|经理|主任|教授|医生|总监)")
_TO_DO = re.compile(
    r"\b(?:will|must|should|need|decided?|agreed?|deadline|by (?:monday|tuesday|wednesday|thursday"
    r"|friday|tomorrow)|next (?:week|month))\b|决定|同意|必须|需要|下周|负责|截止",
    re.IGNORECASE,
)


def summed_up(lines: Sequence[str], ctx: Context) -> tuple[tuple[str, ...], bool]:
    """Return what a transcript comes to, and whether the language model has worded it."""
    text = "\n".join(lines)
    points: list[str] = []
    try:
        for part in _parts(lines):
            prompt = ctx.prompt("summary", transcript=world_text(part, PART + 200))
            read = ctx.private_model.json(prompt, _SCHEMA, max_tokens=200, timeout_s=TIMEOUT_S)
            said = (" ".join(str(one).split()) for one in read["points"])
            points += [one for one in said if one and borne_out(one, text)]
    except EngineError:
        points = points if len(points) > 1 else []
    points = list(dict.fromkeys(points))
    if len(points) > POINTS:
        points = [points[n * len(points) // POINTS] for n in range(POINTS)]
    return (tuple(points), True) if points else (quoted(lines), False)


def quoted(lines: Sequence[str]) -> tuple[str, ...]:
    """Return the lines that say most, as they were said, in their order."""
    ranked = sorted(range(len(lines)), key=lambda n: (-_weight(lines[n]), n))
    return tuple(f"“{lines[n][:LONGEST]}”" for n in sorted(ranked[:QUOTED]))


def borne_out(point: str, transcript: str) -> bool:
    """Whether every number and name of a point is in the transcript, and most of its words."""
    return not foreign(point, transcript) and _shared(point, transcript) >= SHARE


def foreign(point: str, transcript: str) -> list[str]:
    """Return the numbers and names of a point that the transcript does not have."""
    said = transcript.casefold()
    there = set(_values(transcript))
    numbers = [n[0] for n in _NUMBERS.finditer(point) if not {*_values(n[0])} <= there]
    words = _NUMBERS.sub("", point)
    names = [*_NAME.findall(words), *(m[1] for m in _TITLED.finditer(words))]
    names += [one for one in _FIRST.findall(words) if one.casefold() not in _OPENERS]
    return numbers + [one for one in names if not _within(one, said)]


def _within(name: str, said: str) -> bool:
    name = name.casefold().removesuffix("'s").removesuffix("’s")
    if not name.isascii():
        return name in said
    return re.search(rf"\b{re.escape(name)}", said) is not None


def _values(text: str) -> Iterator[object]:
    """Yield the numbers of a text, however they are written: forty is 40 and 四十."""
    for found in _NUMBERS.finditer(text):
        written = found[0].casefold().replace("-", " ")
        try:
            yield parse_number(written.replace(",", ""))
        except (ValueError, ArithmeticError):
            yield written
            continue


def _shared(point: str, transcript: str) -> float:
    words, there = telling(_NUMBERS.sub(" ", point)), telling(transcript)
    if not words:
        return 0.0
    stems = {word[:5] for word in there}
    return sum(word in there or word[:5] in stems for word in words) / len(words)


def _weight(line: str) -> float:
    told = len(telling(line))
    numbers, to_do = len(_NUMBERS.findall(line)), len(_TO_DO.findall(line))
    return min(told, 12) / 4 + numbers + 2 * to_do + len(_NAME.findall(line)) / 2


def _parts(lines: Sequence[str]) -> Iterator[str]:
    """Yield a transcript in pieces of whole lines."""
    every = max(1, -(-sum(map(len, lines)) // (PART * MOST_PARTS)))
    part = ""
    for line in lines[::every]:
        if part and len(part) + len(line) > PART:
            yield part
            part = ""
        part += f"{line[:PART]} / "
    if part:
        yield part
