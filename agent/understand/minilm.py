"""all-MiniLM-L6-v2: what an English sentence means, as numbers, on one core in a few milliseconds.

Sentence-transformers' model of six BERT layers (Apache-2.0). `glasses models pull minilm` gets its
weights, which are written once as an ONNX file of 23 MB with a byte a weight and stay in the models
folder; nothing of them ships here. Arithmetic is in 32-bit floats, since int8 arithmetic saturates
on processors without VNNI.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import EngineError
from agent.models import store

Floats = NDArray[np.float32]

NAME = "all-minilm-l6-v2.onnx"

COMMAND = "glasses models pull minilm"

LAYERS, HEADS, WIDTH = 6, 12, 384
POOLED = (2, 4, 5, 6)
"""Layers whose mean over the words is given, the last one last."""

LAST = len(POOLED) - 1
"""The row that is the sentence's embedding, as sentence-transformers gives it."""

MAX_TOKENS = 64
"""Pieces of words that are read; a spoken command has about fifteen."""


class MiniLM:
    """Reads a sentence; belongs to the thread that calls it."""

    name = "all-MiniLM-L6-v2"
    shape = (len(POOLED) + 2, WIDTH)
    last = LAST
    chinese = False
    few = 16

    def __init__(self, path: Path) -> None:
        """Load the file that `convert` wrote. Raises EngineError when it is none."""
        import onnxruntime
        from tokenizers import Tokenizer

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
            read = self._session.get_modelmeta().custom_metadata_map["tokenizer"]
            self._tokenizer = Tokenizer.from_str(read)
        except Exception as error:  # onnxruntime and tokenizers have no base class of their own
            raise EngineError(
                f"{path}: not the MiniLM this project writes ({type(error).__name__}): remove it"
                f" and run `{COMMAND}`"
            ) from None
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def __call__(self, text: str) -> Floats:
        """Return 6 x 384 numbers, each row of length 1.

        The means of the layers POOLED, the last layer's greatest, and its first piece's.
        """
        ids = np.array(self._tokenizer.encode(text).ids, np.int64)
        (rows,) = self._session.run(None, {"ids": ids})
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def find(models: Path) -> MiniLM | None:
    """Return the model of a folder, or None when it has none. Raises EngineError for a bad file."""
    path = models / NAME
    return MiniLM(store.trusted(path, "sentences").path) if path.is_file() else None


def convert(folder: Path, to: Path) -> None:
    """Write the weights and the tokenizer of a folder as one ONNX file.

    Raises EngineError when the folder does not hold them.
    """
    try:
        weights = _safetensors((folder / "model.safetensors").read_bytes())
        tokenizer = (folder / "tokenizer.json").read_text(encoding="utf-8")
        to.write_bytes(_model(weights, tokenizer))
    except (OSError, KeyError, ValueError, struct.error) as error:
        raise EngineError(f"{folder}: holds no MiniLM: {error}") from None


def _safetensors(data: bytes) -> dict[str, Floats]:
    """Read 32-bit tensors by name: a length, a JSON header, then the numbers."""
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    found = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            start, end = (8 + length + at for at in entry["data_offsets"])
            found[name] = np.frombuffer(data[start:end], np.float32).reshape(entry["shape"])
    return found


# -- ONNX -----------------------------------------------------------------------------------------
# A model is a protobuf message, which is a list of (field, value); onnx.proto names the fields.


def _field(number: int, value: int | float | str | bytes) -> bytes:
    if isinstance(value, float):
        return _varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _message(fields: Iterable[tuple[int, Any]]) -> bytes:
    return b"".join(_field(number, value) for number, value in fields)


def _tensor(name: str, values: NDArray[Any]) -> bytes:
    kind = {"float32": 1, "int8": 3, "int64": 7}[values.dtype.name]
    dims = ((1, int(size)) for size in values.shape)
    return _message([*dims, (2, kind), (8, name), (9, np.ascontiguousarray(values).tobytes())])


def _value(name: str, kind: int, *shape: int | str) -> bytes:
    dims = [(1, _message([(2 if isinstance(d, str) else 1, d)])) for d in shape]
    tensor = _message([(1, kind), (2, _message(dims))])
    return _message([(1, name), (2, _message([(1, tensor)]))])


