"""Notes and lists."""

from datetime import datetime

import pytest

import skills.notes as skill_notes
import skills.shop as skill_shop
from agent.plugins.skills import Skills
from agent.skill import lists
from agent.skill.lists import Full, Lists
from agent.testing.clock import VirtualClock
from agent.testing.conversation import Conversation, Doubles


@pytest.fixture
def ask(tmp_path):
    skills = Skills()
    skills.load(skill_notes)
    clock = VirtualClock(begins=datetime(2026, 7, 15, 10, 20))
    made = Conversation(skills, tmp_path, Doubles(clock=clock))
    yield made
    made.close()


def lines(ask, text):
    return ask(text).succeeds().reply.text.splitlines()


def test_a_note_is_found_again_by_what_it_is_about(ask):
    lines(ask, "take a note that the spare key is under the blue pot")
    lines(ask, "note down the wifi password is on the fridge")
    lines(ask, "记一下车停在三号车库")
    assert lines(ask, "find my note about the spare key") == [
        "the spare key is under the blue pot (10:20)"
    ]
    assert lines(ask, "what did i write down about the wifi") == [
        "the wifi password is on the fridge (10:20)"
    ]
    assert lines(ask, "找关于车的笔记")[0].startswith("车停在三号车库")
    assert lines(ask, "find my note about elephants") == ["No note is about “elephants”."]
    assert len(lines(ask, "show my notes")) == 3


def test_a_note_is_deleted_and_brought_back(ask):
    lines(ask, "take a note that tea is out")
    assert lines(ask, "delete the last note") == ["Deleted: tea is out"]
    assert lines(ask, "show my notes") == ["There are no notes."]
    ask("undo")
    assert len(lines(ask, "show my notes")) == 1


def test_lists_have_names_and_things_are_ticked_off(ask):
    assert lines(ask, "add call the plumber, buy stamps to my to do list") == [
        "to do: call the plumber, buy stamps"
    ]
    lines(ask, "put sun cream on my packing list")
    assert lines(ask, "what's on my to do list") == ["call the plumber", "buy stamps"]
    assert lines(ask, "tick off the plumber on my to do list") == ["Done: call the plumber"]
    ask("undo")
    assert len(lines(ask, "what's on my to do list")) == 2
    lines(ask, "tick off buy stamps on my to do list")
    assert lines(ask, "what's on my todo list") == ["call the plumber"]
    assert lines(ask, "把护照加到打包清单") == ["打包：护照"]
    assert lines(ask, "clear my packing list") == ["Deleted: sun cream"]
    assert lines(ask, "what's on my packing list") == ["Nothing is on the list “packing”."]


def test_it_stays_and_is_the_wearers_alone(tmp_path):
    Lists(tmp_path).add("a", at="2026-07-15T10:20:00")
    assert [one.text for one in Lists(tmp_path).of()] == ["a"]
    assert (tmp_path / "notes.sqlite").stat().st_mode & 0o077 == 0


def test_there_is_an_end_to_it(tmp_path, monkeypatch):
    monkeypatch.setattr(lists, "MOST", 2)
    notes = Lists(tmp_path)
    with pytest.raises(Full):
        notes.add("a", "b", "c", at="")
    assert notes.of() == []


def test_a_megabyte_and_control_characters_are_one_line(tmp_path):
    notes = Lists(tmp_path)
    notes.add("x\x1b[31m\n" + "y" * 1_000_000, at="")
    (one,) = notes.of()
    assert len(one.text) == lists.LONGEST
    assert one.text.startswith("x [31m y")


def test_a_damaged_file_is_an_os_error(tmp_path):
    (tmp_path / "notes.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(OSError, match="cannot be used"):
        Lists(tmp_path).of()


def test_the_shopping_list_is_the_shops_and_a_list_of_chores_is_not(tmp_path):
    skills = Skills()
    skills.refuse_clashes = False  # as for those that ship
    skills.load(skill_notes)
    skills.load(skill_shop)
    ask = Conversation(skills, tmp_path, Doubles())
    ask("add milk to my shopping list").calls("shop.add_to_list")
    ask("add 2 apples to my groceries list")
    ask("把牛奶加到我的购物清单上")
    ask("can you put laundry on my chore list").calls("notes.add_item")
    assert lines(ask, "what is on my shopping list") == ["milk", "2 apples", "牛奶"]
    assert lines(ask, "what's on my chore list") == ["laundry"]
    assert lines(ask, "show me everything on my groceries list") == ["milk", "2 apples", "牛奶"]
    lines(ask, "take milk off my shopping list")
    assert [one.text for one in Lists(tmp_path / "notes").of("shopping")] == ["2 apples", "牛奶"]
    assert sorted(Lists(tmp_path / "notes").lists()) == ["chore", "shopping"]
    ask.close()


def test_what_is_left_on_a_list_keeps_when_it_was_written(tmp_path):
    ours = Lists(tmp_path)
    ours.add("milk", "tea", at="2026-01-01T10:00:00", name="shopping")
    ours.replace("shopping", "tea", "bread", at="2026-02-02T10:00:00")
    assert [(one.text, one.at[:7]) for one in ours.of("shopping")] == [
        ("tea", "2026-01"), ("bread", "2026-02"),
    ]  # fmt: skip
