"""Points in time as people say them: "tomorrow at eight", "december 5th", 十分钟后, 明天上午八点.

Strict, as numbers are: what is not exactly a time is a ValueError. Times are local and without a
zone, as `datetime.now()` gives them. What people leave open is settled so:

- an hour without morning or evening is the next one ("at eight" at nine in the morning is 20:00);
  on another day it is the one between 7:00 and 18:59 ("tomorrow at eight" is 8:00, "tomorrow at
  three" 15:00)
- a day without an hour is its first moment; "in the morning" alone is 9:00, see PARTS
- a weekday is the next such day after today, "this friday" today or after; "next friday" and 下周五
  are in the week after this one, and weeks begin on Monday; "next week" is seven days on
- a date without a year or a month is the next such day, and may be today
- midnight ends the day it is said with, and the hours after it belong to that night: 今晚两点 and
  "tonight at two" come two hours after it; 凌晨 begins the day it is said with
- what has gone by is said so: yesterday, "last friday" (the one before today; 上周五 is in the week
  before this one), "three days ago", 两小时前
- "in a day" is at the same time of the next day, "in 24 hours" so long from now, whatever is done
  to the clocks
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import partial

from agent.language import numbers

clock: ContextVar[Callable[[], datetime]] = ContextVar("clock", default=datetime.now)
"""What "now" is; tests set their own."""

_wakes: ContextVar[bool] = ContextVar("wakes", default=False)
"""Whether a bare hour is one of the morning."""

PARTS = {
    "dawn": 5, "morning": 9, "noon": 12, "afternoon": 15, "evening": 19, "tonight": 19,
    "night": 21, "midnight": 24,
}  # fmt: skip
"""Hour of a part of the day that is named without one."""
_HOURS = {
    "am": {12: 0} | {hour: hour for hour in range(1, 12)},
    "pm": {12: 12} | {hour: hour + 12 for hour in range(1, 12)},
    "dawn": {12: 0} | {hour: hour for hour in range(1, 7)},
    "morning": {hour: hour for hour in range(1, 12)},
    "noon": {10: 10, 11: 11, 12: 12, 1: 13, 2: 14, 3: 15},
    "afternoon": {12: 12} | {hour: hour + 12 for hour in range(1, 8)},
    "evening": {hour: hour + 12 for hour in range(4, 13)},
    "tonight": {hour: hour + (12 if hour > 4 else 24) for hour in range(1, 13)},
    "night": {hour: hour + (12 if hour > 5 else 24) for hour in range(1, 13)},
    "midnight": {hour: hour + (12 if hour > 9 else 24) for hour in range(1, 13)},
}
"""By part of the day, the hour that each hour on a dial is; those after its midnight go beyond 24.
"""

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_FIRST = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
    "eleventh", "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth",
    "eighteenth", "nineteenth", "twentieth",
)  # fmt: skip
_ORDINALS = (*_FIRST, *(f"twenty {one}" for one in _FIRST[:9]), "thirtieth", "thirty first")
_NAMED = {
    "today": 0, "tomorrow": 1, "day after tomorrow": 2, "next week": 7,
    "yesterday": -1, "day before yesterday": -2, "last week": -7,
    "昨天": -1, "昨日": -1, "昨": -1, "前天": -2, "大前天": -3,
    "上周": -7, "上星期": -7, "上个星期": -7, "上礼拜": -7, "上个礼拜": -7,
    "今天": 0, "今日": 0, "今": 0, "明天": 1, "明日": 1, "明": 1, "后天": 2, "后": 2, "大后天": 3,
    "下周": 7, "下星期": 7, "下个星期": 7, "下礼拜": 7, "下个礼拜": 7,
}  # fmt: skip
_ZH_PARTS = {
    "凌晨": "dawn", "清晨": "morning", "清早": "morning", "早上": "morning", "早晨": "morning",
    "早": "morning", "上午": "morning", "中午": "noon", "正午": "noon", "下午": "afternoon",
    "午后": "afternoon", "傍晚": "evening", "晚上": "tonight", "晚间": "tonight", "晚": "tonight",
    "夜里": "night", "夜晚": "night", "夜间": "night", "夜": "night", "半夜": "midnight",
    "深夜": "midnight", "午夜": "midnight",
}  # fmt: skip


def _either(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=len, reverse=True))


_ONE = _either(numbers.ONES[1:])
_HOUR = rf"{_ONE}|ten|eleven|twelve|\d{{1,2}}"
_MINUTE = rf"{_either(numbers.TEENS)}|(?:twenty|thirty|forty|fifty)(?: (?:{_ONE}))?"
_ORDINAL = rf"{_either(_ORDINALS)}|\d{{1,2}}(?:st|nd|rd|th)"
_MONTH = _either((*_MONTHS, *(name[:3] for name in _MONTHS), "sept"))
_PART = r"(?: in the| at)? (?P<{}>morning|afternoon|evening|night)"
_DAY = (
    rf"(?:(?:the )?(?P<named>{_either(name for name in _NAMED if name.isascii())})"
    rf"(?:{_PART.format('part')})?"
    r"|(?P<this>tonight|this (?:morning|afternoon|evening))"
    rf"|(?:on )?(?:(?:(?P<which>next|last|this|this coming|coming) )?(?P<weekday>{'|'.join(_DAYS)})"
    rf"|(?:(?P<month>{_MONTH}) (?:the )?(?P<date>{_ORDINAL}|\d{{1,2}})"
    rf"|(?:the )?(?P<date2>{_ORDINAL}|\d{{1,2}}) (?:of )?(?P<month2>{_MONTH}))"
    r"(?P<year> (?:1[6-9]|2[01])\d\d)?"
    rf"|the (?P<date3>{_ORDINAL})(?P<ahead> of next month)?)(?:{_PART.format('part2')})?)"
)
_CLOCK = (
    r"(?:at )?(?:(?P<noon>noon|midday|midnight)"
    rf"|(?P<minutes>half|(?:a )?quarter|{_ONE}|{_MINUTE}|\d{{1,2}})(?: minutes?)?"
    rf" (?P<side>past|after|to|before) (?P<of>{_HOUR})"
    rf"|(?P<hour>{_HOUR})(?:[:. ](?P<digits>\d\d)| oh (?P<oh>{_ONE})| (?P<words>{_MINUTE}))?"
    r"(?: o'?clock)?)(?:\s?(?P<half>[ap])\.?\s?m\.?| in the (?P<when>morning|afternoon|evening)"
    r"|(?P<late> at night))?"
)
_ENGLISH = [
    re.compile(pattern) for pattern in (_DAY, f"{_DAY} {_CLOCK}", _CLOCK, f"{_CLOCK} {_DAY}")
]
_ZH_NUMBER = r"[零〇一二两三四五六七八九十]+|\d{1,2}"
_CHINESE = re.compile(
    rf"(?:(?P<named>{_either(name for name in _NAMED if len(name) > 1 and not name.isascii())}"
    rf"|[今明后昨](?=[晚早夜半]))"
    rf"|(?P<which>下下|[这本下上]?)个?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])"
    rf"|(?:(?P<year>(?:1[6-9]|2[01])\d\d|今|明|后|去)年的?)?(?:(?:(?P<month>{_ZH_NUMBER})月|(?P<ahead>[这本下])个?月)的?)?"
    rf"(?P<date>{_ZH_NUMBER})[号日])?的?(?P<part>{_either(_ZH_PARTS)})?的?"
    rf"(?:(?:差(?P<short>{_ZH_NUMBER}|一刻)分?钟?)?(?P<hour>{_ZH_NUMBER})"
    rf"(?:[点點时](?P<minute>半|整|钟|过?[一三]刻|[过差]?(?:{_ZH_NUMBER})分?|差一刻)?"
    r"|[:：](?P<digits>\d\d)))?"
)


_SPELT = [
    (re.compile(pattern), plain)
    for pattern, plain in (
        (r"^(?:by|for) (?=\S)|(?<=\S) sharp$", ""),
        (r"\bnext weekend\b", "next saturday"),
        (r"\b(?:(?:this|on the|at the) )?weekend\b", "this saturday"),
        (r"^next month$", "the first of next month"),
        (r"\b(past|to) midnight\b", r"\1 twelve at night"),
        (r"\bpast noon\b", "past twelve in the afternoon"),
        (r"下个?周末", "下周六"),
        (r"(?:这个?|本)?周末", "这周六"),
        (r"^下个?月$", "下个月一号"),
    )
]
_LAST_DAY = re.compile(
    r"(?:at|on|by)? ?the (?:end|last day) of (?:the|this) month|(?:这个?|本)?月(?:底|末)"
)


def now() -> datetime:
    """Return the time on the clock that was set."""
    return clock.get()()


def parse_time(text: str, now: datetime, early: bool = False) -> datetime:
    """Read a point in time. Raises ValueError when the text is anything else.

    `early` takes a bare hour from 4 to 11 for one of the morning.
    """
    if early:
        wakes = _wakes.set(True)
        try:
            return parse_time(text, now)
        finally:
            _wakes.reset(wakes)
    said = _plainly(" ".join(text.lower().replace(",", " ").split()), now)
    for read in _ways(said, now):
        try:
            if (moment := read()) is not None:
                return moment
        except (ValueError, OverflowError, OSError):  # it may be read in another way
            continue
    raise ValueError(f"{text!r} is not a time")


def _plainly(said: str, now: datetime) -> str:
    """Return a text with what is said in few ways spelt out: a weekend begins on Saturday."""
    for pattern, plain in _SPELT:
        said = pattern.sub(plain, said)
    if _LAST_DAY.search(said):
        last = _next_month(now.date()) - timedelta(days=1)
        day = f"{last.year}年{last.month}月{last.day}日" if "月" in said else f"the {last.day}th"
        said = _LAST_DAY.sub(day, said)
    return said


def _ways(said: str, now: datetime) -> Iterator[Callable[[], datetime | None]]:
    """Yield the ways to read a text."""
    yield partial(_written, said, now)
    yield partial(_later, said, now)
    yield partial(_ago, said, now)
    yield partial(_days_later, said, now)
    for pattern in _ENGLISH:
        if found := pattern.fullmatch(said):
            yield partial(_english, found.groupdict(), now)
    if found := _CHINESE.fullmatch(said.replace(" ", "")):
        yield partial(_chinese, found.groupdict(), now)


def _written(said: str, now: datetime) -> datetime | None:
    """Read ISO 8601, whatever its zone, or `now`."""
    if said in ("now", "right now", "现在"):
        return _local(now)
    if re.match(r"\d{4}-\d\d-\d\d", said):
        return _local(datetime.fromisoformat(said.upper()))
    return None


def is_length(text: str) -> bool:
    """Whether a text is a length of time from now, as "in ten minutes" is."""
    said = " ".join(text.lower().split())
    try:
        return _later(said, datetime(2000, 1, 1)) is not None
    except (ValueError, OverflowError, OSError):
        return False


def _later(said: str, now: datetime) -> datetime | None:
    """Read a length of time from now: days by the calendar, what is shorter as it passes."""
    found = re.fullmatch(
        r"(?:in|after) (.+)|(.+) from now|(?:再?过)?(.+?)(?:以后|之后|过后|后)|再?过(.+)", said
    )
    if found is None:
        return None
    days, rest = numbers.parse_days(next(filter(None, found.groups())))
    start = _local(now) + days if days else _local(now)  # adding nothing would forget the fold
    return _local(start.astimezone(UTC) + rest).replace(microsecond=0)


def _ago(said: str, now: datetime) -> datetime | None:
    """Read a length of time that has gone by, as `_later` reads one to come."""
    found = re.fullmatch(r"(.+) ago|(.+?)(?:以前|之前|前)", said)
    if found is None:
        return None
    days, rest = numbers.parse_days(next(filter(None, found.groups())))
    start = _local(now) - days if days else _local(now)
    return _local(start.astimezone(UTC) - rest).replace(microsecond=0)


def _days_later(said: str, now: datetime) -> datetime | None:
    """Read days that are counted from a day, or an hour on a day that is counted to."""
    if found := re.fullmatch(r"(.+) from (?:on )?(.+)", said):
        return parse_time(found[2], now) + _whole_days(found[1])
    if found := re.fullmatch(r"in (.+?) (at .+)", said):
        day = now.date() + _whole_days(found[1])
        return parse_time(f"{_MONTHS[day.month - 1]} {day.day} {day.year} {found[2]}", now)
    if found := re.fullmatch(r"(.+?)(?:以后|之后|后)的?(.+)", said):
        day = now.date() + _whole_days(found[1])
        return parse_time(f"{day.year}年{day.month}月{day.day}日{found[2]}", now)
    return None


def _whole_days(length: str) -> timedelta:
    days, rest = numbers.parse_days(length)
    if rest or days % timedelta(days=1):
        raise ValueError("not a number of days")
    return days


def instant(wall: datetime, zone: tzinfo | None = None) -> datetime:
    """Return the moment, in UTC, at which clocks in a zone show a time; None is the system's zone.

    Of an hour that is shown twice it is the first, and for a time in an hour that daylight saving
    skips it is the moment of the change: then the clocks go past it.
    """
    wall = wall.replace(tzinfo=None)
    late = (  # a naive time's own `astimezone` takes the later offset for one that is skipped
        datetime.fromtimestamp(wall.timestamp(), UTC)
        if zone is None
        else wall.replace(tzinfo=zone).astimezone(UTC)
    )
    over = shown(late, zone) - wall
    if over <= timedelta():
        return late
    early = late - over
    while late - early > timedelta(milliseconds=500):
        middle = early + (late - early) / 2
        early, late = (early, middle) if shown(middle, zone) >= wall else (middle, late)
    return late.replace(microsecond=0)


def shown(moment: datetime, zone: tzinfo | None = None) -> datetime:
    """Return what clocks in a zone show at a moment, without that zone."""
    return moment.astimezone(zone).replace(tzinfo=None)


def _local(moment: datetime) -> datetime:
    """Return what a clock here shows at a moment."""
    return moment if moment.tzinfo is None else moment.astimezone().replace(tzinfo=None)


# -- English --------------------------------------------------------------------------------------


def _english(found: dict[str, str | None], now: datetime) -> datetime:
    day = _english_day(found, now.date())
    parts = [part for key in ("part", "part2", "when") if (part := found.get(key))]
    if this := found.get("this"):
        parts.append(this.removeprefix("this "))
    if found.get("late"):
        parts.append("night")
    if half := found.get("half"):
        parts.append(f"{half}m")
    if noon := found.get("noon"):
        if parts and not (noon == "midnight" and {*parts} <= {"evening", "night", "tonight"}):
            raise ValueError(noon)
        return _at(day, {24 if noon == "midnight" else 12}, 0, now)
    if of := found.get("of"):
        minutes = {"half": 30, "quarter": 15, "a quarter": 15}.get(str(found["minutes"]))
        if minutes is None:
            minutes = _whole(str(found["minutes"]), 1, 59)
        hour = _whole(of, 1, 12)
        if found["side"] in ("to", "before"):
            hour, minutes = (hour - 1 or 12), 60 - minutes
        return _at(day, _hours(hour, parts, day, now), minutes, now)
    if said := found.get("hour"):
        minutes = _whole(found["digits"] or found["words"] or found["oh"] or "0", 0, 59)
        hour = _whole(said, 0, 23)
        exact = said[0] == "0" and not parts
        return _at(day, {hour} if exact else _hours(hour, parts, day, now), minutes, now)
    return _moment(day or now.date(), PARTS[parts[0]] if parts else 0)


def _english_day(found: dict[str, str | None], today: date) -> date | None:
    if name := found.get("named"):
        return today + timedelta(days=_NAMED[name])
    if found.get("this"):
        return today
    if weekday := found.get("weekday"):
        return _weekday(_DAYS.index(weekday), today, found["which"] or "")
    said = found.get("date") or found.get("date2") or found.get("date3")
    if said is None:
        return None
    number = _ORDINALS.index(said) + 1 if said in _ORDINALS else int(said.rstrip("stndrh"))
    if name := found["month"] or found["month2"]:
        month = 1 + [each[:3] for each in _MONTHS].index(name[:3])
        return _date(today, number, month, int(found["year"]) if found["year"] else None)
    return _date(_next_month(today), number) if found["ahead"] else _date(today, number)


# -- Chinese --------------------------------------------------------------------------------------


def _chinese(found: dict[str, str | None], now: datetime) -> datetime:
    day = _chinese_day(found, now.date())
    parts = [_ZH_PARTS[part]] if (part := found["part"]) else []
    if not found["hour"]:
        if day is None and not parts:
            raise ValueError("nothing was said")
        return _moment(day or now.date(), PARTS[parts[0]] if parts else 0)
    hour, minutes = _whole(found["hour"], 0, 24), 0
    minute = found["minute"] or found["digits"] or ""
    short = found["short"] or (minute[1:] if minute[:1] == "差" else None)
    if short is not None:
        hour, minutes = (_whole(found["hour"], 1, 12) - 1 or 12), 60 - _zh_minutes(short)
    elif minute:
        minutes = _zh_minutes(minute.removeprefix("过"))
    return _at(day, _hours(hour, parts, day, now), minutes, now)


def _chinese_day(found: dict[str, str | None], today: date) -> date | None:
    if name := found["named"]:
        return today + timedelta(days=_NAMED[name])
    if weekday := found["weekday"]:
        number = "一二三四五六日".index(weekday.replace("天", "日"))
        return _weekday(number, today, found["which"] or "")
    if not found["date"]:
        return None
    number = _whole(found["date"], 1, 31)
    if ahead := found["ahead"]:
        if found["year"]:
            raise ValueError("a year, and a month as seen from today")
        first = _next_month(today) if ahead == "下" else today
        return date(first.year, first.month, number)
    month = _whole(found["month"], 1, 12) if found["month"] else None
    if said := found["year"]:
        if month is None:
            raise ValueError("a year and a day, but no month")
        year = int(said) if said.isdigit() else today.year + "去今明后".index(said) - 1
        return date(year, month, number)
    return _date(today, number, month)


def _zh_minutes(text: str) -> int:
    fixed = {"整": 0, "钟": 0, "半": 30, "一刻": 15, "三刻": 45}
    text = text.removesuffix("分")
    return fixed[text] if text in fixed else _whole(text.lstrip("零〇") or "零", 0, 59)


# -- days and hours -------------------------------------------------------------------------------


def _hours(hour: int, parts: list[str], day: date | None, now: datetime) -> set[int]:
    """Return the hours of the day that an hour may be, with all that was said of its part."""
    if parts:
        on_dial = hour % 12 or 12
        meant = [_HOURS[part].get(on_dial, -1) for part in parts]
        if min(meant) < 0 or len({one % 24 for one in meant}) > 1:
            raise ValueError("no such hour in that part of the day")
        if not 0 < hour <= 12 and hour % 24 != meant[0] % 24:
            raise ValueError("not an hour of that part of the day")
        return {max(meant)}
    if not 0 < hour <= 12 or (_wakes.get() and 4 <= hour < 12):
        return {hour}
    if day is not None and day != now.date():
        return {hour if 7 <= hour < 12 else hour % 12 + 12}
    return {hour % 12, hour % 12 + 12}


def _at(day: date | None, hours: set[int], minutes: int, now: datetime) -> datetime:
    """Return the next moment at one of the hours, on a day if one was said."""
    today = now.date()
    days = [today + timedelta(days=ahead) for ahead in (-1, 0, 1)] if day is None else [day]
    if day == today and max(hours) >= 24:  # of the night that may be going on
        days.append(today - timedelta(days=1))
    moments = [_moment(one, at, minutes) for one in days for at in hours]
    ahead = [moment for moment in moments if moment > now.replace(tzinfo=None)]
    if ahead:
        return min(ahead)
    if len(hours) == 1:  # said exactly, and gone by: the skill decides what that means
        return max(moments)
    raise ValueError("that has gone by")


def _weekday(number: int, today: date, which: str) -> date:
    if which == "last":
        return today - timedelta(days=(today.weekday() - number - 1) % 7 + 1)
    if weeks := {"next": 1, "下": 1, "下下": 2, "上": -1}.get(which):
        return today + timedelta(days=7 * weeks - today.weekday() + number)
    after = 0 if which in ("this", "这", "本") else 1
    return today + timedelta(days=(number - today.weekday() - after) % 7 + after)


def _date(today: date, number: int, month: int | None = None, year: int | None = None) -> date:
    """Return the first such day from today on. Raises ValueError where there is none."""
    if year is not None and month is not None:
        return date(year, month, number)
    first = today.replace(day=1)
    for _ in range(8 * 12 + 1):  # as far as one 29 February may be from the next
        days = (_next_month(first) - first).days
        found = first.replace(day=min(number, days))
        if month in (None, first.month) and found.day == number and found >= today:
            return found
        first = _next_month(first)
    raise ValueError("there is no such day")


def _next_month(day: date) -> date:
    """Return the first day of the month after that of a day."""
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def _moment(day: date, hour: int, minutes: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day) + timedelta(hours=hour, minutes=minutes)


def _whole(text: str, low: int, high: int) -> int:
    value = numbers.parse_number(text)
    if value != int(value) or not low <= value <= high:
        raise ValueError(text)
    return int(value)


# -- how they are said ----------------------------------------------------------------------------


def spoken_time(language: str, lengths: bool = True) -> tuple[str, ...]:
    """Return templates of the words for points in time; the parser has the last word.

    `lengths` has them said as a length of time from now too.
    """
    spans = numbers.spoken_duration(language) if lengths else ()
    if language == "zh":
        hour = f"({'|'.join('一两三四五六七八九十')}|十一|十二)点[半|一刻|三刻]"
        day = "([二]十[一|二|三|四|五|六|七|八|九]|三十[一]|一|二|三|四|五|六|七|八|九)"
        days = (
            "今天|明天|后天|[这|下](周|星期)(一|二|三|四|五|六|日)"
            f"|[(一|二|三|四|五|六|七|八|九|十|十一|十二|下个)月]{day}号"
        )
        return (
            f"[{days}][早上|上午|中午|下午|晚上]{hour}",
            f"({days})",
            *(f"{said}后" for said in spans),
        )
    hour = "(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
    minute = "(ten|fifteen|twenty|twenty five|thirty|forty|forty five|fifty)"
    clock = (
        f"(({hour} [{minute}|o'clock]|(half|quarter|ten|twenty|five) past {hour}"
        f"|(quarter|ten|twenty|five) to {hour})"
        " [a m|p m|in the (morning|afternoon|evening)]|noon|midnight)"
    )
    month, date = f"({'|'.join(_MONTHS)})", f"({'|'.join(_ORDINALS)})"
    day = (
        "(today|tomorrow|the day after tomorrow|next week"
        f"|[on] ([next|this] ({'|'.join(_DAYS)})|{month} [the] {date}|the {date} [of {month}]))"
    )
    return (
        f"{day} [at {clock}]",
        f"{day} (morning|afternoon|evening) [at {clock}]",
        "(tonight|this (morning|afternoon|evening))",
        f"[at] {clock} [{day}]",
        *(f"in {said}" for said in spans),
    )
