"""What the wearer's own files are: theirs alone.

Everything in the data folder is written by these functions: folders are made with mode 0700 and
files with 0600, and what an earlier version left open to others is closed when it is used next.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

SHARED = stat.S_ISVTX | stat.S_IWGRP | stat.S_IWOTH
"""A folder that others may write to is shared on purpose, as `/tmp` is, and left as it is."""

BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite writes beside a database; it gives them the mode that the database has."""


def folder(path: Path) -> Path:
    """Make a folder, and those above it that are missing, and return it. Raises OSError."""
    if not path.parent.exists():
        folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    with suppress(OSError, RuntimeError):  # RuntimeError: nobody knows where home is
        mode = path.stat().st_mode
        if not mode & SHARED and path.resolve() not in (Path.home(), Path.home().parent):
            close(path, 0o700)
    return path


def file(path: Path) -> Path:
    """Make a file in a folder of the wearer's, empty, where there is none; raises OSError.

    With SQLite's files beside it: to be called before each `sqlite3.connect`.
    """
    folder(path.parent)
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        for name in (path.name, *(f"{path.name}{end}" for end in BESIDE)):
            close(path.with_name(name), 0o600)
    return path


def write(path: Path, whole: bytes | str) -> None:
    """Put this in the place of a file, whole or not at all, whenever power goes.

    It is written beside, forced to the disk, and put in the place of the old one. Raises OSError
    where it cannot be written; what was there before is still there then.
    """
    folder(path.parent)
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)  # left by a loss of power, perhaps with another mode
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(whole if isinstance(whole, bytes) else whole.encode("utf-8", "replace"))
        out.flush()
        os.fsync(out.fileno())
    unfinished.replace(path)
    above = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(above)  # its new name too
    finally:
        os.close(above)


def close(path: Path, mode: int = 0o600) -> None:
    """Take from others what they may do with a file, if it is there and ours to say."""
    with suppress(OSError):
        found = path.lstat()
        plain = stat.S_ISREG(found.st_mode) or stat.S_ISDIR(found.st_mode)
        if plain and found.st_uid == os.geteuid() and found.st_mode & ~mode & 0o777:
            path.chmod(found.st_mode & mode)
