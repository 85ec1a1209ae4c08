"""Points of time, as seen from Wednesday 4 March 2026, half past nine in the morning."""

import time
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent import skill
from agent.derive.sample import samples
from agent.language import times
from agent.language.times import parse_time
from agent.testing.check.said import check_said
from tests.agent.understand.test_templates import installed

NOW = datetime(2026, 3, 4, 9, 30)

SAID = (
    "at on in the next this of half past to tomorrow today tonight friday march fifth 5th eight"
    " twenty 8 31 30 2027 am pm noon midnight morning night week weeks minutes oh"
    " 今天 明天 下 周 五 月 号 年 晚上 半夜 凌晨 十二 点 半 刻 差 分 后 过 两 小时"
)
"""Words that times are made of."""


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("yesterday", datetime(2026, 3, 3)),
        ("the day before yesterday", datetime(2026, 3, 2)),
        ("yesterday at eight", datetime(2026, 3, 3, 8)),
        ("last friday", datetime(2026, 2, 27)),
        ("last wednesday", datetime(2026, 2, 25)),
        ("last week", datetime(2026, 2, 25)),
        ("three days ago", datetime(2026, 3, 1, 9, 30)),
        ("two hours ago", datetime(2026, 3, 4, 7, 30)),
        ("july 4 1976", datetime(1976, 7, 4)),
        ("昨天", datetime(2026, 3, 3)),
        ("昨晚八点", datetime(2026, 3, 3, 20)),
        ("前天", datetime(2026, 3, 2)),
        ("上周五", datetime(2026, 2, 27)),
        ("上周三", datetime(2026, 2, 25)),
        ("三天前", datetime(2026, 3, 1, 9, 30)),
        ("去年5月3日", datetime(2025, 5, 3)),
        ("1976年7月4日", datetime(1976, 7, 4)),
    ],
)
def test_what_has_gone_by(said, moment):
    assert parse_time(said, NOW) == moment


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
        ("at eight tomorrow", 5, "8:00"),
        ("eight pm tomorrow", 5, "20:00"),
        ("9 tomorrow", 5, "9:00"),
        ("at eight thirty tomorrow", 5, "8:30"),
        ("at eight on friday", 6, "8:00"),
        ("at 8 o'clock tomorrow morning", 5, "8:00"),
        ("half past eight on friday", 6, "8:30"),
        ("at eight tonight", 4, "20:00"),
        ("noon tomorrow", 5, "12:00"),
        ("midnight on friday", 7, "0:00"),
        ("tonight at two", 5, "2:00"),
        ("this coming wednesday", 11, "0:00"),
        ("in two days at eight", 6, "8:00"),
        ("in a week at half past three", 11, "15:30"),
        ("a week from friday", 13, "0:00"),
        ("two days from tomorrow", 7, "0:00"),
        ("三天后上午九点", 7, "9:00"),
        ("一周后的晚上八点", 11, "20:00"),
        ("2 am tonight", 5, "2:00"),
        ("one at night", 5, "1:00"),
        ("day after tomorrow at nine", 6, "9:00"),
        ("8.30 pm", 4, "20:30"),
        ("7 45 pm", 4, "19:45"),
        ("tomorrow in the afternoon at three", 5, "15:00"),
        ("this friday", 6, "0:00"),
        ("this wednesday at noon", 4, "12:00"),
        ("next week", 11, "0:00"),
        ("in a week", 11, "9:30"),
        ("in two weeks", 18, "9:30"),
        ("in an hour and twenty minutes", 4, "10:50"),
        ("two and a half hours from now", 4, "12:00"),
        ("march 5th", 5, "0:00"),
        ("on the fifth of march", 5, "0:00"),
        ("the fifth", 5, "0:00"),
        ("5 march at noon", 5, "12:00"),
        ("march the twenty first at eight", 21, "8:00"),
        ("at eight on the 31st", 31, "8:00"),
        ("Mar 4, 2026 at 8 pm", 4, "20:00"),
        ("3月5号", 5, "0:00"),
        ("三月五日早上八点半", 5, "8:30"),
        ("2026年3月5日下午三点", 5, "15:00"),
        ("五号八点", 5, "8:00"),
        ("这个月五号", 5, "0:00"),
        ("下周三", 11, "0:00"),
        ("下周", 11, "0:00"),
        ("下下周五", 20, "0:00"),
        ("两周后", 18, "9:30"),
        ("再过十分钟", 4, "9:40"),
        ("一个半小时后", 4, "11:00"),
        ("晚上十二点半", 5, "0:30"),
        ("夜里两点", 5, "2:00"),
        ("半夜两点", 5, "2:00"),
        ("今天夜里两点", 5, "2:00"),
        ("今晚一点", 5, "1:00"),
        ("凌晨十二点", 5, "0:00"),
        ("凌晨十二点半", 5, "0:30"),
        ("明天凌晨两点", 5, "2:00"),
        ("凌晨0点", 5, "0:00"),
        ("晚上24点", 5, "0:00"),
        ("半夜", 5, "0:00"),
        ("深夜十一点", 4, "23:00"),
        ("晚上20点", 4, "20:00"),
        ("中午十二点半", 4, "12:30"),
        ("差五分八点", 4, "19:55"),
        ("八点差一刻", 4, "19:45"),
        ("明天 ８点", 5, "8:00"),
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
     "in 99999999999 days", "明", "点", "八", "后", "大后", "八点七十分", "下", "周八", "明天明天",
     "eight pm tomorrow morning", "february 30", "31 april", "the 32nd", "december", "the zeroth",
     "tomorrow tomorrow", "at eight at nine tomorrow", "at minus eight", "早上20点", "中午五点",
     "二月三十号", "十三月一号", "三十二号", "明年五号", "at twenty", "march 5th 999", "last tomorrow", "上明天", "ago", "前", "星期", "差五分",
     "2026-03-05T25:00", "2026-03-05T08:00+99:00", "0001-01-01T00:00+14:00x", "next tomorrow",
     "in minus ten minutes", "负十分钟后", "in two hours at eight", "half a day from tomorrow",
     "两小时后八点", "a week from", "from tomorrow", "a week from a week from"],
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


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("january 5th", datetime(2027, 1, 5)),
        ("march 4th", datetime(2026, 3, 4)),
        ("march 3rd", datetime(2027, 3, 3)),
        ("29 february", datetime(2028, 2, 29)),
        ("december 5th 2027 at eight", datetime(2027, 12, 5, 8)),
        ("the third", datetime(2026, 4, 3)),
        ("the fifth of next month", datetime(2026, 4, 5)),
        ("一月五号", datetime(2027, 1, 5)),
        ("明年十二月五日", datetime(2027, 12, 5)),
        ("下个月五号", datetime(2026, 4, 5)),
        ("下个月的5号下午三点", datetime(2026, 4, 5, 15)),
    ],
)
def test_a_date_is_the_next_one_unless_more_is_said(said, meant):
    assert parse_time(said, NOW) == meant


