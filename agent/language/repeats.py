"""Times that come again, as people say them: "every weekday at seven", 每周一三五早上七点.

Strict, as `times` is: what is not exactly one is a ValueError. An hour without morning or evening
is read as on another day, so between 7:00 and 18:59; days without an hour mean 9:00. The rule is
that of iCalendar (RFC 5545, section 3.3.10), and the library `dateutil` counts it out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta

from agent.language import numbers, times

UNSAID = time(9)
"""When it is on days that are named without an hour."""
SHORTEST = timedelta(minutes=1)
"""Nothing comes more often."""

_CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WEEK = "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
_WORK, _END = ",".join(_CODES[:5]), ",".join(_CODES[5:])
_PARTS = "morning|afternoon|evening|night"
_COUNT = r"(?P<count>other|second|\d+|two|three|four|five|six|seven|eight|nine|ten)"
_MONTHLY = r"(?:the )?(?P<date>last day|[a-z ]*?[a-z]+(?:st|nd|rd|th)|\d+(?:st|nd|rd|th))"
_EVERY = "(?:every|each) "
_AND = "(?: (?:and )?)?"

_ENGLISH = [
    re.compile(rf"(?P<before>.*?)\b(?:{pattern})(?P<after>.*)")
    for pattern in (
        rf"(?:on )?{_MONTHLY} of (?:every|each|the) month",
        rf"{_EVERY}month on {_MONTHLY}",
        rf"{_EVERY}year on (?P<year>.+?)(?= at |$)",
        rf"{_EVERY}(?P<span>(?:[a-z0-9 ]+ )?(?:hours?|minutes?|mins?))\b",
        rf"{_EVERY}(?P<work>(?:weekday|work ?day|working day)s?)(?: (?P<p1>{_PARTS}))?",
        rf"(?:on )?(?:{_EVERY})?(?:the )?(?P<work2>(?:weekday|work ?day|working day)s)",
        rf"(?:on )?(?:{_EVERY}(?:the )?weekend|(?:the )?(?P<ends>weekends))",
        rf"(?:{_EVERY}|from )?(?P<first>{_WEEK}) (?:to|through|till|until) (?P<last>{_WEEK})",
        rf"{_EVERY}(?:{_COUNT} )?(?P<days>(?:(?:{_WEEK}){_AND})+)(?: ?(?P<p2>{_PARTS}))?",
        rf"(?:on )?(?P<plural>(?:(?:{_WEEK})s{_AND})+)",
        rf"{_EVERY}{_COUNT} (?P<unit>day|week|month)s?",
        rf"{_EVERY}(?P<unit2>week|month)",
        rf"{_EVERY}(?P<part>day|{_PARTS})|(?P<daily>daily|nightly)",
    )
]

_ZH_DAYS = "一二三四五六日"
_ZH_COUNT = r"(?P<count>\d+|[两二三四五六七八九十]+)"
_CHINESE = [
    re.compile(rf"(?:{pattern})(?P<after>.*)")
    for pattern in (
        r"每个?月的?(?:(?P<date>\d+|[一二三四五六七八九十]+)[号日]|(?P<end>最后一天))",
        r"每年的?(?P<year>.+?[号日])",
        r"每隔?(?P<span>半个?小时|[一两二三四五六七八九十\d]*个?(?:小时|分钟))",
        r"每?个?(?P<work>工作日)",
        r"(?:每个?|每到)?(?P<ends>周末)",
        r"每?个?(?:周|星期|礼拜)(?P<first>[一二三四五六日天])(?:到|至)(?:周|星期|礼拜)?(?P<last>[一二三四五六日天])",
        r"每(?:(?P<skip>隔一|两)个?(?:周|星期)的?)(?:周|星期|礼拜)(?P<skipped>[一二三四五六日天])",
        r"每个?(?:周|星期|礼拜)(?P<days>[一二三四五六日天](?:(?:和|、|，|与|跟)?(?:周|星期|礼拜)?[一二三四五六日天])*)",
        rf"每(?:隔(?P<one>一)个?|{_ZH_COUNT}个?)(?P<unit>天|周|星期|月)",
        r"每(?P<unit2>周|个?星期|个?月)",
        r"(?:每天|每日|天天)的?|每(?=[早晚])",
    )
]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A time that comes again."""

    rule: str
    """RFC 5545: `FREQ=WEEKLY;BYDAY=MO,TU`."""
    first: datetime = field(compare=False)
    """Its first time from now on; local, without a zone."""
    said: str = ""
    """As it was said."""


