"""What comes by itself is said aloud: when, after what, and when it is not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

import skills.notices as skill_notices
from agent import Context, Reply, hookimpl, skill
from agent.act.mouth import MOST_WAITING
from agent.act.schedule.bell import AGAIN_S, ALARM_S, WORDS_EVERY
from agent.act.world import AgentOptions
from agent.plugins.skills import Skills
from agent.skill.later import Entry
from agent.skill.notices import Notice
from agent.testing.clock import VirtualClock
from agent.testing.conversation import Conversation, Doubles
from hardware.base import DeviceError
from hardware.speaker import VirtualSpeaker
from hardware.voice import VirtualVoice
from skills.music.library import tracks

WHY = {"later": "to remind you"}


class Plan:
    """A skill that plans and answers."""

    __name__ = "plan"

    def _in_a_minute(self, kind, text, ctx, language="en"):
        due = ctx.clock().astimezone(UTC) + timedelta(minutes=1)
        ctx.schedule.add(Entry(kind, text, instant=due, language=language))
        return Reply("planned", speech="")

    @skill("tea", permissions=WHY)
    def tea(self, ctx: Context) -> Reply:
        """Ring in a minute."""
        return self._in_a_minute("timer", "tea", ctx)

    @skill("remind me of {text}", permissions=WHY)
    def remind(self, text: str, ctx: Context) -> Reply:
        """Remind in a minute."""
        language = "zh" if "药" in text else "en"
        return self._in_a_minute("reminder", text, ctx, language)

    @skill("be here")
    def here(self) -> Reply:
        """Say nothing."""
        return Reply("here", speech="")

    @skill("tell me a story")
    def story(self) -> Reply:
        """Take some seconds."""
        return Reply("It was long ago. They lived happily ever after.")

    @hookimpl
    def register_skills(self, register):
        register(self)


@pytest.fixture
def begin(tmp_path):
    """Begin a conversation with a voice."""
    begun = []

    def build(mode="on", aloud=frozenset()):
        skills = Skills()
        skills.load(Plan())
        skills.load(skill_notices)
        clock = VirtualClock(begins=datetime(2030, 1, 1, 12, 0))
        doubles = Doubles(clock=clock, speaker=VirtualSpeaker(clock=clock.time))
        ask = Conversation(skills, tmp_path, doubles, AgentOptions(voice=mode, aloud=aloud))
        ask.agent.devices = replace(ask.agent.devices, voice=VirtualVoice())
        begun.append(ask)
        ask("be here")  # from now on its lens belongs to a loop
        ask.advance(30)
        return ask

    yield build
    for one in begun:
        one.close()


def said(ask):
    return [text for text, _ in ask.agent.devices.voice.said]


def sounded(ask):
    names = [path.stem.split("-")[0] for path in ask.speaker.played]
    return [name for name in names if name != "done"]


def push(ask, *notices, after_s=8.0):
    for notice in notices:
        ask.agent.world.inbox.take(notice)
    ask.advance(after_s)
    return said(ask)


# -- what rings -------------------------------------------------------------------------------------


def test_a_timer_is_said_between_two_of_its_sounds_and_again_after_some(begin):
    ask = begin()
    ask("tea")
    ask.advance(59)
    assert said(ask) == []
    ask.advance(3)
    assert said(ask) == ["tea: time is up"]
    assert sounded(ask) == ["alarm", "said"]
    ask.advance(WORDS_EVERY * AGAIN_S + ALARM_S)
    assert said(ask) == ["tea: time is up"] * 2
    ask("stop")
    count = len(ask.speaker.played)
    ask.advance(60)
    assert len(ask.speaker.played) == count
    assert ask.speaker.playing is None


def test_stop_ends_the_words_and_the_bell(begin):
    ask = begin()
    ask("tea")
    ask.advance(60 + ALARM_S + 0.2)
    assert ask.speaker.playing.stem.startswith("said-")
    ask("stop").shows("Stopped.")
    assert ask.speaker.playing is None
    assert ask.agent.world.bell.ringing == ()


def test_music_goes_on_after_an_alarm_that_spoke(begin):
    ask = begin()
    song = tracks()[0].path
    ask("tea")
    ask.advance(58)
    ask.speaker.play(song)
    ask.advance(6)
    assert said(ask) == ["tea: time is up"]
    ask("stop")
    ask.advance(1)
    assert ask.speaker.playing == song


def test_a_reminder_is_said_after_its_chime_in_its_own_language(begin):
    ask = begin()
    ask("remind me of 吃药")
    ask.advance(64)
    assert ask.agent.devices.voice.said == [("吃药", "zh")]
    assert sounded(ask) == ["chime", "said"]


def test_a_reminder_waits_for_an_answer_to_its_end(begin):
    ask = begin()
    ask("remind me of tea")
    ask.advance(59)
    ask("tell me a story")
    ask.advance(12)
    assert said(ask) == ["It was long ago.", "They lived happily ever after.", "tea"]


@pytest.mark.parametrize(
    ("aloud", "told"), [("", "It is on the lens."), ("money", "the forty dollars for anna")]
)
def test_an_amount_in_a_reminder_is_only_shown_unless_it_is_wished(begin, aloud, told):
    ask = begin(aloud=frozenset({aloud}))
    ask("remind me of the $40 for anna")
    ask.advance(64)
    assert said(ask) == [told]


@pytest.mark.parametrize("mode", ["off", "away"])
def test_without_a_voice_that_is_on_all_of_it_is_shown_and_sounds(begin, mode):
    ask = begin(mode)
    ask("tea")
    ask("remind me of milk")
    push(ask, Notice("mail", "dinner at eight?"), after_s=70)
    assert said(ask) == []
    assert "alarm" in [path.stem for path in ask.speaker.played]


# -- notifications ----------------------------------------------------------------------------------


def test_a_notification_is_said_when_it_is_lit(begin):
    ask = begin()
    assert push(ask, Notice("mail", "dinner at eight?", "Anna")) == [
        "mail.",
        "Anna: dinner at eight?",
    ]


def test_what_is_summed_up_is_said_as_a_sum(begin):
    ask = begin()
    ask.agent.world.inbox.rule("chat", "summarise")
    push(ask, Notice("chat", "one"))
    assert push(ask, Notice("chat", "two"), after_s=30)[-2:] == ["chat.", "two new messages"]


@pytest.mark.parametrize("line", ["do not disturb", "hush mail"])
def test_what_is_hushed_is_not_said(begin, line):
    ask = begin()
    ask(line)
    ask.advance(10)
    before = len(said(ask))
    assert len(push(ask, Notice("mail", "dinner at eight?"), after_s=30)) == before


def test_who_does_not_want_to_be_disturbed_is_told_nothing_but_an_alarm_rings(begin):
    ask = begin()
    ask("tea")
    ask("remind me of milk")
    ask("do not disturb")
    ask.advance(10)
    before = len(said(ask))
    ask.advance(60)
    assert len(said(ask)) == before
    assert "alarm" in [path.stem for path in ask.speaker.played]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("You paid $20 to Anna", "It is on the lens."),
        ("您的验证码是 482913", "请看镜片。"),
        ("Your login code is 482-913", "It is on the lens."),
        ("Flight 4821 boards at gate 12", "Flight four thousand eight hundred twenty-one"),
    ],
)
def test_amounts_and_codes_are_only_shown(begin, text, told):
    heard = push(begin(), Notice("bank", text))
    assert heard[0] == "bank."
    assert heard[1].startswith(told)
    assert "paid" not in " ".join(heard)


def test_with_the_lens_away_it_is_said_all_the_same(begin):
    ask = begin("away")
    display = ask.agent.devices.display

    class Gone(type(display)):
        def show(self, frame):
            raise DeviceError("the lens is away: put it on")

    ask.agent.devices = replace(ask.agent.devices, display=Gone(display.profile))
    ask("tell me a story")
    ask.advance(40)
    before = len(said(ask))
    assert push(ask, Notice("mail", "dinner at eight?"), after_s=20)[before:] == [
        "mail.",
        "dinner at eight?",
    ]


def test_a_flood_of_them_is_bounded_and_an_answer_comes_first(begin):
    ask = begin()
    mouth = ask.agent.world.mouth

    async def flood():
        for number in range(100):
            mouth.announce("news", "en", f"source {number}")

    ask.clock.run(flood())
    ask.advance(60)
    assert 1 <= said(ask).count("news") <= MOST_WAITING + 1
