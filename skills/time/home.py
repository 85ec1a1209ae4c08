"""Where the wearer lives: the country whose holidays count, and how its people write the time."""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent import config
from agent.environment import STARTED

BY_LANGUAGE = {"en": "US", "zh": "CN"}
"""The country where neither a setting nor the system's locale names one."""
TWELVE = frozenset(("US", "CA", "AU", "NZ", "PH", "IN", "PK", "BD", "EG", "SA", "CO", "MX", "MY"))
"""Countries whose English writes 4:58 PM (Unicode CLDR, timeData)."""


def named(environ: Mapping[str, str] = STARTED) -> str:
    """Return the country that the setting or the system's locale names, or nothing.

    Raises ConfigError for settings that cannot be read.
    """
    if country := config.load(environ).country:
        return country.upper()
    local = next(filter(None, (environ.get(key) for key in ("LC_ALL", "LC_TIME", "LANG"))), "")
    found = re.match(r"[a-z]{2,3}_([A-Z]{2})\b", local)
    return found[1] if found else ""


def country(language: str, environ: Mapping[str, str] = STARTED) -> str:
    """Return the country as an ISO 3166 code."""
    return named(environ) or BY_LANGUAGE.get(language, "US")


def twelve_hours(environ: Mapping[str, str] = STARTED) -> bool:
    """Return whether the time is written with AM and PM; without a country it is not."""
    return named(environ) in TWELVE
