"""Rows that are set in type: every card on every lens, in both languages."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops
from wcwidth import iter_graphemes

from agent.display.layout import lay_out
from agent.display.text import NARROW, clean, width, wrap
from agent.messages import Reply
from hardware import fonts, icons, profiles, raster
from hardware.base import Frame, Line, Run
from hardware.display import ImageDisplay
from hardware.fonts import BARS, advance, find_type, glyph
from tests.gallery import cards

IN_CELLS = {name: profiles.load(name) for name in profiles.names()}
IN_TYPE = {name: raster.in_type(lens) for name, lens in IN_CELLS.items()}
SET = sorted(name for name, lens in IN_TYPE.items() if lens.type is not None)
BUILT_IN = raster.in_type(profiles.load("quark-s1"), ())
"""No font files: what is drawn depends on Pillow alone."""
FULL_TO_THE_PIXEL = {"even-g1": 1, "ssd1322": 2}
"""Lenses whose rows fill all of their height, and how far a few characters are moved to fit."""
ENGLISH = "It’s “light rain” after four; take an umbrella… 12:30, 7 °C."
CHINESE = "请在十分钟内更换左侧电池，或者说“确认”……"


@cache
def pages(name):
    return tuple(
        page for reply, language in cards() for page in lay_out(reply, IN_TYPE[name], language)
    )


def ink(text, style="text", lens=BUILT_IN):
    frame = Frame(lens, (Line(text, 1.0, (Run(0, text, style),)),))
    return raster.render(frame, ()).getbbox()


# ── what is where ──────────────────────────────────────────────────────────────────────────────


def test_low_one_bit_lenses_and_those_with_a_font_of_their_own_keep_cells():
    assert set(IN_TYPE) - set(SET) == {"ssd1306", "activelook"}


@pytest.mark.parametrize("name", SET)
def test_pieces_of_a_row_stand_apart_and_inside(name):
    face = IN_TYPE[name].type
    for page in pages(name):
        assert len(page.lines) <= page.profile.lines
        for line in page.lines:
            ends = 0
            for run in line.runs:
                assert run.at >= ends, line
                ends = run.at + width(run.text, face.widths(run.style))
            assert ends <= face.room_px, line


@pytest.mark.parametrize("name", SET)
def test_every_letter_stands_whole_on_its_baseline(name):
    """Neither cut by its row nor moved to fit it: compared with a row that is much higher."""
    face = IN_TYPE[name].type
    seen = {
        (letter, run.style)
        for page in pages(name)
        for line in page.lines
        for run in line.runs
        for letter in iter_graphemes(run.text)
    }
    more = 20
    for letter, style in seen:
        cut = face.face(style)
        across = advance(letter, cut.px, cut.fonts) + cut.px
        drawn, roomy = (
            glyph(
                letter, across, cut.height + 2 * n, cut.baseline + n, cut.px, cut.fonts, cut.crisp
            )
            for n in (0, more)
        )
        inner = roomy.tile.crop((0, more, across, more + cut.height))
        if ImageChops.difference(drawn.tile, inner).getbbox() is not None:
            _, top, _, bottom = roomy.tile.getbbox()
            assert max(more - top, bottom - more - cut.height) <= FULL_TO_THE_PIXEL.get(name, 0), (
                letter
            )


@pytest.mark.parametrize("name", SET)
def test_letters_are_as_tall_as_in_cells_and_no_card_takes_more_pages(name):
    lens, face = IN_CELLS[name], IN_TYPE[name].type
    assert face.text.px >= lens.font_px
    assert face.text.px <= face.large.px <= face.text.height
    for reply, language in cards():
        in_cells, in_type = (lay_out(reply, of[name], language) for of in (IN_CELLS, IN_TYPE))
        assert len(in_type) <= len(in_cells)
        for before, after in zip(in_cells, in_type, strict=False):
            assert len(after.lines) <= max(len(page.lines) for page in in_cells), before


@pytest.mark.parametrize("name", SET)
def test_nothing_is_lost_and_nothing_has_no_glyph(name):
    if not find_type()[0]:
        pytest.skip("no fonts on this machine")
    for page in pages(name):
        drawn = raster.render(page)
        assert drawn.info[raster.MISSING_KEY] == 0
        steps = page.profile.grey_levels - 1
        levels = {value for _, value in drawn.getcolors()}
        assert levels <= {round(step * 255 / steps) for step in range(steps + 1)}
    for reply, language in cards():
        said = "".join("".join(page_text(lay_out(reply, IN_TYPE[name], language))).split())
        told = "".join("".join(page_text(lay_out(reply, IN_CELLS[name], language))).split())
        for sign in BARS:
            said, told = said.replace(sign, ""), told.replace(sign, "")
        if len(lay_out(reply, IN_TYPE[name], language)) == 1:
            assert sorted(said) == sorted(told)


def page_text(frames):
    return [line.text for page in frames for line in page.lines]


# ── how it is set ──────────────────────────────────────────────────────────────────────────────


def test_digits_are_equally_wide_so_that_what_counts_down_stands_still():
    for style in ("text", "strong", "large"):
        widths = BUILT_IN.type.widths(style)
        assert len({widths[digit] for digit in "0123456789"}) == 1
    for name in SET:
        widths = IN_TYPE[name].type.widths("large")
        assert len({widths[digit] for digit in "0123456789"}) == 1


def test_what_is_seen_at_a_glance_is_larger_where_it_takes_one_row():
    short, long = (
        lay_out(Reply(text, "London"), BUILT_IN)[0] for text in ("14 degrees", "rain " * 12)
    )
    assert [run.style for line in short.lines for run in line.runs] == ["text", "large"]
    assert {run.style for line in long.lines for run in line.runs} == {"text"}
    assert ink("H", "large")[1] < ink("H")[1]
    assert ink("H", "large")[3] == ink("H")[3], "on the same line"


def test_an_answer_on_its_way_does_not_change_its_size():
    growing = [
        lay_out(Reply(ENGLISH[:end], "London", partial=True), BUILT_IN)[0]
        for end in range(1, len(ENGLISH))
    ]
    assert {run.style for page in growing for line in page.lines for run in line.runs} == {"text"}


def test_on_one_bit_weight_tells_what_matters():
    lens = raster.in_type(profiles.load("even-g1"), ())
    page = lay_out(Reply("Cloudy all day and night in most parts\nWind 12 km/h", "London"), lens)[0]
    assert [line.runs[0].style for line in page.lines] == ["text", "large", "text"]
    assert lens.type.face("large").widened, "bold as well"
    plain, bold = (
        raster.render(Frame(lens, (Line("Hello", 1.0, (Run(0, "Hello", style),)),)), ())
        for style in ("text", "strong")
    )
    assert ImageChops.subtract(plain, bold).getbbox() is None, "bold covers what is plain"
    assert plain.getbbox() != bold.getbbox()
    assert {value for _, value in bold.getcolors()} == {0, 255}


def test_second_rows_hang_under_the_first_and_columns_end_at_the_edge():
    reply = Reply("tea " * 30 + "\n  green\nmilk", "Tea", kind="list")
    lines = lay_out(reply, BUILT_IN)[0].lines
    number, first = lines[1].runs
    assert number == Run(0, "1.")
    assert {line.runs[0].at for line in lines[2:4]} == {first.at}
    board = lay_out(Reply("09:41\t78 %\n☁ Rain\t14 °C", kind="dashboard"), BUILT_IN)[0]
    for line in board.lines:
        run = line.runs[-1]
        assert run.at + width(run.text, BUILT_IN.type.widths(run.style)) == BUILT_IN.type.room_px
    assert [line.text.split("  ")[0] for line in board.lines] == ["09:41", "☁ Rain"]


def test_a_page_mark_ends_the_first_row():
    first, *_ = lay_out(Reply("word " * 200, "Words"), BUILT_IN)
    run = first.lines[0].runs[-1]
    assert run.text == f"1/{first.pages}"
    assert run.at + width(run.text, BUILT_IN.type.widths("text")) == BUILT_IN.type.room_px


def test_quotes_are_as_wide_as_the_text_around_them():
    if not any("NotoSansCJK" in file.path for file in find_type()[0]):
        pytest.skip("no font here has them in two widths")
    lens = IN_TYPE["quark-s1"]
    for text, narrow in ((ENGLISH, True), (CHINESE, False)):
        runs = [run for line in lay_out(Reply(text), lens)[0].lines for run in line.runs]
        assert (NARROW in "".join(run.text for run in runs)) is narrow
        widths = lens.type.widths("text")
        sign = "“" + NARROW * narrow
        assert (widths[sign] < lens.type.text.px / 2) is narrow
    assert NARROW not in "".join(page_text(lay_out(Reply(ENGLISH), lens)))


def test_a_row_from_right_to_left_ends_where_it_is_read_first():
    frame = lay_out(Reply("1. שלום עולם\n2. תודה", kind="list"), BUILT_IN)[0]
    drawn = raster.render(frame)
    edge = 16 + BUILT_IN.type.room_px
    assert edge - 20 < drawn.getbbox()[2] <= edge
    assert drawn.getbbox()[0] > edge - 300


def test_an_arrow_grows_beside_what_is_set():
    frame = lay_out(Reply("↰ left\nthen right", kind="route"), BUILT_IN)[0]
    drawn = raster.render(frame, ())
    arrow = drawn.crop((16, 0, 16 + BUILT_IN.type.step_px * 3, 480)).getbbox()
    assert arrow[3] - arrow[1] > BUILT_IN.type.text.px * 0.7
    assert frame.lines[0].runs[1].at == frame.lines[1].runs[0].at == 4 * BUILT_IN.type.step_px


@pytest.mark.parametrize("text", ["↰", "↰\n", "↰ \nthen", "↰ a\n\nb", "♪", "1.", "\t"])
def test_signs_without_words_are_drawn(text):
    for kind in ("route", "playing", "list", "dashboard", "alert", "progress"):
        for page in lay_out(Reply(text, kind=kind), BUILT_IN):
            raster.render(page, ())


def test_signs_are_icons_of_one_font_where_it_is_installed():
    if icons.find() is None:
        pytest.skip("fonticon-materialdesignicons7 is not installed")
    face = IN_TYPE["quark-s1"].type.text
    widths = IN_TYPE["quark-s1"].type.widths("text")
    for sign in icons.ICONS:
        assert widths[sign] == face.px, "icons are squares"
        place = (face.px, face.height, face.baseline, face.px)
        assert glyph(sign, *place, face.fonts).known
        plain = glyph(sign, *place, face.fonts[:-1])
        assert glyph(sign, *place, face.fonts).tile.tobytes() != plain.tile.tobytes()
    assert glyph("→", 20, 20, 16, 16, fonts.find_fonts()).known, "cells keep the sign of the text"


def test_without_fonts_type_is_set_in_what_pillow_carries(monkeypatch):
    for find in (fonts.find_fonts, fonts.find_type):
        find.cache_clear()
    monkeypatch.delenv("GLASSES_FONT", raising=False)
    monkeypatch.setattr(fonts, "_is_there", lambda file: False)
    monkeypatch.setattr(fonts, "_ask_fontconfig", list)
    monkeypatch.setattr(icons, "find", lambda: None)
    try:
        assert fonts.set_in() is None
        lens = raster.in_type(profiles.load("quark-s1"))
        drawn = raster.render(lay_out(Reply("14 degrees", "London"), lens)[0])
        assert drawn.info[raster.MISSING_KEY] == 0
    finally:
        for find in (fonts.find_fonts, fonts.find_type):
            find.cache_clear()


WORDS = st.sampled_from(
    [
        "a",
        "WWW",
        "’",
        "“",
        "你好",
        "，",
        "……",
        " ",
        "é",
        "👩\u200d🚀",
        "שלום",
        "م",
        "﷽",
        "iii",
        "\u0301",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=40).map("".join), st.sampled_from(["text", "large"]))
def test_no_row_is_wider_than_the_lens_and_all_of_it_is_drawn(text, style):
    widths = BUILT_IN.type.widths(style)
    for row in wrap(clean(text), 200, None, widths):
        assert width(row, widths) <= 200
    for page in lay_out(Reply(text), BUILT_IN):
        raster.render(page)


def test_a_device_of_one_bit_is_measured_as_it_is_drawn():
    class Panel:
        mode, size = "1", (640, 480)

        def display(self, image: Image.Image) -> None:
            self.image = image

    display = ImageDisplay(Panel(), replace(profiles.load("quark-s1"), grey_levels=16), ())
    assert display.profile.type.one_bit
    assert display.profile.grey_levels == 16
