"""Real recordings beside the project, where there are any: `../shared/data`, or GLASSES_SHARED."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DATA = Path(os.environ.get("GLASSES_SHARED", Path(__file__).parents[2] / "shared")) / "data"
BARISTA = DATA / "speech" / "barista"
PLUGIN = Path(__file__).parent / "plugins" / "barista.py"
MISSING = f"the recordings are not here: {DATA}"


@dataclass(frozen=True, slots=True)
class Order:
    """One recorded coffee order and what it means."""

    path: Path
    """FLAC, 16 kHz."""
    action: str
    """`orderDrink`."""
    slots: dict[str, Any]
    """Values by slot."""


def orders() -> list[Order]:
    """Return every recorded order, in a fixed order; empty where the data is absent."""
    labels = BARISTA / "labels.json"
    if not labels.is_file():
        return []
    read = json.loads(labels.read_text(encoding="utf-8"))
    return [Order(BARISTA / name, e["intent"], e["slots"]) for name, e in sorted(read.items())]
