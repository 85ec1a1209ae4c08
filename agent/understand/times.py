"""Points in time as people say them: "tomorrow at eight", "in ten minutes", 明天上午八点.

Strict, as numbers are: what is not exactly a time is a ValueError. Times are local and without a
zone, as `datetime.now()` gives them. What people leave open is settled so:

- an hour without morning or evening is the next one ("at eight" at nine in the morning is 20:00);
  on another day it is the one between 7:00 and 18:59 ("tomorrow at eight" is 8:00, "tomorrow at
  three" 15:00)
- a day without an hour is its first moment; "in the morning" alone is 9:00, see PARTS
- a weekday is the next such day after today; "next friday" and 下周五 are in the week after this
  one, and weeks begin on Monday
- midnight ends the day it is said with
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import ContextVar
from datetime import date, datetime, timedelta

from agent.understand import numbers

clock: ContextVar[Callable[[], datetime]] = ContextVar("clock", default=datetime.now)
"""What "now" is; tests set their own."""

PARTS = {"morning": 9, "afternoon": 15, "evening": 19, "night": 21}
"""Hour of a part of the day that is said without one."""

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ZH_PARTS = {
    "凌晨": "morning", "清晨": "morning", "早上": "morning", "早晨": "morning", "上午": "morning",
    "中午": "noon", "下午": "afternoon", "傍晚": "evening", "晚上": "evening", "夜里": "night",
}  # fmt: skip
_ZH_DAYS = {"今天": 0, "明天": 1, "后天": 2, "大后天": 3}

_PART = "morning|afternoon|evening|night"
_DAY = (
    rf"(?:(?P<named>today|tomorrow|the day after tomorrow)(?: (?P<part>{_PART}))?"
    rf"|(?P<this>tonight|this (?:morning|afternoon|evening))"
    rf"|(?:on )?(?P<next>next )?(?P<weekday>{'|'.join(_DAYS)})(?: (?P<part2>{_PART}))?)"
)
_HALF = r"a\.?\s?m\.?|p\.?\s?m\.?"
_CLOCK = (
    r"(?:at )?(?:(?P<noon>noon|midday|midnight)"
    r"|(?P<minutes>half|(?:a )?quarter|[a-z0-9 ]+?)(?: minutes?)? (?P<side>past|to)"
    r" (?P<of>[a-z0-9]+)"
    r"|(?P<hour>[a-z]+|\d{1,2})"
    r"(?::(?P<digits>\d\d)| oh (?P<oh>[a-z]+)| (?P<words>[a-z]+(?: [a-z]+)??))??"
    rf"(?: o'?clock)?)(?:\s?(?P<half>{_HALF})| in the (?P<when>morning|afternoon|evening)"
    r"|(?P<late> at night))?"
)
_ENGLISH = [
    re.compile(pattern)
    for pattern in (_DAY, rf"{_DAY} {_CLOCK}", rf"{_CLOCK}", rf"{_CLOCK} {_DAY}")
]
_CHINESE = re.compile(
    rf"(?:(?P<named>{'|'.join(sorted(_ZH_DAYS, key=len, reverse=True))}|今(?=[晚早])|明(?=[晚早]))"
    r"|(?P<week>[这本下]?)个?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天]))?"
    rf"(?P<part>{'|'.join(_ZH_PARTS)}|[晚早])?"
    r"(?:(?P<hour>[零〇一二两三四五六七八九十]+|\d{1,2})(?:[点點时](?P<minute>半|整|钟|[一三]刻"
    r"|[零〇一二三四五六七八九十]+分?|\d{1,2}分?)?|[:：](?P<digits>\d\d)))?"
)


def now() -> datetime:
    """Return the time on the clock that is set."""
    return clock.get()()


def parse_time(text: str, now: datetime) -> datetime:
    """Read a point in time. Raises ValueError when the text is anything else."""
    said = " ".join(text.lower().split())
    try:
        if re.match(r"\d{4}-\d\d-\d\d", said):
            return datetime.fromisoformat(said)
        if said in ("now", "right now", "现在"):
            return now
        if (later := _later(said)) is not None:
            return (now + later).replace(microsecond=0)
        for pattern in _ENGLISH:
            if found := pattern.fullmatch(said):
                return _english(found.groupdict(), now)
        if said and (found := _CHINESE.fullmatch(said.replace(" ", ""))):
            return _chinese(found.groupdict(), now)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"{text!r} is not a time")


def _later(said: str) -> timedelta | None:
    if found := re.fullmatch(r"in (.+)|(.+) from now|(.+?)(?:以后|之后|过后|后)", said):
        words = found[1] or found[2] or found[3]
        if words not in ("大", "明天", "今天") and not words.startswith("the "):
            return numbers.parse_duration(words)
    return None


def _english(found: dict[str, str | None], now: datetime) -> datetime:
    day = _english_day(found, now.date())
    part = found.get("part") or found.get("part2") or found.get("when")
    if this := found.get("this"):
        part = "evening" if this == "tonight" else this.removeprefix("this ")
    if found.get("late"):
        part = "night"
    if half := found.get("half"):
        part = "am" if half[0] == "a" else "pm"
    if noon := found.get("noon"):
        if part and not (noon == "midnight" and part in ("evening", "night")):
            raise ValueError(noon)
        return _at(day, 24 if noon == "midnight" else 12, 0, "exact", now)
    if of := found.get("of"):
        minutes = {"half": 30, "quarter": 15, "a quarter": 15}.get(str(found["minutes"]))
        if minutes is None:
            minutes = _whole(str(found["minutes"]), 1, 59)
        hour = _whole(of, 1, 12)
        if found["side"] == "to":
            hour, minutes = (hour - 1 or 12), 60 - minutes
        return _at(day, hour, minutes, part, now)
    if hour_words := found.get("hour"):
        minutes = _whole(found.get("digits") or "0", 0, 59)
        if words := found.get("words") or found.get("oh"):
            minutes = _whole(words, *((1, 9) if found.get("oh") else (10, 59)))
        hour = _whole(hour_words, 0, 23)
        exact = hour_words[0] == "0" or hour > 12 or hour == 0
        if exact and part:
            raise ValueError(hour_words)
        return _at(day, hour, minutes, "exact" if exact else part, now)
    return _moment(day or now.date(), PARTS[part] if part else 0)


def _english_day(found: dict[str, str | None], today: date) -> date | None:
    if name := found.get("named"):
        ahead = {"today": 0, "tomorrow": 1, "the day after tomorrow": 2}[name]
        return today + timedelta(days=ahead)
    if found.get("this"):
        return today
    if weekday := found.get("weekday"):
        return _weekday(_DAYS.index(weekday), today, bool(found["next"]))
    return None


def _chinese(found: dict[str, str | None], now: datetime) -> datetime:
    day: date | None = None
    if name := found["named"]:
        day = now.date() + timedelta(days=_ZH_DAYS.get(name) or int(name == "明"))
    elif weekday := found["weekday"]:
        number = "一二三四五六日".index(weekday.replace("天", "日"))
        day = _weekday(number, now.date(), found["week"] == "下")
    said = found["part"]
    part = {"晚": "evening", "早": "morning"}.get(said or "") or _ZH_PARTS.get(said or "")
    if not found["hour"]:
        if day is None and part is None:
            raise ValueError
        return _moment(day or now.date(), {**PARTS, "noon": 12}[part] if part else 0)
    hour = _whole(found["hour"], 0, 24)
    minute = found["minute"] or found["digits"] or ""
    fixed = {"": 0, "整": 0, "钟": 0, "半": 30, "一刻": 15, "三刻": 45}
    minutes = fixed[minute] if minute in fixed else _zh_minutes(minute.removesuffix("分"))
    if part == "noon":
        return _at(day, hour if hour > 9 else hour + 12, minutes, "exact", now)
    exact = hour == 0 or hour > 12
    return _at(day, hour, minutes, "exact" if exact else part, now)


def _zh_minutes(text: str) -> int:
    return _whole(text.lstrip("零〇") or "零", 0, 59)


def _at(day: date | None, hour: int, minutes: int, part: str | None, now: datetime) -> datetime:
    """Settle which hour is meant; `part` is a part of the day, `am`, `pm`, `exact` or None."""
    today = now.date()
    hours = {
        "exact": [hour],
        "am": [hour % 12],
        "pm": [hour % 12 + 12],
        "morning": [hour % 12] if hour != 12 else [],
        "afternoon": [hour % 12 + 12] if hour in (12, 1, 2, 3, 4, 5, 6) else [],
        "evening": [hour + 12] if 4 < hour <= 12 else [],
        "night": [hour + 12] if 6 < hour <= 12 else [],
        None: [hour % 12, hour % 12 + 12],
    }[part]
    if day is not None and day != today and part is None:
        hours = [hour if 7 <= hour < 12 else hour % 12 + 12]
    if minutes and 24 in hours:
        raise ValueError("after the end of the day")
    days = [day] if day is not None else [today, today + timedelta(days=1)]
    moments = [_moment(one, at, minutes) for one in days for at in hours]
    ahead = [moment for moment in moments if moment > now.replace(tzinfo=None)]
    if ahead:
        return min(ahead)
    if len(moments) == 1:  # said exactly, and gone by: the skill decides what that means
        return moments[0]
    raise ValueError("that has gone by")


def _weekday(number: int, today: date, next_week: bool) -> date:
    if next_week:
        return today + timedelta(days=7 - today.weekday() + number)
    return today + timedelta(days=(number - today.weekday() - 1) % 7 + 1)


def _moment(day: date, hour: int, minutes: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day) + timedelta(hours=hour, minutes=minutes)


def _whole(text: str, low: int, high: int) -> int:
    value = numbers.parse_number(text)
    if value != int(value) or not low <= value <= high:
        raise ValueError(text)
    return int(value)


def spoken_time(language: str) -> tuple[str, ...]:
    """Return templates of the words for points in time; the parser has the last word."""
    if language == "zh":
        hour = f"({'|'.join('一两三四五六七八九十')}|十一|十二)点[半|一刻|三刻]"
        days = "今天|明天|后天|[下](周|星期)(一|二|三|四|五|六|日)"
        return (
            f"[{days}][早上|上午|中午|下午|晚上]{hour}",
            f"({days})",
            *(f"{said}后" for said in numbers.spoken_duration(language)),
        )
    hour = "(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
    minute = "(ten|fifteen|twenty|twenty five|thirty|forty|forty five|fifty)"
    clock = (
        f"(({hour} [{minute}|o'clock]|(half|quarter|ten|twenty|five) past {hour}"
        f"|(quarter|ten|twenty|five) to {hour})"
        " [a m|p m|in the (morning|afternoon|evening)]|noon|midnight)"
    )
    day = f"(today|tomorrow|the day after tomorrow|[on] [next] ({'|'.join(_DAYS)}))"
    return (
        f"{day} [at {clock}]",
        f"{day} (morning|afternoon|evening) [at {clock}]",
        "(tonight|this (morning|afternoon|evening))",
        f"[at] {clock} [{day}]",
        *(f"in {said}" for said in numbers.spoken_duration(language)),
    )
