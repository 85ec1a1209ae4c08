"""The README is true: its snippets run, its commands, settings and files exist.

How snippets are looked up and run is in `tests.snippets`; the tutorial is typed in `test_tutorial`,
and the site's pages in `test_docs`.
"""

import dataclasses
import re
import sys

import pytest

from agent.config import Config
from agent.testing import lens, make_agent
from tests.snippets import README as PATH
from tests.snippets import ROOT, commands, pages, snippets

README = PATH.read_text(encoding="utf-8")
WRITTEN = README + "".join(page.read_text(encoding="utf-8") for page in pages())


async def test_the_skill_in_the_readme_works(tmp_path):
    source = next(snippet.text for snippet in snippets(PATH) if snippet.kind == "python")
    (tmp_path / "walk.py").write_text(source, encoding="utf-8")
    from agent.plugins.skills import Skills

    skills = Skills.discover([str(tmp_path / "walk.py")])
    agent = make_agent(tmp_path)
    agent.skills.actions.update(skills.actions)
    (said,) = set(re.findall(r'"(how long[^"]*)"\n', README))
    await agent.hear(said)
    assert "about 60 minutes" in lens(agent)


@pytest.mark.parametrize("name", sorted(set(re.findall(r"GLASSES_[A-Z]+(?:_[A-Z]+)*", WRITTEN))))
def test_every_documented_variable_is_read(name):
    read = {f"GLASSES_{f.name.upper()}" for f in dataclasses.fields(Config)}
    code = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("agent", "skills", "hardware")
        for path in (ROOT / folder).rglob("*.py")
    )
    assert name in read or name in code


def test_every_variable_that_is_no_setting_is_documented():
    """Settings are on their page by themselves: it is made of them."""
    read = {f"GLASSES_{f.name.upper()}" for f in dataclasses.fields(Config)}
    used = {
        name
        for folder in ("skills", "hardware", "agent/cli", "agent/models", "agent/display")
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(r'"(GLASSES_[A-Z_]+[A-Z])"', path.read_text(encoding="utf-8"))
    }
    page = (ROOT / "agent/docs/pages/reference/settings.md").read_text(encoding="utf-8")
    assert {name for name in used - read if f"`{name}`" not in page} == set()


def test_every_command_is_shown():
    from agent.cli.commands import main

    lines = [line for path in (PATH, *pages()) for s in snippets(path) for line in s.lines]
    shown = {command[0] for line in lines if "glasses " in line for command in _named(line)}
    assert set(main.commands) - shown == set()


def _named(line):
    try:
        return [command for command in commands(line) if command]
    except ValueError:  # a line of Python or Chinese with a quotation mark in it
        return []


@pytest.mark.parametrize("path", re.findall(r"\]\((?!http|#)([^)#]+)", README))
def test_what_it_links_to_is_there(path):
    assert (ROOT / path).exists()


def test_the_distribution_is_typed_and_named():
    assert (ROOT / "agent" / "py.typed").is_file()
    assert sys.version_info >= (3, 11)
