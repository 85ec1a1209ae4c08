"""Paying: what is proposed, what is recorded, and what survives."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Context as DecimalContext
from decimal import Decimal, DefaultContext, localcontext
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import skills.pay as pay_skill
from agent import Context, Proposal, Receipt, Reply
from agent import Payment as Shown
from agent.act.gate import NotCommitted
from agent.language.numbers import Money, parse_money
from agent.messages import Intent, NotRecognized, Transcript
from agent.plugins.skills import Skills
from agent.skill.data import DataError
from agent.testing import lens, make_agent
from agent.understand.router import Router
from skills.pay import accounts, address_book
from skills.pay import ledger as ledgers
from skills.pay.ledger import Busy, Damaged, KeyReused, Ledger, Payment

FOLDER = Path(pay_skill.__file__).parent
ROOT = FOLDER.parents[1]
NOW = datetime(2030, 5, 6, 12, 30)
TWENTY = Payment("anna", 2000, "USD")


@pytest.fixture(autouse=True)
def shipped_address_book(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address_book, "FILE", address_book.SHIPPED)


@pytest.fixture
def installed() -> Skills:
    skills = Skills()
    skills.load(pay_skill)
    return skills


def context(folder: Path, language: str = "en", now: datetime = NOW) -> Context:
    raw = yaml.safe_load((FOLDER / "sentences" / "zh.yaml").read_text(encoding="utf-8"))
    return Context(
        skill="pay",
        language=language,
        folder=folder,
        memory={},
        responses=raw["responses"] if language == "zh" else {},
        clock=lambda: now,
    )


def propose(ctx: Context, amount: str = "20", payee: str = "anna") -> Proposal:
    reply = pay_skill.pay(parse_money(amount), payee, ctx)
    assert isinstance(reply, Proposal), reply.text
    return reply


def commit(proposal: Proposal, key: str) -> Receipt:
    assert proposal.commit is not None
    return proposal.commit(key, Shown(proposal.amount, proposal.currency, proposal.payee))


def stored(ctx: Context) -> list[tuple[str, int]]:
    entries = Ledger(ctx.folder / "ledger.sqlite").entries()
    return [(one.payment.payee, one.payment.cents) for one in entries]


# What is proposed


def test_a_proposal_shows_amount_and_payee_and_records_nothing(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    proposal = propose(ctx, "$20.50")
    assert (proposal.title, proposal.text) == ("Payment", "Recorded here only: no bank.")
    assert (proposal.amount, proposal.currency, proposal.payee) == (Decimal("20.50"), "USD", "Anna")
    assert proposal.kind == "proposal"
    assert stored(ctx) == []


@pytest.mark.parametrize(
    ("amount", "why"),
    [
        (Money("20", "EUR"), "Only USD here, not EUR."),
        (Money("500.01", "USD"), "The limit is $500.00 a payment."),
        (Decimal("0.005"), "That is not an amount in dollars and cents."),
        (Decimal(0), "That is not an amount in dollars and cents."),
        (Decimal(-5), "That is not an amount in dollars and cents."),
        (Decimal("NaN"), "That is not an amount in dollars and cents."),
        (Decimal("Infinity"), "That is not an amount in dollars and cents."),
    ],
)
def test_an_amount_that_cannot_be_paid_is_refused(
    tmp_path: Path, amount: Decimal, why: str
) -> None:
    reply = pay_skill.pay(amount, "anna", context(tmp_path))
    assert not isinstance(reply, Proposal)
    assert (reply.title, reply.text) == ("Not paid", why)


@pytest.mark.parametrize("rude", [{"prec": 2}, {"prec": 1, "rounding": "ROUND_UP"},
                                  {"prec": 3, "Emax": 1, "Emin": -1, "traps": []}])  # fmt: skip
def test_no_decimal_context_of_others_rounds_an_amount(
    tmp_path: Path, rude: dict[str, object]
) -> None:
    ctx = context(tmp_path)
    with localcontext(DecimalContext(**rude)):  # type: ignore[arg-type]
        proposal = propose(ctx, "$123.45")
        assert (str(proposal.amount), proposal.amount > 123) == ("123.45", True)
        assert isinstance(commit(proposal, "k1"), Receipt)
        refused = pay_skill.pay(parse_money("$500.01"), "anna", ctx)
        assert refused.text == "The limit is $500.00 a payment."
    assert stored(ctx) == [("anna", 12345)]


async def test_decimal_contexts_set_for_all_threads_change_no_payment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("prec", 2), ("rounding", "ROUND_DOWN")):
        monkeypatch.setattr(DefaultContext, name, value)  # of threads that begin from now on
    with localcontext(DecimalContext(prec=2, rounding="ROUND_DOWN")):
        agent = make_agent(tmp_path, plugins=[pay_skill])
        await agent.hear("pay anna $123.45")
        assert "$123.45" in lens(agent)
        await agent.hear("yes")
        turn = await agent.hear("what did i pay today")
    assert turn.reply is not None
    assert turn.reply.title == "Today: $123.45"
    (ledger,) = tmp_path.rglob("ledger.sqlite")
    assert [one.payment for one in Ledger(ledger).entries()] == [Payment("anna", 12345, "USD")]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("pay anna 123456789012", "The limit is $500.00 a payment."),
        ("pay anna 20 yen", "Only USD here, not JPY."),
        ("pay anna 20 canadian dollars", "Only USD here, not CAD."),
        ("给安娜付20加元", "这里只支持USD，不支持CAD。"),
        ("给安娜付五毛", "这里只支持USD，不支持CNY。"),
        ("给安娜付1.5万美元", "单笔上限$500.00。"),
    ],
)
async def test_what_cannot_be_paid_is_refused_by_name(tmp_path: Path, said: str, told: str) -> None:
    agent = make_agent(tmp_path, plugins=[pay_skill])
    turn = await agent.hear(said)
    assert turn.reply is not None
    assert turn.reply.text == told
    assert agent.gate.open is None


@pytest.mark.parametrize("digits", [27, 100, 900])
async def test_no_run_of_digits_ends_the_agent(tmp_path: Path, digits: int) -> None:
    agent = make_agent(tmp_path, plugins=[pay_skill])
    for said in (f"pay anna {'9' * digits}", "pay anna", "9" * digits):
        turn = await agent.hear(said)
        assert turn.error is None
    assert agent.gate.open is None


@pytest.mark.parametrize(
    ("answer", "amount"),
    [("fifty cents", "0.50"), ("a dollar", "1"), ("two and a half dollars", "2.50"),
     ("a buck", "1"), ("五十美分", "0.50"), ("3百美元", "300"), ("壹佰美元", "100")],
)  # fmt: skip
async def test_an_amount_that_is_asked_for_may_be_said_in_any_way(
    tmp_path: Path, answer: str, amount: str
) -> None:
    agent = make_agent(tmp_path, plugins=[pay_skill])
    await agent.hear("pay anna")
    turn = await agent.hear(answer)
    assert isinstance(turn.reply, Proposal)
    assert (turn.reply.amount, turn.reply.currency) == (Decimal(amount), "USD")


def test_the_limit_itself_can_be_paid(tmp_path: Path) -> None:
    assert propose(context(tmp_path), "500").amount == 500


def test_an_unknown_payee_is_never_proposed_and_the_known_ones_are_named(tmp_path: Path) -> None:
    reply = pay_skill.pay(Money("5"), "mallory", context(tmp_path))
    assert not isinstance(reply, Proposal)
    assert "Anna" in reply.text.splitlines()


def test_a_payee_in_the_file_of_the_wearer_can_be_paid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine.jsonl"
    mine.write_text('{"id": "vera", "en": ["Vera"]}\n', encoding="utf-8")
    monkeypatch.setattr(address_book, "FILE", mine)
    assert propose(context(tmp_path), "5", "vera").payee == "Vera"
    assert not isinstance(pay_skill.pay(Money("5"), "anna", context(tmp_path)), Proposal)


@pytest.mark.parametrize(
    ("one", "other"),
    [("José", "Jose"), ("Dr. Lee", "dr lee"), ("O’Neil", "O'Neil"), ("Weiß", "Weiss")],
)
def test_names_that_are_heard_alike_cannot_be_two_payees(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one: str, other: str
) -> None:
    mine = tmp_path / "mine.jsonl"
    lines = [json.dumps({"id": name, "en": [name]}) for name in (one, other)]
    mine.write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.setattr(address_book, "FILE", mine)
    with pytest.raises(DataError, match=r"mine\.jsonl:2: .* is taken"):
        address_book.book()


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '{"id": "x"}', '{"id": "x", "en": []}', '{"id": "y", "en": ["Vera"]}'],
)
def test_a_broken_address_book_pays_no_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: Skills, line: str
) -> None:
    mine = tmp_path / "mine.jsonl"
    mine.write_text(f'{{"id": "vera", "en": ["Vera"]}}\n{line}\n', encoding="utf-8")
    monkeypatch.setattr(address_book, "FILE", mine)
    with pytest.raises(DataError, match=r"mine\.jsonl:2"):
        address_book.book()
    reply = pay_skill.pay(Money("5"), "vera", context(tmp_path))
    assert (type(reply), reply.text) == (Reply, "The address book cannot be read.")
    assert pay_skill.payees(context(tmp_path)).text == "The address book cannot be read."
    intent = Router(installed.actions).route(Transcript("who can i pay"))
    assert isinstance(intent, Intent)  # what else can be said is still understood


# What is recorded


def test_a_commit_is_recorded_and_says_that_no_money_moved(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    receipt = commit(propose(ctx, "20.5"), "k1")
    assert receipt == Receipt(
        "Recorded in the ledger on this device. No bank is connected: no money has moved.",
        "P1",
        Shown(Decimal("20.50"), "USD", "Anna"),
    )
    assert stored(ctx) == [("anna", 2050)]


def test_the_same_key_twice_is_one_payment_with_one_receipt(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    proposal = propose(ctx)
    first, again = commit(proposal, "k1"), commit(proposal, "k1")
    other = commit(proposal, "k2")
    assert first == again
    assert (first.reference, other.reference) == ("P1", "P2")
    assert len(stored(ctx)) == 2


def test_a_key_cannot_stand_for_two_payments(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    commit(propose(ctx, "20"), "k1")
    with pytest.raises(NotCommitted, match="another payment"):
        commit(propose(ctx, "21"), "k1")
    assert stored(ctx) == [("anna", 2000)]
    with pytest.raises(KeyReused):
        Ledger(tmp_path / "ledger.sqlite").record("k1", Payment("tom", 2000, "USD"), NOW)


@settings(max_examples=15, deadline=None)
@given(cents=st.integers(1, 50_000))
def test_amounts_are_exact_to_the_cent(
    tmp_path_factory: pytest.TempPathFactory, cents: int
) -> None:
    ctx = context(tmp_path_factory.mktemp("ledger"))
    proposal = propose(ctx, f"{cents // 100}.{cents % 100:02}")
    assert proposal.amount * 100 == cents
    commit(proposal, "k")
    assert stored(ctx) == [("anna", cents)]


def test_nothing_below_one_cent_reaches_the_ledger() -> None:
    for payee, cents, currency in (("anna", 0, "USD"), ("", 5, "USD"), ("anna", 5, "")):
        with pytest.raises(ValueError, match="amount above zero"):
            Payment(payee, cents, currency)


def test_with_the_agent_only_a_yes_records_a_payment(tmp_path: Path) -> None:
    async def converse() -> list[str]:
        agent = make_agent(tmp_path, plugins=[pay_skill])
        shown = []
        for said in ("pay twenty dollars to anna", "no", "pay five dollars to tom", "yes", "yes"):
            await agent.hear(said)
            shown.append(lens(agent))
        return shown

    shown = asyncio.run(converse())
    assert "$20.00" in shown[0]
    assert "Anna" in shown[0]
    assert "no money has moved" in " ".join(shown[3].split())
    (ledger,) = tmp_path.rglob("ledger.sqlite")
    assert [one.payment for one in Ledger(ledger).entries()] == [Payment("tom", 500, "USD")]


# What survives

RACE = """
import sys, time
from datetime import datetime
from pathlib import Path
from skills.pay.ledger import Ledger, Payment
path, flag = Path(sys.argv[1]), Path(sys.argv[2])
print("ready", flush=True)
while not flag.exists():
    time.sleep(0.001)
