"""The tutorial in the README, typed word for word in a clean environment: nothing is left out."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests import environment
from tests.pace import spending

pytestmark = pytest.mark.slow  # environments, wheels and processes

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("### Write a skill\n")[2].partition("\n### ")[0]
FENCE = re.compile(r"```(sh|python|yaml)\n(.*?)```", re.DOTALL)
PLACE = re.compile(r"`(glasses_walk/\S+)`")
VOICE = ("flite ", "glasses listen")
"""The lines that need a voice."""


def steps():
    """Return the section as steps: a shell block to type, or a file to save and its text."""
    found = []
    for block in FENCE.finditer(SECTION):
        if block[1] == "sh":
            found.append(("type", block[2]))
        else:
            found.append((PLACE.findall(SECTION[: block.start()])[-1], block[2]))
    return found


def lines(text):
    """Return what is typed, without the remarks."""
    return [line for raw in text.splitlines() if (line := raw.partition("  #")[0].rstrip())]


@pytest.fixture(scope="module")
def typed(tmp_path_factory):
    """Do every step; return what each line printed."""
    folder = tmp_path_factory.mktemp("tutorial")
    there = environment.make(folder)
    voice = shutil.which("flite") is not None
    where, printed = there.home, {}
    for what, text in steps():
        if what != "type":
            assert (where / what).is_file(), "the tutorial replaces files of the scaffold"
            (where / what).write_text(text, encoding="utf-8")
            continue
        for line in lines(text):
            if line.startswith(VOICE) and not voice:
                continue
            if line.startswith("cd "):
                where /= line.removeprefix("cd ")
            else:
                printed[line] = there.run("sh", "-c", line, cwd=where)
    return printed


def test_the_scaffold_says_what_to_type_next(typed):
    made = typed["glasses new-skill walk"]
    assert "  cd walk\n" in made
    assert '  glasses say "show walk for today"\n' in made


def test_its_tests_pass_as_generated(typed):
    assert re.search(r"\d passed", typed["pytest"])
    assert "Nothing yet for today." in typed['glasses say "show walk for today"']


def test_the_new_command_is_typed_in_two_languages(typed):
    assert "about 60 minutes" in typed['glasses say "how long are five kilometers on foot"']
    assert "大约60分钟" in typed['glasses say "走五公里要多久"']


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
def test_the_new_command_is_spoken(typed):
    heard = typed["glasses listen said.wav"]
    assert "how long are five kilometers on foot" in heard
    assert "about 60 minutes" in heard


@pytest.mark.parametrize("name", ["x", "tide-table"])
def test_from_nothing_to_a_command(name, tmp_path):
    """The line that the project promises takes less than a minute."""
    there = environment.make(tmp_path)
    said = f"show {name.replace('-', ' ')} for today"
    typed = f'glasses new-skill {name} && cd {name} && pip install -e . && pytest && glasses say "{said}"'
    with spending() as spent:
        done = subprocess.run(
            ["sh", "-ec", typed],
            cwd=there.home,
            env=there.environ(),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert spent.yards < 60_000
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing yet for today." in done.stdout
