"""The ledger: double entry, added to only, exact to the cent, and whole or refused."""

import ast
import json
import shutil
import sqlite3
import stat
import tempfile
import threading
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from agent.act import books, chain
from agent.act.ledger import Ledger, Terms
from agent.act.limits import Limit
from agent.act.states import NEXT, IllegalStep
from agent.messages import Order
from agent.skill.payments import LedgerError

NOW = datetime(2030, 5, 6, 12, 30)
ROOT = Path(__file__).parents[3]
OPENED = Decimal(1000)
WALLET = Terms(opening=OPENED)


def order(key="k1", amount="20.00", payee="anna", currency="USD", **more):
    return Order(key, Decimal(amount), currency, payee.title(), payee, **more)


def begin(ledger, an_order, terms=WALLET, now=NOW):
    return ledger.begin(an_order, now, "pay", "wallet", "me", terms)


def raw(ledger):
    return sqlite3.connect(ledger.path)


class Bookkeeping(RuleBasedStateMachine):
    """A ledger beside a model of it that keeps nothing but numbers."""

    keys = Bundle("keys")

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.ledger = Ledger(self.folder)
        self.made, self.states, self.count = {}, {}, 0

    def teardown(self):
        self.ledger.close()
        shutil.rmtree(self.folder)

    def spent(self):
        return sum(
            (self.made[key] for key, state in self.states.items() if state != "refused"), Decimal(0)
        )

    @rule(target=keys, cents=st.integers(1, 30_000), payee=st.sampled_from(["anna", "tom"]))
    def pay(self, cents, payee):
        self.count += 1
        key, amount = f"k{self.count}", Decimal(cents) / 100
        an_order = order(key, str(amount), payee)
        if self.spent() + amount > OPENED:
            with pytest.raises(LedgerError) as refused:
                begin(self.ledger, an_order)
            assert (refused.value.why, refused.value.limit) == ("funds", OPENED - self.spent())
            return key
        assert begin(self.ledger, an_order).state == "submitted"
        self.made[key], self.states[key] = amount, "submitted"
        return key

    @rule(key=keys, to=st.sampled_from(["paid", "refused", "unknown"]), final=st.booleans())
    def hear(self, key, to, final):
        if key not in self.states:
            return
        now = self.states[key]
        same = now == to or (to, now) == ("paid", "settled")
        if not same and to not in NEXT[now]:
            with pytest.raises(IllegalStep):
                self.ledger.end(key, to, NOW)
            return
        ended = self.ledger.end(key, to, NOW, "ref", "said", settled=final)
        expected = now if same else to
        self.states[key] = "settled" if final and expected == "paid" else expected
        assert ended.state == self.states[key]

    @rule(key=keys)
    def the_same_key_is_never_begun_again(self, key):
        if key in self.states:
            with pytest.raises(LedgerError, match="in the ledger already"):
                begin(self.ledger, order(key))

    @rule()
    def lose_power(self):
        self.ledger.close()
        self.ledger = Ledger(self.folder)

    @invariant()
    def the_sums_agree_to_the_cent(self):
        assert self.ledger.balance("wallet", "USD", OPENED) == OPENED - self.spent()
        for payee in ("anna", "tom"):
            entries = [e for e in self.ledger.entries() if e.order.account == payee]
            paid = sum(
                (e.order.amount for e in entries if e.state in ("paid", "settled")), Decimal(0)
            )
            assert self.ledger.balance(f"payee:{payee}", "USD") == paid
        assert {e.order.key: e.state for e in self.ledger.entries()} == self.states

    @invariant()
    def every_line_is_as_it_was_written(self):
        self.ledger.verify()
        if self.ledger.path.exists():
            with raw(self.ledger) as db:
                assert db.execute("SELECT COALESCE(sum(minor), 0) FROM postings").fetchone() == (0,)


TestBookkeeping = Bookkeeping.TestCase
TestBookkeeping.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip


