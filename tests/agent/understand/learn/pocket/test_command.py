import importlib
import importlib.util

import pytest

from agent.errors import EngineError
from agent.plugins.skills import Skills
from agent.understand.pocket.router import OWN, PocketRouter, find

# `from agent.cli import train` is the click command of that name.
command = importlib.import_module("agent.cli.train")


def test_without_torch_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EngineError, match=r"needs torch, gguf, tokenizers; run: pip install"):
        command.train(1, None, False, False, 0, None, ())


def test_the_model_is_put_where_it_is_used_from_then_on(garden, tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch", reason="training needs the extra `train`")
    pytest.importorskip("gguf")
    skills = Skills()
    skills.add(str(garden))
    monkeypatch.setattr(Skills, "discover", lambda *_: skills)
    monkeypatch.setenv("GLASSES_MODELS", str(tmp_path / "models"))
    command.train(0.02, None, True, False, 0, None, ())
    assert find(tmp_path / "models") == tmp_path / "models" / OWN
    assert PocketRouter(find(tmp_path / "models")).actions == {"garden.water", "garden.count"}
    out = capsys.readouterr()
    assert "of 2 actions, from nothing" in out.out
    assert "loss" in out.err
