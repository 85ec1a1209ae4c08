"""Questions that no skill answers."""

import asyncio

import pytest

from agent.act import chat
from agent.errors import EngineError
from agent.language.text import is_question
from agent.messages import CancelScope
from agent.models.llm.model import ScriptedModel
from agent.testing import lens, make_agent


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("who wrote the odyssey", True),
        ("how high is the moon tonight", True),
        ("tell me about the romans", True),
        ("月亮有多少公里远", True),
        ("谁写了红楼梦", True),
        ("what", False),
        ("is it", False),
        ("the other day i went home", False),
        ("", False),
        ("今天天气真好", False),
    ],
)
def test_what_is_a_question(text, asks):
    assert is_question(text) is asks


async def test_three_lines_at_most_and_each_is_shown_when_it_is_whole():
    shown = []
    model = ScriptedModel(["Homer.\n\nAbout 700 BC. \nIn Greek.\nAnd more\nand more"])
    said = await chat.reply(model, "who wrote it", "en", CancelScope(), shown.append)
    await asyncio.sleep(0)
    assert said == "Homer.\nAbout 700 BC.\nIn Greek."
    assert shown == ["Homer.", "Homer.\nAbout 700 BC.", "Homer.\nAbout 700 BC.\nIn Greek."]
    assert "Question: who wrote it" in model.prompts[0]


async def test_an_agent_with_a_model_answers(tmp_path):
    agent = make_agent(tmp_path, [], model=ScriptedModel(["Homer.\nLong ago."]))
    turn = await agent.hear("who wrote the odyssey please")
    assert turn.reply.text == "Homer.\nLong ago."
    assert turn.model == "scripted"
    assert "Homer." in lens(agent)
    assert turn.error is None


async def test_an_agent_without_one_says_what_to_get(tmp_path):
    agent = make_agent(tmp_path, [])
    turn = await agent.hear("who wrote the odyssey please")
    assert "language model" in turn.reply.text
    assert "glasses models pull" in turn.reply.text
    turn = await agent.hear("谁写了红楼梦")
    assert "glasses models pull" in turn.reply.text


async def test_a_model_that_fails_is_told_in_one_line(tmp_path):
    agent = make_agent(tmp_path, [], model=ScriptedModel([EngineError("out of memory")]))
    turn = await agent.hear("who wrote the odyssey please")
    assert turn.error == "out of memory"
    assert "out of memory" in lens(agent)


async def test_what_is_no_question_is_not_put_to_the_model(tmp_path):
    model = ScriptedModel(["nonsense"])
    agent = make_agent(tmp_path, [], model=model)
    turn = await agent.hear("the other day i went home")
    assert model.prompts == []
    assert turn.model is None