# -- what is refused ------------------------------------------------------------------------------

LIMIT = Limit(payment=5_000, day=10_000, payee=8_000, pin=2_000)


def test_limits_hold_by_payment_payee_and_day(tmp_path):
    ledger, terms = Ledger(tmp_path), Terms(LIMIT)
    with pytest.raises(LedgerError) as refused:
        begin(ledger, order("a", "50.01"), terms)
    assert (refused.value.why, refused.value.limit) == ("payment", Decimal(50))
    begin(ledger, order("a", "50.00"), terms)
    with pytest.raises(LedgerError) as refused:
        begin(ledger, order("b", "30.01"), terms)
    assert refused.value.why == "payee"
    begin(ledger, order("b", "50.00", "tom"), terms)
    with pytest.raises(LedgerError) as refused:
        begin(ledger, order("c", "0.01", "mina"), terms)
    assert refused.value.why == "day"
    begin(ledger, order("d", "50.00"), terms, NOW + timedelta(days=1))
    begin(ledger, order("e", "5.00", currency="EUR"), Terms(LIMIT))  # each currency has its own


def test_what_was_refused_counts_for_no_limit(tmp_path):
    ledger, terms = Ledger(tmp_path), Terms(LIMIT)
    for n in range(5):
        begin(ledger, order(f"k{n}", "50.00"), terms)
        ledger.end(f"k{n}", "refused", NOW)
    assert ledger.balance("payee:anna", "USD") == 0


