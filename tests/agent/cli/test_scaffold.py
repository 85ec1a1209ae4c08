"""`glasses new-skill`: names, files, and output that is clean by the strictest of tools."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from agent.cli import scaffold
from agent.cli.commands import main
from agent.cli.scaffold import ScaffoldError, names

BIN = Path(sys.executable).parent


@pytest.fixture
def made(tmp_path):
    new = names("tide-table")
    scaffold.create(new, tmp_path / "tide-table")
    return tmp_path / "tide-table"


@pytest.mark.parametrize(
    ("wanted", "skill", "distribution", "package", "spoken"),
    [
        ("x", "x", "glasses-x", "glasses_x", "x"),
        ("tide-table", "tide_table", "glasses-tide-table", "glasses_tide_table", "tide table"),
        ("tide_table", "tide_table", "glasses-tide-table", "glasses_tide_table", "tide table"),
        ("glasses-tides", "tides", "glasses-tides", "glasses_tides", "tides"),
        ("json", "json", "glasses-json", "glasses_json", "json"),
        ("class", "class", "glasses-class", "glasses_class", "class"),
    ],
)
def test_a_name_everywhere(wanted, skill, distribution, package, spoken):
    new = names(wanted)
    assert (new.skill, new.distribution, new.package, new.spoken) == (
        skill, distribution, package, spoken,
    )  # fmt: skip


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "9lives",
        "Tides",
        "tide table",
        "tide--table",
        "-x",
        "x-",
        "../x",
        "潮汐",
        "a" * 41,
        "x\n",
    ],
)
def test_what_cannot_be_a_name(wanted):
    with pytest.raises(ScaffoldError, match=r"cannot name a skill: .* such as tide-table$"):
        names(wanted)


def test_a_name_that_is_taken(monkeypatch, tmp_path):
    with pytest.raises(ScaffoldError, match="a skill called shop is installed already"):
        names("shop", {"shop"})
    (tmp_path / "glasses_taken.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ScaffoldError, match="a package glasses_taken is installed already"):
        names("taken")


def test_a_folder_that_is_there_is_left_alone(made):
    before = sorted(made.rglob("*"))
    with pytest.raises(ScaffoldError, match="exists already"):
        scaffold.create(names("other"), made)
    assert sorted(made.rglob("*")) == before


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ScaffoldError, match="cannot be made: Not a directory"):
        scaffold.create(names("x"), tmp_path / "file" / "x")


def test_every_file_is_made_and_filled_in(made):
    assert sorted(str(p.relative_to(made)) for p in made.rglob("*") if p.is_file()) == [
        ".gitignore",
        "README.md",
        "glasses_tide_table/__init__.py",
        "glasses_tide_table/py.typed",
        "glasses_tide_table/sentences/zh.yaml",
        "pyproject.toml",
        "tests/test_skill.py",
    ]
    for path in made.rglob("*"):
        assert path.is_dir() or not {"{{", "{%"} & set(path.read_text(encoding="utf-8").split())
    project = tomllib.loads((made / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["glasses"] == {"tide_table": "glasses_tide_table"}


@pytest.mark.parametrize("tool", [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]])
def test_what_is_made_is_clean(made, tool):
    done = subprocess.run(
        [BIN / tool[0], *tool[1:], *([] if tool[0] == "mypy" else ["--no-cache", "."])],
        cwd=made, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_command_ends_with_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSES_PLUGINS", str(tmp_path / "none"))
    done = CliRunner().invoke(main, ["new-skill", "x", "--into", str(tmp_path)])
    assert done.exit_code == 0
    assert done.output.splitlines()[-3:] == [
        f"  cd {tmp_path / 'x'}",
        '  pip install -e ".[test]" && pytest',
        '  glasses say "show x for today"',
    ]
    again = CliRunner().invoke(main, ["new-skill", "x", "--into", str(tmp_path)])
    assert again.exit_code == 1
    assert (
        again.output == f"Error: {tmp_path / 'x'} exists already: choose another name or --into\n"
    )
    taken = CliRunner().invoke(main, ["new-skill", "music", "--into", str(tmp_path)])
    assert taken.output == "Error: a skill called music is installed already: choose another\n"
