"""A trained model as a GGUF file, and back: what llama.cpp runs, and what training goes on from."""

from __future__ import annotations

import ctypes
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from agent.errors import EngineError
from agent.models.llm.native import library
from agent.understand.learn.pocket.network import Shape
from agent.understand.pocket.layout import CHAT_TEMPLATE, CONTROL, HEADER, STOP, Layout

NAME = "pocket-qwen"

_NORMAL, _CONTROL, _USER_DEFINED = 1, 3, 4  # llama.cpp's token types
_F16, _Q8_0 = 1, 7  # llama.cpp's file types


@dataclass(frozen=True, slots=True)
class Trained:
    """Weights, and all that is needed to use or go on with them."""

    weights: dict[str, Any]
    """Tensors by their names in GGUF."""
    shape: Shape
    """Size of the network."""
    layout: Layout
    """Actions and their tokens."""
    texts: list[str]
    """Every token's text."""
    model: str
    """The tokenizer, as `agent.understand.learn.pocket.spelling.learn` returned it."""

    def save(self, path: Path) -> None:
        """Write a GGUF of 8 bits a weight (Q8_0); the file is replaced only when it is whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            wide, narrow = Path(folder, "f16.gguf"), Path(folder, "q8.gguf")
            self._write(wide)
            _quantize(wide, narrow)
            narrow.replace(path)

    def _write(self, path: Path) -> None:
        import gguf

        shape = self.shape
        writer = gguf.GGUFWriter(path, "qwen3")
        writer.add_name(NAME)
        writer.add_description("routes an utterance to a call with its slots; not for conversation")
        writer.add_license("Apache-2.0")
        writer.add_string(HEADER, self.layout.dump())
        writer.add_block_count(shape.layers)
        writer.add_context_length(shape.context)
        writer.add_embedding_length(shape.width)
        writer.add_feed_forward_length(shape.feed_forward)
        writer.add_head_count(shape.heads)
        writer.add_head_count_kv(shape.groups)
        writer.add_key_length(shape.head_width)
        writer.add_value_length(shape.head_width)
        writer.add_layer_norm_rms_eps(shape.epsilon)
        writer.add_rope_freq_base(shape.rope_base)
        writer.add_vocab_size(shape.vocabulary)
        writer.add_file_type(_F16)
        self._write_tokens(writer)
        for name, weight in self.weights.items():
            array = weight.float().numpy()
            writer.add_tensor(name, array.astype(np.float16) if array.ndim == 2 else array)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()

    def _write_tokens(self, writer: Any) -> None:
        pieces = len(self.layout.pieces)
        kinds = [_CONTROL] * len(CONTROL) + [_USER_DEFINED] * pieces
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("qwen2")
        writer.add_token_list(self.texts)
        writer.add_token_types(kinds + [_NORMAL] * (len(self.texts) - len(kinds)))
        merges = json.loads(self.model)["model"]["merges"]
        writer.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in merges])
        stop = self.texts.index(STOP)
        writer.add_bos_token_id(stop)
        writer.add_eos_token_id(stop)
        writer.add_pad_token_id(stop)
        writer.add_add_bos_token(False)
        writer.add_chat_template(CHAT_TEMPLATE)

    @classmethod
    def load(cls, path: Path) -> Trained:
        """Read a file of ours. Raises EngineError when it is none."""
        import gguf

        try:
            reader = gguf.GGUFReader(path)
            fields = {name: field.contents() for name, field in reader.fields.items()}
            layout = Layout.load(fields[HEADER])
            texts = list(fields["tokenizer.ggml.tokens"])
            weights = {
                tensor.name: torch.from_numpy(
                    np.array(gguf.quants.dequantize(tensor.data, tensor.tensor_type), np.float32)
                )
                for tensor in reader.tensors
            }
            shape = Shape(
                vocabulary=len(texts),
                width=fields["qwen3.embedding_length"],
                layers=fields["qwen3.block_count"],
                feed_forward=fields["qwen3.feed_forward_length"],
            )
            plain = texts[len(CONTROL) + len(layout.pieces) :]
            model = _tokenizer(plain, list(fields["tokenizer.ggml.merges"]))
        except (OSError, ValueError, KeyError, IndexError) as error:
            raise EngineError(f"{path}: not a pocket model to go on from ({error})") from None
        return cls(weights, shape, layout, texts, model)


def _tokenizer(plain: list[str], merges: list[str]) -> str:
    """Return the tokenizer of a file's tokens and merges."""
    from agent.understand.learn.pocket.spelling import empty

    tokenizer: Any = empty()
    read = json.loads(tokenizer.to_str())
    read["model"]["vocab"] = {text: number for number, text in enumerate(plain)}
    read["model"]["merges"] = merges
    return json.dumps(read)


def _quantize(source: Path, target: Path) -> None:
    llama_cpp = library()  # which logs to us, not to standard error
    options = llama_cpp.llama_model_quantize_default_params()
    options.ftype = _Q8_0
    options.nthread = 1
    code = llama_cpp.llama_model_quantize(
        os.fsencode(source), os.fsencode(target), ctypes.byref(options)
    )
    if code:
        raise EngineError(f"{source}: llama.cpp could not quantize it (code {code})")
