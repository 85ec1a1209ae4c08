import signal
import subprocess
import sys
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from agent.act.gate import EXPIRES_S, Gate, NotCommitted
from agent.act.ledger import Ledger
from agent.act.pin import LOCK_S, TRIES
from agent.act.teller import Teller
from agent.errors import ConfigError, GlassesError
from agent.messages import Intent, Outcome, Payment, Proposal, Receipt, Reply


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


NOW = datetime(2030, 5, 6, 12, 30)
PAY = Intent("pay", "pay", {"amount": Decimal(20)})


def yes(gate):
    """Take a yes to what is open now."""
    accepted = gate.accept(gate.open.key) if gate.open else None
    return None if accepted is None else gate.commit(accepted, "en")


def states(folder: Path):
    return [entry.state for entry in reversed(Ledger(folder).entries())]


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
    assert states(tmp_path) == ["paid"]


def test_a_second_yes_while_the_first_is_being_paid_does_not_ask_to_pay_again(tmp_path):
    """Nobody knows yet how it ends, or ever will: asked again it might be paid twice."""
    gate = Gate(tmp_path)
    gate.offer(proposal(Provider()), PAY, "en")
    key = gate.open.key
    assert gate.accept(key) is not None
    assert gate.became(key, "en") == gate.unanswered("en")
    assert "do not pay again" in gate.became(key, "en").text


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
    [(NotCommitted("no money left"), "refused"), (GlassesError("line dead"), "unknown")],
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
    assert states(tmp_path) == ["paid", "unknown"]


def test_a_commit_with_values_of_its_own_bound_is_given_its_key_alone(tmp_path):
    bound = []
    gate = Gate(tmp_path)
    commit = lambda key, amount=Decimal(20): bound.append(amount) or Receipt("Paid.")  # noqa: E731
    gate.offer(proposal(commit), PAY, "en")
    assert yes(gate).text == "Paid."
    assert bound == [Decimal(20)]


def test_a_ledger_that_cannot_be_read_may_hold_what_was_paid(tmp_path):
    (tmp_path / "ledger.sqlite").write_bytes(b"this is no ledger" * 100)
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
    assert states(tmp_path) == ["submitted"]
    assert Gate(tmp_path).unresolved() == 1


# -- what is asked besides the yes ----------------------------------------------------------------


class Till:
    """A provider that says what the test wants, and remembers what it was asked."""

    name = "till"

    def __init__(self, *says):
        self.says, self.asked = list(says), []

    def _said(self, what, order):
        self.asked.append((what, order.key))
        said = self.says.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    def pay(self, order):
        return self._said("pay", order)

    def ask(self, order):
        return self._said("ask", order)


class Cancelling(Till):
    def cancel(self, order):
        return self._said("cancel", order)


def gate_with(folder, till, clock=lambda: 0.0, now=lambda: NOW):
    return Gate(folder, clock, Teller(folder, lambda name: till if name == "till" else None, now))


def by_till(amount="20", **more):
    return Proposal(
        "x", amount=Decimal(amount), currency="USD", payee="Anna", provider="till", **more
    )


def offered(gate, proposal):
    """Look at a proposal and offer it, as a turn does."""
    looked = gate.look(proposal, "pay", "en")
    return looked if isinstance(looked, Reply) else gate.offer(proposal, PAY, "en", looked)


def test_the_same_within_minutes_is_asked_about_twice(tmp_path):
    gate = gate_with(tmp_path, Till(Outcome("paid"), Outcome("paid")))
    offered(gate, by_till())
    assert yes(gate).text == "Paid."
    shown = offered(gate, by_till())
    assert "You paid the same at 12:30." in shown.text
    assert gate.accept(gate.open.key) is None, "one yes is not enough"
    assert "once more" in gate.ask(gate.open.key, "en").text
    assert gate.ask(gate.open.key, "en") is None
    assert yes(gate).text == "Paid."
    assert offered(gate, by_till("21")).text == "x", "another amount is another payment"


def test_above_the_limit_the_pin_is_asked_for_and_a_yes_alone_pays_nothing(tmp_path):
    till = Till(Outcome("paid"))
    gate = gate_with(tmp_path, till)
    assert "a PIN is needed" in offered(gate, by_till("300")).text
    assert gate.open is None
    gate.pin.choose("271828")
    offered(gate, by_till("300"))
    key = gate.open.key
    for _ in range(2):
        assert "PIN" in gate.ask(key, "en").text
        assert gate.accept(key) is None
    assert "Wrong PIN. 4 left." in gate.unlock("1111", "en").text
    assert gate.open.key == key
    assert gate.unlock("271828", "en") is None
    assert till.asked == []
    assert yes(gate).text == "Paid."


def test_a_pin_that_was_tried_too_often_is_locked_and_drops_the_proposal(tmp_path):
    seconds = [0]
    gate = gate_with(tmp_path, Till(), now=lambda: NOW + timedelta(seconds=seconds[0]))
    gate.pin.choose("271828")
    offered(gate, by_till("300"))
    gate.ask(gate.open.key, "en")
    for _ in range(TRIES - 1):
        assert "Wrong PIN" in gate.unlock("1111", "en").text
    assert "locked for 1 min" in gate.unlock("1111", "en").text
    assert gate.open is None
    assert "locked" in offered(gate, by_till("300")).text
    seconds[0] = LOCK_S + 1
    assert offered(gate, by_till("300")).text == "x"


