"""Conversations: what was said before decides what is meant now."""

from decimal import Decimal
from typing import Annotated

import pytest

from agent import Context, OneOf, Proposal, Receipt, Reply, hookimpl, skill
from agent.messages import Intent, NotRecognized
from agent.testing import lens, make_agent
from agent.understand import dialogue

done = []


@skill("paint [the] {thing} {colour}", "paint [the] {thing}", risk="change")
def paint(
    thing: str, ctx: Context, colour: Annotated[str, OneOf(("red", "blue"))] = "red"
) -> Reply:
    """Paint a thing."""
    done.append(("paint", thing, colour))
    return Reply(f"{thing} is {colour}", undo=lambda: done.append(("wash", thing)))


@skill("walk to [the] {place}", "how far is [the] {place}")
def walk(place: str) -> Reply:
    """Walk somewhere."""
    done.append(("walk", place))
    return Reply(f"to {place}")


@skill("bring {count} {thing}")
def bring(count: int, thing: Annotated[str, OneOf(("cups", "plates"))]) -> Reply:
    """Bring some things."""
    done.append(("bring", count, thing))
    return Reply(f"{count} {thing}")


@skill("rest")
def rest() -> Reply:
    """Rest."""
    done.append(("rest",))
    return Reply("resting")


@skill("give {payee} {amount}", risk="money", permissions={"money": "to give"})
def give(payee: Annotated[str, OneOf(("anna", "bob"))], amount: Decimal) -> Proposal:
    """Give money to somebody."""

    def commit(key):
        done.append(("give", payee, amount))
        return Receipt("given")

    return Proposal(f"{amount} to {payee}", amount=amount, payee=payee, commit=commit)


class Plugin:
    __name__ = "demo"

    @hookimpl
    def register_skills(self, register):
        register(paint, walk, bring, rest, give)


@pytest.fixture
def agent(tmp_path):
    done.clear()
    return make_agent(tmp_path, [Plugin()])


async def told(agent, *lines):
    for line in lines:
        turn = await agent.hear(line)
    return turn


async def test_what_is_missing_is_asked_for_and_answered(agent):
    turn = await told(agent, "walk to")
    assert turn.intent.missing == ("place",)
    assert "Walk to …?" in lens(agent)
    await told(agent, "the old bridge")
    assert done == [("walk", "the old bridge")]


async def test_slots_are_asked_for_one_at_a_time(agent):
    await told(agent, "bring", "three")
    assert done == []
    assert "3 …?" in lens(agent)
    await told(agent, "plates")
    assert done == [("bring", 3, "plates")]


async def test_an_answer_that_is_none_is_asked_for_again_and_then_let_go(agent):
    await told(agent, "bring", "well")
    assert "…?" in lens(agent)
    turn = await told(agent, "hm")
    assert isinstance(turn.intent, NotRecognized)
    assert "I can" in lens(agent)
    await told(agent, "plates")
    assert done == []


@pytest.mark.parametrize("said", ["no", "never mind", "stop", "算了", "no thanks"])
async def test_a_question_can_be_declined(agent, said):
    await told(agent, "walk to", said)
    assert ("停" if said == "算了" else "Stopped") in lens(agent)
    await told(agent, "the bridge")
    assert done == []


async def test_a_command_goes_before_an_answer(agent):
    await told(agent, "walk to", "rest")
    assert done == [("rest",)]


async def test_what_can_answer_can_be_heard(agent):
    await told(agent, "bring two")
    assert any(
        s.intent == "agent.answer" and "cups" in s.slots["thing"] for s in agent.sayings("en")
    )
    await told(agent, "cups")
    assert all(s.intent != "agent.answer" for s in agent.sayings("en"))


@pytest.mark.parametrize(
    ("said", "then"),
    [
        ("no, blue", ("paint", "door", "blue")),
        ("i meant the window", ("paint", "window", "red")),
        ("make it blue", ("paint", "door", "blue")),
    ],
)
async def test_a_correction_takes_the_place_of_what_was_done(agent, said, then):
    await told(agent, "paint the door red", said)
    assert done == [("paint", "door", "red"), ("wash", "door"), then]


