"""Which language model file is used, and what it is called."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from agent.errors import EngineError
from agent.models import store
from agent.models.header import embeds

MODELS_FOLDER = Path("~/.local/share/glasses/models")
"""Where GGUF files are looked for, unless $GLASSES_MODELS names another folder."""


def find_model(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the GGUF file to use, or None when there is none; see `choose`."""
    return choose(environ).path


def choose(environ: Mapping[str, str] = os.environ) -> store.Choice:
    """Return the GGUF file to use, and why.

    $GLASSES_MODEL names a file outright. Otherwise `agent.models.store.choose` says which of the
    folder $GLASSES_MODELS, by default MODELS_FOLDER.

    Raises EngineError when $GLASSES_MODEL names no file: what was asked for by name is not
    silently replaced.
    """
    if named := environ.get("GLASSES_MODEL"):
        path = Path(named).expanduser()
        if not path.is_file():
            raise EngineError(f"GLASSES_MODEL={named}: no such file; name a GGUF file or unset it")
        return store.Choice(path, why="named by GLASSES_MODEL")
    folder = Path(environ.get("GLASSES_MODELS") or MODELS_FOLDER).expanduser()
    return store.choose("language", folder)


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
