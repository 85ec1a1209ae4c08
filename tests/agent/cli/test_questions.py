"""`glasses eval questions`, as it is run."""

import json

import pytest
from click.testing import CliRunner

from agent.cli.commands import main
from agent.cli.questions import Question, ask, judge
from agent.messages import Intent, NotRecognized, Reply, Transcript
from agent.models.llm.model import ScriptedModel
from agent.testing import make_agent
from agent.turn import Turn

KNOWN = Question("who wrote hamlet", "en", answer="shakespeare")
WEATHER = Question("will it rain", "en", needs="weather")
SENSE = NotRecognized()


def turn(text, model="qwen", intent=SENSE, error=None):
    return Turn("text", Transcript(""), intent, reply=Reply(text), model=model, error=error)


@pytest.mark.parametrize(
    ("question", "turn", "outcome"),
    [
        (KNOWN, turn("William Shakespeare wrote it."), "right"),
        (KNOWN, turn("Goethe wrote it."), "wrong"),
        (KNOWN, turn("I'm sorry, I don't know."), "refused"),
        (KNOWN, turn("I have no news here.", model=None), "refused"),
        (KNOWN, turn("Shakespeare took too long", error="out of time"), "refused"),
        (Question("how many", "en", answer="7"), turn("In 1776."), "wrong"),
        (Question("几个月", "zh", answer="12|十二"), turn("一年有十二个月。"), "right"),
        (WEATHER, turn("Yes, it will rain."), "invented"),
        (WEATHER, turn("I cannot tell the weather."), "refused"),
        (WEATHER, turn("我不知道。"), "refused"),
        (WEATHER, turn("I have no weather forecast here.", model=None), "refused"),
        (WEATHER, turn("Rain.", model=None, intent=Intent("sky", "rain")), "right"),
    ],
)
def test_what_an_answer_is(question, turn, outcome):
    assert judge(question, turn).outcome == outcome


@pytest.mark.parametrize(
    ("text", "echoes"),
    [
        ("will it rain?", True),
        ("Will it rain tomorrow? No.", True),
        ("It will rain.", False),
    ],
)
def test_an_echo_of_the_question(text, echoes):
    assert judge(WEATHER, turn(text)).echoes is echoes


async def test_each_question_is_one_conversation_of_its_own(tmp_path):
    model = ScriptedModel(["Shakespeare.", "In 1564.", "Goethe."])
    agent = make_agent(tmp_path, [], model=model)
    late = Question("when was he born", "en", answer="1564", after=("who wrote hamlet",))
    answered = await ask(agent, [late, KNOWN])
    assert [one.outcome for one in answered] == ["right", "wrong"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    for name in ("GLASSES_MODEL", "GLASSES_MODELS", "GLASSES_PLUGINS", "GLASSES_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    lines = [
        {"text": "will it rain tomorrow", "language": "en", "needs": "weather"},
        {"text": "现在几点了", "needs": "time"},
        {"text": "who wrote hamlet", "needs": None, "answer": "shakespeare"},
    ]
    (tmp_path / "asked.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")

    def run(*arguments):
        return CliRunner().invoke(main, ["eval", "questions", *map(str, arguments)])

    return run


def test_json_has_every_number(run, tmp_path):
    done = run(tmp_path / "asked.jsonl", "--json")
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    assert record["all"]["questions"] == 3
    assert record["all"]["invented"] == 0
    assert record["all"]["refused"] == pytest.approx(
        1 / 3, abs=0.001
    )  # skills tell time and weather
    assert record["by_language"]["zh"]["questions"] == 1
    assert record["by_needs"]["none"]["refused"] == 1
    assert record["all"]["ms"]["p95"] >= record["all"]["ms"]["p50"] > 0
    assert [one["needs"] for one in record["answers"]] == ["weather", "time", "none"]


def test_people_get_a_table(run, tmp_path):
    done = run(tmp_path / "asked.jsonl")
    assert done.exit_code == 0, done.output
    for words in ("invented", "weather", "first words and whole", "Not as it should be"):
        assert words in done.stdout


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"needs": "time"}', ":1: a line is"),
        ("[]", ":1: a line is"),
        ('{"text": "a", "needs": null, "answer": "("}', "is no pattern"),
        ("", "no questions in there"),
    ],
)
def test_a_file_that_is_none_is_one_line(run, tmp_path, line, told):
    (tmp_path / "bad.jsonl").write_text(line, "utf-8")
    done = run(tmp_path / "bad.jsonl")
    assert done.exit_code == 1
    assert told in done.output
    assert len(done.output.strip().splitlines()) == 1
