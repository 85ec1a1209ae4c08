"""A damaged pocket model is one line, whatever its header says: it never ends the process."""

import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from agent.errors import EngineError
from agent.understand.pocket.engine import Engine
from agent.understand.pocket.router import SHIPPED

pytestmark = pytest.mark.slow  # hundreds of models are loaded

FLIPS = 400
GIANTS = (0, 1, 1 << 20, 1 << 24, 1 << 30, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
NUMBERS = re.compile(rb"(?s)qwen3\.[a-z_.]+(?=[\x04-\x06]\0\0\0)")
"""Keys of whole numbers and floats of 32 bits, before the type of their value."""


def damaged():
    """Yield the model that ships with one number in its header made giant, then with bits flipped."""
    whole = SHIPPED.read_bytes()
    for key in NUMBERS.finditer(whole):
        at = key.end() + 4
        true = int.from_bytes(whole[at : at + 4], "little")
        for giant in {*GIANTS, *(true | giant for giant in GIANTS)}:  # also what wraps round to it
            yield whole[:at] + giant.to_bytes(4, "little") + whole[at + 4 :]
    token = whole.index(b"<|endoftext|>") + 15
    yield whole[:token] + whole[token - 4 : token] + whole[token + 4 :]
    ends = whole.index(b"token_embd.weight") + 2_000
    for seed in range(FLIPS):
        chance, data = random.Random(seed), bytearray(whole)
        for _ in range(chance.choice((1, 2, 4))):
            data[chance.randrange(chance.choice((2_000, ends)))] ^= 1 << chance.randrange(8)
        yield bytes(data)


def load_all(folder: Path) -> None:
    """Load every one, in a process that may end amid it; print a letter for what became of each."""
    path = folder / "pocket-qwen.gguf"
    for data in damaged():
        path.write_bytes(data)
        try:
            engine = Engine(path)
        except EngineError as error:
            print("r" if len(str(error).splitlines()) == 1 else "2", end="", flush=True)
            continue
        engine.ask(engine.prompt("play some music"))
        engine.close()
        print("w", end="", flush=True)


def test_no_header_ends_the_process(tmp_path):
    code = f"from {__name__} import *; load_all(Path({str(tmp_path)!r}))"
    done = subprocess.run(
        [sys.executable, "-c", code], text=True, capture_output=True, timeout=300, check=False
    )
    tried = len(done.stdout)
    assert done.returncode == 0, f"number {tried}: {done.returncode} {done.stderr[-500:]}"
    assert tried > FLIPS + 50
    assert set(done.stdout) == {"r", "w"}
    assert done.stdout.count("r") > FLIPS / 4
    assert done.stdout.count("w") > 10


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (b"qwen3.block_count", (1 << 30).to_bytes(4, "little"), "its qwen3.block_count cannot be"),
        (b"qwen3.embedding_length", b"\xff" * 4, "its qwen3.embedding_length cannot be"),
        (b"qwen3.attention.layer_norm_rms_epsilon", b"\xff\xff\xff\x7f", "epsilon cannot be nan"),
        (b"qwen3.context_length", (8).to_bytes(4, "little"), "it was trained for 8 tokens"),
    ],
)
def test_what_cannot_be_is_named(key, value, reason, tmp_path):
    whole, path = SHIPPED.read_bytes(), tmp_path / "model.gguf"
    at = whole.index(key) + len(key) + 4
    path.write_bytes(whole[:at] + value + whole[at + 4 :])
    with pytest.raises(EngineError, match=reason):
        Engine(path)
