"""What can be said now, and whether the engine has to be told anew."""

from dataclasses import replace
from typing import Annotated

import pytest

from agent import OneOf, Reply, hookimpl, skill
from agent.testing import make_agent


class Songs:
    """A plugin with a list that changes."""

    __name__ = "songs"

    def __init__(self):
        self.songs = ["sun"]

        @skill("play {song}")
        def play(song: Annotated[str, OneOf(lambda: self.songs)]) -> Reply:
            """Play one."""
            return Reply(song)

        self.play = play

    @hookimpl
    def register_skills(self, register):
        register(self.play)


@pytest.fixture
def songs():
    return Songs()


@pytest.fixture
def agent(tmp_path, songs):
    agent = make_agent(tmp_path, [songs])
    assert agent._expected.news(), "nothing had been told"
    return agent


def test_nothing_new_is_no_news(agent):
    assert not agent._expected.news()
    assert not agent._expected.news()


async def test_an_answer_that_changed_no_list_is_no_news(agent):
    await agent.hear("play sun")
    assert not agent._expected.news()


async def test_a_list_that_an_answer_has_changed_is_news_once(agent, songs):
    songs.songs = ["sun", "moon"]
    await agent.hear("play sun")
    assert agent._expected.news()
    assert not agent._expected.news()


def test_another_language_is_news(agent):
    agent.options = replace(agent.options, language="zh")
    assert agent._expected.news()
    assert not agent._expected.news()


def test_a_plugin_that_went_is_news(agent):
    agent.skills.unload("songs")
    assert agent._expected.news()
    assert not agent._expected.news()


def test_an_engine_that_was_replaced_is_told(agent):
    agent._expected.forget()
    assert agent._expected.news()
