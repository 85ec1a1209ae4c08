"""What holds for every skill: those in `skills/`, each found there, and one just made.

What only one skill promises is tested beside it.
"""

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from string import Formatter

import pytest

import skills
from agent.cli import scaffold
from agent.derive import grammar
from agent.language.pronounce import pronounce
from agent.plugins.skills import Skills, skill_name
from skills.music import library
from skills.pay import address_book

SHIPPED = sorted(found.name for found in pkgutil.iter_modules(skills.__path__) if found.ispkg)
NEW = "tide-table"

_SLOT = re.compile(r"\{\w+\}|<\w+>")

DATA_READ = """
import sys, pathlib
folder = pathlib.Path(sys.argv[2])
def look(event, arguments):
    if event == "open" and isinstance(arguments[0], str) and folder in pathlib.Path(arguments[0]).parents:
        if not arguments[0].endswith((".py", ".pyc")) and "__pycache__" not in arguments[0]:
            print(arguments[0])
sys.addaudithook(look)
__import__(sys.argv[1])
"""
"""Prints the files of its own that a module reads when it is imported."""


@pytest.fixture(autouse=True)
def nobody(monkeypatch, tmp_path):
    """Songs and payees of whoever runs the tests are no part of a skill."""
    monkeypatch.setattr(library, "FOLDER", tmp_path / "songs")
    monkeypatch.setattr(address_book, "FILE", address_book.SHIPPED)


@pytest.fixture(scope="module", params=[*SHIPPED, NEW])
def module(request, tmp_path_factory):
    """One skill: what is imported for it."""
    if request.param != NEW:
        yield importlib.import_module(f"skills.{request.param}")
        return
    new = scaffold.names(NEW)
    folder = tmp_path_factory.mktemp("made")
    scaffold.create(new, folder / NEW)
    sys.path.insert(0, str(folder / NEW))
    yield importlib.import_module(new.package)
    sys.path.remove(str(folder / NEW))
    del sys.modules[new.package]


@pytest.fixture(scope="module")
def loaded(module):
    found = Skills()
    found.load(module)
    assert found.problems == []
    return found


@pytest.fixture
def translated(loaded):
    """What the skill says, the Chinese by the English."""
    first, *others = [action.languages["zh"].responses for action in loaded.actions.values()]
    assert all(other == first for other in others)
    return first


def folder(module):
    return Path(module.__file__).parent


def parsed(module):
    """Yield everything that is written in the skill's Python."""
    for path in folder(module).glob("*.py"):
        yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def constants(tree):
    return {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and type(n.value) is str}


def fields(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_every_folder_is_a_skill_that_ships():
    skills_found = Skills.discover((), None)
    assert set(SHIPPED) <= set(skills_found.plugins)


def test_every_action_can_be_said_in_both_languages(loaded):
    assert loaded.actions
    for action in loaded.actions.values():
        for language in ("en", "zh"):
            assert action.languages[language].templates, (action.name, language)


def test_no_english_sentence_begins_with_any_words(loaded):
    """Else it could be a payment's of some plugin, which would be refused for it."""
    for action in loaded.actions.values():
        if action.declaration.risk == "money":
            continue
        sentences = action.languages["en"]
        rules = tuple(sorted(sentences.rules.items()))
        for template in sentences.templates:
            around = grammar.around(template, rules)
            begins = [slot for slot, words in around.items() if grammar.EDGE in words.before]
            assert not any(action.kind(slot).is_open for slot in begins), (action.name, template)


def test_every_word_that_speech_listens_for_has_a_sound(loaded):
    """Of the dictionary, or read through by us: no guess by rules."""
    texts = {
        text
        for action in loaded.actions.values()
        for saying in action.sayings("en")
        for text in (saying.template, *(t for said in saying.slots.values() for t in said or ()))
    }
    words = {
        word for text in texts for word in re.findall(r"[a-z']+", _SLOT.sub(" ", text.lower()))
    }
    guessed = {w for w, p in pronounce(words).items() if p.source not in ("dictionary", "shipped")}
    assert guessed == set()


def test_every_sentence_file_names_actions_that_there_are(module, loaded):
    """Loading says so too, but only of a file that it looks for."""
    files = {path.name for path in (folder(module) / "sentences").iterdir()}
    assert files <= {f"{language}.yaml" for language in loaded.languages()}


def test_everything_that_is_said_has_a_translation(module, translated):
    said = {
        text
        for node in parsed(module)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "say"
        for text in constants(node.args[0])
    }
    assert said
    assert said <= set(translated)


def test_no_translation_is_of_something_that_is_never_said(module, translated):
    written = {text for node in parsed(module) for text in constants(node)}
    assert set(translated) <= written


def test_a_translation_has_the_fields_of_the_original(translated):
    for english, chinese in translated.items():
        assert chinese.strip()
        assert fields(english) == fields(chinese), english


def test_what_the_wearer_is_told_about_an_action_is_one_sentence(loaded):
    for action in loaded.actions.values():
        assert action.declaration.summary.endswith("."), action.name
        for reason in action.declaration.permissions.values():
            assert reason == reason.strip(), action.name


def test_importing_it_reads_none_of_its_files(module):
    done = subprocess.run(
        [sys.executable, "-c", DATA_READ, module.__name__, str(folder(module))],
        env={"PYTHONPATH": ":".join(filter(None, sys.path))},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == ""


def test_its_name_is_that_of_its_folder(module, loaded):
    assert {action.skill for action in loaded.actions.values()} == {skill_name(module)}
