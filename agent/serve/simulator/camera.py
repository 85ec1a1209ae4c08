"""The camera that a page is: a picture of the webcam, the photo or the scene behind the lens."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hardware.base import DeviceError

TAKE_S = 5.0
"""Longest that a page may take; opening a webcam takes one or two seconds."""


class PageCamera:
    """A camera whose pictures a page takes; `ask` is given the number of each request."""

    name = "browser"

    def __init__(self, ask: Callable[[int], None], timeout_s: float = TAKE_S) -> None:
        self._ask = ask
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._count = 0
        self._waiting: dict[int, tuple[threading.Event, list[bytes | str]]] = {}

    def take(self) -> bytes:
        """Return a JPEG, at most 1 MiB, of what the wearer sees now.

        Blocks until the page answers, so it is for the thread of an action, never for an event
        loop. Raises DeviceError where there is no page, no picture, or no answer in time.
        """
        with self._lock:
            number = self._count = self._count + 1
            came, answer = self._waiting[number] = threading.Event(), []
        try:
            self._ask(number)
            came.wait(self._timeout_s)
        finally:
            del self._waiting[number]
        if not answer:
            raise DeviceError(f"the page gave no picture within {self._timeout_s:g} s: is it open?")
        if isinstance(answer[0], str):
            raise DeviceError(f"the page gave no picture: {answer[0]}")
        return answer[0]

    def give(self, request: int, given: bytes | str) -> None:
        """Take what the page gave: a picture, or why there is none. A late answer is dropped."""
        if (waiting := self._waiting.get(request)) is not None:
            came, answer = waiting
            answer.append(given)
            came.set()
