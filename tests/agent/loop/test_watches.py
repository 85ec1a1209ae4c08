"""What a skill goes on looking at: shown, said, remembered, and ended."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent import Context, Proposal, Reply, hookimpl, skill
from agent.plugins.skills import Skills
from agent.testing.clock import VirtualClock
from agent.testing.conversation import Conversation, Doubles
from hardware.base import DeviceError
from hardware.voice import VirtualVoice
from tests.pace import PATIENCE_S


class Egg:
    """A skill that looks at an egg."""

    __name__ = "egg"

    def __init__(self):
        self.looks = []
        self.gives = lambda n: Reply(f"look {n}", speech=f"look {n}")

    @skill("boil an egg", risk="change")
    def boil(self, ctx: Context) -> Reply:
        """Look at it every two seconds."""
        ctx.memory["minutes"] = 0

        def look(ctx: Context) -> Reply | bool | None:
            self.looks.append(ctx.memory["minutes"])
            ctx.memory["minutes"] += 1
            return self.gives(len(self.looks))

        ctx.watch(look, every_s=2.0)
        return Reply("boiling")

    @skill("boil another egg", risk="change")
    def another(self, ctx: Context) -> Reply:
        """Look at another one instead."""
        ctx.watch(lambda ctx: Reply("another"), every_s=5.0)
        return Reply("boiling another")

    @skill("how long does it boil")
    def how_long(self, ctx: Context) -> Reply:
        """Tell what the looks have counted."""
        return Reply(f"{ctx.memory.get('minutes')} looks")

    @hookimpl
    def register_skills(self, register):
        """Add the actions."""
        register(self.boil, self.another, self.how_long)


@pytest.fixture
def egg():
    return Egg()


@pytest.fixture
def ask(tmp_path, egg):
    skills = Skills()
    skills.load(egg)
    made = Conversation(skills, tmp_path, Doubles(VirtualClock(PATIENCE_S)))
    yield made
    made.close()


def test_what_it_shows_comes_by_itself_and_counts_what_it_remembers(ask, egg):
    ask("boil an egg").shows("boiling").after(31).shows("look 15")
    assert egg.looks == list(range(15))
    ask("how long does it boil").shows("15 looks")


def test_what_has_something_to_say_is_a_turn_for_observers(ask, egg):
    egg.gives = lambda n: Reply("said", speech="said" if n == 3 else "")
    seen = []
    ask.agent._watching._also = seen.append
    ask("boil an egg").after(20)
    assert [(turn.source, turn.reply.text) for turn in seen] == [("watch", "said")]


def test_it_is_said_aloud_where_answers_are(ask, egg):
    voice = VirtualVoice()
    ask.agent.devices = replace(ask.agent.devices, voice=voice)
    ask.agent.world.mouth.mode = "on"
    egg.gives = lambda n: Reply("shown", speech="the egg is done") if n == 3 else None
    ask("boil an egg").after(20)
    assert [text for text, _ in voice.said] == ["boiling", "the egg is done"]


def test_it_ends_when_it_says_so_and_its_card_goes(ask, egg):
    egg.gives = lambda n: Reply(f"look {n}") if n < 9 else False
    ask("boil an egg").after(30)
    assert len(egg.looks) == 9
    assert ask.lens == ""


def test_a_later_watch_takes_the_place_of_one(ask, egg):
    ask("boil an egg")
    ask("boil another egg").after(30).shows("another")
    assert len(egg.looks) == 0


@pytest.mark.parametrize(
    ("gives", "why"),
    [
        (lambda n: 1 / 0, "raised ZeroDivisionError"),
        (lambda n: Proposal("pay", asks=True), "only an action can"),
        (lambda n: 7, "an action returns a Reply"),
        (lambda n: Reply("x" * 5_000), "characters"),
    ],
)
def test_one_that_does_what_none_may_is_held_against_its_skill_and_ends(ask, egg, gives, why):
    egg.gives = gives
    ask("boil an egg").after(20)
    assert len(egg.looks) == 1
    assert len(ask.agent.skills.offences["egg"]) == 1
    assert why in ask.agent.skills.offences["egg"][0]
    ask("how long does it boil").succeeds()


def test_a_device_that_is_away_is_told_once_until_it_is_back(ask, egg):
    def gives(n):
        if n in (3, 4, 5, 9):
            raise DeviceError("no egg here: put one in")
        return

    egg.gives = gives
    told = []
    ask.agent.lens.on_outcome = lambda one: told.append(one.request.reply.text)
    ask("boil an egg").after(40)
    assert told.count("no egg here: put one in") == 2
    assert len(egg.looks) == 20


def test_nothing_is_looked_at_once_its_skill_is_gone(ask, egg):
    ask("boil an egg")
    ask.agent.skills.unload("egg")
    ask.advance(20)
    assert egg.looks == []
