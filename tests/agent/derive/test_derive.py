"""What is made from a declaration, and that one sentence reaches all of it."""

import enum
import json
import re
import shutil
import subprocess
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import pytest
from click.testing import CliRunner

from agent import OneOf, Range, Reply, skill
from agent.cli.commands import main
from agent.derive import grammar, tools
from agent.derive.completion import Completion
from agent.derive.page import jsgf, markdown
from agent.derive.sample import samples
from agent.derive.tools import call, call_schema, hot_words, tool_grammar
from agent.errors import EngineError
from agent.language import times
from agent.messages import Intent, NotRecognized, Proposal, Transcript
from agent.models.llm.schema import check_schema, misfit
from agent.plugins.skills import Skills
from agent.testing import ScriptedModel, lens, make_agent
from agent.understand.router import Router
from tests.agent.understand.test_templates import installed

DEFINE = Path(__file__).parents[2] / "plugins" / "define.py"


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


class Song:
    """A value that JSON has no word for."""


ODE = Song()


@skill("order {count} {size} {what}", "order {price} {wait} {when} {muted} {song} {rate}")
def order(
    count: Annotated[int, Range(1, 9)] = 1,
    size: Size = Size.SMALL,
    what: str = "tea",
    price: Decimal = Decimal(1),
    wait: timedelta = timedelta(0),
    when: datetime | None = None,
    muted: bool = False,
    song: Annotated[str, OneOf({"ode to joy": ODE})] = "",
    rate: float = 0.5,
):
    """Order."""


@skill("say {what}")
def say(what: str):
    """Say."""


ACTIONS = installed(order, say)


def made(**arguments):
    return call(ACTIONS, {"name": "demo.order", "arguments": arguments})


@pytest.mark.parametrize(
    ("slot", "given", "value"),
    [
        ("count", 3, 3),
        ("count", 3.0, 3),
        ("count", "three", 3),
        ("size", "large", Size.LARGE),
        ("size", "LARGE", Size.LARGE),
        ("what", " milk ", "milk"),
        ("price", "20 dollars", Decimal(20)),
        ("price", 4.5, Decimal("4.5")),
        ("price", "二十块", Decimal(20)),
        ("wait", "ten minutes", timedelta(minutes=10)),
        ("wait", "三分钟", timedelta(minutes=3)),
        ("wait", 90, timedelta(seconds=90)),
        ("when", "tomorrow at eight", datetime(2026, 3, 5, 8)),
        ("when", "2026-03-05T08:00:00", datetime(2026, 3, 5, 8)),
        ("muted", True, True),
        ("muted", "off", False),
        ("song", "ode to joy", ODE),
        ("rate", 0.25, 0.25),
    ],
)
def test_a_call_makes_the_values_that_words_make(slot, given, value):
    times.clock.set(lambda: datetime(2026, 3, 4, 9, 30))
    intent = made(**{slot: given})
    assert isinstance(intent, Intent), intent
    assert dict(intent.slots) == {slot: value}
    assert isinstance(intent.slots[slot], type(value))


def test_money_keeps_its_currency():
    assert made(price="20 euros").slots["price"].currency == "EUR"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"count": 10}, "count: 10 is not a whole number from 1 to 9"),
        ({"count": True}, "count: is not a number"),
        ({"count": 2.5}, "count: 2.5"),
        ({"count": [1]}, "count: is not a number"),
        ({"size": "huge"}, "size: 'huge' is not in the list"),
        ({"size": 1}, "size: is not in the list"),
        ({"what": "  "}, "what: nothing was said"),
        ({"what": 5}, "what: is not text"),
        ({"price": 0}, "price: '0' is not an amount"),
        ({"price": -5}, "price: "),
        ({"price": True}, "price: is not text"),
        ({"price": "lots"}, "price: 'lots' is not a number"),
        ({"wait": "soon"}, "wait: 'soon' is not a length of time"),
        ({"when": "then"}, "when: 'then' is not a time"),
        ({"muted": 1}, "muted: is not in the list"),
        ({"sizes": "large"}, "has no argument 'sizes'"),
    ],
)
def test_a_call_with_a_wrong_argument_says_which(arguments, reason):
    refused = made(**arguments)
    assert isinstance(refused, NotRecognized)
    assert f"demo.order{': ' if ':' in reason else ' '}{reason}" in refused.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "a tool call is an object"),
        ("[1]", "a tool call is an object"),
        ('{"name": "demo.order", "arguments": {"count": NaN}}', "a tool call is an object"),
        ("[" * 100_000, "a tool call is an object"),
        ('{"name": "demo.order", "arguments": "{"}', "a tool call is an object"),
        ("{}", "there is no tool 'None'"),
        ('{"name": ["x"]}', "there is no tool"),
        ('{"name": "demo.pay", "arguments": {}}', "there is no tool 'demo.pay'"),
        ('{"name": "demo.say"}', "demo.say lacks what"),
        ('{"name": "demo.say", "arguments": [1]}', "the arguments are not an object"),
        ('{"name": "demo.say", "arguments": {"what": null}}', "demo.say: what: is not text"),
    ],
)
def test_what_is_no_call_is_not_one(text, reason):
    refused = call(ACTIONS, text)
    assert isinstance(refused, NotRecognized)
    assert reason in refused.reason


