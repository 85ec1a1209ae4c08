from pathlib import Path

import pytest

from agent import Reply, hookimpl, skill
from agent.errors import PluginError, SentenceError
from agent.plugins import Skills

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


def test_the_five_skills_load():
    skills = Skills.discover()
    assert skills.problems == []
    assert {a.skill for a in skills.actions.values()} == {
        "shop", "pay", "translate", "navigate", "music",
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
        ("import sys; sys.exit(3)", "3"),
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
