"""The token that lets others in: made once, and kept in the wearer's own folder."""

from __future__ import annotations

import secrets
from pathlib import Path

from agent import private


def token(folder: Path, name: str) -> str:
    """Return the token that a file of this name keeps, made if there is none. Raises OSError."""
    path = folder / name
    if path.exists():
        private.close(path)
        return path.read_text(encoding="ascii", errors="replace").strip()
    made = secrets.token_urlsafe(18)
    private.write(path, made)
    return made