def test_after_midnight_the_night_goes_on():
    late = NOW.replace(hour=0, minute=30)
    for said in ("tonight at two", "今晚两点", "今天夜里两点", "夜里两点"):
        assert parse_time(said, late) == late.replace(hour=2, minute=0)


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("now", "said", "meant"),
    [
        (datetime(2026, 10, 25, 0, 30), "in three hours", datetime(2026, 10, 25, 2, 30)),
        (datetime(2026, 3, 29, 0, 30), "三个小时后", datetime(2026, 3, 29, 4, 30)),
        (datetime(2026, 10, 24, 12), "in a day", datetime(2026, 10, 25, 12)),
        (datetime(2026, 10, 24, 12), "in two weeks", datetime(2026, 11, 7, 12)),
        (datetime(2026, 10, 24, 12), "in 24 hours", datetime(2026, 10, 25, 11)),
        (datetime(2026, 10, 25, 2, 30, fold=1), "in an hour", datetime(2026, 10, 25, 3, 30)),
        (datetime(2026, 10, 25, 2, 30), "in an hour", datetime(2026, 10, 25, 2, 30)),
    ],
)
def test_time_passes_whatever_is_done_to_the_clocks(now, said, meant):
    assert parse_time(said, now) == meant


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2026-12-05T08:00:00Z", datetime(2026, 12, 5, 9)),
        ("2026-12-05T08:00+08:00", datetime(2026, 12, 5, 1)),
        ("2026-07-05T08:00:00.5-0400", datetime(2026, 7, 5, 14, 0, 0, 500_000)),
        ("2026-12-05T08:00", datetime(2026, 12, 5, 8)),
        ("2026-12-05 08:00", datetime(2026, 12, 5, 8)),
    ],
)
def test_what_is_written_with_a_zone_is_local_without_one(said, meant):
    read = parse_time(said, NOW)
    assert (read, read.tzinfo) == (meant, None)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(SAID.split()),
        max_size=7,
    ).map(" ".join)
    | st.text(max_size=20)
)
def test_any_text_is_a_time_or_a_value_error(said):
    try:
        read = parse_time(said, NOW)
    except ValueError:
        return
    assert read.tzinfo is None


def test_a_minute_is_a_minute():
    assert parse_time("in 90 seconds", NOW) - NOW == timedelta(seconds=90)
