"""Tenants: who may bring glasses, by which key, and how many.

Each has a key, which is shown once and of which only a hash is kept (`hub/tenants.json` in the data
folder, mode 0600), and a share of the hub. A key is `TENANT.` and 192 random bits, so that plain
SHA-256 is enough for it. The file is read again when it has changed: a key that is taken away is
refused from the next connection on.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from agent import private
from agent.errors import ConfigError
from agent.serve.hub.protocol import NAME
from hardware import reading


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant's share."""

    name: str
    """What it is called."""
    hash: str = ""
    """SHA-256 of its key, in hex."""
    sessions: int = 100
    """Glasses at once, over all replicas that share the data folder."""
    glasses: int = 1_000
    """Glasses that may ever have come, each with a folder of its own."""
    turns_a_minute: int = 30
    """Turns that one pair of glasses is given in a minute."""


class Tenants:
    """All tenants of a hub."""

    def __init__(self, folder: Path) -> None:
        """Keep them in a folder; nothing is read yet."""
        self.path = folder / "tenants.json"
        self._known: Mapping[str, Tenant] = {}
        self._stamp: tuple[int, int] | None = None

    def all(self) -> Mapping[str, Tenant]:
        """Return them by name. Raises ConfigError for a file that is damaged."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._known, self._stamp = {}, None
            return self._known
        stamp = found.st_mtime_ns, found.st_ino
        if stamp != self._stamp:
            self._known, self._stamp = self._read(), stamp
        return self._known

    def find(self, key: str) -> Tenant | None:
        """Return whose key it is; None where it is nobody's. Raises ConfigError."""
        tenant = self.all().get(key.partition(".")[0])
        given = _hash(key)  # also for nobody's, so that a name cannot be told by the time it takes
        right = secrets.compare_digest(given, tenant.hash if tenant is not None else "0" * 64)
        return tenant if right else None

    def add(self, tenant: Tenant) -> str:
        """Keep a tenant, new or with another share, under a new key, which is returned.

        Raises ConfigError.
        """
        if not NAME.fullmatch(tenant.name):
            raise ConfigError(f"tenant is {tenant.name!r}: it is up to 64 letters, digits, _ and -")
        key = f"{tenant.name}.{secrets.token_urlsafe(24)}"
        self._write({**self.all(), tenant.name: replace(tenant, hash=_hash(key))})
        return key

    def remove(self, name: str) -> None:
        """Take a tenant's key away; what its glasses keep stays. Raises ConfigError."""
        known = dict(self.all())
        if known.pop(name, None) is None:
            there = ", ".join(sorted(known)) or "none"
            raise ConfigError(f"no tenant is called {name}: there are {there}")
        self._write(known)

    def _read(self) -> dict[str, Tenant]:
        try:
            found = reading.from_json(reading.read_text(self.path))
            return {name: _tenant(name, given) for name, given in found.items()}
        except (OSError, ValueError, TypeError, AttributeError, reading.Unreadable) as error:
            why = " ".join(str(error).split())[:200]
            raise ConfigError(f"{self.path} cannot be read: {why}") from None

    def _write(self, tenants: Mapping[str, Tenant]) -> None:
        written = {name: asdict(tenant) for name, tenant in tenants.items()}
        try:
            private.write(self.path, json.dumps(written, indent=1))
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be written: {error.strerror}") from None


def _tenant(name: str, given: Mapping[str, Any]) -> Tenant:
    known = {field.name: given[field.name] for field in fields(Tenant) if field.name in given}
    tenant = Tenant(**{**known, "name": name})
    numbers = tenant.sessions, tenant.glasses, tenant.turns_a_minute
    if not NAME.fullmatch(name) or not isinstance(tenant.hash, str):
        raise ValueError(f"{name[:64]!r} is no tenant")
    if any(type(number) is not int or number < 0 for number in numbers):
        raise ValueError(f"the shares of {name} are whole numbers")
    return tenant


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
