"""What people say for when: 411 ways, written down with their meaning before they were read."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from agent.language import numbers, repeats, times

NOW = datetime(2026, 7, 15, 10, 20)
LEAST = 0.97
FREQ = {"D": "DAILY", "W": "WEEKLY", "M": "MONTHLY", "Y": "YEARLY", "H": "HOURLY"}


def lines():
    text = Path(__file__).with_name("said-times.txt").read_text(encoding="utf-8")
    return [
        tuple(part.strip() for part in line.split("|", 2))
        for line in text.splitlines() if line and not line.startswith("#")
    ]  # fmt: skip


def rule(short):
    """Write out a rule such as 2W:MO."""
    every, unit, by = re.fullmatch(r"(\d*)([A-Z])(?::(.+))?", short).groups()
    freq = "MINUTELY" if unit == "M" and not by else FREQ[unit]
    interval = f";INTERVAL={every}" if every not in ("", "1") else ""
    day = {"W": "BYDAY", "M": "BYMONTHDAY"}.get(unit)
    return f"FREQ={freq}{interval}" + (f";{day}={by}" if by else "")


def read(kind, words):
    match kind:
        case "at":
            return times.parse_time(words, NOW).isoformat(" ")
        case "for":
            return numbers.parse_duration(words).total_seconds()
        case _:
            found = repeats.parse_repeat(words, NOW)
            return re.sub(";BYMONTH=.*", "", found.rule), found.first.isoformat(" ")


def meant(kind, meaning):
    match kind:
        case "at":
            return datetime.fromisoformat(meaning).isoformat(" ")
        case "for":
            return float(meaning)
        case _:
            short, first = meaning.split(" ", 1)
            return rule(short), datetime.fromisoformat(first).isoformat(" ")


def test_what_people_say_for_when_is_read_as_they_mean_it():
    wrong = []
    for kind, meaning, words in lines():
        try:
            got = read(kind, words)
        except ValueError as error:
            got = error
        if got != meant(kind, meaning):
            wrong.append((words, meaning, got))
    count = len(lines())
    assert count >= 400
    assert 1 - len(wrong) / count >= LEAST, wrong


@pytest.mark.parametrize(
    "text",
    ["", "every", "every monday at 25", "每", "every 0 minutes", "every 30 seconds", "every blue moon",
     "每周八早上七点", "每月三十二号", "every day at noon or so"],
)  # fmt: skip
def test_what_is_no_time_that_comes_again_is_refused(text):
    with pytest.raises(ValueError, match="is not a time that comes again"):
        repeats.parse_repeat(text, NOW)


@pytest.mark.parametrize(
    ("text", "usual", "early"),
    [
        ("at half past six tomorrow", 18, 6),
        ("at seven", 19, 7),
        ("at seven pm", 19, 19),
        ("at three", 15, 15),
        ("明天六点半", 18, 6),
    ],
)
def test_who_is_to_be_woken_means_the_morning(text, usual, early):
    assert times.parse_time(text, NOW).hour == usual
    assert times.parse_time(text, NOW, early=True).hour == early


def test_a_length_from_now_is_told_from_a_time_on_a_clock():
    assert times.is_length("in ten minutes")
    assert times.is_length("十分钟后")
    assert not times.is_length("at ten")
    assert not times.is_length("tomorrow")