for n in range(20):
    entry = Ledger(path, wait_s=60).record(f"k{n}", Payment("anna", 100 + n, "USD"), datetime.now())
    print(n, entry.reference, flush=True)
"""


def start(code: str, *arguments: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_committing_the_same_keys_at_once_pay_once(tmp_path: Path) -> None:
    path, flag = tmp_path / "ledger.sqlite", tmp_path / "go"
    racers = [start(RACE, path, flag) for _ in range(2)]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    flag.touch()
    said = [racer.communicate(timeout=60)[0] for racer in racers]
    assert [racer.returncode for racer in racers] == [0, 0]
    assert said[0] == said[1]
    assert len(Ledger(path).entries()) == 20


def test_a_new_ledger_can_be_opened_by_many_at_once(tmp_path: Path) -> None:
    """Switching a new file to WAL fails at once where another does the same; six race for it."""
    for round_ in range(15):
        path, together = tmp_path / f"{round_}.sqlite", threading.Barrier(6)
        numbers: list[int] = []

        def go(path: Path = path, together: threading.Barrier = together) -> None:
            together.wait()
            numbers.append(Ledger(path).record("k", TWENTY, NOW).number)  # noqa: B023  joined below

        racers = [threading.Thread(target=go) for _ in range(6)]
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        assert numbers == [1] * 6


KILLED = """
import sys
from datetime import datetime
from pathlib import Path
from skills.pay.ledger import Ledger, Payment
n = 0
while True:
    entry = Ledger(Path(sys.argv[1])).record(f"k{n}", Payment("tom", n + 1, "USD"), datetime.now())
    print(entry.number, flush=True)
    n += 1
