import threading

from agent.act.dispatch import Memories


def test_the_way_back_is_to_the_ground():
    memories = Memories()
    memories.of("shop")["basket"] = ["lamp"]
    memories.mark("shop")
    memories.of("shop")["basket"].append("soap")
    memories.take_back()
    assert memories.of("shop") == {"basket": ["lamp"]}
    memories.of("shop")["basket"].append("towel")
    memories.take_back()  # once only
    assert memories.of("shop") == {"basket": ["lamp", "towel"]}


def test_what_was_settled_is_not_taken_back():
    memories = Memories()
    memories.mark("shop")
    memories.of("shop")["seen"] = 1
    memories.settle()
    memories.take_back()
    assert memories.of("shop") == {"seen": 1}


def test_what_cannot_be_copied_has_no_way_back_and_is_kept():
    memories = Memories()
    memories.of("shop")["lock"] = threading.Lock()
    memories.mark("shop")
    memories.of("shop")["seen"] = 1
    memories.take_back()
    assert memories.of("shop")["seen"] == 1
