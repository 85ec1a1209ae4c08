"""`ask` and the claims about a conversation: what holds passes, what does not says why."""

import asyncio
import time
from datetime import timedelta
from decimal import Decimal

import pytest

from agent import Context, Proposal, Receipt, Reply, hookimpl, skill
from agent.act.gate import EXPIRES_S
from agent.testing import Goldens
from hardware.base import Place

SLOW_S = 3600


@skill("rest {minutes} minutes")
async def rest(minutes: int, ctx: Context) -> Reply:
    """Rest."""
    await asyncio.sleep(minutes * 60)
    return Reply(f"rested until {ctx.clock():%H:%M}")


@skill("doze {seconds} seconds")
def doze(seconds: int) -> Reply:
    """Doze, in a thread."""
    time.sleep(seconds)
    return Reply("awake")


@skill("hang about")
async def hang() -> Reply:
    """Never come back."""
    await asyncio.Event().wait()


@skill("think about {word}")
def think(word: str, ctx: Context) -> Reply:
    """Think."""
    return Reply(ctx.model.complete(f"think: {word}"))


@skill("tell my latitude", permissions={"location": "to tell you"})
def where(ctx: Context) -> Reply:
    """Tell."""
    return Reply(f"{ctx.location.lat:.1f} north")


@skill("give {amount}", risk="money", permissions={"money": "to give"})
def give(amount: Decimal) -> Proposal:
    """Give."""
    return Proposal("Give", amount=amount, payee="Anna", commit=lambda _: Receipt(f"Gave {amount}"))


@skill("count to {number}")
def count(number: int) -> Reply:
    """Count."""
    return Reply(" ".join(str(n) for n in range(number)))


class Plugin:
    __name__ = "demo"

    @hookimpl
    def register_skills(self, register):
        register(rest, doze, hang, think, where, give, count)


@pytest.fixture
def glasses_plugins():
    return [Plugin()]


pytestmark = pytest.mark.glasses(action_timeout_s=SLOW_S)


def test_a_conversation(conversation):
    (
        conversation.says("give $20")
        .calls("demo.give", amount=20)
        .asks()
        .shows("$20.00", "Anna")
        .then("yes")
        .shows("Gave 20")
        .asks_nothing()
        .then("play ode to joy")
        .calls("music.play")
        .plays("ode-to-joy")
        .then("stop")
        .shows("Stopped")
        .then("make me a sandwich")
        .is_not_understood()
        .succeeds()
    )


@pytest.mark.parametrize(
    ("waits_s", "shown"), [(EXPIRES_S - 1, "Gave 20"), (EXPIRES_S + 1, "Too late")]
)
def test_a_proposal_expires_on_virtual_time(ask, waits_s, shown):
    ask("give $20").after(waits_s)
    ask("yes").shows(shown)


def test_actions_live_in_virtual_time(ask, clock):
    ask("rest 30 minutes").shows("rested until 12:30")
    ask("doze 1800 seconds").shows("awake")
    assert clock.time() == SLOW_S
    ask("hang about").fails("demo.hang took over 3600 s")
    assert clock.time() == 2 * SLOW_S
    assert ask.last.timings.reply == SLOW_S * 1000


@pytest.mark.slow
def test_speaking_aloud_goes_through_the_microphone(ask, clock):
    said = ask.aloud("tell my latitude", "give $20").calls("demo.give").asks()
    times = said.timings
    assert said.transcript.engine == "scripted"
    assert [e.transcript.text for e in ask.exchanges] == ["tell my latitude", "give $20"]
    assert times.speech_end < times.endpoint == times.first_glyph, "work takes no virtual time"
    assert clock.time() > 4


async def test_in_a_coroutine_it_may_be_awaited(ask):
    (await ask("think about tea")).fails()
    ticks = []

    async def tick():
        while True:
            ticks.append(1)
            await asyncio.sleep(0)

    beside = asyncio.create_task(tick())
    (await ask.later("tell my latitude")).shows("north")
    beside.cancel()
    assert ticks


