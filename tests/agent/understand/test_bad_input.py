"""What nobody should say, and files nobody should have, from end to end through `Agent.hear`."""

import logging
import shutil
import threading
from dataclasses import replace

import pytest

from agent import Reply, config, hookimpl, skill
from agent.cli import doctor
from agent.messages import Intent, NotRecognized, Proposal, Transcript
from agent.plugins.skills import Skills
from agent.testing import VirtualLocation, VirtualSpeaker, lens, make_agent
from agent.understand.pocket.router import OWN, SHIPPED
from agent.understand.router import Router, Stages
from tests import tiny_gguf
from tests.pace import PATIENCE_S, spending

pytestmark = pytest.mark.slow

# -- a pocket model of the wearer's own that is damaged --------------------------------------------


def empty(path):
    path.write_bytes(b"")


def no_gguf(path):
    path.write_bytes(b"<html>not found</html>" * 1000)


def cut(path):
    path.write_bytes(SHIPPED.read_bytes()[: SHIPPED.stat().st_size // 2])


def zeroed(path):
    data = SHIPPED.read_bytes()
    path.write_bytes(data[:4] + bytes(len(data) - 4))


def another_model(path):
    tiny_gguf.write(path)


@pytest.mark.parametrize("damage", [empty, no_gguf, cut, zeroed, another_model])
def test_the_pocket_model_that_ships_stands_in_for_a_damaged_one(tmp_path, damage, caplog):
    (tmp_path / OWN).parent.mkdir()
    damage(tmp_path / OWN)
    router = Router(Skills.discover().actions, Stages(tmp_path))
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            decision = router.decide(Transcript("i'd like to hear some reggae", "en"))
            assert isinstance(decision.meaning, Intent)
            assert decision.meaning.skill == "music"
    (pocket,) = [verdict for verdict in decision.verdicts if verdict.stage == "pocket"]
    assert "absent" not in pocket.reason
    (line,) = [r.getMessage() for r in caplog.records if r.name == "agent.understand.router"]
    assert str(OWN) in line
    assert line.endswith("meanwhile: the pocket Qwen that ships")
    assert "\n" not in line
    row = doctor._pocket(config.load({"GLASSES_MODELS": str(tmp_path)}))
    assert (row.state, row.used) == ("problem", "the one that ships")
    assert str(OWN) in row.note


def test_a_sound_one_of_the_wearers_own_is_used(tmp_path, caplog):
    (tmp_path / OWN).parent.mkdir()
    shutil.copy(SHIPPED, tmp_path / OWN)
    router = Router(Skills.discover().actions, Stages(tmp_path))
    router.decide(Transcript("i'd like to hear some reggae", "en"))
    assert not [r for r in caplog.records if r.name == "agent.understand.router"]


# -- an undo that hangs ----------------------------------------------------------------------------


over = threading.Event()


class Plugin:
    __name__ = "demo"

    @hookimpl
    def register_skills(self, register):
        register(paint, rest)


@skill("paint", risk="change")
def paint() -> Reply:
    """Paint."""
    return Reply("painted", undo=lambda: over.wait(PATIENCE_S))


@skill("rest")
def rest() -> Reply:
    """Rest."""
    return Reply("resting")


async def test_an_undo_that_hangs_is_an_apology_and_the_agent_lives(tmp_path):
    agent = make_agent(tmp_path, [Plugin()])
    await agent.hear("paint")
    patient, agent.options = agent.options, replace(agent.options, action_timeout_s=0.2)
    turn = await agent.hear("undo")
    agent.options = patient
    over.set()
    assert turn.reply.kind == "alert"
    assert "demo" in lens(agent)
    assert "Undone" not in lens(agent)
    assert agent.skills.offences["demo"] == ["demo's undo took over 0.2 s"]
    await agent.hear("rest")
    assert "resting" in lens(agent)
    await agent.hear("undo")
    assert "nothing to undo" in lens(agent)
    await agent.close()


# -- several commands in one sentence --------------------------------------------------------------


@pytest.fixture
async def agent(tmp_path):
    made = make_agent(
        tmp_path, builtin=True, speaker=VirtualSpeaker(), place=VirtualLocation().where()
    )
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "pause the music, take me to the pharmacy and pay twenty dollars to anna"),
        ("en", "pause the music then take me to the pharmacy and pay anna twenty dollars"),
        ("en", "pay anna twenty dollars then pause the music and take me to the pharmacy"),
        ("zh", "暂停音乐然后带我去药店再付二十美元给安娜"),
        ("zh", "暂停音乐，然后带我去药店，再付二十美元给安娜"),
        ("zh", "付二十美元给安娜然后暂停音乐再带我去药店"),
    ],
)
async def test_three_commands_are_done_and_the_payment_is_asked_about_last(agent, language, said):
    turn = await agent.hear(said, language)
    assert [one.name for one in turn.before] == ["music.pause", "navigate.route"]
    assert turn.before[1].slots == {"place": "pharmacy"}
    assert turn.intent.name == "pay.pay"
    assert isinstance(turn.reply, Proposal)
    assert (turn.intent.slots["amount"], turn.intent.slots["payee"]) == (20, "anna")
    assert turn.reply.amount == 20
    assert agent.gate.open.proposal is turn.reply, "nothing has moved before a yes"