class _Graph:
    """Nodes and constants in the order they were made; a name stands for a tensor."""

    def __init__(self, weights: Mapping[str, Floats]) -> None:
        self.fields: list[tuple[int, Any]] = [(2, "minilm")]
        self._weights = weights
        self._names = 0

    def constant(self, values: Any, kind: Any = np.float32) -> str:
        self._names += 1
        self.fields.append((5, _tensor(f"c{self._names}", np.asarray(values, kind))))
        return f"c{self._names}"

    def node(self, op: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        self._names += 1
        output = output or f"x{self._names}"
        fields: list[tuple[int, Any]] = [(1, name) for name in inputs]
        fields += [(2, output), (4, op)]
        for name, value in attributes.items():
            many = isinstance(value, list)
            kind, number = (7, 8) if many else (1, 2) if isinstance(value, float) else (2, 3)
            values = value if many else [value]
            parts = [(1, name), *((number, v) for v in values), (20, kind)]
            fields.append((5, _message(parts)))
        self.fields.append((1, _message(fields)))
        return output

    def weight(self, *names: str) -> str:
        """Return matrices side by side, inputs first, a byte a number and a scale a column."""
        matrix = np.concatenate([self._weights[f"{name}.weight"] for name in names]).T
        scale = np.abs(matrix).max(axis=0) / 127
        rounded = self.constant(np.round(matrix / scale), np.int8)
        return self.node("Mul", self.node("Cast", rounded, to=1), self.constant(scale))

    def linear(self, x: str, *names: str) -> str:
        bias = np.concatenate([self._weights[f"{name}.bias"] for name in names])
        product = self.node("MatMul", x, self.weight(*names))
        return self.node("Add", product, self.constant(bias))

    def normed(self, x: str, name: str) -> str:
        parts = [self.constant(self._weights[f"{name}.{part}"]) for part in ("weight", "bias")]
        return self.node("LayerNormalization", x, *parts, axis=-1, epsilon=1e-12)

    def embedded(self, ids: str) -> str:
        """Return the rows of the words, of their positions, and of the one sentence there is."""
        table = self._weights["embeddings.word_embeddings.weight"]
        scale = np.abs(table).max(axis=1, keepdims=True) / 127
        rounded = self.constant(np.round(table / np.maximum(scale, 1e-9)), np.int8)
        words = self.node("Cast", self.node("Gather", rounded, ids, axis=0), to=1)
        words = self.node("Mul", words, self.node("Gather", self.constant(scale), ids, axis=0))
        places = self._weights["embeddings.position_embeddings.weight"][:MAX_TOKENS]
        places = places + self._weights["embeddings.token_type_embeddings.weight"][0]
        zero = self.constant([0], np.int64)
        length = self.node("Shape", ids)
        where = self.node("Slice", self.constant(places), zero, length, zero)
        return self.normed(self.node("Add", words, where), "embeddings.LayerNorm")

    def attended(self, x: str, layer: str) -> str:
        names = [f"{layer}.attention.self.{name}" for name in ("query", "key", "value")]
        split = self.constant([-1, 3 * HEADS, WIDTH // HEADS], np.int64)
        heads = self.node("Reshape", self.linear(x, *names), split)
        bounds = [self.constant([at * HEADS], np.int64) for at in range(4)]
        axis = self.constant([1], np.int64)
        query, key, value = (
            self.node("Slice", heads, bounds[at], bounds[at + 1], axis) for at in range(3)
        )
        query = self.node("Transpose", query, perm=[1, 0, 2])
        key = self.node("Transpose", key, perm=[1, 2, 0])
        value = self.node("Transpose", value, perm=[1, 0, 2])
        near = self.node("MatMul", query, key)
        near = self.node("Mul", near, self.constant([(WIDTH / HEADS) ** -0.5]))
        mixed = self.node("MatMul", self.node("Softmax", near, axis=-1), value)
        joined = self.constant([-1, WIDTH], np.int64)
        mixed = self.node("Reshape", self.node("Transpose", mixed, perm=[1, 0, 2]), joined)
        added = self.node("Add", x, self.linear(mixed, f"{layer}.attention.output.dense"))
        return self.normed(added, f"{layer}.attention.output.LayerNorm")

    def layer(self, x: str, layer: str) -> str:
        x = self.attended(x, layer)
        inner = self.linear(x, f"{layer}.intermediate.dense")
        # GELU, exactly: x/2 (1 + erf(x/√2)).
        erf = self.node("Erf", self.node("Mul", inner, self.constant([0.5**0.5])))
        half = self.node("Mul", inner, self.constant([0.5]))
        inner = self.node("Mul", half, self.node("Add", erf, self.constant([1.0])))
        added = self.node("Add", x, self.linear(inner, f"{layer}.output.dense"))
        return self.normed(added, f"{layer}.output.LayerNorm")


def _model(weights: Mapping[str, Floats], tokenizer: str) -> bytes:
    graph = _Graph(weights)
    x = graph.embedded("ids")
    rows = []
    for number in range(LAYERS):
        x = graph.layer(x, f"encoder.layer.{number}")
        if number + 1 in POOLED:
            rows.append(graph.node("ReduceMean", x, axes=[0], keepdims=1))
    rows.append(graph.node("ReduceMax", x, axes=[0], keepdims=1))
    zero, one = graph.constant([0], np.int64), graph.constant([1], np.int64)
    rows.append(graph.node("Slice", x, zero, one, zero))
    graph.node("Concat", *rows, output="rows", axis=0)
    graph.fields.append((11, _value("ids", 7, "pieces")))
    graph.fields.append((12, _value("rows", 1, len(rows), WIDTH)))
    return _message(
        [
            (1, 8),
            (2, "glasses"),
            (7, _message(graph.fields)),
            (8, _message([(2, 17)])),
            (14, _message([(1, "tokenizer"), (2, tokenizer)])),
        ]
    )