def test_what_goes_beyond_a_limit_is_not_even_asked_about(tmp_path):
    gate = gate_with(tmp_path, Till())
    assert offered(gate, by_till("500.01")).text == "Not paid: the limit is $500.00 a payment"
    odd = by_till("5", details={})
    euro = Proposal("x", amount=Decimal(5), currency="XTS", payee="Anna", provider="till")
    assert offered(gate, euro).text == "Not paid: XTS cannot be paid here"
    assert isinstance(offered(gate, odd), Proposal)
    gone = Proposal("x", amount=Decimal(5), payee="Anna", provider="gone")
    assert offered(gate, gone).text == "Not paid: gone is not connected"


def test_a_broken_file_of_limits_allows_nothing(tmp_path):
    (tmp_path / "limits.toml").write_text("[limits]\nUSD = { payment = 500 }")
    gate = gate_with(tmp_path, Till())
    assert "the file of the limits is broken" in offered(gate, by_till("5")).text
    with pytest.raises(ConfigError, match="USD has the limits"):
        gate.teller.limits()


# -- after a loss of power ------------------------------------------------------------------------


def dies_while_paying(folder, till):
    """Leave a payment as a process does that dies while its provider is called."""
    gate = gate_with(folder, till)
    offered(gate, by_till())
    accepted = gate.accept(gate.open.key)
    gate.teller.ledger.begin(accepted.order, NOW, "pay", "till", "somebody dead")
    return accepted.key


@pytest.mark.parametrize(
    ("said", "state", "told"),
    [
        (Outcome("paid", "", "R9"), "paid", "It went through: $20.00 to Anna."),
        (Outcome("refused"), "refused", "It did not go through: $20.00 to Anna was not paid."),
    ],
)
def test_what_was_submitted_is_asked_of_its_provider_at_the_next_start(tmp_path, said, state, told):
    key = dies_while_paying(tmp_path, Till())
    till = Cancelling(said)
    gate = gate_with(tmp_path, till)
    assert [one.text for one in gate.recovered("en")] == [told]
    assert till.asked == [("cancel", key)], "it is called off, so that nothing comes late"
    assert states(tmp_path) == [state]


def test_who_cannot_call_off_is_asked_until_it_is_sure(tmp_path):
    key = dies_while_paying(tmp_path, Till())
    till = Till(Outcome("absent"), Outcome("unknown"), OSError("no line"), Outcome("absent"))
    at = [NOW]
    gate = gate_with(tmp_path, till, now=lambda: at[0])
    for _ in range(3):
        assert gate.recovered("en") == []
        assert gate.unresolved() == 1
    till.final_s = 3600
    at[0] += timedelta(seconds=3601)
    assert len(gate.recovered("en")) == 1
    assert states(tmp_path) == ["refused"]
    assert {asked for _, asked in till.asked} == {key}


def test_what_a_living_process_pays_is_left_to_it(tmp_path):
    paying = gate_with(tmp_path, Till())
    other = gate_with(tmp_path, Till())
    paying.teller.ledger.begin(paid_by(paying).order, NOW, "pay", "till", paying.teller._own())
    assert other.recovered("en") == []
    paying.teller.close()
    till = Till(Outcome("paid"))
    assert len(gate_with(tmp_path, till).recovered("en")) == 1


def paid_by(gate):
    offered(gate, by_till())
    return gate.accept(gate.open.key)


def test_a_paid_one_is_settled_when_its_provider_says_the_same_again(tmp_path):
    till = Till(Outcome("paid"), Outcome("absent"), Outcome("paid", "", "R1"))
    gate = gate_with(tmp_path, till)
    offered(gate, by_till())
    yes(gate)
    for state in ("paid", "settled"):
        assert gate.recovered("en") == []
        assert states(tmp_path) == [state]


def test_a_provider_that_pays_something_else_leaves_it_unknown(tmp_path):
    other = Outcome("paid", paid=Payment(Decimal(400), "USD", "Tom"))
    gate = gate_with(tmp_path, Till(other))
    offered(gate, by_till())
    assert "outcome unknown" in yes(gate).text
    assert gate.fault == "paid something else than was shown"
    assert states(tmp_path) == ["unknown"]


def test_a_provider_that_contradicts_itself_changes_nothing(tmp_path):
    gate = gate_with(tmp_path, Till(Outcome("paid")))
    offered(gate, by_till())
    yes(gate)
    entry = gate.teller.entries()[0]
    assert gate.teller._note(entry.order.key, "till", Outcome("refused")).state == "paid"


def asking(commit):
    return Proposal("Use it?", title="lamp", commit=commit, asks=True)


def test_a_proposal_that_moves_nothing_asks_and_is_in_no_ledger(tmp_path):
    gate, done = gate_with(tmp_path, Till()), []

    def commit(key):
        done.append(key)
        return Receipt("It is on.")

    offered(gate, asking(commit))
    assert done == []
    assert yes(gate).text == "It is on."
    assert len(done) == 1
    assert gate.teller.ledger.entries() == []
    offered(gate, asking(commit))
    assert gate.decline("en").text == "Cancelled. Nothing was done."
    assert len(done) == 1


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (NotCommitted("the lamp is gone"), "Not done: the lamp is gone"),
        (OSError("no line"), "Not done: no line"),
        (ZeroDivisionError(), "Not done: the skill failed"),
    ],
)
def test_what_only_asked_and_fails_is_no_payment_of_unknown_outcome(tmp_path, error, text):
    gate = gate_with(tmp_path, Till())

    def commit(key):
        raise error

    offered(gate, asking(commit))
    assert yes(gate).text == text
    assert gate.unresolved() == 0
