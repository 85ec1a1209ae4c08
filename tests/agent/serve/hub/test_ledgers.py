"""The one writer of ledgers, and what an agent sees of it."""

import os
import signal
import threading
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from agent.act.ledger import Ledger, Terms
from agent.act.states import IllegalStep
from agent.messages import Order
from agent.serve.hub import ledgers
from agent.serve.hub.ledgers import Far, Ledgers, Line, Unreached, Writer, answered, asked
from agent.skill.payments import LedgerError
from tests.pace import until

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


def order(key="k1", amount="4.00", payee="anna"):
    return Order(key, Decimal(amount), "USD", payee, payee)


@pytest.fixture(params=["here", "in a process of its own"])
def do(request, tmp_path):
    if request.param == "here":
        held = Ledgers(tmp_path)
        yield lambda *call: answered(asked(held, *call))
        held.close()
    else:
        writer = Writer(tmp_path)
        writer.begin()
        yield writer.line.do
        writer.close()


def test_a_far_ledger_tells_what_a_ledger_tells(do, tmp_path):
    far = Far(do, "acme", "mine", tmp_path / "acme" / "mine")
    assert (far.find("k1"), far.entries(), far.since(NOW)) == (None, [], 0)
    far.check(order(), NOW, "pay", "wallet", Terms(opening=Decimal(10)))
    entry = far.begin(order(), NOW, "pay", "wallet", "owner", Terms(opening=Decimal(10)))
    assert entry.state == "submitted"
    assert far.end("k1", "paid", NOW, "ref", "note", settled=True).state == "settled"
    assert far.find("k1").reference == "ref"
    assert far.balance("wallet", "USD") == Decimal(6)
    assert far.last_same(order("k2"), NOW).order.key == "k1"
    assert (far.refunded("k1"), far.since(NOW)) == (Decimal(0), 1)
    far.verify()
    plain = Ledger(tmp_path / "acme" / "mine")
    assert plain.entries() == far.entries()
    assert far.path == plain.path
    plain.close()


def test_what_a_ledger_refuses_is_refused_with_its_reason(do, tmp_path):
    far = Far(do, "acme", "mine", tmp_path / "acme" / "mine")
    with pytest.raises(LedgerError) as poor:
        far.begin(order(amount="11.00"), NOW, "pay", "wallet", "", Terms(opening=Decimal(10)))
    assert (poor.value.why, poor.value.limit) == ("funds", Decimal(10))
    far.begin(order(), NOW, "pay")
    with pytest.raises(LedgerError, match="is in the ledger already"):
        far.begin(order(), NOW, "pay")
    far.end("k1", "refused", NOW)
    with pytest.raises(IllegalStep):
        far.end("k1", "paid", NOW)


def test_glasses_have_ledgers_of_their_own(do, tmp_path):
    one = Far(do, "acme", "one", tmp_path / "acme/one")
    other = Far(do, "acme", "other", tmp_path / "acme/other")
    one.begin(order(), NOW, "pay")
    assert other.find("k1") is None


@pytest.mark.parametrize(
    "call", [("..", "mine", "find"), ("acme", "a/b", "find"), ("acme", "mine", "close")]
)
def test_no_other_file_and_no_other_call_is_reached(do, tmp_path, call):
    with pytest.raises(ValueError, match="no such ledger"):
        do(*call, ())
    assert not [*tmp_path.rglob("*.sqlite")]


def test_a_call_without_the_key_is_not_answered(tmp_path):
    writer = Writer(tmp_path)
    writer.begin()
    with pytest.raises(Unreached):
        Line(writer.line.socket, b"wrong").do("acme", "mine", "exists", ())
    assert writer.line.do("acme", "mine", "exists", ()) is False
    writer.close()


def test_a_payment_goes_through_although_the_writer_is_killed_again_and_again(tmp_path):
    writer = Writer(tmp_path)
    writer.begin()
    far = Far(writer.line.do, "acme", "mine", tmp_path / "acme" / "mine")
    ends = threading.Event()

    def killing():
        while not ends.wait(0.3):
            if writer.pid is not None:
                os.kill(writer.pid, signal.SIGKILL)
                until(lambda: _answers(writer) or ends.is_set())

    thread = threading.Thread(target=killing)
    thread.start()
    try:
        for number in range(12):
            far.begin(order(f"k{number}"), NOW, "pay", "wallet")
            far.end(f"k{number}", "paid", NOW)
    finally:
        ends.set()
        thread.join()
    assert sorted(entry.order.key for entry in far.entries()) == sorted(f"k{n}" for n in range(12))
    far.verify()
    writer.close()


def _answers(writer):
    try:
        writer.line.do("acme", "other", "exists", ())
    except Unreached:
        return False
    return True


def test_a_writer_that_never_comes_back_is_a_clear_refusal(tmp_path, monkeypatch):
    monkeypatch.setattr(ledgers, "WAIT_S", 0.2)
    far = Far(Line(str(tmp_path / "none"), b"k").do, "acme", "mine", tmp_path / "acme/mine")
    with pytest.raises(LedgerError, match="does not answer") as refused:
        far.begin(order(), NOW, "pay")
    assert refused.value.why == "closed"


def test_only_so_many_files_are_held_open(tmp_path, monkeypatch):
    monkeypatch.setattr(ledgers, "MOST_OPEN", 3)
    held = Ledgers(tmp_path)
    for number in range(8):
        held.do("acme", f"g{number}", "begin", (order(), NOW, "pay"))
    assert len(held._open) == 3
    assert held.do("acme", "g0", "find", ("k1",)).order.key == "k1"
    held.close()
