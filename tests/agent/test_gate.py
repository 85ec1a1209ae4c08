import signal
import sqlite3
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from agent.errors import GlassesError
from agent.gate import EXPIRES_S, Gate, NotCommitted
from agent.messages import Proposal, Receipt


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


def states(folder: Path):
    with sqlite3.connect(folder / "gate.sqlite") as ledger:
        return [row[0] for row in ledger.execute("SELECT state FROM commits")]


def test_nothing_moves_before_a_yes(tmp_path):
    pay = Provider()
    gate = Gate(tmp_path)
    gate.offer(proposal(pay), "pay", "en")
    assert pay.keys == []
    gate.decline("en")
    gate.confirm("en")
    assert pay.keys == []


def test_two_yeses_are_one_payment(tmp_path):
    pay = Provider()
    gate = Gate(tmp_path)
    gate.offer(proposal(pay), "pay", "en")
    assert gate.confirm("en").text == "Paid."
    gate.confirm("en")
    assert len(pay.keys) == 1
    assert states(tmp_path) == ["done"]


def test_a_late_yes_moves_nothing(tmp_path):
    pay, clock = Provider(), Clock()
    gate = Gate(tmp_path, clock)
    gate.offer(proposal(pay), "pay", "en")
    clock.now = EXPIRES_S + 0.1
    assert gate.expire()
    gate.confirm("en")
    assert pay.keys == []


def test_each_proposal_has_a_key_of_its_own(tmp_path):
    pay = Provider()
    gate = Gate(tmp_path)
    for _ in range(2):
        gate.offer(proposal(pay), "pay", "en")
        gate.confirm("en")
    assert len(set(pay.keys)) == 2


@pytest.mark.parametrize(
    ("error", "state"),
    [(NotCommitted("no money left"), "failed"), (GlassesError("line dead"), "unknown")],
)
def test_a_provider_that_fails_leaves_the_truth_in_the_ledger(tmp_path, error, state):
    gate = Gate(tmp_path)
    gate.offer(proposal(Provider(error)), "pay", "en")
    reply = gate.confirm("en")
    assert str(error) in reply.text
    assert states(tmp_path) == [state]
    assert gate.unresolved() == (1 if state == "unknown" else 0)


def test_a_proposal_without_a_way_to_commit_is_not_paid(tmp_path):
    gate = Gate(tmp_path)
    gate.offer(proposal(None), "pay", "en")
    assert "Not paid" in gate.confirm("en").text


KILLED = """
import os, signal, sys
from decimal import Decimal
from pathlib import Path
from agent.gate import Gate
from agent.messages import Proposal
gate = Gate(Path(sys.argv[1]))
gate.offer(Proposal("x", amount=Decimal(1), commit=lambda key: os.kill(os.getpid(), signal.SIGKILL)), "pay", "en")
gate.confirm("en")
"""


def test_power_lost_while_committing_is_known_at_the_next_start(tmp_path):
    died = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], cwd=Path.cwd(), check=False
    )
    assert died.returncode == -signal.SIGKILL
    assert states(tmp_path) == ["committing"]
    assert Gate(tmp_path).unresolved() == 1
