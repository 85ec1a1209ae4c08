"""Tiny GGUF files, written once a session."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.models.llm.llama import LlamaModel
from tests import tiny_gguf


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GGUF that talks noise and never ends by itself."""
    return tiny_gguf.write(tmp_path_factory.mktemp("models") / "tiny.gguf")


@pytest.fixture
def model(tiny: Path) -> Iterator[LlamaModel]:
    """The noisy model, not loaded yet."""
    model = LlamaModel(tiny)
    yield model
    model.close()


@pytest.fixture
def reciting(tmp_path: Path) -> Iterator[Callable[[str], LlamaModel]]:
    """Makes a model that answers everything with one text."""
    made: list[LlamaModel] = []

    def make(says: str) -> LlamaModel:
        path = tmp_path / f"says{len(made)}.gguf"
        made.append(LlamaModel(tiny_gguf.write(path, says=says)))
        return made[-1]

    yield make
    for model in made:
        model.close()
