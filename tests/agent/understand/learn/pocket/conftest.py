import textwrap

import pytest

from agent.derive import paraphrases
from agent.plugins.skills import Skills
from agent.understand.learn.pocket.recipe import collect

PLUGIN = '''
from agent import Reply, hookimpl, skill

@skill("water the {plant}", "give the {plant} some water")
def water(plant: str) -> Reply:
    """Water a plant."""

@skill("how many plants are there", "count my plants")
def count() -> Reply:
    """Count the plants."""

@hookimpl
def register_skills(register):
    register(water, count)
'''


@pytest.fixture
def garden(tmp_path):
    """A skill with two actions, with paraphrases and words beside it."""
    folder = tmp_path / "garden"
    (folder / "paraphrases").mkdir(parents=True)
    (folder / "__init__.py").write_text(PLUGIN)
    (folder / "paraphrases" / "en.yaml").write_text(
        textwrap.dedent("""\
        water:
          - "my {plant} (looks|is) [really] thirsty"
          - "don't let the {plant} dry out"
        """)
    )
    (folder / "paraphrases" / "zh.yaml").write_text('water: ["给{plant}浇[点]水"]\n')
    (folder / "paraphrases" / "words.yaml").write_text("plant: [fern, rose bush, cactus]\n")
    (folder / "paraphrases" / "words.zh.yaml").write_text("plant: [兰花]\n")
    return folder


@pytest.fixture
def recipe(garden, tmp_path, monkeypatch):
    """What is made of it, with a few sentences that are nobody's."""
    none = tmp_path / "none"
    none.mkdir()
    (none / "en.txt").write_text("# nobody's\nwhat time is it\n(good|nice) weather today\n")
    skills = Skills()
    assert skills.add(str(garden)) is None
    monkeypatch.setattr(paraphrases, "NONE_FOLDER", none)
    return collect(skills.actions.values())
