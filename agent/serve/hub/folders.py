"""Where glasses keep what outlives a session: a folder each, worn by one session at a time.

The session that wears it holds a lock, which the kernel takes back when its process dies, so that
any replica which has the folder goes on at once. A session that lives lets go when another one
asks: the glasses have come back by another way, and their old connection is dead or soon will be.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from pathlib import Path

from agent import private
from agent.serve.hub.tenants import Tenant

LOOK_S = 0.05
"""How often a lock is tried."""
TAKE_S = 8.0
"""How long a session is waited for that is asked to let go: it may be paying."""


class Worn:
    """A folder that is worn, until `close`."""

    def __init__(self, folder: Path, held: int) -> None:
        """Hold the lock behind a descriptor."""
        self.folder = folder
        self._held = held

    @property
    def wanted(self) -> bool:
        """Whether another session asks for it."""
        return (self.folder / "wanted").exists()

    def close(self) -> None:
        """Let go of it."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1


class Folders:
    """All folders of a hub, by tenant and name."""

    def __init__(self, folder: Path) -> None:
        """Keep them below a folder."""
        self._folder = folder

    def of(self, tenant: str, name: str) -> Path:
        """Return the folder of a pair of glasses; both names are checked by whoever has them."""
        return self._folder / tenant / name

    async def wear(self, tenant: str, name: str) -> Worn | None:
        """Take a folder, from another session if it must be; None where that does not let go.

        Raises OSError.
        """
        path = private.folder(self.of(tenant, name))
        held = os.open(private.file(path / "worn"), os.O_RDWR | os.O_CLOEXEC)
        try:
            asked, ends_s = False, asyncio.get_running_loop().time() + TAKE_S
            while not _locked(held):
                if asyncio.get_running_loop().time() > ends_s:
                    os.close(held)
                    return None
                if not asked:
                    asked = True
                    (path / "wanted").touch(mode=0o600)
                await asyncio.sleep(LOOK_S)
            (path / "wanted").unlink(missing_ok=True)
        except BaseException:
            os.close(held)
            raise
        return Worn(path, held)

    def room(self, tenant: Tenant, name: str) -> str:
        """Return why a tenant has no room for a pair of glasses; nothing where it has.

        Counts locks, so that what a dead replica held counts no more.
        """
        try:
            there = [path for path in (self._folder / tenant.name).iterdir() if path.is_dir()]
        except FileNotFoundError:
            there = []
        if name not in {path.name for path in there} and len(there) >= tenant.glasses:
            return f"all {tenant.glasses} pairs of glasses of {tenant.name} are known"
        others = (path for path in there if path.name != name)
        if sum(map(_is_worn, others)) >= tenant.sessions:
            return f"all {tenant.sessions} sessions of {tenant.name} are taken"
        return ""


def _locked(held: int) -> bool:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_worn(path: Path) -> bool:
    try:
        held = os.open(path / "worn", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return not _locked(held)
    finally:
        os.close(held)