@pytest.mark.parametrize(
    ("said", "then"),
    [
        ("and to the mill", ("walk", "mill")),
        ("what about the mill", ("walk", "mill")),
        ("how about the mill then", ("walk", "mill")),
    ],
)
async def test_one_more_of_the_same(agent, said, then):
    await told(agent, "walk to the bridge", said)
    assert done == [("walk", "bridge"), then]


async def test_words_that_point_back(agent):
    await told(agent, "how far is the bridge", "walk to there")
    assert done == [("walk", "bridge"), ("walk", "bridge")]


async def test_there_is_asked_for_when_nothing_was_mentioned(agent):
    await told(agent, "walk to there")
    assert "Walk to …?" in lens(agent)


async def test_him_is_whoever_was_paid_and_is_shown_before_anything_moves(agent):
    await told(agent, "give bob 5 dollars", "yes")
    turn = await told(agent, "no, anna")
    assert (turn.reply.payee, turn.reply.amount) == ("anna", 5)
    assert done == [("give", "bob", 5)]


async def test_two_commands_in_one_sentence(agent):
    turn = await told(agent, "paint the door blue and rest")
    assert done == [("paint", "door", "blue"), ("rest",)]
    assert turn.before == (Intent("demo", "paint", {"thing": "door", "colour": "blue"}),)
    assert "door is blue" in lens(agent)
    assert "resting" in lens(agent)


async def test_a_payment_among_two_commands_comes_last_and_is_asked_about(agent):
    turn = await told(agent, "give anna 5 dollars and rest")
    assert done == [("rest",)]
    assert turn.reply.payee == "anna"
    await told(agent, "yes")
    assert done[1:] == [("give", "anna", 5)]


async def test_two_payments_in_one_sentence_are_none(agent):
    turn = await told(agent, "give anna 5 dollars and give bob 6 dollars")
    assert isinstance(turn.intent, NotRecognized)


async def test_what_was_said_beside_a_command_and_not_understood_is_named(tmp_path):
    agent = make_agent(tmp_path, builtin=True)
    turn = await told(agent, "pause the music and do a handstand")
    assert turn.intent.name == "music.pause"
    assert lens(agent).endswith("Not understood: do a handstand")
    await told(agent, "pause the music and don't pay bob")
    assert lens(agent).endswith("Not understood: don't pay bob")
    await told(agent, "暂停音乐然后翻个跟头")
    assert lens(agent).endswith("没有听懂：翻个跟头")
    for whole in (
        "please pause the music",
        "find me bread and butter",
        "pause the music and stop",
        "pause the music and thank you very much",
        "hey glasses and pause the music",
        "pause the music and yes please",
        "暂停音乐然后谢谢",
    ):
        await told(agent, whole)
        assert "Not understood" not in lens(agent), whole


async def test_undo_once(agent):
    await told(agent, "paint the door blue", "undo")
    assert done[1:] == [("wash", "door")]
    assert "Undone" in lens(agent)
    await told(agent, "undo")
    assert "nothing to undo" in lens(agent)
    assert len(done) == 2


async def test_what_cannot_be_undone_is_said(agent):
    await told(agent, "paint the door blue", "rest", "undo")
    assert "nothing to undo" in lens(agent)


async def test_the_turn_says_which_stage_decided(agent):
    turn = await told(agent, "walk to the bridge")
    assert turn.verdicts[0].stage == "templates"
    turn = await told(agent, "and to the mill")
    assert turn.verdicts[-1].stage == "dialogue"
    assert turn.verdicts[-1].reason == "more of the same"


async def test_a_question_does_not_stay_open_for_ever(agent):
    await told(agent, "walk to")
    assert agent.asking
    agent._dialogue._clock = lambda: dialogue.EXPIRES_S + 1e9
    assert not agent.asking
    await told(agent, "the bridge")
    assert done == []


async def test_a_question_or_another_command_corrects_no_free_words(agent):
    await told(agent, "walk to the bridge", "actually what is the weather like")
    assert done == [("walk", "bridge")]


async def test_a_command_in_other_words_is_no_correction_and_no_answer(tmp_path):
    agent = make_agent(tmp_path, builtin=True)
    await told(agent, "play night train")
    turn = await told(agent, "make it a bit louder for me")
    assert turn.intent.name == "music.louder"
    turn = await told(agent, "navigate to", "could you kill the music already")
    assert turn.intent.name == "music.stop_music"


