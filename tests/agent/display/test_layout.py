"""Layout: what the wearer reads, page by page, and what holds for any text at all."""

import time
import typing
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.display.layout import QUESTIONS, dwell_ms, lay_out
from agent.display.text import NO_LINE_END, NO_LINE_START, cells, clean, is_wide, width, wrap
from agent.messages import CardKind, Proposal, Reply
from hardware import profiles
from hardware.base import Frame, Line

LENS = profiles.load("quark-s1")


def seen(reply, profile=LENS, language="en"):
    """The pages as text, `---` between them, dim rows marked with `.` and soft ones with `-`."""
    signs = {0.5: ".", 0.75: "-", 1.0: " "}
    pages = lay_out(reply, profile, language)
    return "\n---\n".join(
        "\n".join(f"{signs[row.brightness]}{row.text}" if row.text else "" for row in page.lines)
        for page in pages
    )


# ── golden cards ───────────────────────────────────────────────────────────────────────────────


GOLDEN = {
    "answer": (
        Reply("Cloudy, 14 °C. Light rain after four; take an umbrella.\nWind 12 km/h", "London"),
        """\
.London
 Cloudy, 14 °C. Light rain after
 four; take an umbrella.
-Wind 12 km/h""",
    ),
    "list": (
        Reply(
            "Anker 737 power bank 24,000 mAh with display $79\n  4.6 stars\n"
            "Baseus Blade $55\n  4.4 stars\nXiaomi $19\n  4.7 stars",
            "Power banks",
            "list",
        ),
        """\
.Power banks                  1/2
 1. Anker 737 power bank
-   24,000 mAh with display $79
-   4.6 stars
---
.Power banks                  2/2
 2. Baseus Blade $55
-   4.4 stars
 3. Xiaomi $19
-   4.7 stars""",
    ),
    "numbered list": (
        Reply("Two found\n1. tea\n2. coffee", kind="list"),
        " Two found\n 1. tea\n 2. coffee",
    ),
    "route": (
        Reply("← 80 m\nTurn left on Market Street, opposite the post office", "Walk", "route"),
        """\
.Walk
 ←   80 m
-    Turn left on Market Street,
-    opposite the post office""",
    ),
    "route without an arrow": (
        Reply("You have arrived\nFerry Building", kind="route"),
        " You have arrived\n-Ferry Building",
    ),
    "translation": (
        Reply("请问地铁站在哪里？\nExcuse me, where is the subway?", kind="translation"),
        ".请问地铁站在哪里？\n Excuse me, where is the subway?",
    ),
    "translation titled with its source": (
        Reply("早上好\nzǎoshang hǎo", "good morning", "translation"),
        ".good morning\n 早上好\n-zǎoshang hǎo",
    ),
    "translation alone": (Reply("Good morning", kind="translation"), " Good morning"),
    "alert": (
        Reply("Battery at 9 %. Swap the left cell.", kind="alert"),
        " ! Battery at 9 %. Swap the left\n   cell.",
    ),
    "alert with title": (Reply("9 % left", "Battery", "alert"), " ! Battery\n 9 % left"),
    "progress": (Reply("listening…", kind="progress"), "-listening…"),
    "progress with a bar": (
        Reply("Copying, 3 min left\n40 %", "Map", "progress"),
        ".Map\n-Copying, 3 min left\n.━━━━━━━━━━━──────────────── 40 %",
    ),
    "all done": (Reply("100%", kind="progress"), "-━━━━━━━━━━━━━━━━━━━━━━━━━━━ 100%"),
    "dashboard": (
        Reply(
            "09:41\t78 %\n↰ Market Street\t80 m\n\nlast note\n☁ rain after four, then clear again\t14 °C\n\talone",
            kind="dashboard",
        ),
        """\
 09:41                       78 %
-↰ Market Street             80 m
-last note
-☁ rain after four, then    14 °C
-  clear again
-                           alone""",
    ),
    "dashboard with a long right part": (
        Reply("♪ now\tPictures at an Exhibition, Promenade", "Tuesday", "dashboard"),
        ".Tuesday\n ♪ now\n       Pictures at an Exhibition,\n                        Promenade",
    ),
    "playing": (
        Reply("Clair de lune\nClaude Debussy\n21 %", "Now playing", "playing"),
        ".Now playing\n ♪ Clair de lune\n-  Claude Debussy\n-━━━━━━───────────────────── 21 %",
    ),
    "proposal": (
        Proposal("Flat white", "Pay", amount=Decimal("12.5"), payee="Blue Bottle Coffee"),
        " $12.50 → Blue Bottle Coffee\n.Pay\n-Flat white\n\n say yes or no",
    ),
    "nothing": (Reply(), ""),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_card_reads_as_agreed(name):
    reply, expected = GOLDEN[name]
    assert seen(reply) == expected


def test_chinese_card_wraps_with_kinsoku():
    text = (
        "鲁迅（1881年—1936年），原名周树人，中国现代文学的奠基人之一。"
        "代表作有《狂人日记》《阿Q正传》等。"
    )
    assert seen(Reply(text, "鲁迅")) == (
        ".鲁迅\n"
        " 鲁迅（1881年—1936年），原名周树\n"
        " 人，中国现代文学的奠基人之一。代\n"
        " 表作有《狂人日记》《阿Q正传》\n"
        " 等。"
    )


def test_chinese_proposal_asks_in_chinese():
    bill = Proposal("一杯拿铁", amount=Decimal(46), currency="CNY", payee="蓝瓶咖啡")
    assert seen(bill, language="zh") == " ¥46.00 → 蓝瓶咖啡\n-一杯拿铁\n\n 说“确认”或“取消”"


# ── pages ──────────────────────────────────────────────────────────────────────────────────────


def test_pages_are_filled_evenly_and_say_which_they_are():
    pages = lay_out(Reply("\n".join("abcdefgh"), "Letters"), LENS)
    assert [len(page.lines) for page in pages] == [5, 5]
    assert [page.lines[0].text.split() for page in pages] == [
        ["Letters", "1/2"],
        ["Letters", "2/2"],
    ]
    assert [(page.page, page.pages) for page in pages] == [(1, 2), (2, 2)]


def test_untitled_pages_are_marked_too():
    pages = lay_out(Reply("\n".join("abcdefgh")), LENS)
    assert [page.lines[0].text.strip() for page in pages] == ["1/2", "2/2"]


def test_every_page_of_a_proposal_shows_the_stake_and_the_question():
    bill = Proposal("word " * 120, amount=Decimal("1234.5"), payee="Marks & Spencer Simply Food")
    pages = lay_out(bill, LENS)
    assert len(pages) > 1
    for page in pages:
        top = " ".join(line.text for line in page.lines[:2])
        assert "$1,234.50" in top
        assert "Spencer" in top
        assert page.lines[0].brightness == max(line.brightness for line in page.lines)
        assert page.lines[-1].text == QUESTIONS["en"]


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("12.345", "USD", "$12.345"),
        ("0.1", "EUR", "€0.10"),
        ("1200", "JPY", "JP¥1,200"),
        ("1E+3", "CHF", "CHF 1,000.00"),
    ],
)
def test_amounts_are_never_rounded(amount, currency, expected):
    bill = Proposal(amount=Decimal(amount), currency=currency)
    assert lay_out(bill, LENS)[0].lines[0].text == expected


