"""Plans: requests of several parts, written down before the planner was, and what is no plan."""

import json
from pathlib import Path

import pytest

import skills.memory as skill_memory
import skills.music as skill_music
import skills.time as skill_time
from agent.messages import Intent, Proposal, Transcript
from agent.models.llm.model import NoModel, ScriptedModel
from agent.plugins.skills import Skills
from agent.testing import make_agent
from agent.understand.plan import Planner
from agent.understand.router import Router
from hardware.base import Place
from hardware.speaker import VirtualSpeaker

LINES = Path(__file__).with_name("plans.jsonl").read_text("utf-8").splitlines()
ASKED = [json.loads(line) for line in LINES]
IN_TOWN = Place(lat=40.0026, lon=-34.9963, simulated=True)


@pytest.fixture(scope="module")
def skills():
    return Skills.discover((), None)


@pytest.fixture(scope="module")
def planner(skills):
    return Planner(Router(skills.actions), skills.actions, NoModel)


def told(text):
    return Transcript(text, "zh" if any("\u4e00" <= c <= "\u9fff" for c in text) else "en")


def fits(calls, made):
    return [name for name, _ in calls] == [one.name for one in made] and all(
        str(value).casefold() in str(one.slots).casefold()
        for (_, slots), one in zip(calls, made, strict=True)
        for value in slots.values()
    )


@pytest.mark.slow
async def test_seven_of_ten_are_carried_out_and_nothing_else_is(tmp_path, skills):
    """Without any model; the calls are those that the whole agent made."""
    right, undone = 0, []
    for at, asked in enumerate(ASKED):
        agent = make_agent(
            tmp_path / str(at), builtin=True, place=IN_TOWN, speaker=VirtualSpeaker()
        )
        turn = await agent.hear(asked["text"])
        made = [*turn.before, *([turn.intent] if isinstance(turn.intent, Intent) else [])]
        ways = [asked["calls"], *asked.get("also", ())]
        meant = {name for way in ways for name, _ in way}
        risky = {one.name for one in made if skills.actions[one.name].declaration.risk != "none"}
        assert risky <= meant, asked["text"]
        right += any(fits(way, made) for way in ways)
        undone += [] if any(fits(way, made) for way in ways) else [asked["text"]]
        await agent.close()
    assert len(ASKED) == 60
    assert right / len(ASKED) >= 0.7, undone


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("find me a café near the station and take me there", 2),
        ("skip this song, then set the volume to thirty", 2),
        ("what's on my list and how much is coffee and where am i", 3),
        ("找一家咖啡馆然后带我过去", 2),
        ("play rock and roll", 0),
        ("search for salt and pepper", 0),
        ("remember that anna likes to sing and play the piano", 0),
        ("remember that i parked on level 3, then take me to the museum", 2),
        ("what time is it", 0),
        ("don't play music and take me home", 0),
        ("go and go and go and go and go", 0),
        ("and", 0),
        ("", 0),
        ("a and play " * 40, 0),
    ],
)
def test_what_has_parts(planner, text, parts):
    assert len(planner.parts(told(text))) == parts


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("play jazz and pay anna twenty dollars", ()),
        ("pay anna five dollars and pay tom six dollars", ()),
        ("show me who i can pay and blorp the frobnicator", ()),
        ("where's the nearest bank and take me there", ("navigate.nearest",)),
        ("who can i pay and then pay 5 dollars to anna", ("pay.payees", "pay.pay")),
        ("put on ode to joy and make it louder", ("music.play", "music.louder")),
    ],
)
def test_all_of_it_or_nothing(planner, text, calls):
    assert tuple(one.name for one in planner.plan(told(text))) == calls


def test_a_model_chooses_only_where_the_stages_are_unsure(skills):
    model = ScriptedModel([{"name": "music.pause", "arguments": {}}])
    planner = Planner(Router(skills.actions), skills.actions, lambda: model)
    made = planner.plan(told("what time is it and hush the thing that is playing"))
    assert [one.name for one in made] in ([], ["time.clock", "music.pause"])
    for one in made:
        assert one.stage in ("templates", "plan")


def test_a_model_never_pays(skills):
    call = {"name": "pay.pay", "arguments": {"amount": "20", "payee": "anna"}}
    planner = Planner(Router(skills.actions), skills.actions, lambda: ScriptedModel([call, call]))
    assert planner.plan(told("what time is it and give anna some of the money i owe")) == ()


async def test_each_step_is_shown_as_it_is_done(tmp_path):
    agent = make_agent(tmp_path, [skill_time, skill_music, skill_memory], speaker=VirtualSpeaker())
    turn = await agent.hear("remember that i parked on level 3, then make some music play")
    assert [one.name for one in turn.before] in ([], ["memory.remember"])
    turn = await agent.hear("put on ode to joy and make it louder")
    assert [one.name for one in turn.before] == ["music.play"]
    assert turn.intent.name == "music.louder"
    assert "Ode to Joy" in turn.reply.text


async def test_money_is_a_proposal_at_the_end(tmp_path):
    agent = make_agent(tmp_path, builtin=True)
    turn = await agent.hear("show me who i can pay and then pay 5 dollars to anna")
    if isinstance(turn.reply, Proposal):
        assert turn.intent.name == "pay.pay"
    assert agent.gate.open is None or agent.gate.open.proposal is turn.reply
