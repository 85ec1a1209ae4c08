"""How a GGUF is loaded and run."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LlamaOptions:
    """How a model runs; the defaults suit a small model on a busy two-core device."""

    context_tokens: int = 2048
    """Prompt and answer together, in tokens; capped by what the model was trained for."""
    threads: int = 0
    """Compute threads; 0 takes half of the cores this process may use, at least one: these are
    the physical ones where each has two, and leave room for listening where not. llama.cpp's
    threads spin at barriers: a second one on two busy cores made the slowest twentieth of the
    answers 20 to 80 times slower."""
    batch_tokens: int = 32
    """Prompt tokens evaluated between two looks at the clock."""
    temperature: float = 0.0
    """0 always takes the likeliest token; above, the answer varies with `seed`."""
    seed: int = 7
    """Where chance starts at each call, so that the same prompt gets the same answer."""
    prefixes: Path | None = None
    """Folder where what prompts begin with is kept evaluated; None keeps it in memory alone."""
    gpu_layers: int = 0
    """Layers put on an accelerator by a llama.cpp built for one; -1 puts all of them there."""
    device: int = 0
    """Address of the ggml device that those layers are put on; 0 leaves it to llama.cpp."""
    device_name: str = ""
    """What ggml calls it; empty with 0."""
    leaves: bool = False
    """Whether that device is another machine's, which would be told all that is asked."""
    embeds: bool = False
    """Whether it reads a text into numbers, the last token's, rather than going on with it."""

    @property
    def compute_threads(self) -> int:
        """`threads`, with 0 worked out for this machine."""
        here = hasattr(os, "sched_getaffinity")  # Linux only
        cores = len(os.sched_getaffinity(0)) if here else os.cpu_count() or 1
        return self.threads or max(1, cores // 2)
