"""Choosing the next token: freely, or within the grammar of a JSON schema."""

from __future__ import annotations

import ctypes
import json
import math
from contextlib import ExitStack
from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from agent.errors import EngineError

if TYPE_CHECKING:
    from agent.models.llm.options import LlamaOptions

Handle = Any  # a C pointer, as ctypes hands it out: int or pointer object; falsy when NULL


@lru_cache(maxsize=16)
def gbnf(schema: str) -> str:
    """Turn a JSON schema, given as JSON text, into a GBNF grammar whose start is `root`.

    Raises EngineError when llama-cpp-python's converter cannot.
    """
    from llama_cpp.llama_grammar import SchemaConverter

    class Converter(SchemaConverter):
        # Its own one leaves backslashes alone: an option with a quote in it breaks the grammar,
        # and an emoji becomes two halves that no token can say.
        def _format_literal(self, literal: str) -> str:
            text = json.dumps(json.loads(literal), ensure_ascii=False)
            return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    options = {"prop_order": {}, "allow_fetch": False, "dotall": False, "raw_pattern": False}
    converter: Any = Converter(**options)  # type: ignore[no-untyped-call]  # theirs is untyped
    try:
        converter.visit(json.loads(schema), "")
        return str(converter.format_grammar())
    except (AssertionError, ValueError, TypeError, LookupError) as error:
        raise EngineError(f"no grammar can be made from this JSON schema ({error})") from None


class Picker:
    """Chooses the next token from the last `decode`; one per answer."""

    def __init__(
        self,
        lib: ModuleType,
        context: Handle,
        vocab: Handle,
        options: LlamaOptions,
        grammar: str | None,
    ) -> None:
        """Build the samplers. Raises EngineError when the grammar does not parse."""
        self._lib, self._context = lib, context
        self._rule: Handle = None
        self._free = ExitStack()
        self._plain = self._chain(options)
        if grammar is not None:
            self._rule = lib.llama_sampler_init_grammar(vocab, grammar.encode(), b"root")
            if not self._rule:
                raise EngineError("llama.cpp cannot read the grammar made from the JSON schema")
            self._bound = self._chain(options, self._rule)

    def _chain(self, options: LlamaOptions, rule: Handle = None) -> Handle:
        lib = self._lib
        chain = lib.llama_sampler_chain_init(lib.llama_sampler_chain_default_params())
        self._free.callback(lib.llama_sampler_free, chain)
        steps = [rule] if rule else []
        if options.temperature > 0:
            # Top-k 20 and top-p 0.8 are what the Qwen3 model card asks for without thinking.
            steps += [lib.llama_sampler_init_top_k(20), lib.llama_sampler_init_top_p(0.8, 1)]
            steps += [lib.llama_sampler_init_temp(options.temperature)]
            steps += [lib.llama_sampler_init_dist(options.seed)]
        else:
            steps += [lib.llama_sampler_init_greedy()]
        for step in steps:
            lib.llama_sampler_chain_add(chain, step)
        return chain

    def pick(self) -> int:
        """Choose. Under a grammar, only what it allows.

        Trying the free choice first, as llama.cpp's common_sampler_sample does, spares checking
        the whole vocabulary against the grammar at each token.
        """
        token = int(self._lib.llama_sampler_sample(self._plain, self._context, -1))
        if self._rule is None:
            return token
        if self._allows(token):
            self._lib.llama_sampler_accept(self._bound, token)
            return token
        return int(self._lib.llama_sampler_sample(self._bound, self._context, -1))

    def _allows(self, token: int) -> bool:
        one = self._lib.llama_token_data(id=token, logit=1.0, p=0.0)
        some = self._lib.llama_token_data_array(
            data=ctypes.pointer(one), size=1, selected=-1, sorted=False
        )
        self._lib.llama_sampler_apply(self._rule, ctypes.byref(some))
        return not math.isinf(one.logit)

    def close(self) -> None:
        """Free the samplers, the grammar with them."""
        self._free.close()
