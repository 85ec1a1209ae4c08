"""What a loss of power left open is asked about at the start, and the wearer is told."""

from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from agent import Proposal, hookimpl, skill
from agent.act.ledger import Ledger
from agent.act.owner import Owner
from agent.loop.arrears import AGAIN_S
from agent.messages import Order, Outcome
from agent.testing import lens, make_agent
from tests.pace import PATIENCE_S

NOW = datetime(2030, 5, 6, 12, 30)


class Till:
    """A provider that knows in the end what became of an order."""

    name = "till"

    def __init__(self, *says):
        self.says, self.asked = list(says), []

    def pay(self, order):
        raise AssertionError("what was submitted is asked about and never paid again")

    def ask(self, order):
        self.asked.append(order.key)
        return self.says.pop(0) if len(self.says) > 1 else self.says[0]


@skill("settle up", risk="money", permissions={"money": "to pay"})
def settle() -> Proposal:
    """Settle."""
    return Proposal("x", amount=Decimal(20), payee="Anna", provider="till")


def plugin(till):
    @hookimpl
    def register_skills(register):
        register(settle)

    @hookimpl
    def register_devices(provide):
        provide("payment", lambda config: till, "till")

    return SimpleNamespace(
        __name__="demo", register_skills=register_skills, register_devices=register_devices
    )


@pytest.fixture
def submitted(tmp_path):
    """Leave a payment open, as a process does that dies while its provider is called."""
    ledger = Ledger(tmp_path)
    order = Order("k1", Decimal(20), "USD", "Anna", "anna")
    ledger.begin(order, NOW, "demo", "till", "somebody dead")
    ledger.close()
    return tmp_path


@pytest.mark.parametrize(
    ("state", "told"), [("paid", "It went through"), ("refused", "It did not go through")]
)
async def test_the_wearer_is_told_at_the_start(submitted, state, told):
    agent = make_agent(submitted, [plugin(Till(Outcome(state)))])
    agent.world.spoken = "en"
    agent._arrears.begin()
    await agent._arrears.first()
    assert agent.gate.unresolved() == 0
    waiting = [request.reply.text for request in agent.lens.standing()]
    assert any(told in " ".join(text.split()) for text in [*waiting, lens(agent)])
    await agent.close()


def test_while_nobody_knows_it_is_asked_again_and_again(submitted, ask):
    till = Till(Outcome("absent"), Outcome("unknown"), Outcome("paid"))
    agent = make_agent(submitted, [plugin(till)])

    async def wait():
        import asyncio

        agent._arrears.begin()
        await asyncio.sleep(2.5 * AGAIN_S)
        await agent.close()

    from agent.testing.clock import VirtualClock

    clock = VirtualClock(PATIENCE_S)
    clock.run(wait())
    clock.close()
    assert till.asked == ["k1"] * 3
    assert Ledger(submitted).find("k1").state in ("paid", "settled")


async def test_before_the_first_line_is_answered_what_is_open_is_asked_about(submitted):
    till = Till(Outcome("paid"))
    agent = make_agent(submitted, [plugin(till)])
    await agent.hear("settle up")
    assert till.asked == ["k1"]
    assert agent.gate.unresolved() == 0
    await agent.close()


def test_what_the_dead_leave_behind_is_swept_and_the_living_stay(tmp_path):
    dead, living = Owner(tmp_path), Owner(tmp_path)
    assert living.lives(dead.name)
    import os

    os.close(dead._held)
    dead._held = -1
    living.sweep()
    assert not living.lives(dead.name)
    assert living.lives(living.name)
    living.close()
    assert [*(tmp_path / "paying").iterdir()] == []