def test_two_rows_while_walking_still_show_amount_then_question():
    bill = Proposal("Tea", amount=Decimal(3), payee="Cafe")
    pages = lay_out(bill, replace(LENS, lines=2))
    assert [[line.text for line in page.lines] for page in pages] == [
        ["$3.00 → Cafe                 1/2", "say yes or no"],
        ["Tea                          2/2", "say yes or no"],
    ]


# ── text ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07x", "x"),
        ("\x9b2Jx", "x"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        ("a\tb\u3000c", "a b c"),
        ("evil\u202etxt\u2066\ufeff\u200b", "eviltxt"),
        ("so\u00adft\x00\x07", "soft"),
        ("\ud800ok", "ok"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("½ é ﷺ", "½ é ﷺ"),
    ],
)
def test_clean_keeps_what_is_seen_and_nothing_else(dirty, expected):
    assert clean(dirty) == expected


@pytest.mark.parametrize(
    ("text", "cells_taken"),
    [("abc", 3), ("你好", 4), ("e\u0301", 1), ("👨\u200d👩\u200d👧", 2), ("🇨🇳", 2), ("！", 2)],
)
def test_width_counts_graphemes(text, cells_taken):
    assert width(text) == cells_taken


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("one two three", 8, ["one two", "three"]),
        ("incomprehensible", 8, ["incompre", "hensible"]),
        ("an incomprehensible", 8, ["an", "incompre", "hensible"]),
        ("你好世界，再见", 8, ["你好世", "界，再见"]),
        ("他说（你好）", 6, ["他说", "（你", "好）"]),
        ("好的 ！", 5, ["好", "的 ！"]),
        ("买iPhone手机", 8, ["买iPhone", "手机"]),
        ("👨\u200d👩\u200d👧👨\u200d👩\u200d👧", 2, ["👨\u200d👩\u200d👧"] * 2),
        ("，，，，，，", 4, ["，，"] * 3),
        # Unicode's rules: after a hyphen, not inside a number, not beside a no-break space.
        ("state-of-the-art", 9, ["state-of-", "the-art"]),
        ("a 1,234,567.89 b", 12, ["a", "1,234,567.89", "b"]),
        ("call 555-1234", 9, ["call", "555-1234"]),
        ("ten\u00a0km on", 6, ["ten\u00a0km", "on"]),
        ("가나다 라마", 6, ["가나다", "라마"]),
        ("ไปไหน", 3, ["ไปไ", "หน"]),
        # Ours beyond them: quotes of Latin shape in Chinese, units, short words with a slash.
        ("他说“你好”吗", 4, ["他说", "“你", "好”", "吗"]),
        ("站名：“北京”。走", 6, ["站名：", "“北", "京”。", "走"]),
        ("walk 110 m, 1 min", 16, ["walk 110 m,", "1 min"]),
        ("走440米，6分钟", 10, ["走440米，", "6分钟"]),
        ("at 5 km/h now", 7, ["at", "5 km/h", "now"]),
        ("50 % off", 4, ["50 %", "off"]),
        ("共～十", 3, ["共", "～", "十"]),
        ("   ", 4, []),
    ],
)
def test_wrap(text, columns, rows):
    assert wrap(text, columns) == rows