def test_the_doubles_are_at_hand(ask, model, location, clock, display, speaker):
    model.replies.append("It is a leaf.")
    ask("think about tea").shows("It is a leaf.")
    assert model.prompts == ["think: tea"]
    location.place = Place(61.5, 10)
    assert ask("tell my latitude").shows("61.5 north").turn.model is None
    assert (ask.model, ask.clock, ask.display, ask.speaker) == (model, clock, display, speaker)
    assert [frame.lines[0].text for frame in display.frames] == ["It is a leaf.", "61.5 north"]
    ask("clear")
    assert ask.lens == ""
    assert clock.now() - clock._begins == timedelta(0)


@pytest.mark.glasses(builtin=False, profile="terminal", language="en")
def test_the_marker_configures(ask, display):
    assert list(ask.agent.skills.actions) == [
        f"demo.{n}" for n in ("rest", "doze", "hang", "think", "where", "give", "count")
    ]
    assert display.profile.name == "terminal"
    assert ask.agent.options.language == "en"
    assert ask.agent.options.action_timeout_s == SLOW_S


@pytest.mark.slow
@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (lambda e: e.shows("$25.00"), "the lens does not show '$25.00'"),
        (lambda e: e.hides("Anna"), "the lens shows 'Anna'"),
        (lambda e: e.calls("pay.pay"), "demo.give was called instead of pay.pay"),
        (
            lambda e: e.calls("demo.give", amount=25),
            "slot amount of demo.give is Decimal('20'), not 25",
        ),
        (lambda e: e.calls("demo.give", payee="bob"), "without the slot payee"),
        (lambda e: e.asks_nothing(), "a proposal waits"),
        (lambda e: e.plays(), "nothing plays"),
        (lambda e: e.fails(), "nothing failed"),
        (lambda e: e.is_not_understood(), "it was understood"),
        (lambda e: e.then("tell my latitude").asks(), "nothing is asked"),
        (lambda e: e.then("count to 300").shows("120"), "it is on page 2 of"),
    ],
)
def test_a_wrong_claim_says_what_was_there(ask, claim, why):
    with pytest.raises(AssertionError) as failed:
        claim(ask("give $20"))
    message = str(failed.value)
    assert why in message
    for label in ("  said ", "  meant ", "  lens ", "╭", "╰"):
        assert label in message


def test_the_message_shows_the_lens_and_what_came_before(ask):
    ask("tell my latitude")
    assert (
        str(ask("give $20"))
        == """\
  said     give $20
  meant    demo.give(amount=Decimal('20'))
  lens     ╭──────────────────────────────────╮
           │ $20.00 → Anna                    │
           │ Give                             │
           │                                  │
           │ say yes or no                    │
           ╰──────────────────────────────────╯
  asks     20.00 USD to Anna: yes?
  earlier  tell my latitude"""
    )


@pytest.mark.parametrize("kind", ["png", "text"])
def test_goldens(ask, tmp_path, kind):
    suffix = {"png": ".png", "text": ".txt"}[kind]
    goldens, profile = Goldens(tmp_path), ask.display.profile
    ask("give $20")
    with pytest.raises(AssertionError, match=r"no golden .*give.*yet: look at .*give\.actual"):
        goldens.check("give", ask.frame, profile, kind)
    assert (tmp_path / f"give.actual{suffix}").is_file()
    Goldens(tmp_path, update=True).check("give", ask.frame, profile, kind)
    goldens.check("give", ask.frame, profile, kind)
    assert [path.name for path in tmp_path.glob("give*")] == [f"give{suffix}"]
    ask("give $30")
    with pytest.raises(
        AssertionError, match=r"the lens changed[\s\S]*\$30\.00[\s\S]*--update-goldens"
    ):
        goldens.check("give", ask.frame, profile, kind)
    assert (tmp_path / f"give.actual{suffix}").is_file()
    assert (tmp_path / "give.diff.png").is_file() is (kind == "png")


def test_the_lens_of_a_payment_looks_as_agreed(ask, lens_golden):
    ask("give $20")
    lens_golden("give")
    lens_golden("give", kind="text")
