"""Payments under the worst of luck: killed at any instruction, over a line that does what it likes.

    make soak            10,000 payments
    make soak ARGS=500   as many as that; Ctrl-C ends it after whole rounds, with their report

Two processes pay from one folder and are killed (SIGKILL) again and again. Their provider loses
requests and answers, answers late, twice, or with what another was to hear. In the end everything
that is open is asked about, and both sides must agree to the cent, payment by payment.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import random
import shutil
import socket
import socketserver
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from agent.act.gate import Gate
from agent.act.ledger import Ledger
from agent.act.states import MOVED
from agent.act.teller import Teller
from agent.language.money import from_minor, to_minor
from agent.messages import Intent, Order, Outcome, Proposal
from agent.skill.payments import LedgerError
from skills.pay.wallet import OPENING, Wallet

PAYMENTS = 10_000
ROUND = 500
"""Payments of one ledger; then both sides are compared, and another one begins."""
AGENTS = 2
ANSWER_S = 0.04
"""How long a process waits for the provider."""
LATE_S = 0.15
"""Most that the provider takes for what it does late."""
LIFE_S = 0.5
"""How long a process lives, on average."""
PAYEES = ("anna", "tom", "mina", "陈静")
LIMITS = """again_minutes = 0
[limits]
USD = { payment = "9000000", day = "9000000", payee = "9000000", pin = "9000000" }
"""


class Till:
    """The provider's side: it knows each key once and never pays a key that was called off."""

    def __init__(self, seed: int) -> None:
        """Know nothing yet."""
        self.lock = threading.Lock()
        self.known: dict[str, dict[str, object]] = {}
        self.moved: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()
        self.luck = random.Random(seed)
        self.last: dict[str, object] = {}
        self.honest = False
        self.late: list[threading.Timer] = []

    def do(self, asked: dict[str, object]) -> dict[str, object]:
        """Do what a request says, once however often it comes."""
        key = str(asked["key"])
        with self.lock:
            known = self.known.get(key)
            if known is None and asked["do"] == "pay":
                state = "refused" if self.luck.random() < 0.05 else "paid"
                known = self.known[key] = {**asked, "state": state}
                self.moved[key] += state == "paid"
            elif known is None and asked["do"] == "cancel":
                known = self.known[key] = {**asked, "state": "refused"}
            return {**(known or {"state": "absent"}), "key": key}


class Line(socketserver.StreamRequestHandler):
    """One request, and what the line makes of it."""

    def handle(self) -> None:
        """Read a line, and be as unkind as luck has it."""
        till: Till = self.server.till  # type: ignore[attr-defined]
        line = self.rfile.readline()
        if not line:
            return
        asked = json.loads(line)
        fate = "ok" if till.honest else till.luck.choices(
            ("ok", "lost", "unanswered", "late", "twice", "mixed up"), (84, 4, 4, 3, 3, 2)
        )[0]  # fmt: skip
        till.faults[fate] += 1
        match fate:
            case "lost":
                return
            case "unanswered":
                till.do(asked)
                return
            case "late":  # perhaps after it was called off, or after the process has died
                timer = threading.Timer(till.luck.uniform(0, LATE_S), till.do, (asked,))
                till.late.append(timer)
                timer.start()
                return
            case "twice":
                till.do(asked)
            case "mixed up":
                self.answer(till.last)
        answer = till.do(asked)
        self.answer(answer)
        till.last = answer

    def answer(self, answer: dict[str, object]) -> None:
        """Send an answer; whoever asked may be dead."""
        with suppress(OSError):
            self.wfile.write(json.dumps(answer).encode() + b"\n")


class Server(socketserver.ThreadingTCPServer):
    """Listens on loopback."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """A process that was killed in the middle of a request is no error here."""


class Loopback:
    """The wearer's side of that provider."""

    name = "loopback"

    def __init__(self, port: int) -> None:
        """Connect when asked."""
        self.port = port

    def pay(self, order: Order) -> Outcome:
        """Ask it to pay."""
        return self._asked("pay", order)

    def ask(self, order: Order) -> Outcome:
        """Ask what became of it."""
        return self._asked("ask", order)

    def cancel(self, order: Order) -> Outcome:
        """Call it off, or hear that it was paid."""
        return self._asked("cancel", order)

    def _asked(self, what: str, order: Order) -> Outcome:
        minor = to_minor(order.amount, order.currency)
        asked = {"do": what, "key": order.key, "minor": minor, "payee": order.account}
        with socket.create_connection(("127.0.0.1", self.port), ANSWER_S) as line:
            line.sendall(json.dumps(asked).encode() + b"\n")
            answer = json.loads(line.makefile().readline() or "null")
        if not isinstance(answer, dict) or answer.get("key") != order.key:
            raise OSError("the answer is to another question")
        return Outcome(answer["state"], reference=order.key[:8])


