from textwrap import dedent

import pytest

from agent.plugins.skills import Skills

HEAD = """\
from decimal import Decimal
from typing import Annotated
from agent import OneOf, Range, Reply, hookimpl, skill

MONEY = {"money": "to pay"}

@hookimpl
def register_skills(register):
    register(*(f for f in list(globals().values()) if hasattr(f, "__glasses_skill__")))

"""


@pytest.fixture
def write(tmp_path):
    """Write a plugin of the given body and return its path."""

    def write(name, body, zh=""):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").write_text(HEAD + dedent(body), encoding="utf-8")
        if zh:
            (folder / "sentences").mkdir()
            (folder / "sentences" / "zh.yaml").write_text(dedent(zh), encoding="utf-8")
        return str(folder)

    return write


@pytest.fixture
def install(write):
    """Return Skills with these plugins, loaded even where they clash."""

    def install(*bodies, builtin=False, refuse=False):
        skills = Skills.discover() if builtin else Skills()
        skills.refuse_clashes = refuse
        for number, body in enumerate(bodies):
            problem = skills.add(write(f"plug{number}", body))
            assert problem is None, problem
        return skills

    return install