def test_calls_as_models_write_them():
    assert call(ACTIONS, '{"name": "demo.order", "arguments": {"size": null}}').slots == {}
    text = json.dumps({"name": "demo.say", "arguments": json.dumps({"what": "hi"})})
    assert call(ACTIONS, text).slots == {"what": "hi"}


def test_the_schema_of_a_call_is_one_that_a_model_can_be_bound_to():
    schema = call_schema(ACTIONS.values())
    check_schema(schema)
    assert misfit({"name": "demo.say", "arguments": {"what": "hi"}}, schema) is None
    assert misfit({"name": "demo.say", "arguments": {}}, schema)
    assert misfit({"name": "demo.play", "arguments": {}}, schema)
    assert ScriptedModel([{"name": "demo.say", "arguments": {"what": "a"}}]).json("?", schema)


def test_a_long_list_is_not_written_into_a_schema():
    @skill("play {song}")
    def play(song: Annotated[str, OneOf([f"song {n}" for n in range(1000)])]):
        """Play."""

    (action,) = installed(play).values()
    assert action.schema()["parameters"]["properties"]["song"] == {"type": "string"}
    actions = {action.name: action}
    assert call(actions, {"name": "demo.play", "arguments": {"song": "song 7"}}).slots
    assert not isinstance(call(actions, {"name": "demo.play", "arguments": {"song": "x"}}), Intent)


def test_the_grammar_is_one_that_llama_cpp_reads():
    llama_cpp = pytest.importorskip("llama_cpp")
    shipped = Skills.discover().actions.values()
    text = tool_grammar([*shipped, *ACTIONS.values()])
    assert "root ::=" in text
    assert "pay.pay" in text
    llama_cpp.LlamaGrammar.from_string(text, verbose=False)
    with pytest.raises(EngineError, match="no action is installed"):
        tool_grammar([])


# -- one sentence more ----------------------------------------------------------------------------


def declared(*sentences):
    @skill(*sentences, risk="change")
    def play(song: Annotated[str, OneOf(["greensleeves"])]):
        """Play a song."""
        return Reply(song)

    return installed(play)


def reached(actions, sentence, words, tmp_path):
    """Say of every derived thing whether the sentence is in it."""
    (action,) = actions.values()
    sayings = list(action.sayings("en"))
    spoken = f"{words} greensleeves"
    graph = grammar.build(sayings)
    completion = Completion(lambda language: list(action.sayings(language)))
    return {
        "text": isinstance(Router(actions).route(Transcript(spoken)), Intent),
        "speech": set(words.split()) <= graph.words,
        "JSGF": words in jsgf([action]),
        "hot words": set(words.split()) <= set(hot_words(sayings)),
        "completion": completion.words(words) == ["greensleeves"],
        "docs": f"`{sentence}`" in markdown([action]),
        "tests": any(s.text == spoken for s in samples(action, "en").get(sentence, ())),
    }


def test_one_sentence_more_reaches_everything(tmp_path):
    before, sentence = "play {song}", "kindly perform {song}"
    assert not any(reached(declared(before), sentence, "kindly perform", tmp_path).values())
    after = reached(declared(before, sentence), sentence, "kindly perform", tmp_path)
    assert all(after.values()), after


PLUGIN = '''"""Songs."""
from agent import Reply, hookimpl, skill


@skill("play the song {song}"%s)
def sing(song: str) -> Reply:
    """Sing a song."""
    return Reply(song)


@hookimpl
def register_skills(register):
    register(sing)
'''


def listed(tmp_path, more, *arguments):
    path = tmp_path / "songs.py"
    path.write_text(PLUGIN % more, encoding="utf-8")
    done = CliRunner().invoke(main, ["skills", "songs", "--plugin", str(path), *arguments])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize("form", ["", "--json", "--jsgf", "--markdown"])
def test_one_sentence_more_reaches_the_listing(tmp_path, form):
    arguments = [form] if form else []
    assert "kindly perform" not in listed(tmp_path, "", *arguments)
    assert "kindly perform" in listed(tmp_path, ', "kindly perform {song}"', *arguments)


def test_the_schema_says_what_the_docstring_says(tmp_path):
    assert json.loads(listed(tmp_path, "", "--schema"))["description"] == "Sing a song."


