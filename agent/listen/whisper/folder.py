"""Whether a folder holds a whole CTranslate2 Whisper model, looked at without loading it.

`model.bin` is as CTranslate2's `ModelSpec` writes it: a version, the kind and its revision, then
each variable with its name, shape, type, length in bytes and content, then names for the same.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from agent.errors import EngineError
from agent.listen.whisper.window import FILES
from hardware import reading

NEWEST = 6
"""Version of the layout that is known here; of another only the length is looked at."""
MOST_JSON_BYTES = 64 << 20
"""A tokenizer has some megabytes."""


def half(models: Path) -> Path | None:
    """Return a folder with the weights of a Whisper and without the rest of it, if there is one."""
    candidates = (models, *sorted(path for path in models.glob("*") if path.is_dir()))
    return next((path for path in candidates if _holds_weights(path / "model.bin")), None)


def _holds_weights(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return b"WhisperSpec" in file.read(32)
    except OSError:
        return False


def check(folder: Path) -> None:
    """Raise EngineError, which names the file, unless all are whole."""
    for name in FILES:
        path = folder / name
        try:
            if path.suffix == ".json":
                reading.from_json(reading.read_text(path, MOST_JSON_BYTES))
                continue
            with path.open("rb") as file:
                fault = _fault(file, path.stat().st_size)
        except OSError as error:
            fault = f"it cannot be read ({error.strerror})"
        except reading.Unreadable as error:
            fault = f"it is cut off or damaged: {error}"
        if fault:
            raise EngineError(f"{path}: {fault}; put the whole model there again")


def _fault(file: BinaryIO, length: int) -> str:
    """Say what is wrong with a `model.bin`; "" where nothing is."""
    if length == 0:
        return "the file is empty"
    try:
        (version,) = struct.unpack("<I", file.read(4))
        if not 1 <= version <= 100:
            return "it is not a CTranslate2 model"
        if version == NEWEST:
            _walk(file)
    except struct.error:
        return "it is cut off or damaged"
    return "" if file.tell() <= length else "it is cut off or damaged"


def _walk(file: BinaryIO) -> None:
    """Go over all of it. Raises struct.error where it ends too early."""
    _text(file)
    _, variables = struct.unpack("<II", file.read(8))
    for _ in range(variables):
        _text(file)
        (rank,) = struct.unpack("<B", file.read(1))
        *_, size = struct.unpack(f"<{rank}IBI", file.read(4 * rank + 5))
        file.seek(size, 1)
    (names,) = struct.unpack("<I", file.read(4))
    for _ in range(2 * names):
        _text(file)


def _text(file: BinaryIO) -> None:
    (length,) = struct.unpack("<H", file.read(2))
    if len(file.read(length)) != length:
        raise struct.error
