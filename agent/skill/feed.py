"""Feeds: what a skill reads of the world, from a file or over HTTP, kept for when there is no net.

What comes from outside is data: it is bounded in size and time, and whoever reads it checks it.
"""

from __future__ import annotations

import hashlib
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent import private
from hardware.base import DeviceError

MOST_BYTES = 16 << 20
"""Largest feed that is read, 16 MiB."""
LONGEST_S = 5.0
"""Longest that a server may take in all."""
SOON_S = 30.0
"""How soon a server that failed is asked again."""

_lock = threading.Lock()
_failed_s: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class Read:
    """What a feed had to say."""

    content: bytes
    """It."""
    at_s: float
    """When it was read or written, in seconds since 1970."""


def read(source: str, folder: Path, fresh_s: float, now_s: float | None = None) -> Read:
    """Read a file, or a URL that was not read within `fresh_s`; it is kept in `folder`.

    A server that does not answer leaves what it answered before in use, however old. Raises
    DeviceError, with one line, where there is nothing at all.
    """
    if not source.startswith(("http://", "https://")):
        return _file(Path(source).expanduser())
    now_s = time.time() if now_s is None else now_s
    kept = folder / f"feed-{hashlib.sha256(source.encode()).hexdigest()[:16]}"
    before = _kept(kept)
    if before is not None and 0 <= now_s - before.at_s < fresh_s:
        return before
    try:
        content = _fetched(source)
    except DeviceError:
        if before is None:
            raise
        return before
    with suppress(OSError):  # it is read again next time
        private.write(kept, content)
    return Read(content, now_s)


def _file(path: Path) -> Read:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DeviceError(f"{path} is larger than {MOST_BYTES >> 20} MiB")
        return Read(path.read_bytes(), path.stat().st_mtime)
    except OSError as error:
        raise DeviceError(f"{path} cannot be read: {error.strerror}") from None


def _kept(path: Path) -> Read | None:
    try:
        return Read(path.read_bytes(), path.stat().st_mtime)
    except OSError:
        return None


def _fetched(url: str) -> bytes:
    """Get a URL. Raises DeviceError, which names its host alone: the rest may be a key."""
    import httpx2

    host = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    with _lock:
        if time.monotonic() - _failed_s.get(url, float("-inf")) < SOON_S:
            raise DeviceError(f"{host} did not answer: try again in a moment")
    began_s, got = time.monotonic(), bytearray()
    try:
        with httpx2.stream("GET", url, timeout=LONGEST_S, follow_redirects=True) as answer:
            answer.raise_for_status()
            for piece in answer.iter_bytes():
                got += piece
                if len(got) > MOST_BYTES or time.monotonic() - began_s > LONGEST_S:
                    raise DeviceError(f"{host} sends too much, or too slowly")
    except (httpx2.HTTPError, httpx2.InvalidURL, DeviceError) as error:
        with _lock:
            _failed_s[url] = time.monotonic()
        if isinstance(error, DeviceError):
            raise
        status = getattr(getattr(error, "response", None), "status_code", None)
        told = f"answered {status}" if status else "did not answer"
        raise DeviceError(f"{host} {told}: check the address and the network") from None
    return bytes(got)
