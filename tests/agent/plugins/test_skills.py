import inspect
import sys
from pathlib import Path
from typing import Annotated

import pytest

from agent import OneOf, Reply, hookimpl, skill
from agent.errors import PluginError, SentenceError
from agent.messages import NotRecognized
from agent.plugins.hooks import HOOKS, READING, Hooks
from agent.plugins.skills import Skills
from agent.testing import ScriptedTranscriber, lens, make_agent
from hardware.microphone import FileMicrophone

GOOD = '''
from agent import Reply, hookimpl, skill

@skill("hello {name}")
def hello(name: str) -> Reply:
    """Say hello."""
    return Reply(name)

@hookimpl
def register_skills(register):
    register(hello)
'''


def written(folder: Path, name: str, text: str) -> str:
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_the_skills_that_ship_load():
    skills = Skills.discover()
    assert skills.problems == []
    assert {a.skill for a in skills.actions.values()} == {
        "shop", "pay", "translate", "navigate", "music", "time", "memory", "reminders",
        "convert", "weather", "notes", "calendar", "notices", "travel",
        "teleprompter", "meeting",
    }  # fmt: skip
    for action in skills.actions.values():
        assert {"en", "zh"} <= set(action.languages), action.name


def test_a_file_is_a_plugin(tmp_path):
    skills = Skills()
    skills = Skills.discover([written(tmp_path, "hi", GOOD)])
    assert "hi.hello" in skills.actions


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import nowhere_to_be_found", "No module named 'nowhere_to_be_found'"),
        ("def f(:", "SyntaxError"),
        ("import sys; sys.exit(3)", "called sys.exit at broken.py:1"),
        (GOOD.replace("register_skills", "register_skill"), "did you mean register_skills"),
        (GOOD.replace("hello {name}", "hello {nam}"), "has a slot {nam}"),
        (GOOD.replace("(register):", "(registrar):"), "registrar"),
        (
            "from agent import hookimpl\n@hookimpl\ndef register_skills(register):\n    register(len)",
            "no action",
        ),
    ],
)
def test_a_broken_plugin_is_named_and_the_rest_load(tmp_path, text, reason):
    written(tmp_path, "broken", text)
    written(tmp_path, "good", GOOD)
    skills = Skills.discover(folder=tmp_path)
    assert "good.hello" in skills.actions
    (problem,) = skills.problems
    assert "broken.py" in problem.plugin
    assert reason in problem.reason
    assert "\n" not in problem.reason


@pytest.mark.parametrize("wanted", ["no/such/file.py", "no_such_module", "no.such.module"])
def test_a_plugin_asked_for_by_name_must_load(wanted):
    with pytest.raises(PluginError, match="no_such_module|there is no file|no.such"):
        Skills.discover([wanted])


