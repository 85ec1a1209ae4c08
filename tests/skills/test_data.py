"""Data of the skills that somebody has edited: right, or one line that names the row."""

import copy
import functools
import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.plugins.skills import Skills
from agent.skill.data import DataError
from skills.navigate import streets, town
from skills.pay import address_book
from skills.shop import demo
from skills.shop.catalogue import Catalogue
from skills.translate import languages, phrasebook


def read_payees(path):
    return address_book._read.__wrapped__(path, 0)


LINES = {
    "payees": (read_payees, address_book.SHIPPED),
    "catalogue": (demo.products, demo.FILE),
    "phrasebook": (phrasebook.read, phrasebook.FILE),
}


@functools.cache
def _rows(name):
    lines = LINES[name][1].read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines[:4]]


@functools.cache
def _town():
    return json.loads(town.FILE.read_text(encoding="utf-8"))


def rows(name):
    return copy.deepcopy(_rows(name))


def written(folder, name, found):
    """Write a file of a few rows; a row that is text is written as it is."""
    path = folder / f"{name}.jsonl"
    lines = [r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in found]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        ("payees", {"id": 3}, 'id is a text, such as "Anna", and not empty'),
        ("payees", {"id": None}, "id is missing: write a text"),
        ("payees", {"en": "Al"}, 'en is a list of texts, such as ["Anna"]'),
        ("payees", {"zh": "阿"}, "zh is a list of texts"),
        ("payees", {"en": [""]}, "none of them empty"),
        ("payees", {"en": [["Al"]]}, "none of them empty"),
        ("payees", {"en": ["Al", "Al"]}, "en has a text twice: take one out"),
        ("payees", {"en": None}, "en is missing"),
        ("payees", {"en": ["Anna"]}, "an id or name of this payee is taken: choose another"),
        ("catalogue", {"brand": "Veltra"}, "brand is an object, such as"),
        ("catalogue", {"brand": {"en": "Veltra"}}, "brand: zh is missing"),
        ("catalogue", {"brand": {"en": "V", "zh": 4}}, "brand: zh is a text"),
        ("catalogue", {"price": 9.5}, 'price is an amount in quotes, such as "9.50"'),
        ("catalogue", {"price": "NaN"}, "price is an amount in quotes"),
        ("catalogue", {"price": "-1.00"}, "price is an amount in quotes"),
        ("catalogue", {"price": float("nan")}, "nan is no number"),
        ("catalogue", {"stock": 1.5}, "stock is a whole number from 0 to"),
        ("catalogue", {"stock": True}, "stock is a whole number from 0 to"),
        ("catalogue", {"reviews": []}, "reviews is a list, and not empty"),
        ("catalogue", {"reviews": ["good"]}, "reviews[1] is an object"),
        ("catalogue", {"reviews": [{"stars": 6, "en": "a", "zh": "好"}]}, "reviews[1]: stars is"),
        ("catalogue", {"color": "red"}, "'color' is not one of brand, kind"),
        ("phrasebook", {"en": "hello"}, "en is a list of texts"),
        ("phrasebook", {"en": ["Good morning!"]}, "“good morning” is said in another row already"),
        ("phrasebook", {"zh": ["hello"]}, "zh is in Chinese characters"),
        ("phrasebook", {"en": ["你好"]}, "en is in English"),
        ("phrasebook", {"pinyin": "你"}, "pinyin is in Latin letters with tone marks"),
        ("phrasebook", {"pinyin": None}, "pinyin is missing"),
        ("phrasebook", {"herd": "ni hao"}, "'herd' is not one of en, zh, pinyin, heard"),
    ],
)
def test_a_wrong_row_is_named_with_what_belongs_there(tmp_path, name, change, why):
    found = rows(name)
    found[2] = {k: v for k, v in (found[2] | change).items() if v is not None}
    path = written(tmp_path, name, found)
    with pytest.raises(DataError) as refused:
        LINES[name][0](path)
    assert str(refused.value).startswith(f"{path}:3: ")
    assert why in str(refused.value)


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "mend the JSON: Expecting property name"),
        ("[]", "write an object"),
        ('"hello"', "write an object"),
        ('{"en": 1, "en": 2}', "the key 'en' is there twice"),
        ("[" * 100_000, "nested too deeply"),
    ],
    ids=range(5),
)
def test_a_line_that_is_no_object_is_named(tmp_path, name, line, why):
    path = written(tmp_path, name, [*rows(name)[:1], line])
    with pytest.raises(DataError) as refused:
        LINES[name][0](path)
    assert str(refused.value).startswith(f"{path}:2: ")
    assert why in str(refused.value)


@pytest.mark.parametrize("name", LINES)
def test_a_row_that_is_there_twice_is_refused(tmp_path, name):
    with pytest.raises(DataError, match=r":5: "):
        LINES[name][0](written(tmp_path, name, [*rows(name), rows(name)[0]]))


@pytest.mark.parametrize("read", [read_payees, demo.products, phrasebook.read, town.read])
def test_a_file_that_cannot_be_read_is_named(tmp_path, read):
    with pytest.raises(DataError, match="none: cannot be read: No such file"):
        read(tmp_path / "none")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match="bytes: cannot be read: it is not text"):
        read(tmp_path / "bytes")


