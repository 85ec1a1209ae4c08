"""How long a card takes to become a frame, and what an update costs: layout and pixels on one core.

On the largest lens, 640x480 with 16 greys, with cards of every kind in both languages. Nothing is
sent anywhere: a device's own time comes on top.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from agent.display.layout import lay_out
from agent.messages import Reply
from hardware import fonts, profiles, raster, typeset
from hardware.base import DisplayProfile, Frame
from hardware.display import ImageDisplay
from tests.bench import turns
from tests.gallery import cards

if TYPE_CHECKING:
    from PIL.Image import Image

LENS = "quark-s1"
ROUNDS = 40
"""How often each card is drawn."""
STREAMED = (
    "It will be cloudy in London with light rain after four, so take an umbrella with you.",
    "伦敦今天多云，下午四点后有小雨，出门请带伞；傍晚气温约十四度，风力不大。",
)
"""Replies that arrive letter by letter, the usual update."""
LONG = 1_000_000
"""Characters of the longest reply that is laid out."""


@dataclass(slots=True)
class Panel:
    """A device that takes only what changed, and counts it."""

    size: tuple[int, int]
    """Width and height in pixels."""
    mode: str = "L"
    """Pillow mode of its pictures."""
    sent_px: list[int] = field(default_factory=list)
    """Pixels of each update."""

    def display(self, image: Image) -> None:
        """Take a whole picture."""
        self.sent_px.append(image.width * image.height)

    def update(self, image: Image, box: raster.Box) -> None:
        """Take what changed."""
        self.sent_px.append(image.width * image.height)


def figures() -> dict[str, float]:
    """Return the figures of the benchmark."""
    lens = raster.in_type(profiles.load(LENS))
    _forget_rows()
    fonts.glyph.cache_clear()
    typeset.forget()
    first = [_took_ms(lambda card=card: _drawn(card, lens)) for card in cards()]
    again = []
    for _ in range(ROUNDS):
        for card in cards():
            _forget_rows()  # glyphs are there, as after the first minutes of wearing; no row is
            again.append(_took_ms(lambda card=card: _drawn(card, lens)))
    updates, panel = _updates(lens)
    shown = lens.width_px * lens.height_px
    return {
        "card_to_frame_p50_ms": turns.percentile(again, 0.5),
        "card_to_frame_p95_ms": turns.percentile(again, 0.95),
        "first_card_with_its_glyphs_p50_ms": turns.percentile(first, 0.5),
        "first_card_with_its_glyphs_slowest_ms": max(first),
        "update_p50_ms": turns.percentile(updates, 0.5),
        "update_p95_ms": turns.percentile(updates, 0.95),
        "update_sent_percent_of_the_lens": 100 * sum(panel.sent_px) / len(panel.sent_px) / shown,
        "a_million_characters_english_s": _took_ms(lambda: _long("word and ", lens)) / 1000,
        "a_million_characters_chinese_s": _took_ms(lambda: _long("天气很好，", lens)) / 1000,
    }


def _drawn(card: tuple[Reply, str], lens: DisplayProfile) -> Image:
    return raster.render(lay_out(card[0], lens, card[1])[0])


def _updates(lens: DisplayProfile) -> tuple[Sequence[float], Panel]:
    """Stream replies letter by letter to a panel, whose first frame is not counted."""
    panel = Panel((lens.width_px, lens.height_px))
    display = ImageDisplay(panel, lens)
    took: list[float] = []
    for _ in range(ROUNDS // 4):
        for text in STREAMED:
            frames: list[Frame] = [
                lay_out(Reply(text[:end], "London"), lens)[0] for end in range(1, len(text) + 1)
            ]
            display.show(frames[0])
            panel.sent_px.clear()
            for frame in frames[1:]:
                took.append(_took_ms(lambda frame=frame: display.show(frame)))
    return took, panel


def _long(words: str, lens: DisplayProfile) -> None:
    lay_out(Reply((words * LONG)[:LONG]), lens)


def _forget_rows() -> None:
    raster.strip.cache_clear()
    raster.type_strip.cache_clear()


def _took_ms(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    for name, value in figures().items():
        print(f"{name.replace('_', ' '):40}{value:10,.2f}")