def test_a_bar_without_room_is_its_figure():
    assert rows_of(Reply("40 %", kind="progress"), columns=9) == ["━━── 40 %"]
    assert rows_of(Reply("40 %", kind="progress"), columns=8) == ["40 %"]


# ── from right to left ─────────────────────────────────────────────────────────────────────────

RIGHT, LEFT = "\u200f", "\u200e"


def rows_of(reply, **changes):
    return [line.text for page in lay_out(reply, replace(LENS, **changes)) for line in page.lines]


def test_rows_stay_in_the_order_in_which_they_are_read():
    assert rows_of(Reply("שלום עולם, מה שלומך היום", "כותרת"), columns=12) == [
        "כותרת",
        "שלום עולם,",
        "מה שלומך",
        "היום",
    ]


def test_a_row_that_would_tell_another_direction_is_marked():
    assert rows_of(Reply("תחנת רכבת Central Station מימין"), columns=16) == [
        "תחנת רכבת",
        f"{RIGHT}Central Station",
        "מימין",
    ]
    assert rows_of(Reply("Good morning is בוקר טוב"), columns=15) == [
        "Good morning is",
        f"{LEFT}בוקר טוב",
    ]
    assert rows_of(Reply("שעה\n12:30 בבוקר 45"), columns=12) == ["שעה", "12:30 בבוקר", f"{RIGHT}45"]


def test_the_arrow_from_amount_to_payee_points_at_the_payee_in_every_script():
    bill = Proposal(amount=Decimal("4.5"), payee="יוסי")
    assert rows_of(bill)[0] == f"{LEFT}$4.50 → יוסי"


def test_marks_from_outside_are_dropped():
    assert clean(f"{RIGHT}a{LEFT}\u061c\u202e\u2067b") == "ab"


# ── reading time ───────────────────────────────────────────────────────────────────────────────


def frame_of(*texts):
    return Frame(LENS, tuple(Line(text) for text in texts))


def test_dwell_follows_reading_time():
    assert dwell_ms(frame_of("word " * 6, "word " * 4)) == pytest.approx(10 * 60_000 / 200)
    assert dwell_ms(frame_of("字" * 10, "，" * 6)) == pytest.approx(10 * 60_000 / 300)
    assert dwell_ms(frame_of("!")) == 1500


# ── what holds for any text ────────────────────────────────────────────────────────────────────

