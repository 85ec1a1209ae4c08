"""Commands: a program that is somebody else's, called as a list of words and never by a shell.

It is given a time, an environment of its own and nothing to read. What it prints is words from the
world: at most so many bytes of it, read as what it is documented to be, and otherwise refused.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from agent.environment import STARTED
from agent.errors import GlassesError, NotCommitted

MOST_BYTES = 64 * 1024
"""Most that a command may print unless more is expected; one that prints more is ended."""
TIMEOUT_S = 20.0
"""Longest that a command may take."""
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
        "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")  # fmt: skip
"""What of the environment a command is given: no key and no token of anybody else's."""


class CommandError(GlassesError):
    """A command failed after it was begun: what it has done nobody can tell."""


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command has printed."""

    status: int
    """Its exit status."""
    text: str
    """Its standard output."""

    def as_json(self) -> Mapping[str, Any]:
        """Return the one JSON object in it, perhaps after other lines. Raises CommandError."""
        for candidate in (self.text, *reversed(self.text.splitlines())):
            with suppress(ValueError, RecursionError):
                read = json.loads(candidate)
                if isinstance(read, dict):
                    return read
        raise CommandError("its answer cannot be read")


class Command:
    """One program on this machine."""

    def __init__(
        self,
        name: str,
        least: tuple[int, ...],
        below: tuple[int, ...],
        timeout_s: float = TIMEOUT_S,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        """Find it when it is needed; its version has to be `least` or more, and `below` that."""
        self._name = name
        self._least, self._below = least, below
        self._timeout_s, self._most_bytes = timeout_s, most_bytes
        self._path: str | None = None

    def run(self, *words: str) -> Printed:
        """Run it with these words, and return what it printed.

        Raises NotCommitted where it is not there or of another version, and so was not begun;
        CommandError where it hangs, floods, is killed or cannot be read.
        """
        return self._run(self._found(), *words)

    def _found(self) -> str:
        """Return where it is, once its version has been looked at."""
        if self._path is None:
            path = shutil.which(self._name, path=STARTED.get("PATH"))
            if path is None:
                raise NotCommitted(f"{self._name} is not installed")
            try:
                printed = self._run(path, "--version")
            except CommandError as error:
                raise NotCommitted(f"{self._name} does not work: {error}") from None
            found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", printed.text)
            version = tuple(int(part or 0) for part in found.groups()) if found else ()
            if not self._least <= version < self._below:
                said = ".".join(map(str, version)) or "unknown"
                raise NotCommitted(f"{self._name} is of version {said}, which is not known here")
            self._path = path
        return self._path

    def _run(self, path: str, *words: str) -> Printed:
        if any("\0" in word for word in words):
            raise NotCommitted(f"{self._name} cannot be given such words")
        environ = {name: STARTED[name] for name in KEPT if name in STARTED}
        try:
            process = subprocess.Popen(
                [path, *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, env=environ, cwd=Path.home(), start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise NotCommitted(f"{self._name} cannot be run: {error.strerror}") from None
        ended = threading.Timer(self._timeout_s, _kill, (process,))
        ended.start()
        try:
            assert process.stdout is not None
            raw = _bounded(process.stdout, self._most_bytes)
            if len(raw) > self._most_bytes:
                _kill(process)
            status = process.wait()
        finally:
            hung = not ended.is_alive()
            ended.cancel()
            if process.poll() is None:
                _kill(process)
            if process.stdout is not None:
                process.stdout.close()
            process.wait()
        if len(raw) > self._most_bytes:
            raise CommandError(f"{self._name} printed too much")
        if hung or status < 0:
            why = f"gave no answer within {self._timeout_s:g} s" if hung else "was killed"
            raise CommandError(f"{self._name} {why}")
        return Printed(status, raw.decode("utf-8", "replace"))


def _bounded(out: IO[bytes], most: int) -> bytes:
    """Read what a command prints, to its end or to one byte too much."""
    raw = b""
    while len(raw) <= most and (block := out.read(min(8192, most + 1 - len(raw)))):
        raw += block
    return raw


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a command and all that it began, which is a session of its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
