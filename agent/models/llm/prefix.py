"""What a prompt begins with, evaluated once: the state after a system message, kept for the next.

In memory for as long as the model is loaded, and on disk for the next start. A state belongs to one
file of weights, one build of llama.cpp, one shape of context and one row of tokens; where any of
these differs it is not found, and where its file is damaged it is evaluated anew. Only what stands
before the first words of a wearer is kept: instructions and tools, never what was said.
"""

from __future__ import annotations

import hashlib
import logging
import os
import struct
import tempfile
import threading
import zlib
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

KEPT = 4
"""States in memory: both languages, and some choices of tools."""
FILES = 16
"""States on disk."""
MOST_BYTES = 1 << 27
"""Largest state that is kept, 128 MiB: some 4,000 tokens of a model of 1.5 billion weights."""
LEAST_TOKENS = 16
"""Shorter beginnings are as quickly evaluated as found."""

_MAGIC = b"glasses prefix 1"
_HEAD = struct.Struct("<16s32sQI")  # magic, key, bytes of the state, their CRC-32
WRITER = "prefix-writer"
"""Name of the threads that write to disk."""


def identity(path: Path, build: str, shape: str) -> bytes:
    """Return what a state belongs to: a file of weights as it is now, a build, and a context."""
    status = path.stat()
    told = f"{path.resolve()}\n{status.st_size}\n{status.st_mtime_ns}\n{build}\n{shape}"
    return told.encode("utf-8", "surrogateescape")


class Prefixes:
    """States by the tokens they stand after. One caller at a time, as its model has."""

    def __init__(self, belongs: bytes, folder: Path | None = None) -> None:
        """Keep states of `belongs` in memory and, where there is one, in a folder."""
        self._belongs = belongs
        self._folder = folder
        self._kept: OrderedDict[bytes, tuple[int, bytes]] = OrderedDict()

    def _key(self, tokens: Sequence[int]) -> bytes:
        row = struct.pack(f"<{len(tokens)}i", *tokens)
        return hashlib.blake2b(self._belongs + b"\0" + row, digest_size=32).digest()

    def find(self, tokens: Sequence[int]) -> tuple[int, bytes] | None:
        """Return how many of these tokens have been evaluated, and the state after them.

        All of them, from memory or disk; else as many as were evaluated before it was called off.
        """
        key = self._key(tokens)
        if key not in self._kept and (state := self._read(key)) is not None:
            self._hold(key, len(tokens), state)
        for length in sorted({length for length, _ in self._kept.values()}, reverse=True):
            if length <= len(tokens) and (key := self._key(tokens[:length])) in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        return None

    def keep(self, tokens: Sequence[int], state: bytes, whole: bool = True) -> None:
        """Keep a state in memory and, where it is of a `whole` beginning, on disk.

        One that goes on with another takes its place.
        """
        if len(state) > MOST_BYTES:
            return
        for length in {length for length, _ in self._kept.values() if length < len(tokens)}:
            self._kept.pop(self._key(tokens[:length]), None)
        key = self._key(tokens)
        self._hold(key, len(tokens), state)
        if whole and self._folder is not None:  # nobody waits for a disk
            threading.Thread(
                target=self._write, args=(key, state), name=WRITER, daemon=True
            ).start()

    def _hold(self, key: bytes, length: int, state: bytes) -> None:
        self._kept[key] = length, state
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    # -- on disk

    def _read(self, key: bytes) -> bytes | None:
        if self._folder is None:
            return None
        path = self._folder / f"{key.hex()}.kv"
        try:
            if path.stat().st_size > _HEAD.size + MOST_BYTES:
                return None
            data = path.read_bytes()
            magic, wanted, size, crc = _HEAD.unpack_from(data)
        except (OSError, struct.error):
            return None
        state = data[_HEAD.size :]
        whole = (magic, wanted, size) == (_MAGIC, key, len(state))
        if not whole or zlib.crc32(state) != crc:
            log.warning("%s: damaged; it is made anew", path)
            with suppress(OSError):
                path.unlink()
            return None
        return state

    def _write(self, key: bytes, state: bytes) -> None:
        assert self._folder is not None
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            head = _HEAD.pack(_MAGIC, key, len(state), zlib.crc32(state))
            handle, name = tempfile.mkstemp(dir=self._folder)  # for the wearer's eyes alone
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(head)
                    file.write(state)
                Path(name).replace(self._folder / f"{key.hex()}.kv")
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise
            files = sorted(self._folder.glob("*.kv"), key=lambda one: one.stat().st_mtime_ns)
            for old in files[:-FILES]:
                old.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s: no prompt is kept there (%s)", self._folder, error.strerror)
