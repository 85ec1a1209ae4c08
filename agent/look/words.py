"""Words in a picture, by RapidOCR: Chinese and English off packages and signs, in reading order.

Its wheel carries its networks (PP-OCRv6 small, 31 MB); they are loaded with the first picture.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

from agent.errors import EngineError
from agent.language.world import WorldText, world_text
from agent.look.picture import opened

LONGEST_PX = 960
"""Longer side of the picture that is read: a package held in the hand fills it."""
MARGIN = 0.06
"""Rim put around the picture, as a share of its longer side: text that touches an edge is else not
found."""
SURE = 0.6
"""Least confidence, 0 … 1, with which a line counts."""
MOST_LINES = 60
"""Most lines of one picture."""

_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text that was read: text from the world."""

    text: WorldText
    """What it says."""
    x: float
    """Its left edge, 0 … 1 of the picture's width."""
    y: float
    """Its middle, 0 … 1 of the picture's height."""
    height: float
    """How high its letters are, 0 … 1 of the picture's height: a name is larger than fine print."""
    width: float = 0.0
    """How long it is, 0 … 1 of the picture's width."""


def read(picture: bytes) -> tuple[Line, ...]:
    """Return the lines of text in a picture file, top to bottom; none where nothing stands there.

    Some seconds for the first picture, then about one. Raises EngineError for what is no picture,
    and where the reader cannot be loaded.
    """
    import numpy as np
    from PIL import ImageOps, ImageStat

    image = opened(picture, LONGEST_PX, "RGB")
    rim = max(8, round(MARGIN * max(image.size)))
    shade = tuple(round(value) for value in ImageStat.Stat(image).median)
    wide, high = image.size
    pixels = np.asarray(ImageOps.expand(image, rim, shade))[:, :, ::-1]  # it takes BGR
    with _lock:
        found = _reader()(np.ascontiguousarray(pixels))
    if found.boxes is None or found.txts is None:
        return ()
    lines = [
        Line(
            world_text(text),
            (float(box[:, 0].min()) - rim) / wide,
            (float(box[:, 1].mean()) - rim) / high,
            float(box[:, 1].max() - box[:, 1].min()) / high,
            float(box[:, 0].max() - box[:, 0].min()) / wide,
        )
        for box, text, sure in zip(found.boxes, found.txts, found.scores or (), strict=False)
        if sure >= SURE and text.strip()
    ]
    return tuple(sorted(lines, key=lambda line: (line.y, line.x)))[:MOST_LINES]


@cache
def _reader() -> Any:
    """Return the engine; on one thread, for the glasses have better uses for the other cores."""
    try:
        from rapidocr import RapidOCR

        return RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.max_side_len": LONGEST_PX * 2,
                "EngineConfig.onnxruntime.intra_op_num_threads": 1,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
                "Det.limit_type": "max",
                "Det.limit_side_len": LONGEST_PX,
            }
        )
    except Exception as error:  # missing, broken or another version: whatever it raises
        raise EngineError(
            f"the reader of text cannot be loaded ({type(error).__name__}): pip install rapidocr"
        ) from None
