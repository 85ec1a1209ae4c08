"""What of the words in an open slot is the name, however much of it a learned stage has cut."""

import pytest

from agent.plugins.skills import Skills
from agent.understand.names import name_of


@pytest.fixture(scope="module")
def actions():
    return Skills.discover().actions


PLAY, SEARCH, INTO = "music.play", "shop.search", "translate.into"


@pytest.mark.parametrize(
    ("where", "said", "guess", "name"),
    [
        (PLAY, "every breath you take", "every breath you", "every breath you take"),
        (PLAY, "stand by me", "stand", "stand by me"),
        (PLAY, "what a wonderful world", "wonderful world", "what a wonderful world"),
        (PLAY, "the music of Tupac Shakur", "Tupac Shakur", "Tupac Shakur"),
        (PLAY, "some Classical music", "Classical", "Classical"),
        (PLAY, "a Mike Osborne song", "Osborne", "Mike Osborne"),
        (PLAY, "the most popular song by espen lind", "espen lind", "most popular song by espen lind"),
        (PLAY, "yellow", "blue", "yellow"),  # a guess that was not said
        (PLAY, "yellow", "", "yellow"),
        (SEARCH, "left handed guitar", "guitar", "left handed guitar"),
        (SEARCH, "garden hose with a nozzle", "garden hose", "garden hose with a nozzle"),
        (INTO, "my daughter is afraid of dogs", "is afraid of dogs", "my daughter is afraid of dogs"),
        (INTO, "this soup is too salty for me", "this soup is salty", "this soup is too salty for me"),
        (INTO, "this soup is too salty for me", "this soup is", "this soup is too salty for me"),
        (INTO, "the correct way to say 'i am here'", "i am here", "i am here"),
        (INTO, "“good night”", "good night", "good night"),
    ],
)  # fmt: skip
def test_only_what_speaks_of_a_name_is_left_off(actions, where, said, guess, name):
    assert name_of(said, guess, actions[where], "en") == name


@pytest.mark.parametrize(
    ("said", "guess", "name"),
    [("一首晴天", "晴天", "晴天"), ("月亮代表我的心", "月亮", "月亮代表我的心")],
)
def test_of_chinese_names_too(actions, said, guess, name):
    assert name_of(said, guess, actions["music.play"], "zh") == name
