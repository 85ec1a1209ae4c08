"""Which model file is used, and what it is called."""

from pathlib import Path

import pytest

from agent.errors import EngineError
from agent.models.llm.store import describe, find_model


def put(folder: Path, name: str, size: int) -> Path:
    """Make a file of so many bytes without filling the disk."""
    path = folder / name
    with path.open("wb") as file:
        file.truncate(size)
    return path


def test_no_folder_no_model(tmp_path: Path) -> None:
    assert find_model({"GLASSES_MODELS": str(tmp_path / "none")}) is None
    assert find_model({"GLASSES_MODELS": str(tmp_path)}) is None


def test_qwen3_first_then_size(tmp_path: Path) -> None:
    found = {"GLASSES_MODELS": str(tmp_path)}
    put(tmp_path, "notes.txt", 99)
    other = put(tmp_path, "llama-1b.gguf", 90)
    assert find_model(found) == other
    put(tmp_path, "Qwen3-0.6B-Q8_0.gguf", 20)
    larger = put(tmp_path, "Qwen3-1.7B-Q4_0.gguf", 30)
    put(tmp_path, "mmproj-Qwen3-VL.gguf", 50)
    put(tmp_path, "Qwen3-9B-00002-of-00002.gguf", 60)
    put(tmp_path, "Qwen3-too-big.gguf", 1 << 42)
    assert find_model(found) == larger


def test_a_named_file_wins_and_must_exist(tmp_path: Path) -> None:
    put(tmp_path, "Qwen3.gguf", 10)
    mine = put(tmp_path, "mine.bin", 5)
    environ = {"GLASSES_MODELS": str(tmp_path), "GLASSES_MODEL": str(mine)}
    assert find_model(environ) == mine
    with pytest.raises(EngineError, match=r"GLASSES_MODEL=/none\.gguf: no such file"):
        find_model({**environ, "GLASSES_MODEL": "/none.gguf"})


def test_describe_gives_name_and_size(tmp_path: Path) -> None:
    assert describe(put(tmp_path, "Qwen3-0.6B-Q8_0.gguf", 639_446_688)) == (
        "Qwen3-0.6B-Q8_0 (639 MB)"
    )
    assert describe(put(tmp_path, "pocket.gguf", 3_756_960)) == "pocket (3.8 MB)"
    with pytest.raises(EngineError, match=r"none\.gguf: cannot be read"):
        describe(tmp_path / "none.gguf")
