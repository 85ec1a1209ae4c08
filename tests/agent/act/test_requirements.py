"""What these glasses have not is told before an action runs."""

import pytest

from agent import Context, Reply, hookimpl, skill
from agent.act import dispatch
from agent.plugins.skills import Skills
from agent.testing import Conversation
from agent.testing.conversation import Doubles
from hardware.base import Devices
from hardware.display import MemoryDisplay
from hardware.profiles import load

ran = []


@skill("read that sign", permissions={"camera": "to see it"})
def sign(ctx: Context) -> Reply:
    """Read a sign."""
    ran.append("sign")
    return Reply(ctx.device("camera"))


@skill("where was i", permissions={"location": "to know", "camera": "to see"})
def where() -> Reply:
    """Remember."""
    return Reply("there")


class Plugin:
    __name__ = "signs"

    @hookimpl
    def register_skills(self, register):
        register(sign, where)


def devices(profile, **more):
    return Devices(MemoryDisplay(load(profile)), **more)


@pytest.fixture
def skills():
    ran.clear()
    skills = Skills()
    skills.load(Plugin())
    return skills


def test_a_warning_names_skill_device_profile_and_actions(skills):
    warned = list(dispatch.warnings(skills.actions.values(), devices("ssd1306")))
    assert warned == [
        "signs needs a camera, and ssd1306 has none: signs.sign will not work",
        "signs needs a camera and location, and ssd1306 has none: signs.where will not work",
    ]
    there = devices("ssd1306", others={"camera": lambda: "photo"})
    (left,) = dispatch.warnings(skills.actions.values(), there)
    assert left == "signs needs a location, and ssd1306 has none: signs.where will not work"
    assert not list(dispatch.warnings(skills.actions.values(), devices("quark-s1")))


def test_an_action_that_cannot_work_does_not_run_and_says_why(tmp_path, skills):
    display = MemoryDisplay(load("even-g1"))
    talk = Conversation(skills, tmp_path, Doubles(display=display))
    exchange = talk("read that sign")
    assert "these glasses have none" in exchange.error
    assert "camera" in talk.lens
    assert ran == []
    talk.close()