def test_two_that_pay_at_once_cannot_go_beyond_a_limit_together(tmp_path):
    together, refused = threading.Barrier(8), []

    def go(n):
        ledger = Ledger(tmp_path)
        together.wait()
        try:
            begin(ledger, order(f"k{n}", "30.00", f"payee{n}"), Terms(LIMIT))
        except LedgerError as error:
            refused.append(error.why)

    racers = [threading.Thread(target=go, args=(n,)) for n in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert refused == ["day"] * 5
    assert len(Ledger(tmp_path).entries()) == 3


@pytest.mark.parametrize("wrong", ["0", "-1", "NaN", "Infinity", "0.001", "1e20", "1e-400"])
def test_what_is_no_amount_is_refused(tmp_path, wrong):
    with pytest.raises(LedgerError) as refused:
        begin(Ledger(tmp_path), order(amount=wrong))
    assert refused.value.why == "amount"
    assert Ledger(tmp_path).entries() == []


def test_a_refund_is_no_more_than_was_paid_and_once(tmp_path):
    ledger = Ledger(tmp_path)
    begin(ledger, order("a", "20.00"))
    back = order("r", "20.00", kind="refund", of="a")
    with pytest.raises(LedgerError, match="no such payment"):
        begin(ledger, back)
    ledger.end("a", "paid", NOW)
    begin(ledger, order("r", "15.00", kind="refund", of="a"))
    with pytest.raises(LedgerError) as refused:
        begin(ledger, order("s", "5.01", kind="refund", of="a"))
    assert refused.value.limit == Decimal(5)
    ledger.end("r", "refused", NOW)
    begin(ledger, order("s", "20.00", kind="refund", of="a"))
    ledger.end("s", "paid", NOW)
    assert ledger.refunded("a") == 20
    assert ledger.balance("wallet", "USD") == OPENED
    assert ledger.balance("payee:anna", "USD") == 0


def test_a_top_up_fills_the_wallet(tmp_path):
    ledger = Ledger(tmp_path)
    begin(ledger, order("t", "50.00", "wallet", kind="top-up"))
    assert ledger.balance("wallet", "USD") == OPENED
    ledger.end("t", "paid", NOW)
    assert ledger.balance("wallet", "USD") == OPENED + 50
    assert ledger.balance("outside", "USD") == -50


# -- time -----------------------------------------------------------------------------------------


def test_a_clock_that_jumps_back_writes_no_line_before_the_last(tmp_path):
    ledger = Ledger(tmp_path)
    begin(ledger, order("a"))
    entry = begin(ledger, order("b"), now=NOW - timedelta(hours=3))
    assert entry.at == NOW.astimezone()
    with pytest.raises(LedgerError):  # an hour back is no new day
        begin(ledger, order("c", "45.00"), Terms(LIMIT), NOW - timedelta(hours=13))


def test_a_clock_that_was_a_year_ahead_is_believed_once_it_is_right(tmp_path):
    ledger = Ledger(tmp_path)
    begin(ledger, order("a"), now=NOW + timedelta(days=365))
    assert begin(ledger, order("b")).at == NOW.astimezone()
    ledger.verify()


# -- the file -------------------------------------------------------------------------------------


def full(folder):
    """Return a ledger with a settled, a refused and an open payment in it."""
    ledger = Ledger(folder)
    for key, amount in (("a", "20.00"), ("b", "31.50"), ("c", "0.05")):
        begin(ledger, order(key, amount))
    ledger.end("a", "paid", NOW, "R1", "ok", settled=True)
    ledger.end("b", "refused", NOW, note="no")
    ledger.close()
    return ledger


LINES = {
    "an amount": "UPDATE payments SET minor = minor + 1 WHERE key = 'b'",
    "a payee": "UPDATE payments SET account = 'mallory' WHERE key = 'c'",
    "an outcome": "UPDATE events SET state = 'paid' WHERE state = 'refused'",
    "a reference": "UPDATE events SET reference = 'R2' WHERE reference = 'R1'",
    "a posting": "UPDATE postings SET account = 'payee:mallory' WHERE account = 'payee:anna'",
    "two postings": "UPDATE postings SET minor = minor * 2 WHERE seq = 3",
    "a line in the middle": "DELETE FROM events WHERE seq = 3",
    "the last line": "DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)",
    "all postings": "DELETE FROM postings",
    "a payment": "DELETE FROM payments WHERE key = 'b'",
    "one that nobody agreed to": "INSERT INTO payments SELECT 'x', 99, at, skill, provider, owner,"
    " kind, of, payee, account, currency, minor, details FROM payments WHERE key = 'a'",
}


@pytest.mark.parametrize("change", LINES.values(), ids=LINES)
def test_a_changed_or_lost_line_is_found_and_nothing_is_paid_then(tmp_path, change):
    ledger = full(tmp_path)
    with raw(ledger) as db:
        if not change.startswith("INSERT"):
            with pytest.raises(sqlite3.IntegrityError, match="only added to"):
                db.execute(change)
        for (name,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            db.execute(f"DROP TRIGGER {name}")
        db.execute(change)
    db.close()
    before = ledger.path.read_bytes()
    with pytest.raises(LedgerError) as refused:
        begin(Ledger(tmp_path), order("d"))
    assert refused.value.why == "damaged"
    assert ledger.path.read_bytes() == before


def test_a_damaged_file_is_left_as_it_is(tmp_path):
    ledger = full(tmp_path)
    with raw(ledger) as db:  # all of it in one file
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    whole = ledger.path.read_bytes()
    for damage in (b"no ledger" * 1000, whole[:5000], whole[:2000] + b"\xff" * 3000 + whole[5000:]):
        for other in tmp_path.glob("ledger.sqlite-*"):
            other.unlink()
        ledger.path.write_bytes(damage)
        with pytest.raises(LedgerError) as refused:
            begin(Ledger(tmp_path), order("d"))
        assert refused.value.why == "damaged"
        assert ledger.path.read_bytes() == damage


def test_a_ledger_of_tomorrow_is_left_as_it_is(tmp_path):
    ledger = full(tmp_path)
    with raw(ledger) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(LedgerError, match="update the glasses") as refused:
        Ledger(tmp_path).entries()
    assert refused.value.why == "newer"


def test_an_older_layout_is_copied_and_then_migrated(tmp_path):
    def second(db):
        db.execute("CREATE TABLE more (what TEXT) STRICT")

    old = full(tmp_path)
    begin(old, order("d", "7.00"))  # perhaps only in the log
    migrated = Ledger(tmp_path, steps=(*books.STEPS, second))
    assert [one.order.key for one in migrated.entries()] == ["d", "c", "b", "a"]
    with raw(migrated) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
    db.close()
    copy = tmp_path / "ledger.sqlite.layout-1"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    (tmp_path / "again").mkdir()
    shutil.copy(copy, tmp_path / "again" / "ledger.sqlite")
    assert len(Ledger(tmp_path / "again").entries()) == 4


def test_a_migration_that_fails_changes_nothing(tmp_path):
    def second(db):
        db.execute("CREATE TABLE more (what TEXT) STRICT")
        raise sqlite3.OperationalError("power went")

    old = full(tmp_path)
    old.close()
    with pytest.raises(LedgerError):
        Ledger(tmp_path, steps=(*books.STEPS, second)).entries()
    assert len(Ledger(tmp_path).entries()) == 3


def test_a_ledger_that_another_holds_is_busy(tmp_path):
    full(tmp_path)
    holds = sqlite3.connect(tmp_path / "ledger.sqlite", isolation_level=None)
    holds.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerError) as refused:
        begin(Ledger(tmp_path, wait_s=0.05), order("d"))
    assert refused.value.why == "busy"
    holds.execute("ROLLBACK")
    holds.close()


def test_a_folder_in_its_place_is_told(tmp_path):
    (tmp_path / "ledger.sqlite").mkdir()
    with pytest.raises(LedgerError) as refused:
        begin(Ledger(tmp_path), order())
    assert refused.value.why == "closed"


def test_a_disk_that_is_full_is_told_and_nothing_was_written(tmp_path):
    """SQLite's own limit of pages stands for the end of the disk: the same error comes of it."""
    full(tmp_path)
    ledger = Ledger(tmp_path)

    def fill():
        with ledger._books.writing() as db:
            db.execute("PRAGMA max_page_count = 1")
            db.execute("INSERT INTO events VALUES (99, '', '', '', '', hex(zeroblob(9999999)), '')")

    with pytest.raises(LedgerError) as refused:
        fill()
    assert refused.value.why == "full"
    assert len(Ledger(tmp_path).entries()) == 3


def test_many_may_make_a_new_ledger_at_once(tmp_path):
    for round_ in range(8):
        folder, together, made = tmp_path / str(round_), threading.Barrier(6), []

        def go(n, folder=folder, together=together, made=made):
            together.wait()
            made.append(begin(Ledger(folder), order(f"k{n}", "1.00")).number)

        racers = [threading.Thread(target=go, args=(n,)) for n in range(6)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        assert sorted(made) == [1, 2, 3, 4, 5, 6]
        Ledger(folder).verify()


def test_what_a_provider_says_is_kept_short_and_harmless(tmp_path):
    ledger = Ledger(tmp_path)
    begin(ledger, order())
    entry = ledger.end("k1", "refused", NOW, "r\x1b[2J\n1", "‮evil\x00" + "x" * 9999)
    assert entry.reference == "r [2J 1"
    assert len(entry.note) <= 500
    assert all(c.isprintable() for c in entry.note)


def test_the_hash_is_over_all_that_a_line_says():
    event, payment, posting = (1, "t", "k", "paid", "r", "n"), ("k", 1), ("a", "USD", 1)
    whole = chain.link("x", event, payment, [posting])
    changed = [
        chain.link("y", event, payment, [posting]),
        chain.link("x", (2, *event[1:]), payment, [posting]),
        chain.link("x", event, None, [posting]),
        chain.link("x", event, payment, []),
        chain.link("x", event, payment, [("a", "USD", 2)]),
    ]
    assert len({whole, *changed}) == 6
    assert json.loads(json.dumps(whole)) == whole


# -- what an earlier version kept ----------------------------------------------------------------


def earlier_version(folder):
    """Write what the gate and the skill kept before there was one ledger."""
    (folder / "pay").mkdir()
    gate = sqlite3.connect(folder / "gate.sqlite")
    gate.execute(
        "CREATE TABLE commits (key TEXT PRIMARY KEY, skill TEXT, amount TEXT, currency TEXT,"
        " payee TEXT, at TEXT, state TEXT, reference TEXT DEFAULT '')"
    )
    rows = [
        ("a", "pay", "20.50", "USD", "Anna", "2029-01-02 03:04:05", "done", "P1"),
        ("b", "pay", "5", "USD", "Tom", "2029-01-03 03:04:05", "failed", ""),
        ("c", "shop", "7.00", "CNY", "某店", "2029-01-04 03:04:05", "committing", ""),
        ("d", "pay", "junk", "USD", "Tom", "2029-01-05 03:04:05", "done", ""),
    ]
    gate.executemany("INSERT INTO commits VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    gate.commit()
    gate.close()
    names = sqlite3.connect(folder / "pay" / "ledger.sqlite")
    names.execute("CREATE TABLE payments (key TEXT, payee TEXT)")
    names.execute("INSERT INTO payments VALUES ('a', 'anna')")
    names.commit()
    names.close()


def test_what_an_earlier_version_kept_is_brought_along_once(tmp_path):
    earlier_version(tmp_path)
    before = (tmp_path / "gate.sqlite").read_bytes()
    for _ in range(2):
        ledger = Ledger(tmp_path)
        told = [(e.order.key, e.order.account, e.state) for e in reversed(ledger.entries())]
        assert told == [("a", "anna", "settled"), ("b", "Tom", "refused"), ("c", "某店", "unknown")]
        ledger.verify()
        ledger.close()
    assert Ledger(tmp_path).balance("payee:anna", "USD") == Decimal("20.50")
    assert Ledger(tmp_path).balance("transit", "CNY") == 7
    assert (tmp_path / "gate.sqlite").read_bytes() == before
    assert begin(Ledger(tmp_path), order("e")).number == 4


def test_an_earlier_version_that_cannot_be_read_is_left_and_told(tmp_path, caplog):
    (tmp_path / "gate.sqlite").write_bytes(b"junk" * 1000)
    assert Ledger(tmp_path).entries() == []
    assert "cannot be read" in caplog.text
    assert begin(Ledger(tmp_path), order()).number == 1


# -- no float is in a money path ------------------------------------------------------------------

MONEY_PATHS = [
    *(ROOT / "skills/pay").rglob("*.py"),
    *(
        ROOT / "agent/act" / f"{name}.py"
        for name in ("ledger", "books", "chain", "earlier", "limits", "states")
    ),
    ROOT / "agent/language/money.py",
    ROOT / "agent/skill/payments.py",
]


@pytest.mark.parametrize("path", MONEY_PATHS, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_float_is_in_a_money_path(path):
    """No `float` is named, and no literal with a point is there that is no time (`…_S`, `…_s`)."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    times = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.arg | ast.keyword)
        and any(name.casefold().endswith("_s") for name in _named(node))
        for inner in ast.walk(node)
    }
    found = [
        node.lineno
        for node in ast.walk(tree)
        if id(node) not in times
        and (
            (isinstance(node, ast.Name) and node.id == "float")
            or (isinstance(node, ast.Constant) and isinstance(node.value, float))
        )
    ]
    assert found == []


def _named(node):
    match node:
        case ast.Assign(targets=targets):
            return [t.id for t in targets if isinstance(t, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.arg(arg=name):
            return [name]
        case ast.keyword(arg=name):
            return [name or ""]
    return []


def test_a_float_is_no_order():
    with pytest.raises(TypeError, match="is a float"):
        Order("k", 20.5, "USD", "Anna", "anna")
