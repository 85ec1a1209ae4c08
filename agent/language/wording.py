"""Times, days and lengths of time as people write and say them, in English and Chinese."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from agent.language.numbers import ONES, TEENS

_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "zh": ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日"),
}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
_TENS = ("", "", "twenty", "thirty", "forty", "fifty")
_ZH_PARTS = ((6, "凌晨"), (9, "早上"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上"))
"""Up to which hour each part of the day goes."""

UNITS = {"minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}
"""Seconds of what a length of time may be asked for in."""
_ZH_UNITS = {"seconds": "秒", "minutes": "分钟", "hours": "小时", "days": "天", "weeks": "周"}


def clock(at: datetime, language: str, twelve: bool = False) -> str:
    """Return a time of day: `16:58`, or `4:58 PM` where `twelve`; 下午4点58分."""
    if language == "zh":
        part = next(part for end, part in _ZH_PARTS if at.hour < end)
        minute = f"{at.minute:02}分" if at.minute else ""
        return f"{part}{at.hour % 12 or 12 if at.hour else 0}点{minute}"
    if twelve:
        return f"{at.hour % 12 or 12}:{at:%M} {'AM' if at.hour < 12 else 'PM'}"
    return f"{at:%H:%M}"


def spoken_clock(at: datetime, language: str) -> str:
    """Return a time of day in words: “four fifty-eight in the afternoon”."""
    if language == "zh":
        return clock(at, language)
    if at.minute == 0 and at.hour in (0, 12):
        return "noon" if at.hour else "midnight"
    hour = (*ONES, *TEENS)[at.hour % 12 or 12]
    minute = _below_sixty(at.minute)
    if at.hour < 12:
        part = "in the morning"
    else:
        part = "in the afternoon" if at.hour < 18 else "in the evening"
    return f"{hour} {minute} {part}"


def _below_sixty(minute: int) -> str:
    if minute == 0:
        return "o'clock"
    if minute < 20:
        return f"oh {ONES[minute]}" if minute < 10 else TEENS[minute - 10]
    tens, ones = divmod(minute, 10)
    return f"{_TENS[tens]}-{ONES[ones]}" if ones else _TENS[tens]


def weekday(day: date, language: str) -> str:
    """Return the name of a day of the week."""
    return _DAYS.get(language, _DAYS["en"])[day.weekday()]


def day_name(day: date, language: str) -> str:
    """Return a date with its weekday: `Sunday, 29 November 2026`; 2026年11月29日，星期日."""
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日，{weekday(day, language)}"
    return f"{weekday(day, language)}, {day.day} {_MONTHS[day.month - 1]} {day.year}"


def length(span: timedelta, language: str) -> str:
    """Return a length of time under some days in hours and minutes: `3 hours 2 minutes`."""
    minutes = int(span.total_seconds()) // 60
    hours, minutes = divmod(minutes, 60)
    parts = [count(hours, "hours", language)] if hours else []
    if minutes or not hours:
        parts.append(count(minutes, "minutes", language))
    return ("" if language == "zh" else " ").join(parts)


def count(number: int, unit: str, language: str) -> str:
    """Return a number of units: `1 day`, `26 days`, 26天."""
    if language == "zh":
        return f"{number}{_ZH_UNITS[unit]}"
    return f"{number} {unit.removesuffix('s') if number == 1 else unit}"


def exactly(span: timedelta, language: str) -> str:
    """Return a length of time to the second, in at most three units: `1 hour 20 minutes`."""
    left = max(0, round(span.total_seconds()))
    parts = []
    for unit, size in (("days", 86_400), ("hours", 3600), ("minutes", 60), ("seconds", 1)):
        number, left = divmod(left, size)
        if number:
            parts.append(count(number, unit, language))
    joined = "" if language == "zh" else " "
    return joined.join(parts[:3]) or count(0, "seconds", language)


def moment(at: datetime, now: datetime, language: str, twelve: bool = False) -> str:
    """Return a time as seen from now: of today its hour alone, of this week with the weekday."""
    time, days = clock(at, language, twelve), (at.date() - now.date()).days
    if days == 0:
        return time
    between = "" if language == "zh" else " "
    if days == 1:
        return ("明天" if language == "zh" else "tomorrow ") + time
    if 1 < days < 7:
        return weekday(at, language) + between + time
    if language == "zh":
        year = "" if at.year == now.year else f"{at.year}年"
        return f"{year}{at.month}月{at.day}日{time}"
    year = "" if at.year == now.year else f" {at.year}"
    return f"{at.day} {_MONTHS[at.month - 1][:3]}{year} {time}"
