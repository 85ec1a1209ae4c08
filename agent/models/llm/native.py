"""The few calls of llama.cpp that we need: load, tokenize, decode, pick the next token, embed.

This stands on the C functions that llama-cpp-python binds, not on its `Llama` class, for four
reasons seen in its 0.3.36: `Llama` takes 45 parameters; while it loads a file it points the whole
process's stdout and stderr at /dev/null, so that lines printed by other threads are lost; its
detokenizer drops the text of tokens longer than 32 bytes; and it evaluates a prompt in one go,
deaf to cancelling.

Not thread-safe: `agent.models.llm.llama` holds the lock.
"""

from __future__ import annotations

import ctypes
import logging
import os
import re
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from agent.errors import EngineError
from agent.models import header
from agent.models.llm.options import LlamaOptions
from agent.models.llm.sampling import Handle, Picker

log = logging.getLogger(__name__)

_RANKS = "4"  # LLAMA_POOLING_TYPE_RANK in llama.h: a reranker
_ERROR_LEVEL = 4  # GGML_LOG_LEVEL_ERROR in ggml.h
_complaints: deque[str] = deque(maxlen=16)  # what llama.cpp said went wrong, latest last
_listeners: list[Any] = []  # C keeps the callback's address but no reference to it


@cache
def library() -> ModuleType:
    """Import llama_cpp (0.1 s, hence late), and make it log to us instead of stderr."""
    try:
        import llama_cpp
    except (ImportError, OSError, RuntimeError) as error:
        raise EngineError(
            f"llama.cpp cannot be loaded ({error}); run: pip install llama-cpp-python"
        ) from None

    def listen(level: int, text: bytes, _data: object) -> None:
        if level == _ERROR_LEVEL:
            _complaints.append(text.decode("utf-8", "replace").strip())
        log.debug("llama.cpp: %s", text.decode("utf-8", "replace").rstrip())

    _listeners.append(llama_cpp.llama_log_callback(listen))
    llama_cpp.llama_log_set(_listeners[-1], ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    return llama_cpp


def _has_amx(lib: ModuleType) -> bool:
    """Whether llama.cpp was compiled for the matrix unit of Intel's server processors.

    There the first prompt ended the process (seen with 0.3.36, compiled by Debian's GCC 12, as it
    loaded the unit's configuration). Weights that are not repacked do not go there.
    """
    told: bytes = lib.llama_print_system_info()
    return b"AMX_INT8 = 1" in told


class Native:
    """One GGUF in memory with one context: `rewind`, `decode`, `pick`, and again."""

    def __init__(self, path: Path, options: LlamaOptions) -> None:
        """Load the file. Raises EngineError when it is not a GGUF model that runs here.

        A text model or, with `embeds`, a Qwen3 embedding model.
        """
        header.check(path)  # llama.cpp ends the process over some damage
        self._lib = lib = library()
        self._path = path
        self._options = options
        self._decoded: list[int] = []
        with ExitStack() as undo:
            self._model = self._load_model()
            undo.callback(lib.llama_model_free, self._model)
            self._vocab = lib.llama_model_get_vocab(self._model)
            (self._check_embedding_model if options.embeds else self._check_text_model)()
            self._context = self._open_context()
            undo.callback(lib.llama_free, self._context)
            self._undo = undo.pop_all()
        self.context_tokens = min(self._context_limit(), lib.llama_n_ctx(self._context))
        """Tokens that fit, prompt and answer together."""

    def close(self) -> None:
        """Free context and weights; nothing else may be called afterwards."""
        self._undo.close()

    # -- loading

    def _load_model(self) -> Handle:
        params = self._lib.llama_model_default_params()
        params.n_gpu_layers = self._options.gpu_layers
        params.use_extra_bufts = not _has_amx(self._lib)
        if self._options.device:
            self._devices = (ctypes.c_void_p * 2)(self._options.device, None)
            params.devices = ctypes.addressof(self._devices)
        _complaints.clear()
        model = self._lib.llama_model_load_from_file(os.fsencode(self._path), params)
        if not model:
            raise EngineError(
                f"{self._path}: not a model that runs here{_reason()}; download it again"
            )
        return model

    def _context_limit(self) -> int:
        trained = self._lib.llama_model_n_ctx_train(self._model)
        wanted = self._options.context_tokens
        return min(wanted, trained) if trained > 0 else wanted

    def _open_context(self) -> Handle:
        params = self._lib.llama_context_default_params()
        params.n_ctx = self._context_limit()
        params.n_batch = params.n_ubatch = self._options.batch_tokens
        params.n_threads = params.n_threads_batch = self._options.compute_threads
        params.no_perf = True
        if self._options.embeds:
            params.embeddings = True
            params.pooling_type = self._lib.LLAMA_POOLING_TYPE_LAST
        _complaints.clear()
        context = self._lib.llama_init_from_model(self._model, params)
        if not context:
            raise EngineError(
                f"{self._path}: no room for its context{_reason()}; lower context_tokens"
            )
        return context

    def _check_text_model(self) -> None:
        kind = self.metadata("general.architecture")
        # An embedding model loads, but asking it for a next token aborts the process.
        embeds = "bert" in kind or self.metadata(f"{kind}.pooling_type")
        if embeds or self._lib.llama_model_has_encoder(self._model):
            raise EngineError(f"{self._path}: a {kind} encoder, not a text model; use a Qwen3 GGUF")
        # So does a grammar whose end no token can say.
        if not self._vocab or self._lib.llama_vocab_eos(self._vocab) < 0:
            raise EngineError(f"{self._path}: has no end-of-text token; use a Qwen3 GGUF")

    def _check_embedding_model(self) -> None:
        # Any Qwen3 can be read so: early files of Qwen3-Embedding do not say what they are.
        kind = self.metadata("general.architecture")
        if kind != "qwen3" or self.metadata("qwen3.pooling_type") == _RANKS:
            raise EngineError(f"{self._path}: not an embedding model of the Qwen3 family")

    def metadata(self, key: str) -> str:
        """One value of the GGUF header as text; empty when absent."""
        buffer = ctypes.create_string_buffer(256)
        size = self._lib.llama_model_meta_val_str(self._model, key.encode(), buffer, 256)
        return buffer.value.decode("utf-8", "replace") if size >= 0 else ""

    @property
    def chat_template(self) -> str | None:
        """The Jinja template the model was trained with; None for a plain text model."""
        found: bytes | None = self._lib.llama_model_chat_template(self._model, None)
        return found.decode("utf-8", "replace") if found else None

    # -- text and tokens

    def tokenize(self, text: str, *, special: bool = False, start: bool = False) -> list[int]:
        """Split text into tokens.

        `special` lets names of control tokens in the text become them; `start` puts the token
        before it that the model expects at the start of a text, if any.
        """
        raw = text.encode("utf-8", "replace")
        room = len(raw) + 2
        tokens = (ctypes.c_int32 * room)()
        count = self._lib.llama_tokenize(self._vocab, raw, len(raw), tokens, room, start, special)
        if count < 0:
            raise EngineError(f"{self._path.name}: cannot tokenize the prompt")
        return list(tokens[:count])

    def piece(self, token: int) -> bytes:
        """Return a token's bytes: perhaps part of a character, nothing for a control token."""
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            count = self._lib.llama_token_to_piece(self._vocab, token, buffer, size, 0, False)
            if count >= 0:
                return buffer.raw[:count]
            size = -count

    def ends(self, token: int) -> bool:
        """Return True when the token says that the answer is over."""
        return bool(self._lib.llama_vocab_is_eog(self._vocab, token))

    # -- inference

    def rewind(self, tokens: Sequence[int]) -> int:
        """Keep what the context shares with `tokens`; return how many need no decoding.

        Prompts begin alike, so this is the prompt cache. At least one token is left to decode.
        """
        shared = self.shared(tokens[:-1])
        memory = self._lib.llama_get_memory(self._context)
        # Models with a recurrent state cannot go back part of the way.
        if not self._lib.llama_memory_seq_rm(memory, 0, shared, -1):
            self._lib.llama_memory_clear(memory, True)
            shared = 0
        del self._decoded[shared:]
        return shared

    def shared(self, tokens: Sequence[int]) -> int:
        """Return how many tokens at the beginning are in the context already."""
        count = 0
        for old, new in zip(self._decoded, tokens, strict=False):
            if old != new:
                break
            count += 1
        return count

    def state(self) -> bytes:
        """Return the context after what was decoded; nothing where llama.cpp gives none."""
        size = self._lib.llama_state_seq_get_size(self._context, 0)
        buffer = (ctypes.c_uint8 * size)()
        written = self._lib.llama_state_seq_get_data(self._context, buffer, size, 0)
        return bytes(memoryview(buffer)[:written])

    def restore(self, tokens: Sequence[int], state: bytes) -> bool:
        """Be as after these tokens, whose `state` it was; say whether llama.cpp took it."""
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        taken = self._lib.llama_state_seq_set_data(self._context, buffer, len(state), 0)
        if not taken:
            self._lib.llama_memory_clear(self._lib.llama_get_memory(self._context), True)
        self._decoded = list(tokens) if taken else []
        return bool(taken)

    @property
    def build(self) -> str:
        """What evaluates: another one may give other numbers."""
        told: bytes = self._lib.llama_print_system_info()
        return f"{self._lib.__version__} {told.decode('utf-8', 'replace')}"

    def decode(self, tokens: Sequence[int]) -> None:
        """Run at most `batch_tokens` tokens through the model. Raises EngineError."""
        array = (ctypes.c_int32 * len(tokens))(*tokens)
        batch = self._lib.llama_batch_get_one(array, len(tokens))
        code = self._lib.llama_decode(self._context, batch)
        if code:
            raise EngineError(f"{self._path.name}: llama.cpp failed to decode (code {code})")
        self._decoded.extend(tokens)

    def embedding(self) -> list[float]:
        """Return the last decoded token's numbers. Raises EngineError."""
        found = self._lib.llama_get_embeddings_seq(self._context, 0)
        if not found:
            raise EngineError(f"{self._path.name}: llama.cpp gives no embedding")
        return list(found[: self._lib.llama_model_n_embd(self._model)])

    def picker(self, grammar: str | None = None) -> Picker:
        """Make what chooses the next tokens, within a GBNF grammar if given. Raises EngineError."""
        return Picker(self._lib, self._context, self._vocab, self._options, grammar)


def _reason() -> str:
    """Quote llama.cpp's first, most precise complaint, in brackets; empty when it said nothing."""
    first = _complaints[0] if _complaints else ""
    return first and f" ({re.sub(r'^[a-z_]+: (error loading model: )?', '', first)})"