@pytest.mark.parametrize(
    ("keys", "value", "why"),
    [
        (("name", "en"), ["Tollmere"], "town.json: name: en is a text"),
        (("streets", "quay-street"), "Quay Street", "streets: quay-street is an object"),
        (("junctions", "b1"), [1], "junctions: b1 is two numbers"),
        (("junctions", "b1"), [91, 0], "junctions: b1 is two numbers"),
        (("junctions", "b1"), ["1", "2"], "junctions: b1 is two numbers"),
        (("junctions", "b1"), [True, 0], "junctions: b1 is two numbers"),
        (("junctions", "b1"), [float("nan"), 0], "nan is no number"),
        (("junctions", "island"), [40.0, -35.0], "no segment leads to the junction island"),
        (("segments", 0), ["b1", "nowhere", "quay-street"], "segments[1] is two junctions and"),
        (("segments", 0), ["b1", "c1", "no-street"], "segments[1]: the third is the key of a"),
        (("segments", 0), 4, "segments[1] is two junctions and a street"),
        (("segments",), [], "segments is a list, and not empty"),
        (("categories", "bank", "en"), 7, "categories.bank: en is a list of texts"),
        (("categories", "bank", "en"), "Bank", "categories.bank: en is a list of texts"),
        (("categories", "bank", "en"), ["Hotel"], "bank and hotel are both called hotel"),
        (("places", "bank", "zh"), "银行", "places.bank: zh is a list of texts"),
        (("places", "bank", "at"), "nowhere", "places.bank: at is the key of a junction"),
        (("places", "bank", "category"), 7, "places.bank: category is a text"),
        (("places", "bank", "en"), ["Abbey"], "bank and abbey are both called abbey"),
        (("places",), {}, "places is empty: write one"),
    ],
)
def test_a_wrong_place_in_a_town_is_named(tmp_path, keys, value, why):
    raw = copy.deepcopy(_town())
    put(raw, keys, value)
    path = tmp_path / "town.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(DataError) as refused:
        town.read(path)
    assert why in str(refused.value)
    assert str(refused.value).startswith(str(path))


def put(raw, keys, value):
    *above, last = keys
    for key in above:
        raw = raw[key]
    raw[last] = value


def places(raw, before=()):
    """Yield the keys to every value, the outermost first."""
    if before:
        yield before
    if isinstance(raw, dict | list):
        for key in raw if isinstance(raw, dict) else range(len(raw)):
            yield from places(raw[key], (*before, key))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


def judged(read, path):
    """Read a file: what is returned is whole, and what is raised is one line about the file."""
    told = ""
    try:
        return read(path)
    except DataError as error:
        told = str(error)
    assert told.startswith(str(path))
    assert len(told.splitlines()) == 1
    return None


@pytest.mark.parametrize("name", LINES)
@given(data=st.data())
def test_whatever_stands_in_a_row_is_read_or_told(tmp_path_factory, name, data):
    found = rows(name)
    put(found, data.draw(st.sampled_from([*places(_rows(name))])), data.draw(ANYTHING))
    path = written(tmp_path_factory.getbasetemp(), name, [json.dumps(row) for row in found])
    read = judged(LINES[name][0], path)
    if name == "catalogue" and read:
        shelf = Catalogue(read)
        for product in read:
            assert product.rating > 0
            shelf.search(product.name("en"))


@given(data=st.data())
def test_whatever_stands_in_a_town_is_read_or_told(tmp_path_factory, data):
    raw = copy.deepcopy(_town())
    put(raw, data.draw(st.sampled_from([*places(_town())])), data.draw(ANYTHING))
    path = tmp_path_factory.getbasetemp() / "town.json"
    path.write_text(json.dumps(raw), encoding="utf-8")
    if read := judged(town.read, path):
        for one, other in pairwise(read.places):
            here = streets.snap(read.streets, read.point(one))
            assert streets.shortest(read.streets, here, read.places[other].at) is not None


@pytest.mark.parametrize(
    ("module", "file", "read"),
    [
        ("skills.shop", demo, demo.demo),
        ("skills.translate", phrasebook, phrasebook.book),
        ("skills.navigate", town, town.load),
    ],
    ids=["shop", "translate", "navigate"],
)
def test_a_skill_without_its_data_is_left_out_with_the_line(
    tmp_path, monkeypatch, module, file, read
):
    wrong = tmp_path / "wrong.json"
    wrong.write_text("[]", encoding="utf-8")
    monkeypatch.setattr(file, "FILE", wrong)
    read.cache_clear()
    try:
        found = Skills()
        found.add("skills.music", source="glasses")
        problem = found.add(module, source="glasses")
    finally:
        read.cache_clear()
    assert problem is not None
    assert problem.reason.startswith(str(wrong))
    assert "write an object" in problem.reason
    assert {action.skill for action in found.actions.values()} == {"music"}


def test_the_names_of_languages_are_no_letters():
    assert all(len(name) > 1 for names in languages.names().values() for name in names)
