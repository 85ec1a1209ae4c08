"""`glasses render`: what a card file says, what becomes of it, and what is wrong with it."""

import io
import json

import pytest
from PIL import Image, ImageSequence

from agent.cli.render import read_card, render
from agent.display.layout import lay_out
from agent.errors import GlassesError
from agent.messages import Proposal
from hardware import profiles, raster
from hardware.base import DeviceError
from hardware.fonts import font_for
from tests.gallery import cards

CARD = {"title": "Letters", "text": "\n".join("abcdefgh")}


@pytest.fixture
def card(tmp_path):
    """Write a card, and return where it is."""

    def write(content=CARD):
        file = tmp_path / "card.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return str(file)

    return write


def test_a_picture_for_each_page(card, tmp_path, capsys):
    render(card(), "even-g1", tmp_path / "out" / "card.png")
    files = sorted((tmp_path / "out").iterdir())
    assert [file.name for file in files] == ["card-2.png", "card.png"]
    for file in files:
        with Image.open(file) as picture:
            assert picture.size == (576, 136)
            assert picture.getbbox() is not None
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path}/out/card.png: page 1 of 2",
        f"{tmp_path}/out/card-2.png: page 2 of 2",
    ]


def test_a_film_in_which_each_page_stays_for_its_time(card, tmp_path, capsys):
    render(card({"text": "word " * 100}), "quark-s1", tmp_path / "card.gif")
    with Image.open(tmp_path / "card.gif") as film:
        times = [shot.info["duration"] for shot in ImageSequence.Iterator(film)]
    assert len(times) == 3
    assert sum(times) == pytest.approx(100 * 60_000 / 200 + 3 * 300, abs=1000)
    assert capsys.readouterr().out == f"{tmp_path}/card.gif: 3 pages\n"


def test_without_a_file_it_is_drawn(card):
    stream = io.StringIO()
    render(card(), "quark-s1", None, stream)
    assert stream.getvalue().startswith("| Letters                      1/2\n| a\n")
    assert stream.getvalue().endswith("| h\n")


def test_missing_glyphs_are_told(card, tmp_path, capsys):
    render(card({"text": "\ue123"}), "quark-s1", tmp_path / "card.png")
    assert "1 glyphs in no font" in capsys.readouterr().out


def test_a_card_may_come_through_a_pipe(monkeypatch):
    stdin = io.TextIOWrapper(io.BytesIO('{"text": "你好"}'.encode()))
    monkeypatch.setattr("sys.stdin", stdin)
    stream = io.StringIO()
    render("-", "quark-s1", None, stream)
    assert stream.getvalue() == "| 你好\n"


def test_what_costs_money_is_a_proposal():
    for content in (
        '{"text": "Tea", "amount": 4.5, "payee": "Cafe"}',
        '{"kind": "proposal", "text": "Tea", "amount": "4.5", "payee": "Cafe"}',
    ):
        reply, language = read_card(content, "x")
        assert isinstance(reply, Proposal)
        assert (
            lay_out(reply, profiles.load("quark-s1"), language)[0].lines[0].text == "$4.50 → Cafe"
        )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", r"is not JSON: .* line 1 column 2"),
        ("[]", "is not a card: it must be an object"),
        ("[" * 100_000, "not a card: it is nested too deeply|is not JSON"),
        ('{"txt": "x"}', "unknown key 'txt', did you mean 'text'"),
        ('{"text": 3}', "text must be text, is 3"),
        ('{"kind": "song"}', "kind must be one of answer, .*dashboard, is 'song'"),
        ('{"amount": "many"}', "amount must be a number from 0 to"),
        ('{"amount": -1}', "amount must be a number from 0 to"),
        ('{"amount": "1e999999"}', "amount must be a number from 0 to"),
        ('{"amount": NaN}', "amount must be a number from 0 to"),
        ('{"amount": true}', "amount must be a number from 0 to"),
    ],
)
def test_what_is_wrong_with_a_card_is_one_line(card, content, said):
    with pytest.raises(GlassesError, match=said) as caught:
        render(card(content), "quark-s1", None)
    assert "\n" not in str(caught.value)
    assert "card.json" in str(caught.value)


def test_what_is_wrong_with_the_files(card, tmp_path):
    with pytest.raises(GlassesError, match=r"cannot read the card .*nowhere\.json: No such file"):
        render(str(tmp_path / "nowhere.json"), "quark-s1", None)
    (tmp_path / "latin.json").write_bytes(b'{"text": "\xe9"}')
    with pytest.raises(GlassesError, match="not UTF-8"):
        render(str(tmp_path / "latin.json"), "quark-s1", None)
    with pytest.raises(GlassesError, match=r"-o takes a name that ends in \.png or \.gif"):
        render(card(), "quark-s1", tmp_path / "card.jpg")
    with pytest.raises(DeviceError, match="no display profile 'quark-s9'"):
        render(card(), "quark-s9", None)
    for name in ("card.png", "card.gif"):
        with pytest.raises(DeviceError, match=rf"cannot write .*latin\.json/{name}: "):
            render(card(), "quark-s1", tmp_path / "latin.json" / name)


@pytest.mark.parametrize("name", profiles.names())
def test_the_cards_of_the_gallery_fit_every_lens(name):
    lens = profiles.load(name)
    for reply, language in cards():
        if language == "zh" and font_for("中") is None:
            continue  # the README names the package that has one
        for page in lay_out(reply, lens, language):
            assert raster.render(page).info[raster.MISSING_KEY] == 0
