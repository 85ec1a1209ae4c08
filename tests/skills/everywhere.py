"""Setting a name of a skill's module in the tests of skills that have no other way in."""

import importlib
from types import ModuleType
from typing import Any

import pytest


def put(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, value: Any) -> None:
    """Set it in the module that a test has imported, and in what a reload has made of it since."""
    for one in {id(m): m for m in (module, importlib.import_module(module.__name__))}.values():
        monkeypatch.setattr(one, name, value)
