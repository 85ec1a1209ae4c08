import signal
import sqlite3
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from agent.act.gate import EXPIRES_S, Gate, NotCommitted
from agent.errors import GlassesError
from agent.messages import Intent, Payment, Proposal, Receipt


class Provider:
    def __init__(self, error=None):
        self.keys = []
        self.error = error

    def __call__(self, key):
        self.keys.append(key)
        if self.error:
            raise self.error
        return Receipt("Paid.", "r1")


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def proposal(commit):
    return Proposal("20 to Anna", amount=Decimal(20), payee="Anna", commit=commit)


PAY = Intent("pay", "pay", {"amount": Decimal(20)})


def yes(gate):
    """Take a yes to what is open now."""
    accepted = gate.accept(gate.open.key) if gate.open else None
    return None if accepted is None else gate.commit(accepted, "en")


def states(folder: Path):
    with sqlite3.connect(folder / "gate.sqlite") as ledger:
        return [row[0] for row in ledger.execute("SELECT state FROM commits")]


def test_nothing_moves_before_a_yes(tmp_path):
    pay = Provider()
    gate = Gate(tmp_path)
    gate.offer(proposal(pay), PAY, "en")
    assert pay.keys == []
    gate.decline("en")
    yes(gate)
    assert pay.keys == []


def test_two_yeses_are_one_payment(tmp_path):
    pay = Provider()
    gate = Gate(tmp_path)
    gate.offer(proposal(pay), PAY, "en")
    key = gate.open.key
    assert yes(gate).text == "Paid."
    assert gate.accept(key) is None
    assert gate.became(key, "en").text == "Paid.", "a second yes is told what became of it"
    assert len(pay.keys) == 1
    assert states(tmp_path) == ["done"]


def test_a_second_yes_while_the_first_is_being_paid_does_not_ask_to_pay_again(tmp_path):
    """Nobody knows yet how it ends, or ever will: asked again it might be paid twice."""
    gate = Gate(tmp_path)
    gate.offer(proposal(Provider()), PAY, "en")
    key = gate.open.key
    assert gate.accept(key) is not None
    assert gate.became(key, "en") == gate.unanswered("en")
    assert "before paying again" in gate.became(key, "en").text


def test_a_late_yes_moves_nothing(tmp_path):
    pay, clock = Provider(), Clock()
    gate = Gate(tmp_path, clock)
    gate.offer(proposal(pay), PAY, "en")
    clock.now = EXPIRES_S + 0.1
    key = gate.open.key
    gate.expire()
    assert gate.accept(key) is None
    assert "Too late" in gate.became(key, "en").text
    assert pay.keys == []


def test_each_proposal_has_a_key_of_its_own(tmp_path):
    pay = Provider()
    gate = Gate(tmp_path)
    for _ in range(2):
        gate.offer(proposal(pay), PAY, "en")
        yes(gate)
    assert len(set(pay.keys)) == 2


@pytest.mark.parametrize(
    ("error", "state"),
    [(NotCommitted("no money left"), "failed"), (GlassesError("line dead"), "unknown")],
)
def test_a_provider_that_fails_leaves_the_truth_in_the_ledger(tmp_path, error, state):
    gate = Gate(tmp_path)
    gate.offer(proposal(Provider(error)), PAY, "en")
    reply = yes(gate)
    assert str(error) in reply.text
    assert states(tmp_path) == [state]
    assert gate.unresolved() == (1 if state == "unknown" else 0)


def test_a_proposal_without_a_way_to_commit_is_not_paid(tmp_path):
    gate = Gate(tmp_path)
    gate.offer(proposal(None), PAY, "en")
    assert "Not paid" in yes(gate).text


def test_a_yes_to_one_proposal_settles_no_other(tmp_path):
    pay = Provider()
    gate = Gate(tmp_path)
    gate.offer(proposal(pay), PAY, "en")
    seen = gate.open.key
    gate.offer(proposal(pay), PAY, "en")
    assert gate.accept(seen) is None
    assert gate.open is not None, "the other one still waits"
    assert pay.keys == []


def test_what_was_shown_is_what_the_commit_is_given_and_must_acknowledge(tmp_path):
    given = []

    def commit(key, shown):
        given.append(shown)
        return Receipt("Paid.", paid=shown)

    gate = Gate(tmp_path)
    gate.offer(proposal(commit), PAY, "en")
    assert yes(gate).text == "Paid."
    assert given == [Payment(Decimal(20), "USD", "Anna")]
    other = Payment(Decimal(400), "USD", "Tom")
    gate.offer(proposal(lambda key: Receipt("Paid.", paid=other)), PAY, "en")
    assert "outcome unknown" in yes(gate).text
    assert gate.fault == "paid something else than was shown"
    assert states(tmp_path) == ["done", "unknown"]


def test_a_commit_with_values_of_its_own_bound_is_given_its_key_alone(tmp_path):
    bound = []
    gate = Gate(tmp_path)
    commit = lambda key, amount=Decimal(20): bound.append(amount) or Receipt("Paid.")  # noqa: E731
    gate.offer(proposal(commit), PAY, "en")
    assert yes(gate).text == "Paid."
    assert bound == [Decimal(20)]


def test_a_ledger_that_cannot_be_read_may_hold_what_was_paid(tmp_path):
    (tmp_path / "gate.sqlite").write_bytes(b"this is no ledger" * 100)
    assert Gate(tmp_path).begun_since(0.0)


KILLED = """
import os, signal, sys
from decimal import Decimal
from pathlib import Path
from agent.act.gate import Gate
from agent.messages import Intent, Proposal
gate = Gate(Path(sys.argv[1]))
gate.offer(Proposal("x", amount=Decimal(1), commit=lambda key: os.kill(os.getpid(), signal.SIGKILL)), Intent("pay", "pay"), "en")
gate.commit(gate.accept(gate.open.key), "en")
"""


def test_power_lost_while_committing_is_known_at_the_next_start(tmp_path):
    died = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], cwd=Path.cwd(), check=False
    )
    assert died.returncode == -signal.SIGKILL
    assert states(tmp_path) == ["committing"]
    assert Gate(tmp_path).unresolved() == 1
