"""What a translation must not lose: numbers, names and negations, and words left as they were."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import skills.translate as translate
from agent import Context
from agent.models.llm.model import ScriptedModel
from agent.models.llm.prompts import render
from agent.plugins.skills import Skills
from skills.translate.checked import lost, mixed
from skills.translate.phrasebook import book

RIGHT = [
    ("i have 3 children", "我有三个孩子"),
    ("the train leaves at half past eight", "火车八点半出发"),
    ("it costs 1,500 yuan", "一千五百元"),
    ("I am not a vegetarian", "我不是素食者"),
    ("My name is Anna", "我叫安娜"),
    ("I met Peter in London", "我在伦敦遇见了彼得"),
    ("see you on wednesday at 3 pm", "星期三下午三点见"),
    ("see you at 3 pm", "15点见"),
    ("a sandwich please", "请给我一个三明治"),
    ("i am lost", "我迷路了"),
    ("i am unhappy", "我不高兴"),
    ("no problem", "没问题"),
    ("two beers", "两杯啤酒"),
    ("May 3rd", "五月三日"),
    ("I don't eat pork", "我不吃猪肉"),
    ("三个苹果", "three apples"),
    ("我没有钱", "I have no money"),
    ("我叫李明", "My name is Li Ming"),
    ("王先生在吗", "Is Mr. Wang here?"),
    ("我星期一去北京", "I go to Beijing on Monday"),
    ("对不起我来晚了", "Sorry I'm late"),
    ("有没有房间", "Do you have a room?"),
    ("一共二十块", "twenty yuan in total"),
    ("别的颜色", "another color"),
    ("i want a dozen eggs", "我要十二个鸡蛋"),
    ("Where is John Smith", "约翰·史密斯在哪里"),
    ("never mind", "没关系"),
    ("it is very good", "非常好"),
    ("I need a doctor", "我需要一个医生"),
    ("is this seat free", "这个座位有人吗"),
    ("thank you very much", "非常感谢"),
    ("what time is it", "几点了"),
    ("the bus stop is here", "公交车站在这里"),
    ("room 305 please", "请给我305房间"),
    ("我下午三点半到", "I will arrive at 3:30 pm"),
    ("请不要放辣椒", "Please no chili"),
    ("这个太贵了", "This is too expensive"),
    ("我住在Hilton酒店", "I live in the Hilton hotel"),
    ("do you speak english", "你会说英语吗"),
    ("i have been waiting for twenty minutes", "我等了20分钟"),
    ("can i have 2 tickets for tomorrow", "我可以要两张明天的票吗"),
    ("my flight is at 6 in the morning", "我的航班早上六点起飞"),
    ("how much is it for one night", "一晚多少钱"),
    ("wifi password please", "请告诉我WiFi密码"),
    ("I'm allergic to nuts", "我对坚果过敏"),
    ("do not touch", "请勿触摸"),
    ("没有糖的咖啡", "coffee without sugar"),
    ("不辣的", "not spicy"),
    ("i lost my passport", "我的护照丢了"),
    ("don't you like it", "你不喜欢吗"),
]
WRONG = [
    ("i have 3 children", "我有四个孩子"),
    ("i am not hungry", "我饿了"),
    ("it costs 15 dollars", "50美元"),
    ("My name is Tom", "我叫安妮卡"),
    ("我不吃肉", "I eat meat"),
    ("三点见", "see you at four"),
    ("see you on monday", "星期二见"),
    ("我要两杯水", "I want a glass of water"),
    ("i can swim", "我不会游泳"),
    ("call Peter", "打电话给玛丽娅"),
    ("twenty minutes", "二分钟"),
    ("no sugar please", "请加糖"),
    ("flight 815", "航班851"),
    ("我住在北京", "I live in Shanghai"),
]


@pytest.fixture
def context(tmp_path):
    skills = Skills()
    skills.load(translate)

    def make(*replies, language="en"):
        responses = skills.actions["translate.again"].languages[language].responses
        model = ScriptedModel(replies)
        return Context("translate", language, tmp_path, {}, responses, engine=model, prompts=render)

    return make


@pytest.mark.parametrize(("source", "target"), RIGHT)
def test_a_right_translation_is_not_doubted(source, target):
    assert lost(source, target) == ()


@pytest.mark.parametrize(("source", "target"), WRONG)
def test_what_is_lost_is_found(source, target):
    assert lost(source, target)


def test_the_phrase_book_loses_nothing():
    """Whatever people wrote there is right, so each doubt would be a false one."""
    pairs = [(phrase.en[0], phrase.zh[0]) for phrase in book().phrases]
    doubted = [(en, zh) for en, zh in pairs if lost(en, zh) or lost(zh, en)]
    assert len(doubted) / len(pairs) <= 0.03, doubted


@pytest.mark.parametrize(
    ("source", "target", "is_mixed"),
    [
        ("I'm allergic to peanuts", "我对 peanuts过敏", True),
        ("I'm allergic to peanuts", "我对花生过敏", False),
        ("the wifi password", "WiFi密码", False),
        ("room B2", "B2房间", False),
        ("where is the Hilton", "Hilton在哪里", False),
        ("where is the hilton", "hilton在哪里", True),
        ("三只羊", "Three 羊", True),
        ("三只羊", "three sheep", False),
    ],
)
def test_words_left_as_they_were(source, target, is_mixed):
    assert mixed(source, target) is is_mixed


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_two_texts_can_be_compared(source, target):
    lost(source, target)
    mixed(source, target)


@given(st.integers(2, 99_999))
def test_a_number_is_the_same_in_figures(number):
    assert lost(f"it costs {number} yuan", f"{number}元") == ()
    assert lost(f"it costs {number} yuan", f"{number + 1}元")


def test_mixed_words_are_asked_for_once_more(context):
    ctx = context("我对 shrimps过敏", "我对虾过敏")
    reply = translate.to_chinese("my brother is allergic to shrimps", ctx)
    assert reply.text == "我对虾过敏\n(by the model)"
    assert "every number and every name" in ctx.model.prompts[1]
    assert ctx.model.replies.maxlen is None
    assert len(ctx.model.prompts) == 2


def test_what_stays_wrong_is_told_with_the_nearest_phrase(context):
    ctx = context("我需要五个医生", "我需要五个医生")
    reply = translate.to_chinese("i need four doctors", ctx)
    lines = reply.text.splitlines()
    assert lines[:2] == ["Unsure: four?", "我需要五个医生"]
    ctx = context("我对坚果过敏", "我对坚果过敏")
    reply = translate.to_chinese("i am not allergic to peanuts", ctx)
    lines = reply.text.splitlines()
    assert lines[0] == "Unsure: “not”?"
    assert lines[2:4] == ["Near it: i'm allergic to peanuts", "我对花生过敏"]


def test_the_better_of_two_is_shown(context):
    reply = translate.to_chinese("I saw Peter with 3 dogs", context("他有狗", "我看到彼得和三只狗"))
    assert reply.text == "我看到彼得和三只狗\n(by the model)"
    reply = translate.to_chinese("I saw Peter with 3 dogs", context("我看到彼得和狗", "狗"))
    assert reply.text.splitlines()[:2] == ["Unsure: 3?", "我看到彼得和狗"]


def test_in_chinese(context):
    reply = translate.to_english(context("I eat pork", "I eat pork", language="zh"), "我不吃猪肉")
    assert reply.text.splitlines()[0] == "不确定：是否定吗？"


def test_what_is_no_translation_at_all_offers_the_nearest_phrase(context):
    reply = translate.to_chinese("do i need a doctor now", context("???", "???"))
    assert reply.text.splitlines()[:3] == [
        "I can't translate that.",
        "Near it: i need a doctor",
        "我需要医生",
    ]


def test_another_language_is_checked_for_figures_and_names(context):
    reply = translate.into("french", context("J'ai 4 chiens", "J'ai 4 chiens"), "I have 3 dogs")
    assert reply.text.startswith("Unsure: 3")
    reply = translate.into("french", context("J'ai trois chiens"), "I have three dogs")
    assert reply.text == "J'ai trois chiens\n(by the model)"
