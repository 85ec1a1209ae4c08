"""What outlives a loss of power."""

import logging
import os
import stat
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent import Proposal, Reply, hookimpl, skill
from agent.language.numbers import Money
from agent.loop.resume import CARDS, KINDS, KeptCall, KeptCard, Playing, State, forget, load, save
from agent.messages import Intent
from agent.plugins.skills import Skills
from agent.testing import make_agent

NOW = 1_900_000_000.0

STATE = State(
    cards=(
        KeptCard("Cappuccino 4.50\nLatte 4.80", "Menu", "list", NOW - 30),
        KeptCard("左转，50 米", "导航", "route", NOW - 5),
    ),
    call=KeptCall("pay", "pay", {"amount": "20 USD", "payee": "anna"}, "en", NOW - 5),
    playing=Playing("/music/a song.mp3", 42.5, 70, NOW - 1),
)

texts = st.text(max_size=40)
times = st.floats(NOW - 100, NOW)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
states = st.builds(
    State,
    st.lists(
        st.builds(KeptCard, texts, texts, st.sampled_from(sorted(KINDS)), times), max_size=3
    ).map(tuple),
    st.none()
    | st.builds(
        KeptCall,
        texts,
        texts,
        st.dictionaries(texts, texts | numbers | st.booleans(), max_size=4),
        st.sampled_from(("en", "zh")),
        times,
    ),
    st.none() | st.builds(Playing, texts, st.floats(0, 1e6), st.integers(0, 100), times),
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state" / "resume.json"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "resume.json"
    save(path, STATE)
    return path.read_bytes()


in_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@in_one_folder
@given(states)
def test_what_is_saved_comes_back(path, state):
    save(path, state)
    assert load(path, NOW) == (state if state != State() else None)


def test_every_truncation_is_nothing_and_one_warning(path, written, caplog):
    path.parent.mkdir(parents=True)
    for length in range(len(written)):
        path.write_bytes(written[:length])
        caplog.clear()
        assert load(path, NOW) is None
        assert [record.levelno for record in caplog.records] == [logging.WARNING]
    path.write_bytes(written)
    assert load(path, NOW) == STATE


@in_one_folder
@given(st.data())
def test_a_bit_that_flipped_changes_nothing_unseen(path, written, data):
    at = data.draw(st.integers(0, len(written) - 1))
    bit = data.draw(st.integers(0, 7))
    damaged = bytearray(written)
    damaged[at] ^= 1 << bit
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(damaged)
    assert load(path, NOW) in (None, STATE)


@in_one_folder
@given(st.binary(max_size=200))
def test_junk_is_nothing(path, junk):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(junk)
    assert load(path, NOW) is None


@pytest.mark.parametrize("junk", [b"[" * 100_000, b"1" * 2_000_000, b"{}", b"null", b'"\\ud800"'])
def test_hostile_junk_is_nothing(path, junk):
    path.parent.mkdir(parents=True)
    path.write_bytes(junk)
    assert load(path, NOW) is None


@pytest.mark.parametrize(
    "state",
    [
        State(cards=(KeptCard("pay?", "Payment", "proposal", NOW),)),
        State(cards=(KeptCard("x", "", "no such kind", NOW),)),
        State(playing=Playing("a", -1.0, 70, NOW)),
        State(playing=Playing("a", 1.0, 101, NOW)),
        State(playing=Playing("a", 1.0, True, NOW)),
        State(playing=Playing("a", "1", 70, NOW)),
        State(cards=(KeptCard(None, "", "answer", NOW),)),
        State(cards=(KeptCard("x", "", "answer", "today"),)),
        State(call=KeptCall("pay", "pay", ["20"], "en", NOW)),
    ],
    ids=str,
)
def test_what_is_whole_and_yet_cannot_be_is_nothing(path, state):
    save(path, state)
    assert load(path, NOW) is None


def test_a_version_of_tomorrow_is_nothing(path, written):
    path.parent.mkdir(parents=True)
    path.write_bytes(written.replace(b'"version": 1', b'"version": 2'))
    assert load(path, NOW) is None


def test_no_file_is_nothing_and_no_warning(path, caplog):
    assert load(path, NOW) is None
    assert not caplog.records


def test_a_folder_in_its_place_is_a_warning(path, caplog):
    path.mkdir(parents=True)
    assert load(path, NOW) is None
    assert "cannot be read" in caplog.text


def test_warnings_do_not_tell_what_was_in_it(path, written, caplog):
    path.parent.mkdir(parents=True)
    path.write_bytes(written[:-1])
    load(path, NOW)
    assert "anna" not in caplog.text
    assert "20" not in caplog.text.replace(str(path), "")


# -- age ------------------------------------------------------------------------------------------


def test_what_is_old_is_not_resumed_and_a_proposal_sooner(path):
    save(path, STATE)
    assert load(path, NOW + 110) == STATE
    assert load(path, NOW + 120) == replace(STATE, call=None)
    assert load(path, NOW + 594).cards == STATE.cards[1:]
    assert load(path, NOW + 602) is None


def test_a_clock_that_lost_its_power_resumes_nothing(path):
    save(path, STATE)
    assert load(path, 0.0) is None
    assert load(path, NOW - 3) == STATE


# -- the file -------------------------------------------------------------------------------------


def test_nobody_else_may_read_it(path):
    before = os.umask(0)
    try:
        save(path, STATE)
        save(path, STATE)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["resume.json"]


def test_half_a_file_of_an_earlier_end_is_no_hindrance(path, written):
    save(path, STATE)
    half = path.with_name("resume.json.new")
    half.write_bytes(written[:40])
    half.chmod(0o644)
    assert load(path, NOW) == STATE
    save(path, replace(STATE, call=None))
    assert load(path, NOW) == replace(STATE, call=None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_was_there_stays_when_it_cannot_be_written(path):
    save(path, STATE)
    path.with_name("resume.json.new").mkdir()
    with pytest.raises(IsADirectoryError):
        save(path, State())
    assert load(path, NOW) == STATE


def test_only_the_last_cards_are_kept(path):
    cards = tuple(KeptCard(str(n), at_s=NOW) for n in range(9))
    save(path, State(cards))
    assert load(path, NOW).cards == cards[-CARDS:]


def test_huge_cards_make_room(path):
    small = KeptCard("small", at_s=NOW)
    save(path, State((KeptCard("你" * 200_000, at_s=NOW), small)))
    assert load(path, NOW).cards == (small,)


def test_what_was_resumed_is_forgotten(path):
    save(path, STATE)
    forget(path)
    forget(path)
    assert load(path, NOW) is None


# -- proposals ------------------------------------------------------------------------------------


def test_a_proposal_is_kept_as_no_card():
    proposal = Proposal("20.00 USD to Anna?", kind="proposal", amount=Decimal(20), payee="Anna")
    assert KeptCard.of(proposal, NOW) is None
    assert KeptCard.of(replace(proposal, kind="answer"), NOW) is None
    assert KeptCard.of(Reply("pay?", kind="proposal"), NOW) is None
    assert KeptCard.of(Reply("hello", "Hi", "list"), NOW) == KeptCard("hello", "Hi", "list", NOW)
    assert KeptCard("hello", "Hi", "list", NOW).reply == Reply("hello", "Hi", "list")


@pytest.mark.parametrize(
    "said", ["pay twenty dollars to anna", "pay twenty euros to anna", "付给安娜二十美元"]
)
async def test_the_call_of_a_payment_is_asked_again_and_pays_nothing(tmp_path, path, said):
    before = make_agent(tmp_path / "before", builtin=True)
    turn = await before.hear(said)
    call = KeptCall.of(turn.intent, before.skills.actions, NOW)
    save(path, State(call=call))

    after = make_agent(tmp_path / "after", builtin=True)
    call = load(path, NOW + 10).call
    again = await after.call(call.made, call.language)
    assert again.intent.slots == turn.intent.slots
    assert again.intent.slots["amount"].currency == turn.intent.slots["amount"].currency
    was, now = turn.reply, again.reply
    assert (type(was), was.title, was.text) == (type(now), now.title, now.text)
    assert (after.gate.open is not None) == isinstance(turn.reply, Proposal)
    assert not (tmp_path / "after" / "ledger.sqlite").exists()


@skill("wait {length} until {when} with {cost} {count} {loud}")
def wait(length: timedelta, when: datetime, cost: Decimal, count: int, loud: bool) -> Reply:
    """Wait."""
    return Reply()


@pytest.fixture
def actions():
    @hookimpl
    def register_skills(register):
        register(wait)

    skills = Skills()
    skills.load(SimpleNamespace(__name__="waiting", register_skills=register_skills))
    return skills.actions


VALUES = {
    "length": timedelta(minutes=10),
    "when": datetime(2030, 3, 4, 20, 15),
    "cost": Money("20.50", "EUR"),
    "count": 3,
    "loud": True,
}


def test_slots_of_every_kind_come_back_as_they_were(actions, path):
    (name,) = actions
    intent = Intent(*name.split("."), VALUES)
    call = KeptCall.of(intent, actions, NOW)
    save(path, State(call=call))
    again = load(path, NOW).call.intent(actions)
    assert again.slots == VALUES
    assert again.slots["cost"].currency == "EUR"


def test_what_would_not_come_back_the_same_is_not_kept(actions):
    (name,) = actions
    for wrong in ({"cost": Money("3", "XYZ")}, {"count": object()}, {"count": 10**9}):
        assert KeptCall.of(Intent(*name.split("."), VALUES | wrong), actions, NOW) is None


def test_a_call_that_no_skill_takes_any_more_is_none(actions):
    assert KeptCall("gone", "gone", {}, "en", NOW).intent(actions) is None