def test_the_listing_of_one_skill_tells_everything():
    shown = CliRunner().invoke(main, ["skills", "pay"]).output
    for part in ("pay {amount} to {payee}", "给{payee}", "money, required", "one of 12 values",
                 "risk: money", "to pay from your wallet", "glasses-agent 0."):  # fmt: skip
        assert part.replace("给{payee}", "{payee}") in shown, part


def test_the_page_has_every_action_and_sentence():
    actions = [
        a for a in Skills.discover().actions.values() if a.source.startswith("glasses-agent")
    ]
    page = CliRunner().invoke(main, ["skills", "--markdown"]).output
    for action in actions:
        assert f"### {action.name}\n" in page
        for language, sentences in action.languages.items():
            for sentence in sentences.templates:
                assert f"- {language}: `{sentence}`" in page
    assert "Risk: money." in page
    assert re.search(r"\| `level` \| a whole number from 0 to 100 \| required \|", page)


# -- completion -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("播", ["播放"]),
        ("播放", ["播放一首", "播放歌曲", "播放音乐"]),
        ("音量", ["音量"]),
        ("付给安娜二十", ["付给安娜二十块"]),
        ("最近的", ["最近的药店"]),
        ("西瓜", []),
    ],
)
def test_chinese_is_completed_without_spaces(typed, offered):
    actions = Skills.discover().actions.values()
    completion = Completion(lambda language: [s for a in actions for s in a.sayings(language)])
    found = completion.continuations(typed)
    assert all(text.startswith(typed) and len(text) > len(typed) for text in found)
    if offered:
        assert any(text.startswith(one) for one in offered for text in found), found
    else:
        assert found == []


def test_english_is_completed_by_the_word():
    completion = Completion(lambda language: [s for a in declared("play [the] {song}", "what {song} is").values() for s in a.sayings(language)])  # fmt: skip
    assert completion.words("") == ["play", "what"]
    assert completion.words("play") == ["greensleeves", "the"]
    assert completion.words("sing") == []


# -- the plugin of the design, by text, by speech and by tool call --------------------------------


@pytest.fixture
def agent(tmp_path):
    def make(**options):
        skills = Skills.discover([str(DEFINE)])
        agent = make_agent(tmp_path, model=ScriptedModel(["what rain is made of"]), **options)
        agent.skills.actions.update(skills.actions)
        return agent

    return make


def test_it_is_fourteen_lines():
    lines = [line for line in DEFINE.read_text("utf-8").splitlines() if line]
    assert len(lines) <= 14


@pytest.mark.parametrize("said", ["define water", "what does water mean", "please define water"])
async def test_it_is_routed_by_text(agent, said):
    agent = agent()
    turn = await agent.hear(said)
    assert (turn.intent.name, turn.intent.slots) == ("define.define", {"word": "water"})
    assert lens(agent) == "water\nwhat rain is made of"
    assert "water" in agent.model.prompts[0]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed")
@pytest.mark.parametrize("said", ["define water", "what does water mean"])
async def test_it_is_routed_by_speech(agent, tmp_path, said):
    """ "water" is among the thousand words that free text can hold; others are heard as such."""
    pytest.importorskip("pocketsphinx")
    from agent.listen.sphinx.engine import PocketSphinx
    from hardware.microphone import FileMicrophone

    clip = tmp_path / "said.wav"
    subprocess.run(["flite", "-voice", "slt", "-t", said, "-o", str(clip)], check=True)
    agent = agent(builtin=True, transcriber=PocketSphinx())
    agent.model.replies.extend(["what rain is made of"] * 3)  # it may be asked ahead, in vain
    try:
        (turn,) = [turn async for turn in agent.listen(FileMicrophone(str(clip), pace="fast"))]
    finally:
        await agent.close()
    assert turn.intent.name == "define.define"
    assert turn.intent.slots == {"word": "water"}
    assert lens(agent) == "water\nwhat rain is made of"


async def test_it_is_routed_by_tool_call(agent):
    agent = agent()
    turn = await agent.call('{"name": "define.define", "arguments": {"word": "water"}}')
    assert (turn.intent.name, turn.intent.slots) == ("define.define", {"word": "water"})
    assert lens(agent) == "water\nwhat rain is made of"
    before = lens(agent)
    turn = await agent.call({"name": "define.nothing", "arguments": {}})
    assert turn.error == "there is no tool 'define.nothing'"
    assert lens(agent) == before


async def test_a_tool_call_moves_no_money_without_a_yes(tmp_path):
    agent = make_agent(tmp_path, builtin=True)
    arguments = {"amount": "20 dollars", "payee": "anna"}
    turn = await agent.call({"name": "pay.pay", "arguments": arguments})
    assert isinstance(turn.reply, Proposal)
    assert "20" in lens(agent)
    assert agent.gate.open is not None, "the wearer is asked"


def test_what_is_derived_is_in_one_place():
    assert all(hasattr(tools, name) for name in tools.__all__)
