"""Lay a reply out as pages for one lens. Pure functions: same reply, same profile, same frames.

Where the title goes: above, dim, as a running head. On five to seven lines that costs one row and
buys three things that a title on the left of the answer cannot give: the answer wraps at the full
width, it starts at the same place on every card and page, and the page mark has a quiet home. The
eye skips the dim row and lands on the first bright one, so the first bright row is the answer.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from agent.display.pages import DIM, FULL, SOFT, Card, Paragraph, marker, paginate
from agent.display.text import Direction, cells, clean, is_wide, width
from agent.language import money
from agent.messages import Proposal, Reply
from hardware.base import DisplayProfile, Frame

QUESTIONS = {"en": "say yes or no", "zh": "说“确认”或“取消”"}
"""Last row of every proposal, by language."""

LATIN_WORDS_PER_MIN = 200
"""Reading on glasses (MentraOS guidance); on paper it is 238 (Brysbaert 2019, 190 studies)."""
CJK_CHARACTERS_PER_MIN = 300
"""255 ± 29 aloud in Chinese (Trauzettel-Klosinski & Dietz 2012, IReST), silent reading faster."""
SHORTEST_DWELL_MS = 1500
"""Nothing flashes: finding a card on the lens takes a gaze shift before reading starts."""

REMARK = "…"
"""Begins a line of a list that is no item of it."""
_NUMBERED = re.compile(r"\d{1,2}(?:[.)] |、)")
_ARROW = re.compile("([\u2190-\u21ff\u27f0-\u27ff\u2900-\u297f\u2b00-\u2b11]\ufe0f?) *")
_ARROW_CELLS = 4
_ICON = re.compile("[\u2190-\u2bff\U0001f000-\U0001faff]\ufe0f? +")
_PERCENT = re.compile(r"(100|\d{1,2})(?:\.\d+)? ?[%％]")


def lay_out(reply: Reply, profile: DisplayProfile, language: str = "en") -> tuple[Frame, ...]:
    """Lay a reply out as one frame a page; at least one, even for an empty reply.

    No row is wider than `profile.columns` and every visible character of the reply is on some
    page. `language` is that of the question under a proposal; unknown ones are asked in English.

    Conventions by kind, all optional: a `list` has an item a line (numbered here unless it is
    already), with indented lines belonging to the item above and remarks, which are none, after
    an ellipsis ("… 3 more"); a `route` begins with an arrow,
    which gets a gutter of its own (no arrow is ever invented); a `translation` without a title has
    the source in its first line and the target below; with one, the title is the source; a line of
    `progress` or `playing` that is only a percentage becomes a bar; a line of a `dashboard` may be
    two parts with a tab between them, which stand at the left and at the right edge.

    Text from right to left is wrapped in the order in which it is read; whatever draws a row puts
    its letters in their places. Takes time in proportion to the text.
    """
    frames = paginate(_card(reply, language), profile)
    if reply.sketch and profile.type is not None:
        frames = (replace(frames[0], sketch=reply.sketch), *frames[1:])
    return tuple(replace(f, partial=True) for f in frames) if reply.partial else frames


def dwell_ms(frame: Frame) -> float:
    """How long to leave a frame before the next page, in ms, from the time it takes to read.

    Words of letters or digits and CJK characters are timed apart and added up.
    """
    graphemes = [g for line in frame.lines for g, _ in (*cells(line.text), (" ", 1))]
    characters = sum(is_wide(g) and g[0].isalnum() for g in graphemes)
    spaced = "".join(" " if is_wide(g) else g for g in graphemes)
    words = sum(any(map(str.isalnum, word)) for word in spaced.split())
    reading_ms = 60_000 * (words / LATIN_WORDS_PER_MIN + characters / CJK_CHARACTERS_PER_MIN)
    return max(float(SHORTEST_DWELL_MS), reading_ms)


def _card(reply: Reply, language: str) -> Card:
    title = " ".join(clean(reply.title).split("\n")).strip()
    texts = _without_spare_blanks(clean(reply.text).split("\n"))
    match reply.kind:
        case _ if isinstance(reply, Proposal) or reply.kind == "proposal":
            return _proposal(reply, title, texts, QUESTIONS.get(language, QUESTIONS["en"]))
        case "alert":
            return _alert(title, texts)
        case "list":
            return Card(_items(texts), title)
        case "route":
            return Card(_glanced(_route(texts)), title)
        case "translation" if len(texts) > 1 and not title:
            return Card(_shaded(texts, DIM, FULL), title)
        case "progress":
            return Card([_bar(p) for p in _shaded(texts, SOFT, DIM)], title)
        case "playing":
            return Card([_bar(p) for p in _glanced(_signed("♪", texts, SOFT))], title)
        case "dashboard":
            return Card(_glanced(_pairs(reply.text)), title)
        case _:
            body = _shaded(texts, FULL, SOFT)
            # What is still being said would change its size when it no longer fits a row.
            return Card(body if reply.partial else _glanced(body), title)


def _proposal(reply: Reply, title: str, texts: list[str], question: str) -> Card:
    """Amount and payee head every page, so that no page can be agreed to without seeing them."""
    asked = _stake(reply) if isinstance(reply, Proposal) else ""
    body = [Paragraph(title, DIM)] if asked and title else []
    # From left to right whatever the payee's script: the arrow must not point at the wearer.
    reads: Direction | None = "L" if asked else None
    body += _shaded(texts, SOFT, SOFT)
    return Card(body, asked or title, FULL, 2, reads, question, head_large=True)


def _stake(proposal: Proposal) -> str:
    payee = " ".join(clean(proposal.payee).split())
    if not proposal.amount and not payee:
        return ""
    money = _money(proposal.amount, clean(proposal.currency).replace("\n", ""))
    return f"{money} → {payee}" if payee else money


def _money(amount: Decimal, currency: str) -> str:
    """Write an amount out; digits are padded to its currency's but never rounded away."""
    text, places = f"{amount:,f}", money.digits(currency)
    if amount.is_finite() and len(text.partition(".")[2]) < places:
        text = f"{amount:,.{places}f}"
    symbol = money.SYMBOLS.get(currency)
    return f"{symbol}{text}" if symbol else f"{currency} {text}"


