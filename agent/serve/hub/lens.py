"""The lens of glasses that are elsewhere: a frame as its lines, for them to draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hardware.base import DisplayProfile, Frame


class HubLens:
    """A display whose frames go to the glasses; `tell` is given each as a message's fields."""

    def __init__(self, profile: DisplayProfile, tell: Callable[[dict[str, Any]], None]) -> None:
        """Be clear."""
        self.profile = profile
        self._tell = tell
        self.frame: Frame | None = None
        """What is lit; None while it is clear."""

    def show(self, frame: Frame) -> None:
        """Light a frame."""
        self.frame = frame
        self._tell(self.whole())

    def clear(self) -> None:
        """Be transparent."""
        self.frame = None
        self._tell(self.whole())

    def whole(self) -> dict[str, Any]:
        """Return all that is lit."""
        frame = self.frame
        if frame is None:
            return {"rows": [], "page": 1, "pages": 1, "light": 0.0}
        rows = [line.text for line in frame.lines]
        return {"rows": rows, "page": frame.page, "pages": frame.pages, "light": frame.light}