def test_two_actions_with_one_name_are_refused_and_both_owners_named(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = written(tmp_path / "a", "hi", GOOD)
    second = written(tmp_path / "b", "hi", GOOD)
    with pytest.raises(PluginError, match="hi"):
        Skills.discover([first, second])


def test_nothing_of_a_plugin_that_fails_half_way_stays():
    @skill("one")
    def one() -> Reply:
        """One."""

    class Half:
        __name__ = "half"

        @hookimpl
        def register_skills(self, register):
            register(one)
            raise RuntimeError("half way")

    skills = Skills()
    with pytest.raises(RuntimeError):
        skills.load(Half())
    assert skills.actions == {}
    with pytest.raises(RuntimeError):
        skills.load(Half())  # the name is free again


def test_a_plugin_cannot_replace_a_standard_module(tmp_path):
    import json

    Skills.discover([written(tmp_path, "json", GOOD)])
    import sys

    assert sys.modules["json"] is json


@pytest.mark.parametrize(
    ("yaml", "reason"),
    [
        ("intents: [unclosed", "zh.yaml:"),
        ("- a\n- b", "zh.yaml:1"),
        ("intents: {hello: {data: [{sentences: ['你好{nam}']}]}}", "has a slot {nam}"),
    ],
)
def test_a_sentence_file_with_a_mistake_is_named(tmp_path, yaml, reason):
    folder = tmp_path / "hi" / "sentences"
    folder.mkdir(parents=True)
    (folder / "zh.yaml").write_text(yaml, encoding="utf-8")
    (tmp_path / "hi" / "__init__.py").write_text(GOOD, encoding="utf-8")
    with pytest.raises((PluginError, SentenceError), match=reason.replace("{", r"\{")):
        Skills.discover([str(tmp_path / "hi")])


PACKAGE = GOOD.replace("from agent", "from .words import PREFIX\nfrom agent").replace(
    "return Reply(name)", "return Reply(PREFIX + name)"
)


def test_the_folder_takes_packages_and_skips_what_is_private(tmp_path):
    for name in ("tides", "_private"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(PACKAGE, encoding="utf-8")
        (tmp_path / name / "words.py").write_text("PREFIX = 'dear '", encoding="utf-8")
    written(tmp_path, "_helper", "1 / 0")
    skills = Skills.discover(folder=tmp_path)
    assert skills.problems == []
    assert "tides" in skills.plugins
    assert not {"_private", "_helper"} & set(skills.plugins)
    assert skills.actions["tides.hello"].function("anna").text == "dear anna"
    (tmp_path / "tides" / "words.py").write_text("PREFIX = 'ahoy '", encoding="utf-8")
    assert skills.reload("tides") is None
    assert skills.actions["tides.hello"].function("anna").text == "ahoy anna"


def test_plugins_stay_in_the_order_they_were_found(tmp_path):
    for name in ("b", "a", "c"):
        written(tmp_path, name, GOOD.replace("hello", f"{name}lo"))
    skills = Skills.discover(folder=tmp_path)
    assert list(skills.plugins)[-3:] == ["a", "b", "c"]
    skills.reload("a")
    assert list(skills.plugins)[-3:] == ["a", "b", "c"]
    assert [a.skill for a in skills.actions.values()][-3:] == ["a", "b", "c"]


def test_after_unload_nothing_stays(tmp_path):
    skills = Skills()
    assert skills.add(written(tmp_path, "hi", GOOD)) is None
    assert "glasses_plugins.hi" in sys.modules
    skills.unload("hi")
    assert skills.actions == {}
    assert skills.plugins == {}
    assert "glasses_plugins.hi" not in sys.modules
    assert skills.add(str(tmp_path / "hi.py")) is None


async def test_reload_is_understood_in_the_next_turn_and_the_memory_stays(tmp_path):
    remembering = GOOD.replace("hello(name: str)", "hello(name: str, ctx)").replace(
        "return Reply(name)",
        "ctx.memory['n'] = ctx.memory.get('n', 0) + 1\n    return Reply(f\"{name} {ctx.memory['n']}\")",
    )
    skills = Skills()
    skills.add(written(tmp_path, "hi", remembering))
    agent = make_agent(tmp_path)
    agent.skills.add(str(tmp_path / "hi.py"))
    await agent.hear("hello anna")
    written(tmp_path, "hi", remembering.replace("hello {name}", "howdy {name}"))
    assert agent.skills.reload("hi") is None
    await agent.hear("howdy anna")
    assert "anna 2" in lens(agent)
    assert "howdy {name}" in {s.template for s in agent.sayings("en")}
    assert isinstance((await agent.hear("hello anna")).intent, NotRecognized)


async def test_a_reload_reaches_the_ears_while_they_listen(tmp_path):
    ears = ScriptedTranscriber()
    agent = make_agent(tmp_path, transcriber=ears)
    agent.skills.add(written(tmp_path, "hi", GOOD))
    silence = FileMicrophone(bytes(32000), pace="fast")
    chunks = 0

    class Microphone(FileMicrophone):
        async def chunks(self):
            nonlocal chunks
            async for chunk in silence.chunks():
                chunks += 1
                if chunks == 10:
                    written(tmp_path, "hi", GOOD.replace("hello {name}", "howdy {name}"))
                    assert agent.skills.reload("hi") is None
                yield chunk

    assert [turn async for turn in agent.listen(Microphone(bytes(2), pace="fast"))] == []
    assert [any("howdy" in s.template for s in said) for said in ears.expected] == [False, True]


@pytest.mark.parametrize("worse", ["1 / 0", GOOD.replace("{name}", "{nam}"), "def f(:", "x = 1"])
async def test_a_reload_that_fails_leaves_the_old_version(tmp_path, worse):
    agent = make_agent(tmp_path)
    agent.skills.add(written(tmp_path, "hi", GOOD))
    module = sys.modules["glasses_plugins.hi"]
    written(tmp_path, "hi", worse)
    problem = agent.skills.reload("hi")
    assert problem.plugin == "hi"
    assert "\n" not in problem.reason
    assert sys.modules["glasses_plugins.hi"] is module
    await agent.hear("hello anna")
    assert "anna" in lens(agent)
    written(tmp_path, "hi", GOOD)
    assert agent.skills.reload("hi") is None


def test_a_plugin_that_failed_can_be_added_once_mended(tmp_path):
    skills = Skills()
    path = written(tmp_path, "hi", "1 / 0")
    assert "ZeroDivisionError" in skills.add(path).reason
    written(tmp_path, "hi", GOOD)
    assert skills.add(path) is None
    assert skills.problems == []


def test_one_hook_that_raises_does_not_stop_the_rest(tmp_path):
    written(tmp_path, "a_bad", GOOD + '    raise RuntimeError("half way")\n')
    written(tmp_path, "b_good", GOOD)
    skills = Skills.discover(folder=tmp_path)
    assert "b_good.hello" in skills.actions
    assert "a_bad.hello" not in skills.actions


async def test_observers_see_each_turn_in_order(tmp_path):
    seen = []

    class Observer:
        def __init__(self, name):
            self.permissions = {"transcripts": "to note them"}
            self.__name__ = name

        @hookimpl
        def turn_ended(self, turn):
            seen.append((self.__name__, turn.transcript.text, turn.reply is not None))

    agent = make_agent(tmp_path, [Observer("first"), Observer("second")])
    turn = await agent.hear("anything")
    assert sorted(seen) == [("first", "anything", True), ("second", "anything", True)]
    assert turn.error is None


@pytest.mark.parametrize(
    "declared",
    [
        {},
        {"transcripts": ""},
        {"transcripts": " "},
        {"transcripts": None},
        {"camera": "to look"},
        7,
    ],
)
def test_who_reads_turns_says_what_for(declared):
    class Observer:
        permissions = declared

        @hookimpl
        def turn_ended(self, turn):
            raise AssertionError("never called")

    skills = Skills()
    with pytest.raises(PluginError) as caught:
        skills.load(Observer())
    assert str(caught.value) == (
        "its turn_ended is given what the wearer says and reads: write"
        ' permissions = {"transcripts": "why"} beside it, which the wearer reads'
    )
    assert (skills.observers(), skills.readers, skills.plugins) == ([], {}, {})
    Observer.permissions = {"transcripts": "to count words"}
    skills.load(Observer())
    assert len(skills.observers()) == 1
    assert skills.readers == {"Observer": "to count words"}


def test_every_hook_that_is_given_a_turn_needs_the_permission():
    given = {name for name in HOOKS if "turn" in inspect.signature(getattr(Hooks, name)).parameters}
    assert given == set(READING)


def test_the_list_of_a_method_is_given_its_object():
    class Player:
        __name__ = "player"
        titles = ("ode to joy",)

        def songs(self):
            return self.titles

        @skill("play {song}")
        def play(self, song: Annotated[str, OneOf(songs)]) -> Reply:
            """Play."""
            return Reply(song)

        @hookimpl
        def register_skills(self, register):
            register(self)

    skills, player = Skills(), Player()
    skills.load(player)
    player.titles = ("yesterday",)
    assert list(skills.actions["player.play"].values("song", "en")) == ["yesterday"]
    assert skills.offences == {}


DEVICES = """
from agent import hookimpl
from hardware.base import DeviceError, Place

class Phone:
    def where(self):
        return Place(1.0, 2.0)

def absent(config):
    raise DeviceError("not paired: pair a phone")

@hookimpl
def register_devices(provide):
    provide("location", lambda config: Phone(), "phone")
    provide("location", absent, "watch")
    provide("display", lambda config: Phone(), "no display")
    provide("camera", lambda config: "a picture", "camera")
"""


def test_devices_of_plugins_are_used_and_broken_ones_are_told(tmp_path, capsys, monkeypatch):
    from agent import config
    from agent.cli.compose import build
    from agent.cli.doctor import findings
    from hardware.base import Place
    from hardware.display import MemoryDisplay
    from hardware.profiles import load as load_profile

    monkeypatch.setenv("HOME", str(tmp_path))
    path = written(tmp_path, "phone", DEVICES)
    display = MemoryDisplay(load_profile("quark-s1"))
    agent = build(config.load(), display, [path])
    assert agent.devices.location.where() == Place(1.0, 2.0)
    assert agent.devices.display is display
    assert agent.devices.others["camera"]() == "a picture"
    told = capsys.readouterr().err
    assert "location watch" in told
    assert "not paired" in told
    assert "display no display" in told
    rows = {(row.part, row.state, row.used) for row in findings(config.load(), [path])}
    assert ("location, plugin", "ok", "phone") in rows
    assert ("camera, plugin", "ok", "camera") in rows
    assert any(part == "display, plugin" and state == "problem" for part, state, _ in rows)


async def test_a_camera_needs_a_permission():
    from agent import Context
    from agent.errors import Refused
    from hardware.base import DeviceError

    def context(**permissions):
        return Context(
            "demo", "en", Path(), {}, permissions=permissions, devices={"camera": lambda: "picture"}
        )

    assert context(camera="to read").device("camera") == "picture"
    with pytest.raises(Refused, match='add permissions={"camera": "why"}'):
        context().device("camera")
    with pytest.raises(DeviceError, match="no imu here"):
        context().device("imu")


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented(hook):
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    assert f"`{hook}(" in readme


COMMANDS = """
import click
from agent import hookimpl

@click.command()
def tides():
    "Tell the tides."
    click.echo("high at six")

@click.command()
def doctor():
    "Not the doctor."

@hookimpl
def register_commands(register):
    register(tides, doctor)
"""


def test_a_plugin_brings_commands_and_replaces_none(tmp_path, monkeypatch):
    from click.testing import CliRunner

    from agent.cli.commands import brought, main

    folder = tmp_path / "skills"
    folder.mkdir()
    written(folder, "sea", COMMANDS)
    written(folder, "ill", COMMANDS.replace("register(tides, doctor)", "1 / 0"))
    monkeypatch.setenv("GLASSES_PLUGINS", str(folder))
    brought.cache_clear()
    run = CliRunner().invoke
    assert run(main, ["tides"]).output == "high at six\n"
    assert "Tell the tides." in run(main, ["--help"]).output
    assert "engines and devices" in run(main, ["doctor", "--help"]).output
    assert run(main, ["tide"]).exit_code == 2
    brought.cache_clear()