"""


def test_a_process_killed_while_it_writes_loses_no_receipt_it_gave(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    process = start(KILLED, path)
    assert process.stdout is not None
    for _ in range(10):
        process.stdout.readline()
    time.sleep(0.013)  # lands anywhere in a payment
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().split()
    process.wait()
    process.stdout.close()
    given_out = 10 + len(rest)
    ledger = Ledger(path)
    kept = ledger.entries()
    assert given_out <= len(kept) <= given_out + 1  # the one in the middle may have got through
    assert [one.payment.cents for one in reversed(kept)] == list(range(1, len(kept) + 1))
    # The outcome of every key can be told, and asking again pays nothing twice.
    assert ledger.find(f"k{len(kept)}") is None
    again = ledger.record(f"k{given_out - 1}", Payment("tom", given_out, "USD"), NOW)
    assert again.number == given_out
    assert len(ledger.entries()) == len(kept)


def power_cut(path: Path) -> dict[str, bytes]:
    """Leave a ledger as a power cut does: the last payment only in the log, no shared memory."""
    ledger = Ledger(path)
    for n in range(9):
        ledger.record(f"k{n}", TWENTY, NOW)
    held = sqlite3.connect(path)  # while someone reads, the log is not folded in
    held.execute("SELECT count(*) FROM payments").fetchone()
    ledger.record("k9", TWENTY, NOW)
    files = content_of(path.parent)
    assert len(files[f"{path.name}-wal"]) > 0
    held.close()
    for old in path.parent.iterdir():
        old.unlink()
    for name, data in files.items():
        (path.parent / name).write_bytes(data)
    return files


def test_after_a_power_cut_the_log_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    power_cut(path)
    assert Ledger(path).record("k9", TWENTY, NOW).number == 10
    assert len(Ledger(path).entries()) == 10


def damaged_ledger(path: Path) -> dict[str, bytes]:
    """Break the file of a ledger whose newest payment is only in the log."""
    files = power_cut(path)
    content = files[path.name]
    files[path.name] = content[:2000] + b"\xff" * 3000 + content[5000:]
    path.write_bytes(files[path.name])
    return files


def content_of(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if not p.name.endswith("-shm")}


def not_sqlite(path: Path) -> dict[str, bytes]:
    path.write_bytes(b"this is no database, but it may be dear to someone\n" * 40)
    return {path.name: path.read_bytes()}


def other_layout(path: Path) -> dict[str, bytes]:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE payments (key TEXT)")
    db.close()
    return {path.name: path.read_bytes()}


def newer_layout(path: Path) -> dict[str, bytes]:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 9")
    db.close()
    return {path.name: path.read_bytes()}


@pytest.mark.parametrize("damage", [damaged_ledger, not_sqlite, other_layout, newer_layout])
def test_a_ledger_that_is_not_sound_is_reported_and_never_touched(
    tmp_path: Path, damage: Callable[[Path], dict[str, bytes]]
) -> None:
    ctx = context(tmp_path / "pay")
    proposal = propose(ctx)
    for old in ctx.folder.iterdir():
        old.unlink()
    before = damage(ctx.folder / "ledger.sqlite")
    for reply in (pay_skill.pay(Money("5"), "anna", ctx), pay_skill.history(ctx)):
        assert type(reply) is Reply
        assert reply.text == "The ledger is damaged. It was left untouched."
    with pytest.raises(NotCommitted, match="damaged"):
        commit(proposal, "k")
    with pytest.raises(Damaged):
        Ledger(ctx.folder / "ledger.sqlite").find("k")
    assert content_of(ctx.folder) == before


def test_a_locked_ledger_is_reported_and_nothing_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = context(tmp_path)
    commit(propose(ctx), "k1")
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Busy):
            Ledger(path, wait_s=0.05).record("k2", TWENTY, NOW)
        assert len(Ledger(path, wait_s=0.05).entries()) == 1
        other.execute("ROLLBACK")
    other.close()
    assert Ledger(path, wait_s=0.05).find("k2") is None


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    reply = pay_skill.pay(Money("5"), "anna", context(tmp_path / "file" / "pay"))
    assert reply.text == "The ledger cannot be opened."


def test_a_disk_that_fails_at_the_commit_leaves_the_outcome_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(sqlite3.Connection):
        def execute(self, sql: str, *args: object) -> sqlite3.Cursor:  # type: ignore[override]
            if sql == "COMMIT" and self.in_transaction and failing:
                raise sqlite3.OperationalError("disk I/O error")
            return super().execute(sql, *args)  # type: ignore[arg-type]

    failing: list[bool] = []
    ctx = context(tmp_path)
    proposal = propose(ctx)
    connect = sqlite3.connect
    monkeypatch.setattr(
        ledgers.sqlite3, "connect", lambda *a, **k: connect(*a, factory=Failing, **k)
    )
    failing.append(True)
    with pytest.raises(pay_skill.OutcomeUnknown):
        commit(proposal, "k")
    failing.clear()
    assert commit(proposal, "k").reference == "P1"


# What can be asked


def test_history_shows_the_newest_first_and_today_only_today(tmp_path: Path) -> None:
    commit(propose(context(tmp_path, now=NOW - timedelta(days=1)), "7", "tom"), "k1")
    ctx = context(tmp_path)
    commit(propose(ctx, "20.50"), "k2")
    commit(propose(ctx, "3", "book-shop"), "k3")
    last = pay_skill.history(ctx)
    assert last.title == "Last payments"
    assert last.text.splitlines() == [
        "$3.00 Book Shop 12:30",
        "$20.50 Anna 12:30",
        "$7.00 Tom 2030-05-05",
    ]
    today = pay_skill.history(ctx, "today")
    assert today.title == "Today: $23.50"
    assert len(today.text.splitlines()) == 2


def test_history_of_one_payee_or_amount(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    commit(propose(ctx, "7", "tom"), "k1")
    commit(propose(ctx, "20"), "k2")
    commit(propose(ctx, "30"), "k3")
    assert pay_skill.history(ctx, payee="tom").text == "$7.00 Tom 12:30"
    assert pay_skill.history(ctx, payee="anna", amount=Decimal(20)).text == "$20.00 Anna 12:30"
    assert pay_skill.history(ctx, payee="tom", amount=Decimal(20)).text == "No such payment."


def test_a_long_history_says_how_many_are_left_out(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    for n in range(13):
        ledger.record(f"k{n}", TWENTY, NOW)
    lines = pay_skill.history(context(tmp_path)).text.splitlines()
    assert lines[-1] == "… and 3 more"
    assert len(lines) == pay_skill.SHOWN + 1


def test_an_empty_history_is_said_so(tmp_path: Path) -> None:
    assert pay_skill.history(context(tmp_path)).text == "No payments yet."
    assert pay_skill.history(context(tmp_path), "today").text == "No payments today."


def test_chinese_replies(tmp_path: Path) -> None:
    ctx = context(tmp_path, "zh")
    proposal = propose(ctx, "二十美元")
    assert (proposal.title, proposal.payee) == ("付款", "安娜")
    assert commit(proposal, "k").text == "已记入本机账本。未连接银行，没有实际转账。"
    assert pay_skill.history(ctx).text == "$20.00 安娜 12:30"


@pytest.mark.parametrize(
    ("said", "action", "slots"),
    [
        ("pay twenty dollars to anna", "pay", {"amount": 20, "payee": "anna"}),
        ("pay tom $4.50", "pay", {"amount": Decimal("4.50"), "payee": "tom"}),
        ("send lily five dollars", "pay", {"amount": 5, "payee": "lily"}),
        ("give the corner bakery 12 dollars", "pay", {"amount": 12, "payee": "corner-bakery"}),
        ("what did i pay today", "history", {"when": "today"}),
        ("show me my last payments", "history", {}),
        ("who can i pay", "payees", {}),
        ("pay my electric bill", "bill", {"bill": "electric"}),
        ("pay the verizon bill", "bill", {"bill": "verizon"}),
        (
            "pay my water bill from my checking account",
            "bill",
            {"bill": "water", "account": "checking"},
        ),
        ("pay my bills", "bill", {}),
        (
            "transfer 100 dollars from my checking account to savings",
            "transfer",
            {"amount": 100, "source": "checking", "target": "savings"},
        ),
        (
            "move fifty dollars between first national and my savings account",
            "transfer",
            {"amount": 50, "source": "first national", "target": "savings"},
        ),
        ("transfer money between my accounts", "transfer", {}),
        ("transfer twenty dollars to anna", "pay", {"amount": 20, "payee": "anna"}),
        ("付电费", "bill", {"bill": "electric"}),
        (
            "从我的支票账户转一百块到储蓄账户",
            "transfer",
            {"amount": 100, "source": "checking", "target": "savings"},
        ),
        ("付给安娜二十美元", "pay", {"amount": 20, "payee": "anna"}),
        ("给书店转五美元", "pay", {"amount": 5, "payee": "book-shop"}),
        ("我今天付了什么", "history", {"when": "today"}),
        ("我可以付给谁", "payees", {}),
    ],
)
def test_what_is_said_reaches_its_action(
    installed: Skills, said: str, action: str, slots: dict[str, object]
) -> None:
    intent = Router(installed.actions).exactly(Transcript(said, language=""))
    assert isinstance(intent, Intent), said
    assert (intent.action, dict(intent.slots)) == (action, slots)


@pytest.mark.parametrize(
    "said",
    [
        "pay twenty dollars to mallory",
        "pay twenty thirty to anna",
        "付给安娜零块",
        "付二十美元给马洛里",
    ],
)
def test_a_doubtful_payment_is_not_recognised(installed: Skills, said: str) -> None:
    meaning = Router(installed.actions).route(Transcript(said))
    assert isinstance(meaning, NotRecognized)
    whole = [option for option in meaning.options if not option.missing]
    assert whole == [], "what may have been meant can be asked about, and no yes pays it"


@pytest.mark.parametrize(
    ("said", "missing"),
    [("pay anna", "amount"), ("pay twenty dollars", "payee"), ("付给安娜", "amount")],
)
def test_half_a_payment_is_asked_about(installed: Skills, said: str, missing: str) -> None:
    meaning = Router(installed.actions).route(Transcript(said))
    assert isinstance(meaning, Intent)
    assert (meaning.name, meaning.missing) == ("pay.pay", (missing,))


def test_a_transfer_to_somebody_unknown_moves_nothing(installed: Skills) -> None:
    meaning = Router(installed.actions).route(Transcript("transfer twenty dollars to mallory"))
    assert isinstance(meaning, Intent)
    assert meaning.name == "pay.transfer"
    assert installed.actions[meaning.name].declaration.risk == "none"


def test_only_paying_moves_money(installed: Skills) -> None:
    risks = {name: action.declaration.risk for name, action in installed.actions.items()}
    assert risks.pop("pay.pay") == "money"
    assert set(risks) == {"pay.history", "pay.payees", "pay.bill", "pay.transfer"}
    assert set(risks.values()) == {"none"}


def test_without_a_bank_no_bill_is_paid_and_nothing_transferred(tmp_path: Path) -> None:
    ctx = context(tmp_path / "pay")
    for reply, title, missing in (
        (accounts.bill(ctx, "water", "checking"), "Not paid", "No biller is connected"),
        (accounts.bill(ctx), "Not paid", "No biller is connected"),
        (accounts.transfer(ctx, Money("5"), "savings", "\ud800"), "Not moved", "No bank is"),
        (accounts.transfer(ctx), "Not moved", "No bank is"),
    ):
        assert type(reply) is Reply
        assert reply.title == title
        assert reply.text.startswith(missing)
        assert "address book" in reply.text
    assert not (tmp_path / "pay").exists()
    assert accounts.bill(context(tmp_path, "zh")).text.startswith("没有连接缴费机构")


def test_the_first_sentence_begins_with_pay(installed: Skills) -> None:
    first, *_ = installed.actions.values()
    assert first.declaration.sentences[0].startswith("pay ")


# Data


def test_every_payee_has_names_in_both_languages_that_mean_one_payee() -> None:
    book = address_book.book()
    assert len(book) == 12
    for language in ("en", "zh"):
        said = [name.lower() for one in book.values() for name in one.names[language]]
        assert len(set(said)) == len(said)
        assert set(address_book.names(language).values()) == set(book)


def test_a_payee_is_called_by_any_of_their_names(ask):
    ask("给anna付20美元").asks().shows("安娜").then("取消")
    ask("pay 安娜 20 dollars").asks().shows("Anna")


def test_only_what_was_shown_is_recorded_and_the_receipt_says_so(tmp_path):
    ctx = context(tmp_path)
    proposal = propose(ctx)
    shown = Shown(proposal.amount, proposal.currency, proposal.payee)
    with pytest.raises(NotCommitted, match="Something else was shown"):
        proposal.commit("k1", replace(shown, amount=Decimal(400)))
    with pytest.raises(NotCommitted, match="Something else was shown"):
        proposal.commit("k1", replace(shown, currency="EUR"))
    with pytest.raises(NotCommitted, match="Something else was shown"):
        proposal.commit("k1", replace(shown, payee="Tom"))
    assert stored(ctx) == []
    assert proposal.commit("k1", shown).paid == shown
    assert stored(ctx) == [("anna", 2000)]
