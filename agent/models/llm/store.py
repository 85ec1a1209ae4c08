"""Where model files are found, and what they are called."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from agent.errors import EngineError

MODELS_FOLDER = Path("~/.local/share/glasses/models")
"""Where GGUF files are looked for, unless $GLASSES_MODELS names another folder."""

_MEMORY_SHARE = 0.5
"""Share of the machine's memory a model file may fill: its context and the rest need theirs."""


_HEADER_BYTES = 65_536
"""Where a header says what kind of model it is."""


def find_model(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the GGUF file to use, or None when there is none.

    $GLASSES_MODEL names a file outright. Otherwise the folder $GLASSES_MODELS is searched, by
    default MODELS_FOLDER: of the `*.gguf` files that fit into half of the memory, those named
    `qwen3` come first, and of these the largest, since more weights know more. Second and later
    parts of split files, `mmproj` files (the eyes of another model), and models that embed or rank
    text rather than going on with it are passed over.

    Raises EngineError when $GLASSES_MODEL names no file: what was asked for by name is not
    silently replaced.
    """
    if named := environ.get("GLASSES_MODEL"):
        path = Path(named).expanduser()
        if not path.is_file():
            raise EngineError(f"GLASSES_MODEL={named}: no such file; name a GGUF file or unset it")
        return path
    folder = Path(environ.get("GLASSES_MODELS") or MODELS_FOLDER).expanduser()
    room = _MEMORY_SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    fitting = [
        path
        for path in folder.glob("*.gguf")
        if path.is_file() and _may_speak(path) and path.stat().st_size <= room
    ]
    return max(fitting, key=_merit, default=None)


def describe(path: Path) -> str:
    """Name a model file for people: `Qwen3-0.6B-Q8_0 (639 MB)`. Raises EngineError.

    The file's name carries family, parameters and quantisation by convention (the GGUF naming
    scheme); its header would only repeat them, and reading it takes an engine.
    """
    try:
        size_mb = path.stat().st_size / 1e6
    except OSError as error:
        raise EngineError(f"{path}: cannot be read ({error.strerror})") from None
    return f"{path.stem} ({size_mb:.{0 if size_mb >= 10 else 1}f} MB)"


def find_embeddings(models: Path) -> list[Path]:
    """Return the embedding models of a folder, by name."""
    return sorted(path for path in models.glob("*.gguf") if path.is_file() and embeds(path))


def embeds(path: Path) -> bool:
    """Whether a GGUF file is an embedding model, by its name or its header."""
    name = path.name.lower()
    return "rerank" not in name and ("embed" in name or _pools(path))


def _may_speak(path: Path) -> bool:
    name = path.name.lower()
    later_part = "-of-" in name and "-00001-of-" not in name
    other = "mmproj" in name or "rerank" in name or embeds(path)
    return not later_part and not other


def _pools(path: Path) -> bool:
    """Whether a header says how tokens become one: it stands before the long list of tokens."""
    try:
        with path.open("rb") as file:
            return b".pooling_type" in file.read(_HEADER_BYTES)
    except OSError:
        return False


def _merit(path: Path) -> tuple[bool, int, str]:
    return "qwen3" in path.name.lower(), path.stat().st_size, path.name