async def test_another_command_after_a_no_takes_nothing_back(agent):
    await told(agent, "paint the door blue", "wait, rest")
    assert done == [("paint", "door", "blue"), ("rest",)]


@pytest.mark.parametrize(
    ("said", "amount", "payee"),
    [
        ("pay twenty dollars to anna no make it fifty", 50, "Anna"),
        ("pay twenty dollars to anna no wait fifty", 50, "Anna"),
        ("pay twenty dollars to anna, i mean tom", 20, "Tom"),
        ("pay twenty no thirty dollars to anna", 30, "Anna"),
        ("pay anna twenty one no five dollars", 5, "Anna"),
        ("付给安娜二十美元不对五十美元", 50, "安娜"),
        ("给安娜付二十美元，不是，三十美元", 30, "安娜"),
    ],
)
async def test_a_sentence_that_corrects_itself_means_what_was_said_last(
    tmp_path, said, amount, payee
):
    agent = make_agent(tmp_path, builtin=True)
    turn = await told(agent, said)
    assert (turn.reply.amount, turn.reply.payee) == (amount, payee)


@pytest.mark.parametrize(
    "said",
    [
        "walk to the bank no wait the pharmacy",
        "walk to the bank, no, the pharmacy",
        "walk to the bank, sorry, i meant the pharmacy",
    ],
)
async def test_free_words_correct_themselves_where_that_is_said_clearly(agent, said):
    await told(agent, said)
    assert done == [("walk", "pharmacy")]


async def test_a_name_may_hold_words_that_correct(agent):
    await told(agent, "walk to no woman, no cry")
    assert done == [("walk", "no woman, no cry")]


async def test_a_word_that_points_back_answers(agent):
    await told(
        agent, "give bob 5 dollars", "yes", "give anna", "6 dollars", "no", "walk to the mill"
    )
    turn = await told(agent, "walk to", "there")
    assert turn.intent.slots == {"place": "mill"}


@pytest.mark.parametrize(
    "said", ["可以，但改成三十美元", "好，改成三十", "yes but make it thirty", "no, thirty"]
)
async def test_an_open_payment_is_changed_by_words_that_correct(tmp_path, said):
    agent = make_agent(tmp_path, builtin=True)
    turn = await told(agent, "pay anna twenty dollars", said)
    assert turn.reply.amount == 30


@pytest.mark.parametrize(
    ("before", "said"),
    [
        ("how far is the pharmacy", "take me there"),
        ("how far is the pharmacy", "navigate there"),
        ("how far is the pharmacy", "take me to it"),
        ("药店有多远", "带我去那里"),
        ("药店有多远", "导航过去"),
    ],
)
async def test_there_is_the_place_that_was_asked_about(tmp_path, before, said):
    agent = make_agent(tmp_path, builtin=True)
    turn = await told(agent, before, said)
    assert (turn.intent.name, turn.intent.slots) == ("navigate.route", {"place": "pharmacy"})


@pytest.mark.parametrize(
    "said", ["pay her twenty dollars", "send twenty dollars to her", "给她付二十美元"]
)
async def test_her_may_stand_where_only_a_listed_name_may(tmp_path, said):
    agent = make_agent(tmp_path, builtin=True)
    turn = await told(agent, "pay anna ten dollars", "yes", said)
    assert (turn.intent.slots["payee"], turn.reply.amount) == ("anna", 20)


async def test_what_a_payment_does_not_carry_is_told(tmp_path):
    agent = make_agent(tmp_path, builtin=True)
    await told(agent, "pay twenty dollars to anna tomorrow")
    assert "I leave out “tomorrow”." in lens(agent)
    await told(agent, "明天给安娜付二十美元")
    assert "“明天”没有算在内。" in lens(agent)


@pytest.mark.parametrize(
    "said",
    [
        "navigate to the bank, 付给安娜五百美元",
        "play jazz and pay anna twenty dollars",
        "播放夜曲，给安娜付20美元",
        "don't pay twenty dollars to anna",
    ],
)
async def test_a_payment_that_was_not_ordered_is_not_proposed(tmp_path, said):
    agent = make_agent(tmp_path, builtin=True)
    for line in (said, "yes", "yes"):
        turn = await agent.hear(line)
        assert not isinstance(turn.reply, Proposal)


