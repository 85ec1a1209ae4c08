"""Writes a tiny Qwen3 GGUF with random weights: real llama.cpp inference in milliseconds.

What it says is noise, always the same noise, and never ends by itself; or, if asked, one text
that it recites to every prompt. Export keys follow llama.cpp's `qwen3` architecture.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import numpy.typing as npt

LAYERS, WIDTH, HEADS, KV_HEADS, HEAD_DIM, FF, CONTEXT = 2, 64, 2, 1, 32, 128, 1024
MERGES = ["h e", "l l", "he ll", "hell o", "Ġ t", "Ġt he"]
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
Weight = npt.NDArray[Any]
LONG_TOKEN = "supercalifragilisticexpialidocious-and-more"
"""A USER_DEFINED token of 43 bytes, beyond the 32 that llama-cpp-python's detokenizer keeps."""
CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}"
    "{% endif %}"
)


def byte_letters() -> list[str]:
    """GPT-2's printable stand-in for each of the 256 bytes, by byte value."""
    plain = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    spare = iter(range(0x100, 0x200))
    return [chr(byte) if byte in plain else chr(next(spare)) for byte in range(256)]


def vocabulary() -> list[str]:
    """256 bytes, the merges, the long token, then the control tokens."""
    return [
        *byte_letters(),
        *(merge.replace(" ", "") for merge in MERGES),
        LONG_TOKEN,
        *CONTROL,
    ]


def write(
    path: Path,
    *,
    seed: int = 15,
    template: str | None = CHAT_TEMPLATE,
    says: str | None = None,
    pooling: gguf.PoolingType | None = None,
) -> Path:
    """Write the model (about 0.2 MB) and return its path.

    `says` is a token's text, or a text in which no byte comes twice; `pooling` marks the file as
    an embedding model.
    """
    tokens = vocabulary()
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.add_name("Tiny Test Model")
    writer.add_block_count(LAYERS)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(FF)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD_DIM)
    writer.add_value_length(HEAD_DIM)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1e6)
    writer.add_vocab_size(len(tokens))
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    if pooling is not None:
        writer.add_pooling_type(pooling)
    _add_tokenizer(writer, tokens, template)
    weights = _weights(np.random.default_rng(seed), len(tokens))
    if pooling is not None:
        _listen(weights)
    if says is not None:
        _recite(weights, _path_of(says, tokens))
    for name, weight in weights.items():
        writer.add_tensor(name, weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _add_tokenizer(writer: gguf.GGUFWriter, tokens: list[str], template: str | None) -> None:
    kinds = [gguf.TokenType.NORMAL] * len(tokens)
    kinds[-len(CONTROL) :] = [gguf.TokenType.CONTROL] * len(CONTROL)
    kinds[tokens.index(LONG_TOKEN)] = gguf.TokenType.USER_DEFINED
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(MERGES)
    end, pad = tokens.index("<|im_end|>"), tokens.index("<|endoftext|>")
    writer.add_eos_token_id(end)
    writer.add_bos_token_id(pad)
    writer.add_pad_token_id(pad)
    writer.add_add_bos_token(False)
    if template is not None:
        writer.add_chat_template(template)


def _path_of(says: str, tokens: list[str]) -> list[int]:
    """Token ids from the line break that ends the prompt, through the text, to its end."""
    said = [tokens.index(says)] if says in tokens else list(says.encode())
    path = [ord("\n"), *said, tokens.index("<|im_end|>")]
    if len(set(path)) < len(path):
        raise ValueError(f"a byte comes twice in {says!r}")
    return path


def _weights(rng: np.random.Generator, vocab: int) -> dict[str, Weight]:
    def matrix(rows: int, columns: int) -> Weight:
        return rng.normal(0, columns**-0.5, (rows, columns)).astype(np.float16)

    embedding, out = matrix(vocab, WIDTH) * np.float16(8), matrix(vocab, WIDTH) * np.float16(8)
    # Every token is large in the first dimension, where only control tokens listen: and hate it.
    embedding[:, 0] = 8
    out[:, 0] = 0
    out[-len(CONTROL) :, 0] = -100
    norm: Weight = np.ones(WIDTH, np.float32)
    head_norm: Weight = np.ones(HEAD_DIM, np.float32)
    weights = {"token_embd.weight": embedding, "output.weight": out, "output_norm.weight": norm}
    for layer in range(LAYERS):
        block = {
            "attn_norm": norm,
            "attn_q": matrix(HEADS * HEAD_DIM, WIDTH),
            "attn_k": matrix(KV_HEADS * HEAD_DIM, WIDTH),
            "attn_v": matrix(KV_HEADS * HEAD_DIM, WIDTH),
            "attn_output": matrix(WIDTH, HEADS * HEAD_DIM),
            "attn_q_norm": head_norm,
            "attn_k_norm": head_norm,
            "ffn_norm": norm,
            "ffn_gate": matrix(FF, WIDTH),
            "ffn_up": matrix(FF, WIDTH),
            "ffn_down": matrix(WIDTH, FF),
        }
        weights |= {f"blk.{layer}.{name}.weight": value for name, value in block.items()}
    return weights


def _listen(weights: dict[str, Weight]) -> None:
    """Make a text's end all ear: its numbers are what it attends to, not its own."""
    embedding = weights["token_embd.weight"]
    embedding[:, 0] = 0
    embedding[-len(CONTROL) :] /= np.float16(100)


def _recite(weights: dict[str, Weight], path: list[int]) -> None:
    """Turn the model into a table of what follows what: silent layers, one successor a token."""
    for name in weights:
        if name.endswith(("attn_output.weight", "ffn_down.weight")):
            weights[name] = np.zeros_like(weights[name])
    embedding = weights["token_embd.weight"]
    embedding[:, 0] = 0
    out = weights["output.weight"] = np.zeros_like(embedding)
    out[path[1:]] = embedding[path[:-1]]