def parse_repeat(text: str, now: datetime) -> Repeat:
    """Read a time that comes again. Raises ValueError when the text is anything else."""
    said = " ".join(text.lower().replace(",", " ").split())
    for read in (_english, _chinese):
        if (found := read(said, now)) is not None:
            return replace(found, said=text)
    raise ValueError(f"{text!r} is not a time that comes again")


def after(rule: str, start: datetime, moment: datetime) -> datetime | None:
    """Return the first time of a rule after a moment; None where there is no more.

    `start` is a time of it. Raises ValueError for a rule that is none.
    """
    from dateutil.rrule import rrulestr

    found: datetime | None = rrulestr(rule, dtstart=start).after(moment)
    return found


def count(rule: str, start: datetime, moment: datetime) -> tuple[int, datetime]:
    """Return how often a rule comes from `start` up to a moment, and its last time."""
    from dateutil.rrule import rrulestr

    times_ = rrulestr(rule, dtstart=start).between(start, moment, inc=True)
    return len(times_), times_[-1] if times_ else start


def _rule(freq: str, every: int = 1, **by: str) -> str:
    parts = [f"FREQ={freq}"] + ([f"INTERVAL={every}"] if every > 1 else [])
    return ";".join([*parts, *(f"{key}={value}" for key, value in by.items())])


def _beginning(rule: str, at: time, now: datetime) -> Repeat:
    """Return a rule with its first time; one that counts begins with the next time it may be."""
    here = now.replace(tzinfo=None)
    start = datetime.combine(here.date(), at)
    plain = re.sub(r";?INTERVAL=\d+", "", rule)
    found = after(plain, start, here - timedelta(microseconds=1))
    if found is not None and found <= here:
        found = after(plain, start, here)
    if found is None:
        raise ValueError("it never comes")
    return Repeat(rule, found)


