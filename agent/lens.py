"""The lens: the pages of the latest reply, which is lit, and the mark of an open microphone.

Displays may come from plugins, so whatever one raises is told in a line and never stops the agent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from hardware.base import DeviceError, Display, DisplayProfile, Frame

log = logging.getLogger(__name__)


class Lens:
    """What one display shows. Methods return why the display refused, None when it did not."""

    def __init__(self, display: Callable[[], Display]) -> None:
        """Show nothing yet; `display` gives the one to use, which may be another tomorrow."""
        self._device = display
        self._pages: tuple[Frame, ...] = ()
        self._page = 0
        self._listening = False

    @property
    def profile(self) -> DisplayProfile:
        """What the display can show."""
        return self._device().profile

    def show(self, pages: tuple[Frame, ...], keep: bool = False) -> str | None:
        """Light the first of the pages; `keep` leaves those of the reply before in reach."""
        if not keep:
            self._pages, self._page = pages, 0
        return self._light(pages[0])

    def turn(self, step: int) -> bool:
        """Go to another page, which `again` lights; say whether there is one."""
        there = 0 <= self._page + step < len(self._pages)
        if there:
            self._page += step
        return there

    def again(self) -> str | None:
        """Light the page once more."""
        return self._light(self._pages[self._page])

    def blank(self) -> str | None:
        """Show nothing, but for an open microphone."""
        self._pages = ()
        return self._bare()

    def listening(self, is_open: bool) -> None:
        """Show that the microphone is open for what the wearer says, or that it is not."""
        if is_open == self._listening:
            return
        self._listening = is_open
        if self._pages:
            self.again()
        else:
            self._bare()

    def _bare(self) -> str | None:
        device = self._device()
        if self._listening:
            return self._light(Frame(device.profile, ()))
        return self._tried(device.clear)

    def _light(self, frame: Frame) -> str | None:
        marked = replace(frame, listening=self._listening)
        return self._tried(lambda: self._device().show(marked))

    def _tried(self, use: Callable[[], None]) -> str | None:
        try:
            use()
        except Exception as error:  # the plugin boundary
            reason = str(error) if isinstance(error, DeviceError) else type(error).__name__
            log.warning("the display refused: %s", reason)
            return reason
        return None
