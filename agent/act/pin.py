"""The PIN: digits that a payment above a limit wants beside the yes, said or tapped.

Only an Argon2id hash of it is kept (RFC 9106, by argon2-cffi's defaults). A try is counted on the
disk before it is looked at, so that a process that is killed in between has had it. After five
wrong ones nothing more is tried for a while, twice as long each time.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

from agent import private
from agent.errors import ConfigError
from agent.language import numbers

SHORTEST, LONGEST = 4, 8
"""How many digits it may have."""
TRIES = 5
"""Wrong ones until it is locked."""
LOCK_S, LONGEST_LOCK_S = 60, 86_400
"""How long it is locked the first time, and at most."""
TAP_S = 1.2
"""A pause between two taps longer than this ends a digit."""

HIDDEN = "••••"
"""What stands for a PIN wherever it would be seen or kept."""

_WORDS = {
    **{word: str(digit) for digit, word in enumerate(numbers.ONES)},
    **dict(zip("零一二三四五六七八九", "0123456789", strict=True)),
    "oh": "0", "o": "0", "〇": "0", "幺": "1", "两": "2", "to": "2", "too": "2", "for": "4",
}  # fmt: skip
"""How digits are said; recognisers write some of them as other words."""
SPOKEN = {
    "en": "(zero|oh|one|two|three|four|five|six|seven|eight|nine)",
    "zh": "(零|一|幺|二|三|四|五|六|七|八|九)",
}
"""A template of one spoken digit."""


def digits(text: str) -> str:
    """Return the digits that a text spells, and nothing else; empty where it says anything more."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = re.sub(r"^\s*(my |the )?(pin|code|密码)( is|是|：|:)?\s*", "", plain)
    found = []
    for token in re.findall(r"[a-z]+|[^\W\d_a-z]|\d|[^\s,.，。、-]", plain):
        digit = token if token.isdecimal() and token.isascii() else _WORDS.get(token)
        if digit is None:
            return ""
        found.append(digit)
    return "".join(found)


def sayings(language: str) -> tuple[str, ...]:
    """Return templates of what may be said for a PIN."""
    one = SPOKEN.get(language, SPOKEN["en"])
    between = "" if language == "zh" else " "
    return tuple(between.join([one] * count) for count in range(SHORTEST, LONGEST + 1))


def simple(pin: str) -> bool:
    """Say whether a PIN is among the first that anybody would try."""
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    return len(steps) == 1 and steps <= {0, 1, 9}


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the file holds."""

    hash: str
    """Argon2id, in its own notation."""
    failed: int = 0
    """Tries since the last right one."""
    until: int = 0
    """Until when nothing is tried, in seconds since 1970."""


class Pin:
    """The PIN of one data folder."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        """Look at nothing yet; `clock` gives seconds since 1970."""
        self._path = folder / "pin.json"
        self._clock = clock

    @property
    def set(self) -> bool:
        """Whether there is one."""
        return self._path.exists()

    def choose(self, pin: str) -> None:
        """Keep a new PIN. Raises ConfigError for one that would not protect, OSError."""
        if not re.fullmatch(rf"[0-9]{{{SHORTEST},{LONGEST}}}", pin):
            raise ConfigError(f"a PIN has {SHORTEST} to {LONGEST} digits, and nothing else")
        if simple(pin):
            raise ConfigError("that PIN is the first one anybody would try: choose another")
        from argon2 import PasswordHasher

        self._keep(_Kept(PasswordHasher().hash(pin)))

    def forget(self) -> None:
        """Remove it. Raises OSError."""
        self._path.unlink(missing_ok=True)

    def locked_s(self) -> int:
        """Return for how many seconds more nothing is tried."""
        kept = self._read()
        left = 0 if kept is None else kept.until - math.floor(self._clock())
        return max(0, min(left, LONGEST_LOCK_S))  # a clock that lost its power is no reason to wait

    def check(self, pin: str) -> int | None:
        """Return None where it is right, else how many tries are left; 0 while it is locked.

        Raises ConfigError where the file is broken, OSError where a try cannot be counted.
        """
        kept = self._read()
        if kept is None or self.locked_s():
            return 0
        failed = kept.failed + 1
        left = -failed % TRIES
        wait_s = min(LOCK_S * 2 ** (failed // TRIES - 1), LONGEST_LOCK_S) if not left else 0
        until = math.floor(self._clock()) + wait_s if wait_s else kept.until
        self._keep(_Kept(kept.hash, failed, until))  # before anybody knows whether it is right
        from argon2 import PasswordHasher
        from argon2.exceptions import VerificationError

        try:
            PasswordHasher().verify(kept.hash, pin)
        except VerificationError:
            return left
        self._keep(_Kept(kept.hash))
        return None

    def _read(self) -> _Kept | None:
        try:
            read = json.loads(self._path.read_text("utf-8"))
            return _Kept(str(read["hash"]), int(read["failed"]), int(read["until"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError):
            raise ConfigError(
                f"{self._path} is broken: choose a new one with glasses pin"
            ) from None

    def _keep(self, kept: _Kept) -> None:
        private.write(self._path, json.dumps(asdict(kept)))


class Taps:
    """Digits by touch: as many taps as the digit says, ten for a zero, a short pause between."""

    def __init__(self) -> None:
        """Begin without one."""
        self._counts: list[int] = []
        self._last_s = 0.0

    def tap(self, now_s: float, taps: int = 1) -> str:
        """Count taps at a moment, in seconds, and return a dot for each digit so far."""
        if not self._counts or now_s - self._last_s > TAP_S:
            self._counts.append(0)
        self._counts[-1] += taps
        self._last_s = now_s
        return "•" * len(self._counts)

    def take(self) -> str:
        """Return the digits and begin anew; empty where some count is no digit."""
        counts, self._counts = self._counts, []
        return "".join(str(n % 10) for n in counts) if all(n <= 10 for n in counts) else ""
