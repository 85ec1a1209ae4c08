"""Points of time, as seen from Wednesday 4 March 2026, half past nine in the morning."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from agent import skill
from agent.check.said import check_said
from agent.check.sample import samples
from agent.understand import times
from agent.understand.times import parse_time
from tests.agent.understand.test_templates import installed

NOW = datetime(2026, 3, 4, 9, 30)


@pytest.mark.parametrize(
    ("said", "day", "clock"),
    [
        ("tomorrow at eight", 5, "8:00"),
        ("tomorrow at three", 5, "15:00"),
        ("tomorrow at eight thirty pm", 5, "20:30"),
        ("tomorrow evening", 5, "19:00"),
        ("tomorrow morning at six", 5, "6:00"),
        ("at half past seven", 4, "19:30"),
        ("half past ten", 4, "10:30"),
        ("quarter to ten", 4, "9:45"),
        ("at ten to nine tomorrow", 5, "8:50"),
        ("at twenty five past eight", 4, "20:25"),
        ("at twenty past six in the evening", 4, "18:20"),
        ("at eight", 4, "20:00"),
        ("at ten", 4, "10:00"),
        ("Eight Thirty", 4, "20:30"),
        ("at seven oh five", 4, "19:05"),
        ("at eight o'clock", 4, "20:00"),
        ("at eight a m", 5, "8:00"),
        ("8:30 pm", 4, "20:30"),
        ("20:15", 4, "20:15"),
        ("08:05", 5, "8:05"),
        ("noon", 4, "12:00"),
        ("midnight", 5, "0:00"),
        ("tonight at midnight", 5, "0:00"),
        ("twelve at night", 5, "0:00"),
        ("tonight", 4, "19:00"),
        ("today at eight", 4, "20:00"),
        ("today at eight a m", 4, "8:00"),
        ("this afternoon at three", 4, "15:00"),
        ("on friday", 6, "0:00"),
        ("friday morning at seven thirty", 6, "7:30"),
        ("wednesday", 11, "0:00"),
        ("next friday at noon", 13, "12:00"),
        ("the day after tomorrow", 6, "0:00"),
        ("in ten minutes", 4, "9:40"),
        ("in an hour and a half", 4, "11:00"),
        ("two hours from now", 4, "11:30"),
        ("now", 4, "9:30"),
        ("2026-03-05T08:00", 5, "8:00"),
        ("2026-03-05", 5, "0:00"),
        ("明天上午八点", 5, "8:00"),
        ("明天 8点", 5, "8:00"),
        ("三点半", 4, "15:30"),
        ("下午三点一刻", 4, "15:15"),
        ("今晚八点", 4, "20:00"),
        ("明早七点", 5, "7:00"),
        ("晚上十二点", 5, "0:00"),
        ("中午一点", 4, "13:00"),
        ("八点零五分", 4, "20:05"),
        ("周五晚上九点十五分", 6, "21:15"),
        ("下周五", 13, "0:00"),
        ("星期天", 8, "0:00"),
        ("大后天", 7, "0:00"),
        ("20:30", 4, "20:30"),
        ("十分钟后", 4, "9:40"),
        ("两个小时以后", 4, "11:30"),
        ("三天后", 7, "9:30"),
    ],
)
def test_a_time(said, day, clock):
    hour, _, minute = clock.partition(":")
    assert parse_time(said, NOW) == datetime(2026, 3, day, int(hour), int(minute))


@pytest.mark.parametrize(
    "said",
    ["", "soon", "at", "in", "tomorrow at", "banana", "at twenty five", "at 25:00", "in friday",
     "eight eight eight", "at noon in the evening", "thirteen in the morning", "half past",
     "at sixty", "today at eight at nine", "in the morning", "next", "2026-13-01", "from now",
     "in 99999999999 days", "明", "点", "八", "后", "大后", "八点七十分", "下", "周八", "明天明天"],
)  # fmt: skip
def test_not_a_time(said):
    with pytest.raises(ValueError, match="is not a time"):
        parse_time(said, NOW)


def test_an_hour_that_has_gone_by_twice_is_not_guessed():
    with pytest.raises(ValueError, match="is not a time"):
        parse_time("today at eight", NOW.replace(hour=21))
    assert parse_time("at eight", NOW.replace(hour=21)) == datetime(2026, 3, 5, 8)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", [datetime, timedelta, Decimal, int])
def test_what_is_said_to_be_sayable_is_understood(kind, language):
    times.clock.set(lambda: NOW)

    def action(slot):
        """Do."""

    action.__annotations__["slot"] = kind
    (made,) = installed(skill("do {slot}")(action)).values()
    if language == "zh":
        made.languages["zh"] = made.languages["en"].__class__(("做{slot}",))
    drawn = [
        one
        for seed in range(40)
        for several in samples(made, language, seed=seed).values()
        for one in several
    ]
    assert len({one.text for one in drawn}) > 50
    assert [s.wrong for s in check_said({made.name: made}, drawn) if s.wrong] == []


def test_a_minute_is_a_minute():
    assert parse_time("in 90 seconds", NOW) - NOW == timedelta(seconds=90)
