"""Icons: which picture of a font of icons stands for which sign, where that font is installed.

The font is Material Design Icons (Pictogrammers, Apache 2.0), as the package
`fonticon-materialdesignicons7` carries it. Its pictures are drawn on one grid, so that arrows,
notes and clouds are alike. Without it a sign is what the fonts of text have for it.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

ICONS = {
    "↑": "\U000f005d", "↓": "\U000f0045", "←": "\U000f004d", "→": "\U000f0054",
    "↖": "\U000f005b", "↗": "\U000f005c", "↙": "\U000f0042", "↘": "\U000f0043",
    "↰": "\U000f17a7", "↱": "\U000f17ab", "↶": "\U000f17ad", "↷": "\U000f17af",
    "♪": "\U000f0387", "✎": "\U000f0cb6", "⚡": "\U000f140b", "⚠": "\U000f002a", "◎": "\U000f05dd",
    "☀": "\U000f0599", "☁": "\U000f0590", "☂": "\U000f054b", "★": "\U000f04ce", "☆": "\U000f04d2",
    "✓": "\U000f012c", "✗": "\U000f0156", "▶": "\U000f040a",
}  # fmt: skip
"""Code points of version 7.2.96."""

FILE = "materialdesignicons-webfont.ttf"
"""Name of the font."""


@cache
def find() -> str | None:
    """Return the font's file, or None where it is not installed. Imports nothing."""
    spec = find_spec("fonticon_mdi7")
    folders = (spec.submodule_search_locations if spec else None) or ()
    files = (Path(folder) / "fonts" / FILE for folder in folders)
    return next((str(file) for file in files if file.is_file()), None)
