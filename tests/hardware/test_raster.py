"""Pictures of frames: grid, light, one bit, missing glyphs, and rows from right to left."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat
from wcwidth import iter_graphemes

from hardware import profiles, raster
from hardware.base import DeviceError, Frame, Line
from hardware.bidi import visual

LENS = profiles.load("quark-s1")
GOLDEN = Path(__file__).parent / "golden" / "card.png"
BUILT_IN = ()
"""No font files: what is drawn depends on Pillow alone."""


def frame(*texts, profile=LENS, brightness=1.0):
    return Frame(profile, tuple(Line(text, brightness) for text in texts))


CARD = Frame(
    LENS,
    (
        Line("Weather in London            1/2", 0.5),
        Line("Cloudy, 14 C. Light rain after", 1.0),
        Line("four; take an umbrella.", 1.0),
        Line("Wind 12 km/h, humidity 81 %", 0.75),
    ),
)


# ── pictures ───────────────────────────────────────────────────────────────────────────────────


def test_the_card_looks_as_agreed():
    drawn = raster.render(CARD, BUILT_IN)
    with Image.open(GOLDEN) as golden:
        difference = ImageChops.difference(drawn, golden)
    # FreeType versions differ in the rim of a glyph, not in its strokes: a lost letter counts 50.
    assert sum(difference.histogram()[128:]) < 20


def test_a_pile_of_accents_stays_in_its_row_and_cell():
    below = raster.render(frame("x" + "\u0301" * 40, "", ""))
    assert below.getbbox()[2] <= 16 + 19
    assert below.getbbox()[3] <= 480 - 16 - 2 * 45


def test_black_is_transparent_and_little_is_lit():
    drawn = raster.render(CARD, BUILT_IN)
    assert (drawn.mode, drawn.size) == ("L", (640, 480))
    assert drawn.getpixel((0, 0)) == 0
    assert ImageStat.Stat(drawn).mean[0] < 0.1 * 255
    assert drawn.getbbox()[1] > 240, "four rows leave the upper half clear"


def test_brightness_is_quantised_to_the_levels_of_the_lens():
    levels = {value for _, value in raster.render(CARD, BUILT_IN).getcolors()}
    assert levels <= {step * 17 for step in range(16)}
    assert raster.render(frame("MM", brightness=0.5), BUILT_IN).getextrema() == (0, 7 * 17)
    one_bit = raster.render(frame("MM", brightness=0.1, profile=replace(LENS, grey_levels=2)))
    assert {value for _, value in one_bit.getcolors()} == {0, 255}


def test_light_dims_all_of_it_and_puts_nothing_out():
    bright = raster.render(replace(CARD, listening=True), BUILT_IN)
    for light, brightest in ((0.5, 7 * 17), (0.0, 17)):
        dim = raster.render(replace(CARD, listening=True, light=light), BUILT_IN)
        assert dim.getextrema() == (0, brightest)
        assert dim.getpixel((0, 0)) == 0
        # Every stroke is there; the rim of a glyph may not be.
        strokes = bright.point(lambda value: 255 * (value > 200))
        assert (
            ImageChops.subtract(strokes, dim.point(lambda value: 255 * (value > 0))).getbbox()
            is None
        )


def test_four_levels_are_enough_for_heading_answer_and_detail():
    lens = replace(LENS, grey_levels=4)
    lit = [raster.render(frame("MM", profile=lens, brightness=b)) for b in (0.5, 0.75, 1.0)]
    assert [picture.getextrema()[1] for picture in lit] == [85, 170, 255]


def test_on_one_bit_the_answer_is_bold_and_the_rest_is_not():
    lens = profiles.load("even-g1")
    plain, bold = (
        raster.render(frame("你好 Hello", profile=lens, brightness=b)) for b in (0.5, 1.0)
    )
    assert {value for _, value in bold.getcolors()} == {0, 255}
    assert ImageStat.Stat(bold).sum[0] > 1.3 * ImageStat.Stat(plain).sum[0]
    assert ImageChops.subtract(plain, bold).getbbox() is None, "bold covers what is plain"


def test_small_chinese_is_never_bold():
    lens = profiles.load("ssd1306")
    plain, bold = (raster.render(frame("瓶啡", profile=lens, brightness=b)) for b in (0.5, 1.0))
    assert raster.changed(plain, bold) is None


@pytest.mark.parametrize("name", profiles.names())
def test_a_full_page_stays_inside_and_no_letter_is_cut_off(name):
    """Tall and deep letters in the first and the last row, compared with a lens twice as high."""
    lens = profiles.load(name)
    rows = [Line("Ég" + "瓶" * ((lens.columns - 2) // 2)) for _ in range(lens.lines)]
    drawn = raster.render(Frame(lens, tuple(rows)))
    grid = raster.Grid.of(lens)
    left, top, right, bottom = drawn.getbbox()
    assert grid.left <= left < right <= lens.width_px - grid.left
    assert 0 <= top < bottom <= grid.bottom
    roomy = replace(lens, height_px=lens.height_px * 2)
    again = raster.render(Frame(roomy, tuple(rows)))
    shift = again.getbbox()[3] - bottom
    ink = [
        ImageStat.Stat(picture.point(lambda v: 255 * (v > 0))).sum[0] for picture in (drawn, again)
    ]
    assert ink[1] <= ink[0] * 1.01, shift


def test_activelook_keeps_to_what_its_optics_show_well():
    lens = profiles.load("activelook")
    full = Frame(lens, tuple(Line("█" * lens.columns) for _ in range(lens.lines)))
    left, top, right, bottom = raster.render(full).getbbox()
    assert left >= 30
    assert 304 - right >= 30
    assert top >= 25
    assert 256 - bottom >= 25


def test_the_mark_of_the_microphone_covers_no_letter():
    beside = []
    for name in profiles.names():
        lens = profiles.load(name)
        full = frame(*(["M" * lens.columns] * lens.lines), profile=lens)
        if raster.Grid.of(lens).left >= 4:
            dot = raster.render(Frame(lens, (), listening=True))
            letters = raster.render(full)
            assert ImageChops.multiply(dot, letters).getbbox() is None, name
            beside.append(name)
    assert len(beside) > 1


def test_what_changed_is_a_box_around_it():
    before, after = (raster.render(frame("London", text), BUILT_IN) for text in ("14 C", "15 C"))
    left, top, right, bottom = raster.changed(before, after)
    assert 16 + 19 <= left < right <= 16 + 2 * 19
    assert 464 - 45 <= top < bottom <= 464
    assert raster.changed(before, before.copy()) is None


def test_a_bar_goes_through_from_cell_to_cell():
    drawn = raster.render(frame("━━──"), BUILT_IN).crop((16, 419, 16 + 4 * 19, 464))
    thick, thin = (drawn.crop(box) for box in ((0, 0, 38, 45), (38, 0, 76, 45)))
    for half in (thick, thin):
        left, top, right, bottom = half.getbbox()
        assert (left, right) == (0, 38)
        assert half.crop((0, top, 38, bottom)).getextrema() == (255, 255), "no gap"
    assert thick.getbbox()[3] - thick.getbbox()[1] > thin.getbbox()[3] - thin.getbbox()[1]


def test_glyphs_stand_in_their_cells():
    """The second of two letters is where layout counted it, whatever the first one was."""
    cell = 19
    for text, column in (("iM", 1), ("WM", 1), ("你M", 2), ("e\u0301M", 1), ("   M", 3)):
        with_m = raster.render(frame(text), BUILT_IN)
        without = raster.render(frame(text[:-1] + " "), BUILT_IN)
        left, _, right, _ = ImageChops.difference(with_m, without).getbbox()
        assert 16 + column * cell <= left
        assert right <= 16 + (column + 1) * cell


def test_a_glyph_no_font_has_is_a_box_and_counted():
    drawn = raster.render(frame("a\ue123\U0001f9ffb"), BUILT_IN)
    assert drawn.info[raster.MISSING_KEY] == 2
    assert drawn.getbbox() is not None
    assert raster.render(frame("all here"), BUILT_IN).info[raster.MISSING_KEY] == 0


def test_an_icon_that_no_font_has_is_stood_in_for():
    drawn = raster.render(frame("↰ ♪ ◎"), BUILT_IN)
    assert drawn.info[raster.MISSING_KEY] == 0
    assert raster.changed(drawn, raster.render(frame("< ~ o"), BUILT_IN)) is None


def test_an_arrow_with_a_gutter_grows_and_one_in_a_row_does_not():
    def lit(*texts):
        return raster.render(frame(*texts), BUILT_IN).getbbox()

    tall = lit("←   ", "    ")
    flat = lit("←")
    assert tall[2] - tall[0] > 1.5 * (flat[2] - flat[0])


def test_an_unreadable_font_is_named(tmp_path):
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"no font")
    with pytest.raises(DeviceError, match=r"broken\.ttf.*GLASSES_FONT"):
        raster.render(frame("x"), [raster.FontFile(str(broken))])


@pytest.fixture
def fresh_fonts():
    raster.find_fonts.cache_clear()
    yield
    raster.find_fonts.cache_clear()


def test_glasses_font_comes_first(monkeypatch, fresh_fonts):
    monkeypatch.setenv("GLASSES_FONT", "/fonts/mine.ttf")
    assert raster.find_fonts()[0] == raster.FontFile("/fonts/mine.ttf")


# ── from right to left ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("read", "seen"),
    [
        ("שלום world 12.5", "      world 12.5 םולש"),
        ("שלום (עולם)", "          (םלוע) םולש"),
        ("1. שלום", "              םולש .1"),
        ("\u200f12:30", "                12:30"),
        ("\u200e$4.50 → יוסי", "$4.50 → יסוי"),
        ("see (שלום) there", "see (םולש) there"),
        ("תודה 👍🏽", "              👍🏽 הדות"),
        ("שָׁלוֹם", "                 םוֹלשָׁ"),
        ("e\u0301 a", "e\u0301 a"),
    ],
)
def test_rows_are_put_in_the_order_in_which_they_are_seen(read, seen):
    assert visual(read, 21) == seen


WORDS = st.sampled_from(
    [
        "שלום",
        "שָׁ",
        "abc",
        "e\u0301",
        "12.5",
        "(",
        ")",
        "[",
        "«",
        " ",
        "→",
        "👩\u200d🚀",
        "👍🏽",
        "%",
        "你好",
        "<",
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, max_size=12).map("".join), st.sampled_from(["", "\u200e", "\u200f"]))
def test_putting_a_row_in_order_loses_and_splits_nothing(text, mark):
    def counted(row):
        straight = row.translate(str.maketrans(")]»>", "([«<"))
        return Counter(iter_graphemes(straight.replace(" ", "")))

    assert counted(visual(mark + text, 80)) == counted(text)


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(), max_size=20))
def test_any_row_can_be_drawn(text):
    raster.render(frame(text, "ש" + text, "م" + text), BUILT_IN)


def test_arabic_letters_are_joined():
    assert visual("مرحبا", 5) == "\ufe8e\ufe92\ufea3\ufeae\ufee3"


def test_a_row_from_right_to_left_ends_at_the_right_edge_and_its_arrow_stands_there():
    drawn = raster.render(frame("↰   שמאלה", "    רחוב"))
    arrow = drawn.crop((640 - 16 - 3 * 19, 464 - 90, 640, 464))
    assert arrow.getbbox() is not None
    rest = drawn.crop((0, 0, 640 - 16 - 4 * 19, 480))
    assert rest.getbbox()[2] > 640 - 16 - 5 * 19, "the words stand beside the arrow"
    assert drawn.info[raster.MISSING_KEY] == 0