@pytest.mark.parametrize(
    ("language", "said", "asked"),
    [
        ("en", "pause the music, pay anna 20 dollars and do a handstand", "Pay anna $20"),
        ("en", "pay anna 20 dollars then pause the music and pay anna 30 dollars", "Pay anna $30"),
        ("zh", "暂停音乐然后付二十美元给安娜再翻个跟头", "付安娜"),
        ("zh", "付二十美元给安娜然后付三十美元给安娜", "付安娜"),
    ],
)
async def test_where_not_all_can_be_done_nothing_is_and_that_is_asked(agent, language, said, asked):
    turn = await agent.hear(said, language)
    assert isinstance(turn.intent, NotRecognized)
    assert agent.gate.open is None
    assert asked.casefold() in turn.reply.text.casefold()
    assert turn.reply.text.rstrip().endswith(("?", "？"))


@pytest.mark.parametrize("said", ["播放再见", "放一首再回首", "再放一首歌", "再见"])
async def test_again_in_a_title_joins_nothing(agent, said):
    turn = await agent.hear(said, "zh")
    assert turn.before == ()
    assert turn.error is None


async def test_four_commands_are_too_many_for_one_sentence(agent):
    turn = await agent.hear(
        "pause the music, take me to the pharmacy, play jazz and pay anna 20 dollars"
    )
    assert turn.before == ()
    assert agent.gate.open is None


# -- texts that nobody says ------------------------------------------------------------------------

PAY = "pay 20 dollars to anna"


def spaced(text):
    return "\u200b".join(text)


@pytest.mark.parametrize(
    "said",
    [
        "pay 20 dollars to anna " * 450,
        "a" * 10_000,
        "暂停音乐然后" * 1_700,
        "and " * 2_500,
        "{" * 10_000,
        spaced(PAY),
        f"\u202e{PAY[::-1]}",
        f"{PAY}\u200d",
        "\ufeff" + PAY,
        "pаy 20 dollars to anna",
        "𝓹𝓪𝔂 20 dollars to anna",
        "pay ２０ dollars to anna",
        "pay 20 dollars to аnnа",
        "付\u200b二十美元\u200b给安娜",
        "\x00\x1b[2J" + PAY,
        "\udc80" + PAY,
    ],
    ids=range(16),
)
async def test_nothing_of_it_is_a_payment_or_a_traceback(agent, said, caplog):
    with spending() as spent:
        turn = await agent.hear(said)
    assert spent.yards < 3_000  # the first of them also loads what routes it, some 100
    assert agent.gate.open is None
    assert not isinstance(turn.reply, Proposal)
    assert turn.reply is not None
    assert turn.error is None
    assert not [record for record in caplog.records if record.exc_info]
    again = await agent.hear("pause the music")
    assert again.intent.name == "music.pause"


async def test_too_long_a_text_is_said_to_be_so(agent):
    await agent.hear("play jazz " * 1_000)
    assert "too long" in lens(agent)
