"""The README is true: its snippets run, its commands, settings and files exist."""

import dataclasses
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click import Context

from agent.config import Config
from agent.testing import lens, make_agent

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


async def test_the_skill_in_the_readme_works(tmp_path):
    source = blocks("python")[0]
    (tmp_path / "walk.py").write_text(source, encoding="utf-8")
    from agent.plugins.skills import Skills

    skills = Skills.discover([str(tmp_path / "walk.py")])
    agent = make_agent(tmp_path)
    agent.skills.actions.update(skills.actions)
    (said,) = set(re.findall(r'"(how long[^"]*)"\n', README))
    await agent.hear(said)
    assert "about 60 minutes" in lens(agent)


def test_the_json_in_the_readme_has_the_real_keys(tmp_path):
    from agent.messages import Transcript
    from agent.turn import Turn

    (shown,) = blocks("json")
    written = json.loads(shown)
    assert list(written) == list(Turn("text", Transcript("")).as_json())


@pytest.mark.parametrize("field", dataclasses.fields(Config), ids=lambda f: f.name)
def test_every_setting_is_documented(field):
    assert f"GLASSES_{field.name.upper()}" in README
    assert f"`{field.name}`" in README


@pytest.mark.parametrize("name", sorted(set(re.findall(r"GLASSES_[A-Z]+", README))))
def test_every_documented_variable_is_read(name):
    read = {f"GLASSES_{f.name.upper()}" for f in dataclasses.fields(Config)}
    code = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("agent", "skills", "hardware")
        for path in (ROOT / folder).rglob("*.py")
    )
    assert name in read or name in code


def test_every_command_in_the_readme_exists():
    from agent.cli.commands import main

    command = r"glasses ([a-z]+(?:-[a-z]+)*)"
    assert set(main.commands) <= set(re.findall(command, README))
    used = set(re.findall(f"^{command}", "\n".join(blocks("sh")), re.M))
    assert used <= set(main.list_commands(Context(main)))


@pytest.mark.parametrize("target", re.findall(r"^make ([a-z]+)", "\n".join(blocks("sh")), re.M))
def test_every_make_target_exists(target):
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize("path", re.findall(r"!\[[^]]*\]\(([^)]+)\)", README))
def test_pictures_are_there(path):
    assert (ROOT / path).is_file()


def test_the_distribution_is_typed_and_named():
    assert (ROOT / "agent" / "py.typed").is_file()
    assert sys.version_info >= (3, 11)
