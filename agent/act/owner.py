"""Who is paying: a process shows that it lives by a lock, which the kernel takes back at its death.

Of a payment that was submitted only its owner knows whether the provider is being called just now.
While the owner lives nobody else asks about it; from its death on anybody may.
"""

from __future__ import annotations

import fcntl
import os
import uuid
from contextlib import suppress
from pathlib import Path

from agent import private


class Owner:
    """One of the processes that pay from a folder: the one that made it."""

    def __init__(self, folder: Path) -> None:
        """Take a name of its own and hold its lock until `close`, or until the process ends.

        Raises OSError.
        """
        self._folder = folder / "paying"
        self.name = uuid.uuid4().hex
        """What it is called in the ledger."""
        path = private.file(self._folder / f".{self.name}")
        self._held = os.open(path, os.O_RDWR)
        fcntl.flock(self._held, fcntl.LOCK_EX)
        path.rename(self._folder / self.name)  # seen by others only once it is locked

    def lives(self, name: str) -> bool:
        """Say whether the owner of that name may still be paying. Raises OSError."""
        path = self._folder / name
        try:
            held = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            path.unlink(missing_ok=True)  # nobody takes a name twice
            return False
        finally:
            os.close(held)

    def sweep(self) -> None:
        """Remove what the dead have left. Raises OSError."""
        for path in self._folder.iterdir():
            if not path.name.startswith("."):
                self.lives(path.name)

    def close(self) -> None:
        """Pay no more: what it left open may be asked about by others."""
        if self._held >= 0:
            (self._folder / self.name).unlink(missing_ok=True)
            os.close(self._held)
            self._held = -1

    def __del__(self) -> None:
        """Let go of the lock."""
        with suppress(Exception):
            self.close()