async def test_a_sentence_of_its_own_may_propose(tmp_path):
    agent = make_agent(tmp_path, builtin=True)
    turn = await told(agent, "play jazz. pay anna twenty dollars.")
    assert isinstance(turn.reply, Proposal)


@pytest.mark.parametrize(
    "said", ["and in blue", "no, blue", "and the window", "paint it", "walk there"]
)
async def test_a_skill_that_was_removed_meanwhile_ends_nothing(agent, said):
    await told(agent, "walk to the bridge", "paint the door red")
    agent.skills.actions.clear()
    turn = await told(agent, said)
    assert isinstance(turn.intent, NotRecognized)


async def test_an_open_question_about_a_removed_skill_is_let_go(agent):
    await told(agent, "walk to")
    question = agent._dialogue.question
    agent.skills.actions.clear()
    assert agent._dialogue.words(question.options[0], "place") == "walk"
    assert list(agent._dialogue.sayings("en")) == []


@pytest.mark.parametrize(
    ("begun", "answered", "shown"),
    [
        ("pay anna", "35", "$35.00 → Anna"),
        ("付给安娜", "四十五块", "¥45.00 → 安娜"),
        ("set a timer", "90 seconds", "1 minute 30 seconds"),
    ],
)
async def test_an_amount_answers_what_was_asked_and_begins_no_sum(tmp_path, begun, answered, shown):
    agent = make_agent(tmp_path, builtin=True)
    await agent.hear(begun)
    await agent.hear(answered)
    assert shown in lens(agent)


async def test_what_an_open_question_has_already_is_corrected(tmp_path):
    agent = make_agent(tmp_path, builtin=True)
    await agent.hear("pay 15 dollars")
    await agent.hear("no, make it 25")
    assert "$25" in lens(agent)
    assert agent.gate.open is None
    await agent.hear("anna")
    assert "$25.00 → Anna" in lens(agent)


@pytest.mark.parametrize("said", ["cancel that", "取消", "算了"])
async def test_cancel_takes_back_what_was_just_done_where_nothing_runs(agent, said):
    await agent.hear("paint the fence red")
    await agent.hear(said)
    assert done == [("paint", "fence", "red"), ("wash", "fence")]
    await agent.hear(said)
    assert done == [("paint", "fence", "red"), ("wash", "fence")]


@pytest.mark.parametrize("said", ["stop", "never mind", "停"])
async def test_stop_takes_nothing_back(agent, said):
    await agent.hear("paint the fence red")
    await agent.hear(said)
    assert done == [("paint", "fence", "red")]


async def test_words_that_a_call_took_are_not_told_as_left(tmp_path):
    agent = make_agent(tmp_path, builtin=True)
    await agent.hear("记一下，周日浇花")
    assert "周日浇花" in lens(agent)
    assert "没有听懂" not in lens(agent)


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (["find headphones", "put two of those in my basket", "make it four"], "4×"),
        (["set a timer for 10 minutes", "add 5 minutes"], "15 minutes left"),
        (
            ["set a rice timer for 10 minutes", "and another for the fish for 12 minutes"],
            "fish: 12 minutes",
        ),
        (["定个十分钟的闹钟", "再加三分钟"], "还剩13分钟"),
        (["记个事，周一打电话", "我都记了什么"], "周一打电话"),
        (["记个事，周一打电话", "删掉那条"], "已删除"),
        (["转账给安娜", "三十五块"], "¥35.00 → 安娜"),
        (["remind me to stretch every day at 8am and 6pm"], "One time at once"),
        (["what did i spend this month"], "No payments this month."),
        (["这周花了多少钱"], "这周没有付款"),
        (["what time will it be in 2 hours"], "Then it is"),
        (["再过五个小时几点"], "那时是"),
        (["oh, thanks!"], "You're welcome"),
    ],
)
async def test_follow_ups_as_people_say_them(tmp_path, lines, shown):
    agent = make_agent(tmp_path, builtin=True)
    await told(agent, *lines)
    assert shown in " ".join(lens(agent).split("\n"))
