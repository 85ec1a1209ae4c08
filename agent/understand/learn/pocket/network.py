"""The Qwen3 architecture in PyTorch, as llama.cpp runs it, small.

RMSNorm, attention with grouped heads, RMSNorm on queries and keys and rotary positions in halves,
SwiGLU, tied embeddings (Qwen3 technical report, https://arxiv.org/abs/2505.09388). The utterance
is read in both directions (a prefix language model, https://arxiv.org/abs/1910.10683 §3.2): what
follows a word says what it is. llama.cpp does so when asked (`llama_set_causal_attn`). A share of
the training batches reads from left to right only, for other programs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of a network."""

    vocabulary: int
    """Tokens."""
    width: int = 256
    """Numbers that a token is; a multiple of 32, which Q8_0 wants."""
    layers: int = 4
    """Blocks of attention and feed-forward."""
    heads: int = 4
    """Query heads."""
    groups: int = 2
    """Key and value heads."""
    head_width: int = 64
    """Numbers in a head."""
    feed_forward: int = 512
    """Width inside the feed-forward; a multiple of 32."""
    rope_base: float = 10_000.0
    """Rotary base; utterances are short."""
    epsilon: float = 1e-6
    """Of every RMSNorm."""
    context: int = 256
    """Positions it was made for."""


class Block(nn.Module):
    """One layer."""

    def __init__(self, shape: Shape) -> None:
        """Make the weights."""
        super().__init__()
        self.shape = shape
        inner, narrow = shape.heads * shape.head_width, shape.groups * shape.head_width
        self.attn_norm = nn.RMSNorm(shape.width, shape.epsilon)
        self.attn_q = nn.Linear(shape.width, inner, bias=False)
        self.attn_k = nn.Linear(shape.width, narrow, bias=False)
        self.attn_v = nn.Linear(shape.width, narrow, bias=False)
        self.attn_output = nn.Linear(inner, shape.width, bias=False)
        self.attn_q_norm = nn.RMSNorm(shape.head_width, shape.epsilon)
        self.attn_k_norm = nn.RMSNorm(shape.head_width, shape.epsilon)
        self.ffn_norm = nn.RMSNorm(shape.width, shape.epsilon)
        self.ffn_gate = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.ffn_up = nn.Linear(shape.width, shape.feed_forward, bias=False)
        self.ffn_down = nn.Linear(shape.feed_forward, shape.width, bias=False)

    def attend(self, x: Tensor, mask: Tensor, cos: Tensor, sin: Tensor, dropout: float) -> Tensor:
        """Let places (batch, time, width) look at each other; `mask` is (batch, 1, time, time)."""
        batch, time, _ = x.shape
        shape = self.shape
        inside = self.attn_norm(x)
        q = self.attn_q(inside).view(batch, time, shape.heads, shape.head_width)
        k = self.attn_k(inside).view(batch, time, shape.groups, shape.head_width)
        v = self.attn_v(inside).view(batch, time, shape.groups, shape.head_width)
        q = _rotate(self.attn_q_norm(q), cos, sin).transpose(1, 2)
        k = _rotate(self.attn_k_norm(k), cos, sin).transpose(1, 2)
        repeat = shape.heads // shape.groups
        k = k.repeat_interleave(repeat, dim=1)
        v = v.transpose(1, 2).repeat_interleave(repeat, dim=1)
        seen = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        seen = self.attn_output(seen.transpose(1, 2).reshape(batch, time, -1))
        return x + F.dropout(seen, dropout, self.training)

    def think(self, x: Tensor, dropout: float) -> Tensor:
        """Let each place work on its own."""
        inside = self.ffn_norm(x)
        thought = self.ffn_down(F.silu(self.ffn_gate(inside)) * self.ffn_up(inside))
        return x + F.dropout(thought, dropout, self.training)


class Network(nn.Module):
    """The whole model; parameters carry the names that GGUF gives them."""

    def __init__(self, shape: Shape) -> None:
        """Make the weights; the seed is torch's."""
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.width)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = nn.RMSNorm(shape.width, shape.epsilon)
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                scale = 0.02 if "token_embd" in name else weight.shape[1] ** -0.5
                if name.endswith(("attn_output.weight", "ffn_down.weight")):
                    scale /= (2 * shape.layers) ** 0.5
                nn.init.normal_(weight, std=scale)

    def forward(
        self, tokens: Tensor, prompts: Tensor | None, wanted: Tensor, dropout: float = 0.0
    ) -> Tensor:
        """Return the logits at some places.

        `tokens` is (batch, time); `prompts` holds the length of each prompt, which is read both
        ways, None for left to right; `wanted` are places of the flattened batch.
        """
        batch, time = tokens.shape
        places = torch.arange(time, device=tokens.device)
        mask = (places[None, :] <= places[:, None])[None].expand(batch, time, time)
        if prompts is not None:
            inside = places[None, :] < prompts[:, None]
            mask = mask | (inside[:, :, None] & inside[:, None, :])
        half = self.shape.head_width // 2
        rates = self.shape.rope_base ** (-torch.arange(half, device=tokens.device) / half)
        angles = places[:, None] * rates[None]
        cos, sin = angles.cos()[None, :, None], angles.sin()[None, :, None]
        # The embeddings are small since the output is tied to them.
        x = F.dropout(self.token_embd(tokens), dropout, self.training)
        for number, layer in enumerate(self.blk, start=1):
            block = cast("Block", layer)
            x = block.attend(x, mask[:, None], cos, sin, dropout)
            if number == self.shape.layers:  # from here on other places matter no more
                x = x.reshape(batch * time, -1)[wanted]
            x = block.think(x, dropout)
        return F.linear(self.output_norm(x), self.token_embd.weight)


def _rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turn pairs (i, i + half) of each head by its position's angle: NEOX's layout."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, second * cos + first * sin), dim=-1)
