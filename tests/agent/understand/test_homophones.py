"""Chinese in other characters of the same sound, through the router."""

import random
import re
from collections import defaultdict

import pytest
from pypinyin import Style, pinyin

from agent.derive.sample import samples
from agent.messages import Intent
from agent.testing import make_agent

GB2312 = [
    bytes([high, low]).decode("gb2312") for high in range(0xB0, 0xD7) for low in range(0xA1, 0xFA)
]
"""The 3,755 characters of everyday use."""


@pytest.fixture(scope="module")
def agent(tmp_path_factory):
    return make_agent(tmp_path_factory.mktemp("agent"), builtin=True)


def test_a_payment_is_proposed_with_what_was_meant(agent):
    _, meant = agent.route("付给按那二十美元", "zh")
    _, same = agent.route("付给安娜二十美元", "zh")
    assert meant.slots == same.slots
    assert meant.stage == "sound"


@pytest.mark.parametrize(
    "said", ["今天天气怎么样", "我昨天去了市场", "谁写了红楼梦", "嗯", "好的好的好的"]
)
def test_other_sentences_sound_like_none(agent, said):
    _, meant = agent.route(said, "zh")
    assert not (isinstance(meant, Intent) and meant.stage == "sound")


def test_a_skill_that_is_gone_is_heard_no_more(tmp_path):
    agent = make_agent(tmp_path, builtin=True)
    assert agent.route("波放欢了送", "zh")[1].name == "music.play"
    agent.skills.unload("skills.music" if "skills.music" in agent.skills.plugins else "music")
    _, meant = agent.route("波放欢了送", "zh")
    assert not isinstance(meant, Intent)


@pytest.mark.slow
@pytest.mark.parametrize("style", [Style.TONE3, Style.NORMAL], ids=["same tone", "any tone"])
def test_five_hundred_sentences_in_other_characters(agent, style):
    """Every character of a sentence is replaced by a drawn one that may be read like it.

    Free words cannot be told from others of the same sound: they have to sound as what was said.
    """
    rng = random.Random(14)
    alike = defaultdict(list)
    for character in GB2312:
        for reading in pinyin(character, style=style, heteronym=True)[0]:
            alike[reading].append(character)

    def swapped(character):
        if not re.match("[㐀-鿿]", character):
            return character
        ((reading,),) = pinyin(character, style=style)
        return rng.choice([c for c in alike[reading] if c != character] or [character])

    drawn = [
        (sample.text, sample.free)
        for action in agent.skills.actions.values()
        for template in samples(action, "zh", off_list=False).values()
        for sample in template
    ]
    rng.shuffle(drawn)
    said = drawn[:500]
    assert len(said) == 500
    wrong = [
        text for text, free in said if not same(agent, "".join(map(swapped, text)), text, free)
    ]
    assert len(wrong) <= 25, wrong


def same(agent, text, meant, free):
    """Whether two texts are the same call, its free words the same or of the same sound."""
    one, other = call(agent, text), call(agent, meant)
    if one is None or other is None or one[0] != other[0] or one[1].keys() != other[1].keys():
        return one == other
    return all(
        value == other[1][slot] or (slot in free and sounds_as(value, other[1][slot]))
        for slot, value in one[1].items()
    )


def sounds_as(one, other):
    """Whether each character of two texts may be read alike."""
    read = [pinyin(text, style=Style.NORMAL, heteronym=True) for text in (one, other)]
    return len(read[0]) == len(read[1]) and all(set(a) & set(b) for a, b in zip(*read, strict=True))


def call(agent, text):
    _, meant = agent.route(text, "zh")
    return (meant.name, meant.slots) if isinstance(meant, Intent) else None
