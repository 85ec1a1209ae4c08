"""Courtesies are told from orders and questions."""

import pytest

from agent.language.courtesy import courtesy


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Howdy!", "hello"),
        ("good evening there", "hello"),
        ("晚上好啊", "hello"),
        ("在不在", "hello"),
        ("ok thank you so much", "thanks"),
        ("辛苦了", "thanks"),
        ("see you tomorrow", "bye"),
        ("拜拜啦", "bye"),
        ("how r u", "well"),
        ("最近怎么样啊", "well"),
        ("what's your name?", "self"),
        ("你叫什么名字呀", "self"),
        ("well done", "praise"),
        ("你真厉害", "praise"),
        ("That's not what I asked for.", "blame"),
        ("你听错了", "blame"),
        ("yep", "yes"),
        ("可以", "yes"),
        ("no thanks", "no"),
        ("不用", "no"),
    ],
)
def test_a_courtesy_is_known(said, kind):
    assert courtesy(said) == kind


@pytest.mark.parametrize(
    "said",
    [
        "say good morning in chinese",
        "how are you charged",
        "who are you paying",
        "thank anna with ten dollars",
        "你好用英语怎么说",
        "好吃的在哪里",
        "谢谢安娜十块",
        "no milk at home",
        "cancel my payment",
        "",
    ],
)
def test_what_asks_for_something_is_none(said):
    assert courtesy(said) is None