def _span(words: str, now: datetime) -> Repeat:
    """Read what comes every so many minutes or hours, from now."""
    if words.strip() in ("hour", "minute", "min", "小时", "个小时", "分钟"):
        words = f"one {words}" if words.isascii() else f"一{words}"
    length = numbers.parse_duration(words.replace("half hour", "half an hour"))
    minutes = int(length.total_seconds()) // 60
    if length < SHORTEST or length != timedelta(minutes=minutes):
        raise ValueError("that is too often")
    rule = _rule("MINUTELY", minutes) if minutes % 60 else _rule("HOURLY", minutes // 60)
    return Repeat(rule, now.replace(tzinfo=None, microsecond=0) + length)


# -- English --------------------------------------------------------------------------------------


def _english(said: str, now: datetime) -> Repeat | None:
    for pattern in _ENGLISH:
        if (found := pattern.fullmatch(said)) is None:
            continue
        got = found.groupdict()
        rest = f"{got['before']} {got['after']}".strip()
        part = got.get("part") or got.get("p1") or got.get("p2") or ""
        if got.get("daily") == "nightly":
            part = "night"
        try:
            if span := got.get("span"):
                return None if rest else _span(span, now)
            at = _clock(rest, "" if part == "day" else part, now)
            return _beginning(_english_rule(got, now), at, now)
        except ValueError:
            continue
    return None


def _english_rule(got: dict[str, str | None], now: datetime) -> str:
    if date := got.get("date"):
        return _rule("MONTHLY", BYMONTHDAY=str(-1 if date == "last day" else _ordinal(date, now)))
    if year := got.get("year"):
        day = times.parse_time(year, now)
        return _rule("YEARLY", BYMONTH=str(day.month), BYMONTHDAY=str(day.day))
    if got.get("work") or got.get("work2"):
        return _rule("WEEKLY", BYDAY=_WORK)
    if first := got.get("first"):
        week = _WEEK.split("|")
        return _rule("WEEKLY", BYDAY=_between(week.index(first), week.index(str(got["last"]))))
    every = _counted(got.get("count"))
    if days := got.get("days") or got.get("plural"):
        week = _WEEK.split("|")
        named = [code for name, code in zip(week, _CODES, strict=True) if name in days]
        return _rule("WEEKLY", every, BYDAY=",".join(named))
    if unit := got.get("unit") or got.get("unit2"):
        return _unit(unit, every, now)
    if got.get("part") or got.get("daily"):
        return _rule("DAILY")
    return _rule("WEEKLY", BYDAY=_END)


def _unit(unit: str, every: int, now: datetime) -> str:
    if unit == "week":
        return _rule("WEEKLY", every, BYDAY=_CODES[now.weekday()])
    if unit == "month":
        return _rule("MONTHLY", every, BYMONTHDAY=str(now.day))
    return _rule("DAILY", every)


def _counted(said: str | None) -> int:
    if said is None:
        return 1
    return 2 if said in ("other", "second") else int(numbers.parse_number(said))


def _ordinal(said: str, now: datetime) -> int:
    return times.parse_time(f"the {said.removeprefix('the ')} of january", now).day


def _between(first: int, last: int) -> str:
    """Return the days from one to another, over the end of the week where it comes first."""
    return ",".join(_CODES[(first + step) % 7] for step in range((last - first) % 7 + 1))


def _clock(rest: str, part: str, now: datetime) -> time:
    """Read the hour that was said beside the days."""
    if not rest and not part:
        return UNSAID
    return times.parse_time(" ".join(f"tomorrow {part} {rest}".split()), now).time()


# -- Chinese --------------------------------------------------------------------------------------


def _chinese(said: str, now: datetime) -> Repeat | None:
    text = said.replace(" ", "")
    for pattern in _CHINESE:
        if (found := pattern.fullmatch(text)) is None:
            continue
        got = found.groupdict()
        rest = got["after"].removeprefix("的")
        try:
            if span := got.get("span"):
                return None if rest else _span(span, now)
            at = times.parse_time(f"明天{rest}", now).time() if rest else UNSAID
            return _beginning(_chinese_rule(got, now), at, now)
        except ValueError:
            continue
    return None


def _chinese_rule(got: dict[str, str | None], now: datetime) -> str:
    number: Callable[[str], int] = lambda day: _ZH_DAYS.index(day.replace("天", "日"))  # noqa: E731
    if date := got.get("date"):
        return _rule("MONTHLY", BYMONTHDAY=str(_month_day(date)))
    if got.get("end"):
        return _rule("MONTHLY", BYMONTHDAY="-1")
    if year := got.get("year"):
        day = times.parse_time(year, now)
        return _rule("YEARLY", BYMONTH=str(day.month), BYMONTHDAY=str(day.day))
    if got.get("work"):
        return _rule("WEEKLY", BYDAY=_WORK)
    if got.get("ends"):
        return _rule("WEEKLY", BYDAY=_END)
    if first := got.get("first"):
        return _rule("WEEKLY", BYDAY=_between(number(first), number(str(got["last"]))))
    if skipped := got.get("skipped"):
        return _rule("WEEKLY", 2, BYDAY=_CODES[number(skipped)])
    if days := got.get("days"):
        named = sorted({number(day) for day in days if day in _ZH_DAYS + "天"})
        return _rule("WEEKLY", BYDAY=",".join(_CODES[day] for day in named))
    units = {"天": "day", "周": "week", "星期": "week", "月": "month"}
    if unit := got.get("unit") or got.get("unit2"):
        every = 2 if got.get("one") else _counted((got.get("count") or "").strip() or None)
        return _unit(units[unit.removeprefix("个")], every, now)
    return _rule("DAILY")


def _month_day(said: str) -> int:
    day = int(numbers.parse_number(said))
    if not 1 <= day <= 31:
        raise ValueError("there is no such day")
    return day


# -- how they are said ----------------------------------------------------------------------------


def spoken_repeat(language: str) -> tuple[str, ...]:
    """Return templates of the words for times that come again; the parser has the last word."""
    if language == "zh":
        hour = f"({'|'.join('一两三四五六七八九十')}|十一|十二)点[半|一刻|三刻]"
        days = "每天|工作日|每个工作日|每周(一|二|三|四|五|六|日)|周一到周五|每个周末"
        return (f"({days})[早上|上午|中午|下午|晚上]{hour}", "每(小时|半小时|两小时)")
    hour = "(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
    clock = f"at {hour} [thirty] [a m|p m]"
    days = (
        f"every (day|morning|evening|night|weekday|weekend|({_WEEK}))"
        f"|[on] (weekdays|weekends|mondays|tuesdays|wednesdays|thursdays|fridays|saturdays|sundays)"
    )
    return (f"({days}) {clock}", "every [half|two|three] (hour|hours)")
