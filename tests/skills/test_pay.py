"""Paying: what is proposed, what is paid, and what is told of it afterwards."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from decimal import Context as DecimalContext
from decimal import Decimal, DefaultContext, localcontext
from pathlib import Path

import pytest
import yaml

import skills.pay as pay_skill
from agent import Context, Proposal, Reply
from agent.act.teller import Teller
from agent.language.numbers import Money, parse_money
from agent.loop.agent import Agent
from agent.messages import Intent, NotRecognized, Order, Outcome, Transcript
from agent.plugins.skills import Skills
from agent.skill.data import DataError
from agent.testing import lens, make_agent
from agent.understand.router import Router
from skills.pay import accounts, address_book, afterwards, records, wallet

FOLDER = Path(pay_skill.__file__).parent
NOW = datetime(2030, 5, 6, 12, 30)


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
    tills = {wallet.NAME: wallet.Wallet()}
    return Context(
        skill="pay",
        language=language,
        folder=folder / "pay",
        memory={},
        responses=raw["responses"] if language == "zh" else {},
        permissions={"money": "to pay"},
        clock=lambda: now,
        teller=Teller(folder, tills.get, lambda: now),
    )


def propose(ctx: Context, amount: str = "20", payee: str = "anna") -> Proposal:
    reply = pay_skill.pay(parse_money(amount), payee, ctx)
    assert isinstance(reply, Proposal), reply.text
    return reply


def paid(ctx: Context, amount: str = "20", payee: str = "anna", key: str = "k1") -> None:
    """Carry a proposal out, as the gate does."""
    carry(ctx, propose(ctx, amount, payee), key)


def carry(ctx: Context, it: Proposal, key: str) -> None:
    assert isinstance(ctx.teller, Teller)
    order = Order(key, it.amount, it.currency, it.payee, it.account, it.details, it.order, it.of)
    ctx.teller.pay(order, "pay", it.provider, lambda order: Outcome("paid"))


def stored(agent: Agent) -> list[tuple[str, str, str]]:
    return [
        (one.order.account, f"{one.order.amount} {one.order.currency}", one.state)
        for one in agent.gate.teller.entries()
    ]


# What is proposed


def test_a_proposal_shows_amount_and_payee_and_pays_nothing(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    proposal = propose(ctx, "$20.50")
    assert (proposal.title, proposal.text) == ("Payment", "From your wallet here; no bank.")
    assert (proposal.amount, proposal.currency, proposal.payee) == (Decimal("20.50"), "USD", "Anna")
    assert (proposal.kind, proposal.account, proposal.provider) == ("proposal", "anna", "wallet")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("amount", ["0.005", "0", "-5", "NaN", "Infinity", "1e30"])
def test_what_is_no_amount_is_refused(tmp_path: Path, amount: str) -> None:
    reply = pay_skill.pay(Decimal(amount), "anna", context(tmp_path))
    assert not isinstance(reply, Proposal)
    assert (reply.title, reply.text) == ("Not paid", "That is not an amount to pay.")


@pytest.mark.parametrize("rude", [{"prec": 2}, {"prec": 1, "rounding": "ROUND_UP"},
                                  {"prec": 3, "Emax": 1, "Emin": -1, "traps": []}])  # fmt: skip
def test_no_decimal_context_of_others_rounds_an_amount(
    tmp_path: Path, rude: dict[str, object]
) -> None:
    ctx = context(tmp_path)
    with localcontext(DecimalContext(**rude)):  # type: ignore[arg-type]
        proposal = propose(ctx, "$123.45")
        assert (str(proposal.amount), proposal.amount > 123) == ("123.45", True)
        paid(ctx, "$123.45")
    assert [str(one.order.amount) for one in ctx.payments.entries()] == ["123.45"]


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
    assert stored(agent) == [("anna", "123.45 USD", "settled")]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("pay anna 123456789012", "Not paid: the limit is $500.00 a payment"),
        ("pay anna 20 yen", "Not paid: there is only JP¥0 left"),
        ("pay anna 20 canadian dollars", "Not paid: CAD cannot be paid here"),
        ("给安娜付20加元", "未付款：这里不能用CAD付款"),
        ("给安娜付1.5万美元", "未付款：单笔上限$500.00"),
        ("给安娜付1.5万", "未付款：单笔上限¥3,000.00"),
        ("给安娜付两千块", "未付款：超过¥1,000.00需要密码：请用“glasses pin”设置"),
    ],
)
async def test_what_cannot_be_paid_is_refused_with_its_reason(
    tmp_path: Path, said: str, told: str
) -> None:
    agent = make_agent(tmp_path, plugins=[pay_skill])
    turn = await agent.hear(said)
    assert turn.reply is not None
    assert turn.reply.text == told
    assert agent.gate.open is None


@pytest.mark.parametrize(
    ("said", "amount"),
    [
        ("pay anna 20", "20.00 USD"), ("给安娜付20", "20.00 CNY"), ("给安娜付五毛", "0.50 CNY"),
        ("给安娜付２０块", "20.00 CNY"), ("pay anna 20 yuan", "20.00 CNY"),
        ("给安娜付20美元", "20.00 USD"), ("给安娜付三块五毛", "3.50 CNY"),
        ("pay anna ٢٠ dollars", "20.00 USD"),
    ],
)  # fmt: skip
async def test_the_currency_is_what_was_said_or_the_wearers(
    tmp_path: Path, said: str, amount: str
) -> None:
    agent = make_agent(tmp_path, plugins=[pay_skill])
    turn = await agent.hear(said)
    assert isinstance(turn.reply, Proposal)
    assert f"{turn.reply.amount} {turn.reply.currency}" == amount


@pytest.mark.parametrize("digits", [27, 100, 900])
async def test_no_run_of_digits_ends_the_agent(tmp_path: Path, digits: int) -> None:
    agent = make_agent(tmp_path, plugins=[pay_skill])
    for said in (f"pay anna {'9' * digits}", "pay anna", "9" * digits):
        turn = await agent.hear(said)
        assert turn.error is None
    assert agent.gate.open is None


@pytest.mark.parametrize(
    "said",
    ["pay anna 20 dollars and 5 euros", "pay anna 1.000", "pay anna minus 5",
     "pay anna zero dollars", "给安娜付负五块", "给安娜付20美元5块"],
)  # fmt: skip
async def test_an_amount_that_may_be_another_is_never_proposed(tmp_path: Path, said: str) -> None:
    agent = make_agent(tmp_path, plugins=[pay_skill])
    turn = await agent.hear(said)
    assert not isinstance(turn.reply, Proposal)
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
    agent.gate.pin.choose("271828")
    await agent.hear("pay anna")
    turn = await agent.hear(answer)
    assert isinstance(turn.reply, Proposal)
    assert (turn.reply.amount, turn.reply.currency) == (Decimal(amount), "USD")


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


@pytest.mark.parametrize("name", ["Аnna", "An\u202ena", "An\u200bna", "Τom", "Ann\u0430"])
def test_a_name_that_only_looks_like_another_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    mine = tmp_path / "mine.jsonl"
    mine.write_text(json.dumps({"id": "x", "en": [name]}), encoding="utf-8")
    monkeypatch.setattr(address_book, "FILE", mine)
    with pytest.raises(DataError, match="looks like another"):
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


# What is paid


def test_with_the_agent_only_a_yes_pays(tmp_path: Path) -> None:
    async def converse() -> tuple[list[str], Agent]:
        agent = make_agent(tmp_path, plugins=[pay_skill])
        shown = []
        for said in ("pay twenty dollars to anna", "no", "pay five dollars to tom", "yes", "yes"):
            await agent.hear(said)
            shown.append(lens(agent))
        return shown, agent

    shown, agent = asyncio.run(converse())
    assert "$20.00" in shown[0]
    assert "Anna" in shown[0]
    assert "Paid." in shown[3]
    assert stored(agent) == [("tom", "5.00 USD", "settled")]


async def test_the_pin_is_said_after_the_yes_and_nowhere_kept(tmp_path: Path) -> None:
    agent = make_agent(tmp_path, plugins=[pay_skill])
    agent.gate.pin.choose("271828")
    await agent.hear("pay anna 300 dollars")
    await agent.hear("yes")
    assert "Say your PIN" in lens(agent)
    wrong = await agent.hear("two two two two")
    assert "Wrong PIN" in lens(agent)
    assert stored(agent) == []
    right = await agent.hear("two seven one eight two eight")
    assert "Paid." in lens(agent)
    assert stored(agent) == [("anna", "300.00 USD", "settled")]
    for turn in (wrong, right):
        assert turn.transcript.text == "••••"
        assert "seven" not in json.dumps(turn.as_json(), default=str)
    await agent.close()
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or b"271828" not in path.read_bytes(), path


async def test_the_pin_can_be_tapped(tmp_path: Path) -> None:
    agent = make_agent(tmp_path, plugins=[pay_skill])
    agent.gate.pin.choose("1132")
    await agent.hear("给安娜付两千块")
    await agent.hear("确认")
    assert "请说密码" in lens(agent)
    for taps in (1, 1, 3, 2):
        for _ in range(taps):
            await agent.gesture("tap")
        agent._gestures._taps._last_s -= 5  # a pause
    assert lens(agent).count("•") == 4
    await agent.gesture("nod", rested=True)
    assert "已付款" in lens(agent)
    assert stored(agent) == [("anna", "2000.00 CNY", "settled")]


async def test_a_no_ends_it_even_where_the_pin_is_asked_for(tmp_path: Path) -> None:
    agent = make_agent(tmp_path, plugins=[pay_skill])
    agent.gate.pin.choose("271828")
    for said in ("pay anna 300 dollars", "yes", "no", "271828"):
        await agent.hear(said)
    assert agent.gate.open is None
    assert stored(agent) == []


async def test_with_hardly_any_power_left_nothing_is_paid(tmp_path: Path) -> None:
    from agent.body.power import STEPS

    agent = make_agent(tmp_path, plugins=[pay_skill])
    await agent.hear("pay anna 20 dollars")
    agent.world.step = STEPS[-1]
    turn = await agent.hear("yes")
    assert turn.reply is not None
    assert turn.reply.text == "Not paid: the battery is nearly empty"
    assert stored(agent) == []


async def test_the_wallet_holds_no_less_than_nothing(tmp_path: Path) -> None:
    limit = '[limits]\nCNY = { payment = "900", day = "9000", payee = "9000", pin = "900" }'
    (tmp_path / "limits.toml").write_text(limit)
    agent = make_agent(tmp_path, plugins=[pay_skill])
    said = "给安娜付九百块", "给汤姆付九百块", "给书店付九百块", "给莉莉付九百块"
    for one in (*said, *said):
        turn = await agent.hear(one)
        if not isinstance(turn.reply, Proposal):
            break
        for _ in range(2):
            await agent.hear("确认")
    assert turn.reply is not None
    assert turn.reply.text == "未付款：余额只有¥600.00"
    await agent.hear("钱包充值一百块")
    await agent.hear("确认")
    assert "¥700.00" in (await agent.hear("钱包余额")).reply.text  # type: ignore[union-attr]


async def test_a_payment_is_given_back_once(tmp_path: Path) -> None:
    agent = make_agent(tmp_path, plugins=[pay_skill])
    for said in ("pay anna 20 dollars", "yes", "refund my last payment"):
        turn = await agent.hear(said)
    assert isinstance(turn.reply, Proposal)
    assert "you, from Anna" in lens(agent)
    await agent.hear("yes")
    assert "Given back." in lens(agent)
    assert "Given back: $20.00" in (await agent.hear("show me my receipt")).reply.text  # type: ignore[union-attr]
    again = await agent.hear("refund that")
    assert again.reply is not None
    assert again.reply.text == "It was given back already."
    held = await agent.hear("what is in my wallet")
    assert held.reply is not None
    assert held.reply.text.splitlines()[0] == "$1,000.00"


async def test_a_damaged_ledger_is_told_and_pays_nothing(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_bytes(b"no ledger" * 1000)
    agent = make_agent(tmp_path, plugins=[pay_skill])
    turn = await agent.hear("pay anna 20 dollars")
    assert turn.reply is not None
    assert turn.reply.text == "Not paid: the ledger is damaged; it was left as it is"
    turn = await agent.hear("我最近的付款")
    assert turn.reply is not None
    assert turn.reply.text == "账本已损坏，未作任何改动。"


# What can be asked


def test_history_shows_the_newest_first_and_today_only_today(tmp_path: Path) -> None:
    paid(context(tmp_path, now=NOW - timedelta(days=1)), "7", "tom", "k1")
    ctx = context(tmp_path)
    paid(ctx, "20.50", key="k2")
    paid(ctx, "3", "book-shop", "k3")
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
    for key, amount, payee in (("k1", "7", "tom"), ("k2", "20", "anna"), ("k3", "30", "anna")):
        paid(ctx, amount, payee, key)
    assert pay_skill.history(ctx, payee="tom").text == "$7.00 Tom 12:30"
    assert pay_skill.history(ctx, payee="anna", amount=Decimal(20)).text == "$20.00 Anna 12:30"
    assert pay_skill.history(ctx, payee="tom", amount=Decimal(20)).text == "No such payment."


def test_history_adds_up_each_currency_apart(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    paid(ctx, "7", "tom", "k1")
    paid(ctx, "三块五", "anna", "k2")
    assert pay_skill.history(ctx, "today").title == "Today: ¥3.50 + $7.00"


def test_a_long_history_says_how_many_are_left_out(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    for n in range(13):
        paid(ctx, "2", key=f"k{n}")
    lines = pay_skill.history(ctx).text.splitlines()
    assert lines[-1] == "… and 3 more"
    assert len(lines) == records.SHOWN + 1


def test_an_empty_history_is_said_so(tmp_path: Path) -> None:
    assert pay_skill.history(context(tmp_path)).text == "No payments yet."
    assert pay_skill.history(context(tmp_path), "today").text == "No payments today."
    assert afterwards.status(context(tmp_path)).text == "No payments yet."
    assert afterwards.receipt(context(tmp_path), "anna").text == "No such payment."


def test_chinese_replies(tmp_path: Path) -> None:
    ctx = context(tmp_path, "zh")
    proposal = propose(ctx, "二十美元")
    assert (proposal.title, proposal.payee) == ("付款", "安娜")
    carry(ctx, proposal, "k")
    assert pay_skill.history(ctx).text == "$20.00 安娜 12:30"
    assert afterwards.limits(ctx).text.splitlines()[0] == "单笔¥3,000.00"


def test_whether_it_went_through_is_asked_of_the_provider(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    assert isinstance(ctx.teller, Teller)
    it = propose(ctx)
    order = Order("k", it.amount, it.currency, it.payee, it.account)
    ctx.teller.pay(order, "pay", "wallet", lambda order: Outcome("unknown"))
    assert "(unknown)" in pay_skill.history(ctx).text
    assert afterwards.status(ctx).text.splitlines()[0] == "Yes, it was paid."
    assert "(unknown)" not in pay_skill.history(ctx).text


def test_what_nobody_knows_is_told_so(tmp_path: Path) -> None:
    ctx = context(tmp_path)
    assert isinstance(ctx.teller, Teller)
    order = Order("k", Decimal(5), "USD", "Anna", "anna")
    ctx.teller.pay(order, "pay", "", lambda order: Outcome("unknown"))
    assert afterwards.status(ctx).text.splitlines()[0] == "Not known yet. Do not pay again."


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
    moving = {name for name, risk in risks.items() if risk == "money"}
    assert moving == {"pay.pay", "pay.pay_code", "pay.pay_link", "pay.top_up", "pay.refund"}


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
