"""What a GGUF file says about itself, and whether all of it is there.

The layout is that of ggml's `docs/gguf.md`, versions 2 and 3: a magic, counts, keys with values,
then for each tensor a name, sizes, a type and where it begins; then, aligned, the tensors. Nothing
is loaded, and no count is believed: a file that promises more than it holds is cut or damaged. What
llama.cpp takes on trust, and ends the process over, is looked at here first.
"""

from __future__ import annotations

import math
import mmap
import struct
from collections.abc import Iterator
from pathlib import Path

from agent.errors import EngineError

MAGIC = b"GGUF"

_STRING, _ARRAY = 8, 9
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of a value, by its type."""

_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    9: (32, 36), 10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
    15: (256, 292), 20: (32, 18), 23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8),
    28: (1, 8), 30: (1, 2),
}  # fmt: skip
"""Numbers in a block and its bytes, by ggml's type; of other types only the beginning is known."""

_NUMBERS = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
"""How a number is written, by its type."""
_HEADER_BYTES = 65_536
"""Where a header says what kind of model it is."""

_ALIGNMENT = b"general.alignment"
_TOKENS = b"tokenizer.ggml.tokens"
_BESIDE_TOKENS = (b"tokenizer.ggml.token_type", b"tokenizer.ggml.scores")
"""Arrays with a value for each token, which are read as far as there are tokens."""
_MOST_DIMENSIONS = 4
_MOST = 1 << 24
"""Most that a count, a length or a width can be; the longest context a model has is 10 million.
With more, products of two wrap round in 32 bits and fit again."""
_MOST_BLOCKS = 512
"""LLAMA_MAX_LAYERS in llama.cpp's llama-hparams.h."""


class _Impossible(ValueError):
    """A value that no model has, in words."""


def embeds(path: Path) -> bool:
    """Whether a GGUF file is an embedding model, by its name or its header."""
    name = path.name.lower()
    return "rerank" not in name and ("embed" in name or _pools(path))


def speaks(path: Path) -> bool:
    """Whether a GGUF file goes on with a text, by its name or its header.

    Second and later parts of split files, `mmproj` files (the eyes of another model), and models
    that embed or rank text do not.
    """
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


def check(path: Path) -> None:
    """Raise EngineError, which says what is wrong, unless the file is a whole GGUF.

    Some 50 ms for every 100,000 tokens of its vocabulary.
    """
    why = ""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
            if magic == MAGIC:
                with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                    whole = _ends(data) <= len(data)
    except OSError as error:
        raise EngineError(
            f"{path}: cannot be read ({error.strerror}); set GLASSES_MODEL to a GGUF file"
        ) from None
    except _Impossible as error:
        whole, why = False, f" ({error})"
    except (struct.error, ValueError, OverflowError, ZeroDivisionError):
        whole = False
    if magic != MAGIC:
        fault = "not a GGUF file" if magic else "the file is empty"
        raise EngineError(f"{path}: {fault}; download it again")
    if not whole:
        raise EngineError(f"{path}: the file is cut off or damaged{why}; download it again")


def _ends(data: mmap.mmap) -> int:
    """Return how long the file must be. Raises struct.error or ValueError past its end."""
    version, tensors, keys = struct.unpack_from("<IQQ", data, 4)
    if version not in (2, 3):
        return 0  # another layout: llama.cpp says so better
    at, alignment = 24, 32
    counts: dict[bytes, int] = {}  # of arrays
    for _ in range(keys):
        name, at = _text(data, at)
        (kind,) = struct.unpack_from("<I", data, at)
        at += 4
        if kind in _NUMBERS:
            (number,) = struct.unpack_from(_NUMBERS[kind], data, at)
            _check_number(name, number, tensors, len(data))
            if name == _ALIGNMENT and kind == 4:
                alignment = number
        elif kind == _ARRAY:
            of, counts[name] = struct.unpack_from("<IQ", data, at)
            if name == _TOKENS and of == _STRING:
                _check_tokens(data, at + 12, counts[name])
        at = _after(data, at, kind)
    for name in _BESIDE_TOKENS:
        if counts.get(name, counts.get(_TOKENS)) != counts.get(_TOKENS):
            raise _Impossible(f"its {_shown(name)} are not as many as its tokens")
    ends = 0
    for _ in range(tensors):
        _, at = _text(data, at)
        (dimensions,) = struct.unpack_from("<I", data, at)
        if dimensions > _MOST_DIMENSIONS:
            raise ValueError("no tensor has so many dimensions")
        *sizes, kind, offset = struct.unpack_from(f"<{dimensions}QIQ", data, at + 4)
        at += 4 + 8 * dimensions + 12
        count, size = _BLOCKS.get(kind, (1, 0))
        for length in sizes:
            size *= length
        ends = max(ends, offset + size // count)
    begins: int = (at + alignment - 1) // alignment * alignment
    return begins + int(ends) if ends else int(at)


def _check_number(name: bytes, number: float, tensors: int, size: int) -> None:
    """Raise _Impossible for a number that no model of so many tensors and bytes can have."""
    least, most = -math.inf, math.inf
    if name.endswith(b".block_count"):
        least, most = 1, min(tensors, _MOST_BLOCKS)  # each block has tensors of its own
    elif any(word in name.rpartition(b".")[2] for word in (b"count", b"length", b"size")):
        least, most = 0, min(size, _MOST)
    elif name.endswith(b"_epsilon"):
        least = 0
    if not (math.isfinite(number) and least <= number <= most):
        raise _Impossible(f"its {_shown(name)} cannot be {number:g}")


def _check_tokens(data: mmap.mmap, at: int, count: int) -> None:
    """Raise _Impossible unless the tokens are different ones, as C reads them: up to a zero."""
    seen: set[bytes] = set()
    for text in _texts(data, at, count):
        token = text.partition(b"\0")[0]
        if token in seen:
            raise _Impossible("two of its tokens are the same")
        if token:
            seen.add(token)


def _texts(data: mmap.mmap, at: int, count: int) -> Iterator[bytes]:
    for _ in range(count):
        text, at = _text(data, at)
        yield text


def _shown(name: bytes) -> str:
    return name[:60].decode("utf-8", "replace")


def _text(data: mmap.mmap, at: int) -> tuple[bytes, int]:
    (length,) = struct.unpack_from("<Q", data, at)
    after = at + 8 + length
    if after > len(data):
        raise ValueError("a text goes on past the end")
    return data[at + 8 : after], after


def _after(data: mmap.mmap, at: int, kind: int) -> int:
    """Return where a value ends."""
    if kind == _STRING:
        return _text(data, at)[1]
    if kind != _ARRAY:
        return at + _SIZES[kind] if kind in _SIZES else _unknown(kind)
    kind, count = struct.unpack_from("<IQ", data, at)
    at += 12
    if kind in _SIZES:
        return at + _SIZES[kind] * int(count)
    if kind != _STRING:
        return _unknown(kind)
    for _ in range(count):
        (length,) = struct.unpack_from("<Q", data, at)
        at += 8 + length
    return at


def _unknown(kind: int) -> int:
    raise ValueError(f"no value has the type {kind}")
