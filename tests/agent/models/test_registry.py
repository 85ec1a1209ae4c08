"""What the registry promises of every model."""

import re

import pytest

from agent.errors import EngineError
from agent.models import registry
from agent.models.registry import KINDS, models

ALL = list(models().values())


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.name)
def test_every_model_is_told_whole(model):
    assert model.kind in KINDS
    assert model.title
    assert model.licence
    assert re.fullmatch(r"[\w.-]+/[\w.-]+", model.repo)
    assert re.fullmatch(r"[0-9a-f]{40}|v\d+\.\d+\.\d+", model.revision), "nothing that moves"
    assert model.memory_mb * 2**20 * 0.5 >= max(f.size for f in model.files)
    assert all(re.fullmatch(r"[a-z]{2}|\*", language) for language in model.languages)
    assert model.folder or model.makes or len(model.files) == 1


@pytest.mark.parametrize("model", ALL, ids=lambda model: model.name)
def test_every_checksum_is_one(model):
    for file in [f for variant in model.variants() for f in variant] + [model.makes]:
        if file is not None:
            assert file.size > 0
            assert re.fullmatch(r"[0-9a-f]{64}|", file.sha256), file.name
    if model.packages:
        assert all(file.sha256 for file in model.packages.files), "else it is pulled from nowhere"
        assert all(re.fullmatch(r"[\w-]+==[\d.]+", r) for r in model.packages.requirements())


def test_names_and_places_are_taken_once():
    assert len({model.place for model in ALL}) == len(ALL)
    for model in ALL:
        assert registry.at(model.place) is model
        assert registry.find(model.name) is model


def test_speech_and_answers_are_there_for_both_languages():
    for kind in ("speech", "language"):
        for language in ("en", "zh", "auto"):
            assert any(model.speaks(language) for model in registry.of(kind))
    assert not registry.find("whisper-tiny.en").speaks("auto")
    assert not registry.find("whisper-tiny.en").speaks("zh")


def test_a_slip_of_the_keyboard_is_told_the_nearest():
    with pytest.raises(EngineError, match="'whisper-bass'; did you mean whisper-base"):
        registry.find("whisper-bass")
    with pytest.raises(EngineError, match="'xyz'; known: qwen2.5-coder-0.5b, "):
        registry.find("xyz")