def gate_of(folder: Path, port: int) -> Gate:
    """Return a gate that pays by the wallet and over that line."""
    providers = {"loopback": Loopback(port), "wallet": Wallet()}
    return Gate(folder, teller=Teller(folder, providers.get))


def live(folder: Path, port: int, seed: int) -> None:
    """Be one process: ask about what is open, then pay and pay until killed."""
    luck, gate = random.Random(seed), gate_of(folder, port)
    told = os.open(folder / "told", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    gate.recovered("en")
    parent = multiprocessing.parent_process()
    while parent is None or parent.is_alive():
        minor, payee = luck.randint(1, 20), luck.choice(PAYEES)
        provider = "wallet" if luck.random() < 0.3 else "loopback"
        proposal = Proposal(
            amount=from_minor(minor, "USD"), currency="USD", payee=payee, provider=provider
        )
        gate.offer(proposal, Intent("pay", "pay"), "en")
        assert gate.open is not None
        key = gate.open.key
        accepted = gate.accept(key)
        assert accepted is not None
        reply = gate.commit(accepted, "en")
        os.write(told, f"{key} {reply.text.split()[0]}\n".encode())
        if luck.random() < 0.05:
            gate.recovered("en")


@dataclass
class Report:
    """What came of it all."""

    payments: int = 0
    kills: int = 0
    paid: int = 0
    refused: int = 0
    moved: Decimal = Decimal(0)
    took_s: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)
    """Keys that one side knows to be paid and the other does not."""
    double: list[str] = field(default_factory=list)
    """Keys that were paid more than once."""
    off: list[str] = field(default_factory=list)
    """Keys and accounts whose amounts are not the same on both sides."""
    open: list[str] = field(default_factory=list)
    """Keys of which nobody knows the end."""
    broken_word: list[str] = field(default_factory=list)
    """Keys of which the wearer was told something else than is so."""

    @property
    def faults_found(self) -> int:
        """How many payments are not as they have to be."""
        return sum(map(len, (self.lost, self.double, self.off, self.open, self.broken_word)))

    def add(self, other: Report) -> None:
        """Take in what came of another round."""
        for name in ("payments", "kills", "paid", "refused"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.moved += other.moved
        self.took_s += other.took_s
        self.faults += other.faults
        for name in ("lost", "double", "off", "open", "broken_word"):
            getattr(self, name).extend(getattr(other, name))

    def __str__(self) -> str:
        """Return it in lines."""
        faults = ", ".join(f"{count} {what}" for what, count in sorted(self.faults.items()))
        return "\n".join(
            (
                f"{self.payments} payments, {AGENTS} processes, {self.kills} killed,"
                f" {self.took_s:.0f} s",
                f"the line: {faults}",
                f"{self.paid} paid, {self.refused} refused, ${self.moved} moved",
                f"lost {len(self.lost)}, double {len(self.double)}, cents off {len(self.off)},"
                f" open {len(self.open)}, told wrongly {len(self.broken_word)}",
            )
        )


def soak(
    payments: int = PAYMENTS, seed: int = 1, show: object = None, folder: Path | None = None
) -> Report:
    """Pay that often, and report; `show` is called with how many there are so far."""
    began_s, luck, report = time.monotonic(), random.Random(seed), Report()
    root = folder or Path(tempfile.mkdtemp())
    root.mkdir(exist_ok=True)
    (root / "limits.toml").write_text(LIMITS)
    till = Till(seed)
    server = Server(("127.0.0.1", 0), Line)
    server.till = till  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    port = server.server_address[1]
    ledger = Ledger(root)
    try:
        _kill_and_kill(payments, luck, root, port, ledger, report, show)
        _end_well(root, port, till)
        _compare(root, till, ledger, report)
    finally:
        server.shutdown()
        server.server_close()
        ledger.close()
        if folder is None:
            shutil.rmtree(root)
    report.took_s = time.monotonic() - began_s
    return report


def _kill_and_kill(
    payments: int, luck: random.Random, root: Path, port: int, ledger: Ledger, report: Report,
    show: object,
) -> None:  # fmt: skip
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])  # so that a process begins at once
    living: list[tuple[multiprocessing.process.BaseProcess, float]] = []
    started = 0
    try:
        while (done := _count(ledger)) < payments:
            if callable(show):
                show(done)
            while len(living) < AGENTS:
                started += 1
                process = context.Process(
                    target=live, args=(root, port, luck.randrange(2**32)), daemon=True
                )
                process.start()
                life_s = min(luck.expovariate(1 / LIFE_S), 8 * LIFE_S)
                living.append((process, time.monotonic() + life_s))
            now_s = time.monotonic()
            for one in [one for one in living if one[1] <= now_s or not one[0].is_alive()]:
                report.kills += one[0].is_alive()
                one[0].kill()
                one[0].join()
                if one[0].exitcode not in (-9, None):
                    raise RuntimeError(f"a process ended by itself with {one[0].exitcode}")
                living.remove(one)
            time.sleep(0.01)
    finally:
        for process, _ in living:
            process.kill()
            process.join()
            report.kills += 1


