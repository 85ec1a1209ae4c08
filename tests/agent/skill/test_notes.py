"""Notes: what is remembered, found again and forgotten; and a file that only the wearer may read."""

import json
import stat
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.skill.data import DataError
from agent.skill.notes import LONGEST, MOST, Notes, exported

NOW = datetime(2026, 11, 29, 16, 5)
SAID = (
    "I parked on level 3",
    "my locker code is 4512",
    "the spare key is under the blue flower pot",
    "Anna is allergic to peanuts",
    "my passport is in the top drawer",
    "I lent my drill to Ben",
    "我的车停在B2层",
    "我的护照在抽屉里",
)


@pytest.fixture
def notes(tmp_path):
    kept = Notes(tmp_path / "notes.jsonl")
    for text in SAID:
        kept.add(text, NOW)
    return kept


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("where did I park?", "I parked on level 3"),
        ("what's my locker code", "my locker code is 4512"),
        ("where is the spare key", "the spare key is under the blue flower pot"),
        ("what is anna allergic to", "Anna is allergic to peanuts"),
        ("who did i lend my drill to", "I lent my drill to Ben"),
        ("我的车停在哪里", "我的车停在B2层"),
        ("护照在哪儿", "我的护照在抽屉里"),
    ],
)
def test_a_question_finds_what_was_said(notes, question, text):
    assert notes.near(question)[0].text == text


@pytest.mark.parametrize(
    "question",
    [
        "who wrote hamlet",
        "how many steps did i take today",
        "what time is it",
        "三国演义是谁写的",
        "",
        "?",
    ],
)
def test_what_was_not_said_is_not_found(notes, question):
    assert notes.near(question) == ()


def test_a_reader_finds_what_shares_no_word(tmp_path):
    numpy = pytest.importorskip("numpy")

    def reader(text):
        about_cars = "park" in text or "car" in text
        return numpy.array([1.0, 0.0] if about_cars else [0.0, 1.0])

    kept = Notes(tmp_path / "notes.jsonl", lambda: reader)
    kept.add("I parked on level 3", NOW)
    kept.add("the milk is sour", NOW)
    assert [note.text for note in kept.near("where is my car")] == ["I parked on level 3"]


def test_what_is_said_again_is_one_note(notes):
    before = len(notes.all())
    again = notes.add("i parked on level 3", datetime(2026, 11, 30))
    assert len(notes.all()) == before
    assert again.id == 1
    assert notes.all()[-1].at.startswith("2026-11-30")


def test_changing_and_forgetting(notes):
    assert notes.change(2, "my locker code is 9", NOW).text == "my locker code is 9"
    gone = notes.forget((1, 2, 99))
    assert [note.id for note in gone] == [1, 2]
    assert {note.id for note in notes.all()} == {*range(3, len(SAID) + 1)}
    notes.put_back(gone)
    assert [note.id for note in notes.all()] == [*range(1, len(SAID) + 1)]
    with pytest.raises(DataError, match="no note 99"):
        notes.change(99, "x", NOW)


def test_only_the_wearer_may_read_it(notes):
    assert stat.S_IMODE(notes.path.stat().st_mode) == 0o600


def test_an_export_can_be_read_by_people(notes):
    assert exported(notes.all()).splitlines()[0] == "- I parked on level 3 (2026-11-29 16:05)"


@pytest.mark.parametrize(
    "damage",
    [
        "nonsense",
        "{}",
        '{"id": "x", "text": "", "at": "2026-01-01"}',
        '{"id": 1, "text": "a", "at": "soon"}',
        "[]",
    ],
)
def test_a_damaged_line_is_named(tmp_path, damage):
    path = tmp_path / "notes.jsonl"
    path.write_text(f"{damage}\n")
    with pytest.raises(DataError, match=r"notes.jsonl:1: not a note"):
        Notes(path).all()


def test_bytes_that_are_no_text_are_one_line(tmp_path):
    path = tmp_path / "notes.jsonl"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="cannot be read"):
        Notes(path).near("where did i park")


@pytest.mark.parametrize("text", ["", " \n", "\x00\u202e"])
def test_nothing_is_not_remembered(tmp_path, text):
    with pytest.raises(DataError, match="nothing to remember"):
        Notes(tmp_path / "notes.jsonl").add(text, NOW)


def test_there_is_an_end_to_it(tmp_path):
    path = tmp_path / "notes.jsonl"
    line = {"id": 0, "text": "x", "at": NOW.isoformat()}
    path.write_text(
        "".join(json.dumps({**line, "id": n, "text": f"x{n}"}) + "\n" for n in range(MOST))
    )
    with pytest.raises(DataError, match="the most"):
        Notes(path).add("one more", NOW)
    with pytest.raises(DataError, match=f"{LONGEST} characters"):
        Notes(tmp_path / "other.jsonl").add("a" * (LONGEST + 1), NOW)


@given(st.text(max_size=80))
def test_whatever_is_remembered_comes_back(tmp_path_factory, text):
    kept = Notes(tmp_path_factory.mktemp("kept") / "notes.jsonl")
    try:
        note = kept.add(text, NOW)
    except DataError:
        return
    assert kept.all() == (note,)
    kept.near(text)
