"""What is kept about the wearer: said, handed over, erased.

`glasses doctor` says it, `glasses export` writes it into one file for the wearer to read elsewhere,
`glasses forget` erases it. Secrets are erased with the rest and never handed over.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from agent import config
from agent.act.ledger import Ledger
from agent.act.pin import Pin
from agent.config import Config
from agent.errors import ConfigError
from agent.skill.payments import LedgerError
from agent.skill.secrets import MOST_CHARACTERS, Secrets

KNOWN = {
    "ledger.sqlite": "payments",
    "gate.sqlite": "payments of an earlier version",
    "pin.json": "a hash of your PIN",
    "limits.toml": "your limits",
    "resume.json": "what a loss of power broke off",
    "listening.json": "how well the last listening went",
    "repl-history": "what was typed",
    "secrets.bin": "secrets, encrypted",
    "secrets.json": "names of secrets",
    "lenses.json": "paired lenses",
    "push-token": "the token of the push port",
    "mcp-token": "the token of the MCP server",
    "paying": "which processes pay",
    "prefixes": "prepared prompts",
}
"""What the agent's own files hold; a folder that is not here is a skill's."""
WITHHELD = frozenset(("secrets.bin", "pin.json", "push-token", "mcp-token", "paying", "prefixes"))
"""What is not handed over: secrets, and what can be made again."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One thing that is kept."""

    path: Path
    """Where."""
    what: str
    """What it holds."""
    bytes: int
    """How much it is."""


def secrets(settings: Config) -> Secrets:
    """Return the wearer's secrets."""
    return Secrets(settings.data, settings.plugins.parent)


def inventory(settings: Config) -> Iterator[Kept]:
    """Yield what is kept in the data folder."""
    if not settings.data.is_dir():
        return
    for path in sorted(settings.data.iterdir()):
        name = path.name.removesuffix("-wal").removesuffix("-shm")
        if path == settings.models or path.name != name:
            continue
        what = KNOWN.get(name, f"of {name}" if path.is_dir() else "")
        yield Kept(path, what, sum(one.stat().st_size for one in _files(path)))


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]


def export(settings: Config, out: Path) -> int:
    """Write everything into a new zip file that nobody else can read; return how many files.

    Payments are in it as the ledger and as JSON lines. Raises ConfigError.
    """
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(f"{out} is there already: name another file") from None
    except OSError as error:
        raise ConfigError(f"{out} cannot be written: {error.strerror}") from None
    count = 0
    with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w") as packed:
        for kept in inventory(settings):
            if kept.path.name in WITHHELD or kept.path.name == "ledger.sqlite":
                continue
            for path in _files(kept.path):
                packed.write(path, path.relative_to(settings.data))
                count += 1
        if (lines := payments(settings)) is not None:
            packed.writestr("payments.jsonl", lines)
            count += 1
    return count


def payments(settings: Config) -> str | None:
    """Return every payment as a line of JSON; None where there is no ledger. Raises ConfigError."""
    ledger = Ledger(settings.data)
    if not ledger.path.exists():
        return None
    try:
        entries = ledger.entries()
    except LedgerError as error:
        raise ConfigError(f"{ledger.path}: {error}") from None
    finally:
        ledger.close()
    rows = (json.dumps(asdict(one), default=str, ensure_ascii=False) for one in reversed(entries))
    return "".join(f"{row}\n" for row in rows)


def forget(settings: Config) -> int:
    """Erase everything, secrets in the keyring too; return how many things. Raises ConfigError.

    A payment of unknown outcome keeps the ledger from being erased: nobody could find out any more.
    """
    ledger = Ledger(settings.data)
    try:
        opened = ledger.entries(states=("confirmed", "submitted", "unknown"))
    except LedgerError:
        opened = []  # it tells nothing to anybody
    finally:
        ledger.close()
    if opened:
        raise ConfigError(f"{len(opened)} payments have no known outcome: start the glasses first")
    keys = secrets(settings)
    for name in keys.names():
        keys.forget(name)
    keys.forget_key()
    count = 0
    for kept in [*inventory(settings)]:
        if kept.path.is_dir() and not kept.path.is_symlink():
            shutil.rmtree(kept.path)
        else:
            for path in kept.path.parent.glob(f"{kept.path.name}*"):
                path.unlink(missing_ok=True)
        count += 1
    return count


def choose_pin(remove: bool) -> None:
    """Ask for the old PIN, where there is one, and for a new one twice. Raises ConfigError."""
    settings = config.load()
    pin = Pin(settings.data, time.time)
    if pin.set:
        left = pin.check(_asked("the old PIN"))
        if left is not None:
            wait_s = pin.locked_s()
            raise ConfigError(f"wrong: locked for {wait_s} s" if wait_s else f"wrong: {left} left")
    if remove:
        pin.forget()
        print("The PIN is removed.")
        return
    new = _asked("a new PIN")
    if sys.stdin.isatty() and _asked("the same again") != new:
        raise ConfigError("the two are not the same: nothing was changed")
    pin.choose(new)
    print("The PIN is chosen.")


def put_secret(name: str) -> None:
    """Ask for a secret, or read it from a pipe, and keep it. Raises ConfigError."""
    keys = secrets(config.load())
    value = _asked(name) if sys.stdin.isatty() else sys.stdin.read(MOST_CHARACTERS + 1)
    keys.put(name, value.strip())
    print(f"{name} is in: {keys.where}")


def _asked(what: str) -> str:
    """Ask for something that is not to be seen; a line at a time where it comes from a pipe."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().strip()
    return str(click.prompt(f"Type {what}", hide_input=True)).strip()