def _count(ledger: Ledger) -> int:
    try:
        entries = ledger.entries(1)
    except LedgerError:  # it is being made
        return 0
    return entries[0].number if entries else 0


def _end_well(root: Path, port: int, till: Till) -> None:
    """Let what is late arrive, and ask about everything that is still open."""
    for timer in [*till.late]:
        timer.join()
    gate = gate_of(root, port)
    for attempt in range(50):
        till.honest = attempt > 5
        gate.recovered("en")
        if not gate.unresolved():
            break
    for timer in [*till.late]:
        timer.join()
    gate.teller.close()


def _compare(root: Path, till: Till, ledger: Ledger, report: Report) -> None:
    ledger.verify()
    entries = ledger.entries()
    report.payments, report.faults = len(entries), till.faults
    by_key = {entry.order.key: entry for entry in entries}
    paid = {key: entry for key, entry in by_key.items() if entry.state in MOVED}
    report.paid = len(paid)
    report.refused = sum(entry.state == "refused" for entry in entries)
    report.open = [k for k, e in by_key.items() if e.state not in (*MOVED, "refused")]
    report.moved = sum((entry.order.amount for entry in paid.values()), Decimal(0))
    there = {key: known for key, known in till.known.items() if known["state"] == "paid"}
    ours = {key for key, entry in paid.items() if entry.provider == "loopback"}
    report.lost = sorted(set(there) ^ ours)
    report.double = [key for key, count in till.moved.items() if count > 1]
    for key in set(there) & ours:
        order = by_key[key].order
        if there[key]["minor"] != to_minor(order.amount, "USD"):
            report.off.append(key)
        if there[key]["payee"] != order.account:
            report.off.append(key)
    _compare_sums(paid.values(), there.values(), ledger, report)
    for line in (root / "told").read_text("utf-8").splitlines():
        key, said = line.split()
        state = by_key[key].state if key in by_key else "absent"
        wrong = said == "Paid." and state not in MOVED
        if wrong or (said == "Not" and state not in ("refused", "absent")):
            report.broken_word.append(key)


def _compare_sums(paid: object, there: object, ledger: Ledger, report: Report) -> None:
    """Compare what each account holds to what was paid, on our side and on the provider's."""
    sums: Counter[str] = Counter()
    for entry in paid:  # type: ignore[attr-defined]
        minor = to_minor(entry.order.amount, "USD")
        sums[f"payee:{entry.order.account}"] += minor
        sums[entry.provider] -= minor
    sums["wallet"] += to_minor(OPENING["USD"], "USD")
    theirs = -sum(int(known["minor"]) for known in there)  # type: ignore[attr-defined]
    if sums["loopback"] != theirs:
        report.off.append("loopback")
    for account, minor in {**sums, "transit": 0}.items():
        opening = OPENING["USD"] if account == "wallet" else Decimal(0)
        if ledger.balance(account, "USD", opening) != from_minor(minor, "USD"):
            report.off.append(account)


def main() -> int:
    """Run it with a progress bar; 1 where a single payment is not as it has to be."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    logging.disable(logging.WARNING)  # faults are what it is about
    payments = int(sys.argv[1]) if len(sys.argv) > 1 else PAYMENTS
    columns = ("payments", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    report = Report()
    with Progress(*columns) as progress, suppress(KeyboardInterrupt):
        task = progress.add_task("", total=payments)
        while report.payments < payments:
            so_far, left = report.payments, payments - report.payments
            report.add(
                soak(
                    min(ROUND, left),
                    seed=random.randrange(2**32),
                    show=lambda done, so_far=so_far: progress.update(task, completed=so_far + done),
                )
            )
        progress.update(task, completed=payments)
    print(report)
    return int(report.faults_found > 0)


if __name__ == "__main__":
    from tests.bench import payments as ourselves  # by a name that a new process finds at once

    raise SystemExit(ourselves.main())