def _alert(title: str, texts: list[str]) -> Card:
    if title:
        sign = "" if title[0] in "!！" else "! "
        return Card(_shaded(texts, FULL, FULL), sign + title, FULL, head_large=True)
    return Card(_glanced(_signed("!", texts, FULL)))


def _signed(sign: str, texts: list[str], others: float) -> list[Paragraph]:
    """Put a sign in front, unless the text has it already."""
    if not texts:
        return []
    return _guttered(sign, 2, [texts[0].removeprefix(sign).lstrip(" "), *texts[1:]], others)


def _items(texts: list[str]) -> list[Paragraph]:
    """Give items numbers unless some are numbered; an indented line hangs under the one above."""
    tops = [text for text in texts if text and not text.startswith((" ", REMARK))]
    numbering = len(tops) > 1 and not any(map(_NUMBERED.match, tops))
    items: list[Paragraph] = []
    number, hangs = 0, ""
    for text in texts:
        if text.startswith(" "):
            below = text.lstrip(" ")
            items.append(Paragraph(below, SOFT, under=hangs, whole=True, joins=True))
            continue
        remark = text.startswith(REMARK)
        number += bool(text) and not remark
        given = f"{number}. " if numbering and text and not remark else ""
        hangs = given or marker(text)
        items.append(Paragraph(text, FULL, given, rest=SOFT, whole=True))
    return items


def _route(texts: list[str]) -> list[Paragraph]:
    arrow = _ARROW.match(texts[0]) if texts else None
    if arrow is None:
        return _shaded(texts, FULL, SOFT)
    return _guttered(arrow[1], _ARROW_CELLS, [texts[0][arrow.end() :], *texts[1:]], SOFT)


def _guttered(glyph: str, gutter: int, texts: list[str], others: float) -> list[Paragraph]:
    """Put a sign in the first `gutter` cells of the first row and leave them free below it."""
    first = glyph + " " * (gutter - width(glyph))
    return [
        Paragraph(text, others, gutter=gutter) if index else Paragraph(text, FULL, first, gutter)
        for index, text in enumerate(texts)
    ]


def _bar(paragraph: Paragraph) -> Paragraph:
    """Turn a percentage that stands alone into a bar; it begins at the edge, without an indent."""
    percent = _PERCENT.fullmatch(paragraph.text)
    return replace(paragraph, share=int(percent[1]) / 100) if percent else paragraph


def _pairs(text: str) -> list[Paragraph]:
    """Split lines at their first tab; the first of them is bright."""
    pairs = [
        [" ".join(clean(part).split("\n")).strip(" ") for part in line.split("\t", 1)]
        for line in text.splitlines()
    ]
    found: list[Paragraph] = []
    for left, *right in filter(any, pairs):
        icon = _ICON.match(left)
        prefix, text = (icon[0], left[icon.end() :]) if icon else ("", left)
        light = SOFT if found else FULL
        found.append(
            Paragraph(text, light, prefix, width(prefix), whole=True, right="".join(right))
        )
    return found


def _shaded(texts: list[str], first: float, others: float) -> list[Paragraph]:
    """Change brightness where the meaning changes, between paragraphs, never inside one."""
    return [Paragraph(text, others if index else first) for index, text in enumerate(texts)]


def _glanced(paragraphs: list[Paragraph]) -> list[Paragraph]:
    """Set the first larger, which is what a glance is for."""
    return [replace(paragraphs[0], large=True), *paragraphs[1:]] if paragraphs else []


def _without_spare_blanks(texts: list[str]) -> list[str]:
    """Drop blank paragraphs at both ends and all but one of several in a row."""
    texts = [text.rstrip(" ") for text in texts]
    kept = [text for index, text in enumerate(texts) if text or (index and texts[index - 1])]
    return kept[:-1] if kept and not kept[-1] else kept
