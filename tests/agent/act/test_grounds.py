"""Questions that no model can know: who takes them, and what is said where nobody does."""

from datetime import datetime

import pytest

import skills.time as skill_time
from agent import Reply, hookimpl, skill
from agent.act import grounds
from agent.errors import SentenceError
from agent.language.said import SAID
from agent.messages import Intent
from agent.models.llm.model import ScriptedModel
from agent.skill.declare import KNOWS, Action, declarations
from agent.testing import lens, make_agent

SOON = datetime(2026, 11, 29, 16, 5)


class Brings:
    """A plugin of some functions."""

    def __init__(self, *functions):
        self.functions = functions

    @hookimpl
    def register_skills(self, register):
        register(*self.functions)


@skill("forecast please", knows=("weather",))
def sky() -> Reply:
    """Say what the sky does."""
    return Reply("Dry till six.")


@skill("connections to {town}", knows=("timetable",))
def trains(town: str) -> Reply:
    """List trains."""
    return Reply(f"16:20 to {town}")


@skill("clear the air", risk="change", knows=("weather",))
def meddle() -> Reply:
    """Change the weather."""
    return Reply("changed")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("will it rain tomorrow", "I have no weather forecast here."),
        ("when is the next train to linz", "I have no timetable here."),
        ("who is that man over there", "I have nothing here that sees"),
        ("what is bitcoin worth right now", "I have no current prices here."),
        ("who won the game last night", "I have no news here."),
        ("how many steps did i take today", "about you"),
        ("明天会下雨吗", "我这里没有天气预报。"),
        ("下一班去杭州的火车几点", "我这里没有时刻表。"),
        ("这是什么花", "我这里看不到"),
        ("我今天走了多少步", "我这里没有您的"),
    ],
)
async def test_what_is_missing_is_named_and_no_model_is_asked(tmp_path, text, named):
    model = ScriptedModel(["Yes, certainly."])
    agent = make_agent(tmp_path, [], model=model)
    turn = await agent.hear(text)
    assert named in turn.reply.text
    assert model.prompts == []
    assert turn.model is None
    assert turn.error is None


def test_where_it_is_unsure_whose_it_is_nothing_is_named():
    @skill("forecast please", knows=("weather",))
    def here() -> Reply:
        """Say what the sky does."""

    ((declared, _),) = declarations(here)
    asks_nothing = Action("sky", declared, here, {}, "")
    for p in (0.3, 0.9):
        told = grounds.honest([asks_nothing], "weather", p, "en").text
        assert told == SAID["en"]["no way to know"]


async def test_without_a_model_it_is_as_honest(tmp_path):
    turn = await make_agent(tmp_path, []).hear("will it rain tomorrow")
    assert turn.reply.text == "I have no weather forecast here."


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("what time is it", "It is 16:05"),
        ("what day of the week is it", "It is Sunday, 29 November 2026"),
        (
            "do you know what day of the month we have",
            "Here it is 16:05, Sunday, 29 November 2026.",
        ),
        ("现在几点了", "现在是下午4点05分"),
        ("今天几号", "今天是2026年11月29日，星期日"),
    ],
)
async def test_the_clock_that_ships_is_the_agents(tmp_path, text, told):
    agent = make_agent(tmp_path, [skill_time], model=ScriptedModel([]))
    agent.now = lambda: SOON
    turn = await agent.hear(text)
    assert turn.reply.text == told
    assert told[:8] in lens(agent)


async def test_without_a_clock_it_says_who_would_have_one(tmp_path):
    turn = await make_agent(tmp_path, [], model=ScriptedModel([])).hear("what time is it")
    assert turn.reply.text == "I have no clock here.\nThe plugin skills.time would know."


async def test_a_skill_that_knows_takes_such_questions_over(tmp_path):
    agent = make_agent(tmp_path, [Brings(sky)], model=ScriptedModel([]))
    turn = await agent.hear("do i need an umbrella tomorrow")
    assert turn.reply.text == "Dry till six."
    assert isinstance(turn.intent, Intent)
    assert turn.intent.stage == "knows"


async def test_one_that_has_to_be_told_more_says_how_to_ask(tmp_path):
    agent = make_agent(tmp_path, [Brings(trains)], model=ScriptedModel([]))
    turn = await agent.hear("when does the last bus leave")
    assert turn.reply.text == "Please say it like this: “connections to …”."


async def test_a_question_orders_nothing(tmp_path):
    agent = make_agent(tmp_path, [Brings(meddle)], model=ScriptedModel([]))
    turn = await agent.hear("do i need an umbrella tomorrow")
    assert turn.reply.text == "I have no weather forecast here."


async def test_another_clock_takes_the_question_as_well(tmp_path):
    @skill("chime", knows=("time",))
    def chime() -> Reply:
        """Say the time."""
        return Reply("Ding.")

    turn = await make_agent(tmp_path, [Brings(chime)]).hear("what time is it")
    assert turn.reply.text == "Ding."


def test_a_known_plugin_is_told_of():
    told = grounds.honest([], "position", 0.9, "en").text
    assert told.endswith("The plugin skills.navigate would know.")
    assert "skills.navigate" in grounds.honest([], "position", 0.9, "zh").text


def test_what_is_not_plain_is_not_named():
    assert grounds.honest([], "price", 0.3, "en").text == SAID["en"]["no way to know"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_need_has_its_sentence(language):
    for what in KNOWS:
        told = grounds.honest([], what, 1.0, language).text
        assert len(told.splitlines()) <= 2
        assert set(grounds.known()) <= set(KNOWS)


def test_what_nobody_knows_cannot_be_declared():
    with pytest.raises(SentenceError, match="knows 'future' is not one of time, weather"):

        @skill("tell my fortune", knows=("future",))
        def fortune() -> Reply:
            """Tell it."""
            return Reply("")
