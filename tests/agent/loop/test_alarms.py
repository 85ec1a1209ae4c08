"""What is due rings by itself, in the one lane and over whatever else is on the lens."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from agent import Context, Proposal, Reply, hookimpl, skill
from agent.messages import Receipt
from agent.plugins.skills import Skills
from agent.skill.later import Entry, Spot
from agent.testing.clock import VirtualClock
from agent.testing.conversation import Conversation, Doubles
from agent.testing.doubles import VirtualLocation
from hardware.base import Place
from hardware.speaker import VirtualSpeaker

BEGINS = datetime(2030, 1, 1, 12, 0)
WHY = {"later": "to remind you"}


class Plan:
    """A skill that plans."""

    __name__ = "plan"

    def __init__(self):
        self.done = 0

    @skill("tea", permissions=WHY)
    def tea(self, ctx: Context) -> Reply:
        """Ring in a minute."""
        now = ctx.clock().astimezone(UTC)
        ctx.schedule.add(Entry("timer", "tea", instant=now + timedelta(minutes=1)))
        return Reply("planned")

    @skill("jump later", permissions=WHY)
    def jump_later(self, ctx: Context) -> Reply:
        """Jump in a minute."""
        ctx.later(timedelta(minutes=1), command="jump")
        return Reply("planned")

    @skill("pay later", permissions=WHY)
    def pay_later(self, ctx: Context) -> Reply:
        """Pay in a minute, which may not be."""
        ctx.later(timedelta(minutes=1), command="pay now")
        return Reply("planned")

    @skill("sing later")
    def sing_later(self, ctx: Context) -> Reply:
        """Plan without a permission."""
        ctx.later(timedelta(minutes=1), "sing")
        return Reply("planned")

    @skill("jump", risk="change")
    def jump(self, ctx: Context) -> Reply:
        """Jump."""
        self.done += 1
        return Reply("jumped")

    @skill("pay now", risk="money", permissions={"money": "to test"})
    def pay_now(self, ctx: Context) -> Reply:
        """Pay."""

        def commit(key: str) -> Receipt:
            self.done += 100
            return Receipt("paid")

        return Proposal("pay?", amount=Decimal(20), payee="Anna", commit=commit)

    @hookimpl
    def register_skills(self, register):
        register(self)


@pytest.fixture
def plan():
    return Plan()


@pytest.fixture
def talk(tmp_path, plan):
    """Begin an agent, or another one in the same folder: as after a swap of the batteries."""
    begun = []

    def begin(begins=BEGINS, place=None):
        skills = Skills()
        skills.load(plan)
        clock = VirtualClock(begins=begins)
        speaker = VirtualSpeaker(clock=clock.time, length_s=0.5)
        doubles = Doubles(
            clock=clock, speaker=speaker, location=VirtualLocation(place or Place(0, 0))
        )
        begun.append(Conversation(skills, tmp_path, doubles))
        return begun[-1]

    yield begin
    for one in begun:
        one.close()


def test_a_timer_rings_until_the_wearer_says_stop(talk):
    ask = talk()
    ask("tea").shows("planned")
    ask.advance(59)
    assert "tea" not in ask.lens
    ask.advance(1.5)
    assert "tea: time is up" in ask.lens
    assert [path.stem for path in ask.speaker.played] == ["alarm"]
    ask.advance(10)
    assert len(ask.speaker.played) > 2
    ask("stop").shows("Stopped.")
    count = len(ask.speaker.played)
    ask.advance(30)
    assert len(ask.speaker.played) == count
    assert ask.agent.world.schedule.waiting() == []


@pytest.mark.parametrize("gesture", ["nod", "tap", "double_tap"])
def test_a_gesture_stops_it_too(talk, gesture):
    ask = talk()
    ask("tea")
    ask.advance(61)
    ask.clock.run(ask.agent.gesture(gesture))
    assert "tea" not in ask.lens
    assert ask.agent.world.bell.ringing == ()


@pytest.mark.parametrize("word", ["snooze", "shake"])
def test_snoozing_lets_it_come_again(talk, word):
    ask = talk()
    ask("tea")
    ask.advance(61)
    if word == "shake":
        ask.clock.run(ask.agent.gesture("shake"))
        assert "Again in 9 minutes." in ask.lens
    else:
        ask("snooze").shows("Again in 9 minutes.")
    ask.advance(530)
    assert "tea" not in ask.lens
    ask.advance(15)
    assert "tea: time is up" in ask.lens


def test_music_goes_on_after_an_alarm(talk, tmp_path):
    ask = talk()
    song = tmp_path / "song.flac"
    ask.speaker._fixed_length_s = 500.0
    ask("tea")
    ask.speaker.play(song)
    ask.advance(61)
    ask.speaker._fixed_length_s = 0.5
    assert ask.speaker.playing != song
    ask.speaker._fixed_length_s = 500.0
    ask("stop")
    ask.advance(0.1)
    assert ask.speaker.playing == song
    assert ask.speaker.position_s > 50


def test_a_yes_under_an_alarm_pays_nothing_until_the_question_was_seen(talk, plan):
    ask = talk()
    ask("tea")
    ask.advance(50)
    ask("pay now").asks()
    ask.advance(11)
    assert "tea: time is up" in ask.lens
    ask.clock.run(ask.agent.gesture("nod", rested=True))
    assert plan.done == 0, "the nod was for the alarm"


def test_a_command_is_done_as_a_turn_once(talk, plan):
    ask = talk()
    ask("jump later")
    ask.advance(59)
    assert plan.done == 0
    ask.advance(2)
    assert plan.done == 1
    assert "jumped" in ask.lens
    ask.advance(600)
    assert plan.done == 1


def test_a_command_waits_while_a_question_is_open(talk, plan):
    ask = talk()
    ask("jump later")
    ask.advance(45)
    ask("pay now").asks()
    ask.advance(20)
    assert plan.done == 0
    assert ask.agent.gate.open is not None
    ask("no")
    ask.advance(1)
    assert plan.done == 1


def test_no_payment_is_made_later(talk):
    told = talk()("pay later")
    told.fails("a payment is never made later")


def test_without_the_permission_nothing_is_planned(talk):
    talk()("sing later").fails('permissions={"later": "why"}')


def test_what_was_missed_while_off_is_told_on_waking(talk):
    first = talk()
    first("tea")
    first("jump later")
    first.close()
    again = talk(BEGINS + timedelta(hours=2))
    again("jump")
    again.advance(1)
    again.advance(1)
    assert "Missed: tea, 12:01" in again.lens
    assert "Not done: jump, 12:01" in again.lens


def test_what_rang_when_power_went_rings_on(talk):
    first = talk()
    first("tea")
    first.advance(61)
    first.close()
    again = talk(BEGINS + timedelta(seconds=90))
    again.clock.run(again.agent.gesture("lower"))
    again.advance(1)
    assert "tea: time is up" in again.lens


def test_a_timer_is_not_moved_by_a_clock_that_is_set(talk):
    ask = talk()
    ask("tea")
    ask.advance(30)
    ask.clock.set(ask.clock.now() + timedelta(hours=3))
    ask.advance(25)
    assert "tea" not in ask.lens
    ask.advance(6)
    assert "tea: time is up" in ask.lens


def test_a_reminder_comes_at_its_place(talk, plan):
    ask = talk(place=Place(48.1, 11.0))
    world = ask.agent.world
    world.schedule.add(Entry("reminder", "buy milk", place=Spot("shop", 48.0, 11.0)))
    ask("jump")
    ask.advance(60)
    assert "milk" not in ask.lens
    ask.location.place = Place(48.0, 11.0)
    ask.advance(25)
    assert "buy milk" in ask.lens


def test_a_schedule_that_cannot_be_read_is_told_once(talk, tmp_path):
    (tmp_path / "later.sqlite").write_bytes(b"no database at all, and long enough" * 100)
    ask = talk()
    ask("jump")
    ask.advance(1)
    assert "Alarms can't be read" in ask.lens
    assert (tmp_path / "later.sqlite").read_bytes().startswith(b"no database")


def test_observers_see_an_alarm_as_a_turn(tmp_path, plan):
    seen = []

    class Watch:
        __name__ = "watch"
        permissions = {"transcripts": "to test"}  # noqa: RUF012

        @hookimpl
        def turn_ended(self, turn):
            seen.append((turn.source, turn.reply.text))

    skills = Skills()
    skills.load(plan)
    skills.load(Watch())
    ask = Conversation(skills, tmp_path, Doubles(clock=VirtualClock(begins=BEGINS)))
    ask("tea")
    ask.advance(61)
    ask.advance(1)
    ask.close()
    assert ("alarm", "tea: time is up") in seen


def test_a_timer_that_is_set_right_after_the_clock_is_not_moved(talk):
    ask = talk()
    ask("jump later")
    ask.clock.set(ask.clock.now() + timedelta(hours=3))
    ask("tea")
    ask.advance(61)
    assert [one.entry.text for one in ask.agent.world.bell.ringing] == ["tea"]


def test_a_timer_that_is_set_while_the_clock_is_a_year_off_rings(talk):
    ask = talk()
    ask("jump later")
    right = ask.clock.now()
    ask.clock.set(right + timedelta(days=365))
    ask("tea")
    ask.clock.set(right)
    ask.advance(61)
    assert [one.entry.text for one in ask.agent.world.bell.ringing] == ["tea"]