PIECES = st.sampled_from(
    [*"aZ9 \n，。！（「》“”-.•!♪→", "word", "你好", "e\u0301", "👩\u200d🚀", "🇨🇳", "हिन्दी", "각",
     "\x1b[1m", "\x00", "\u202e", "\u200d", "\ufe0f", "\u0301", "\n  ", "2. ",
     "incomprehensibility", "שלום", "مرحبا", "\t", "40 %", "12 km", "a/b", "“"]
)  # fmt: skip
TEXTS = st.one_of(st.lists(PIECES, max_size=60).map("".join), st.text(max_size=60))
KINDS = st.sampled_from(typing.get_args(CardKind))
PROFILES = st.builds(
    replace, st.just(LENS), columns=st.integers(2, 40), lines=st.integers(1, 8)
)  # fmt: skip
REPLIES = st.one_of(
    st.builds(Reply, text=TEXTS, title=TEXTS, kind=KINDS),
    st.builds(
        Proposal,
        text=TEXTS,
        title=TEXTS,
        amount=st.decimals(0, 10**6, places=2),
        payee=TEXTS,
    ),
)


def visible(text):
    """Characters that leave light, counted; joiners have none of their own."""
    return Counter(c for c in clean(text) if not c.isspace() and c not in "\u200c\u200d")


@settings(max_examples=200, deadline=None)
@given(REPLIES, PROFILES)
def test_no_row_is_too_wide_no_page_too_long_and_nothing_is_lost(reply, profile):
    pages = lay_out(reply, profile)
    assert pages
    for page in pages:
        assert len(page.lines) <= profile.lines
        assert all(width(line.text) <= profile.columns for line in page.lines)
        for line in page.lines:
            assert clean(line.text) == line.text.lstrip("\u200e\u200f")
            assert "\n" not in line.text
    shown = sum((visible(line.text) for page in pages for line in page.lines), Counter())
    payee = reply.payee if isinstance(reply, Proposal) else ""
    assert not visible(reply.text + "\n" + reply.title + "\n" + payee) - shown


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=60).map("".join), st.integers(8, 40))
def test_wrapped_rows_join_to_the_paragraph(text, columns):
    paragraph = clean(text).replace("\n", " ")
    rows = wrap(paragraph, columns)
    assert "".join(rows).replace(" ", "") == paragraph.replace(" ", "")
    assert all(row and width(row) <= columns for row in rows)


@pytest.mark.parametrize(
    "piece",
    [
        "word and ",
        "天气很好，",
        "x",
        "，",
        "% ",
        "/a",
        "“好”",
        "1 m ",
        "שלום ",
        "👩\u200d🚀",
        "e\u0301",
        "\n",
        "- ",
    ],
)
@pytest.mark.slow
def test_a_megabyte_takes_no_longer_than_its_parts(piece):
    """Ten times the text takes some ten times as long: a quadratic step would take a hundred."""
    size = 1_000_000 // len(piece.encode())

    def took_s(count):
        began = time.process_time()
        pages = lay_out(Reply(piece * count), LENS)
        assert sum(len(page.lines) for page in pages) <= count * len(piece) + len(pages)
        return time.process_time() - began

    took_s(size // 100)
    assert took_s(size) < 40 * max(0.02, took_s(size // 10))


# Wide marks only: an ASCII "go!left" is one word, which a narrow enough row must cut. So is "％left"
# (UAX #14, LB24).
CLOSING = st.sampled_from(sorted(filter(is_wide, NO_LINE_START - {"％"})))
OPENING = st.sampled_from(sorted(filter(is_wide, NO_LINE_END)))
CALM = st.lists(st.sampled_from([*"的一是在人有我他这中", "go ", "left "]), min_size=1, max_size=30)


@settings(max_examples=200, deadline=None)
@given(CALM, CLOSING, OPENING, st.integers(10, 40))
@example(["的", "的", "left "], "、", "￥", 10)
def test_kinsoku_and_whole_words(words, closing, opening, columns):
    text = "".join(f"{opening}{word}{closing}" if i % 3 else word for i, word in enumerate(words))
    rows = wrap(text, columns)
    assert not any(row[0] in NO_LINE_START or row[-1] in NO_LINE_END for row in rows)
    assert sum(row.count(word) for row in rows for word in ("go", "left")) == sum(
        text.count(word) for word in ("go", "left")
    )


@given(TEXTS)
@settings(max_examples=100, deadline=None)
def test_cells_rebuild_the_text(text):
    assert "".join(grapheme for grapheme, _ in cells(clean(text))) == clean(text)


def test_a_remark_under_a_list_is_no_item_of_it():
    frame = lay_out(Reply("tea\ncoffee\n… 3 more", kind="list"), profiles.load("quark-s1"))[0]
    assert [line.text for line in frame.lines] == ["1. tea", "2. coffee", "… 3 more"]
