"""What holds for every test."""

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from agent import config
from agent.models import store

settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")  # how long an example takes says how busy the machine is

sys.dont_write_bytecode = False  # else each of some hundred processes compiles the agent anew
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

MODELS = config.load().models
"""The models of this machine: read before a test sets another folder or another home."""


def _real(name: str) -> Path:
    """Return a model that may be loaded; a test that asks for one that is not there is not run."""
    return _needed(store.here(MODELS, name), name)


def _needed(path: Path | None, name: str) -> Path:
    if path is None:
        pytest.skip(f"not run: no {name} in {MODELS}; `make models` gets it")
    return path


@pytest.fixture(autouse=True)
def _same_skills() -> Iterator[None]:
    """Put back the modules of the skills that a test reloads, which other tests have imported."""
    before = {name: m for name, m in list(sys.modules.items()) if name.startswith("skills.")}
    yield
    if all(sys.modules.get(name) is module for name, module in before.items()):
        return
    sys.modules.update(before)
    for name, module in before.items():
        if name.count(".") == 1:  # a module below holds what it held
            setattr(sys.modules["skills"], name.partition(".")[2], module)


@pytest.fixture(scope="session")
def real_whisper() -> Path:
    """The folder of Whisper base, for tests marked `real`."""
    return _real("whisper-base")


@pytest.fixture(scope="session")
def real_qwen() -> Path:
    """The file of the Qwen that suits this machine, or else of the other; for tests marked `real`."""
    large, small = (store.here(MODELS, name) for name in (store.LARGE, store.SMALL))
    return _needed(large or small, f"{store.LARGE} or {store.SMALL}")


@pytest.fixture(scope="session")
def real_model():
    """Return a function that gives the path of any known model by name, for tests marked `real`."""
    return _real


def pytest_xdist_auto_num_workers() -> int:
    """Half as many again as there are cores: tests wait for servers, sound and each other."""
    return (os.cpu_count() or 2) * 3 // 2


def pytest_configure(config: pytest.Config) -> None:
    """Let xdist give out files in our order, not those first that have the most tests."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_finish() -> None:
    """Look no more for garbage among what was imported and collected, which stays to the end."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for real weights, so that `-m real` finds all of it; put slow files first.

    A file that takes minutes and is begun last leaves one core idle.
    """
    for item in items:
        if {"real_whisper", "real_qwen", "real_model"} & set(getattr(item, "fixturenames", ())):
            item.add_marker("real")
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
