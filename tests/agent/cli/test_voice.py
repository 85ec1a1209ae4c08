"""The voice as the settings have it."""

import json
import shutil

import pytest

from agent import config
from agent.cli.compose import build
from agent.errors import ConfigError
from hardware.display import MemoryDisplay
from hardware.profiles import load as load_profile
from hardware.voice import NoVoice, VirtualVoice

PLUGIN = """
from agent import hookimpl
from hardware.voice import VirtualVoice


@hookimpl
def register_devices(provide):
    provide("voice", lambda config: VirtualVoice(), "hum")
"""


@pytest.fixture
def built(tmp_path, monkeypatch):
    """Return a function that builds an agent from settings and plugins."""
    monkeypatch.setenv("GLASSES_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    def make(plugins=(), **settings):
        for name, value in settings.items():
            monkeypatch.setenv(f"GLASSES_{name.upper()}", value)
        return build(config.load(), MemoryDisplay(load_profile("quark-s1")), plugins)

    return make


def test_a_missing_voice_is_one_line_where_it_was_asked_for(built, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert isinstance(built().devices.voice, NoVoice)
    assert "voice:" not in capsys.readouterr().err
    agent = built(voice="on", aloud="money")
    lines = [line for line in capsys.readouterr().err.splitlines() if "espeak" in line]
    missing = "espeak-ng is not installed: sudo apt install espeak-ng; answers are only shown"
    assert lines == [f"voice: {missing}"]
    assert agent.world.mouth.mode == "on"
    assert agent.options.aloud == {"money"}
    assert not agent.world.mouth.there


def test_a_plugin_brings_a_voice(built, tmp_path):
    path = tmp_path / "hum.py"
    path.write_text(PLUGIN)
    assert isinstance(built([str(path)]).devices.voice, VirtualVoice)


@pytest.mark.parametrize("setting", ["voice", "aloud"])
def test_a_setting_that_is_none_is_refused(built, setting):
    with pytest.raises(ConfigError, match=f"{setting} is 'loudly': it can be "):
        built(**{setting: "loudly"})


@pytest.mark.skipif(not shutil.which("espeak-ng"), reason="espeak-ng is not installed")
def test_a_piper_voice_in_the_models_folder_speaks_first(built, tmp_path, capsys):
    folder = tmp_path / "models" / "piper-en_US-test"
    folder.mkdir(parents=True)
    (folder / "test.onnx").write_bytes(b"weights")
    settings = {
        "audio": {"sample_rate": 22050},
        "espeak": {"voice": "en-us"},
        "phoneme_id_map": {"_": [0], "^": [1], "$": [2]},
    }
    (folder / "test.onnx.json").write_text(json.dumps(settings))
    voice = built(models=str(tmp_path / "models"), voice="on").devices.voice
    assert voice.name == "piper en_US-test and espeak-ng"
    assert {"en", "zh"} <= voice.languages
    assert voice.sound("it is late", "en")  # by espeak-ng: these are no weights
    (folder / "test.onnx.json").write_text("{}")
    assert built(models=str(tmp_path / "models")).devices.voice.name == "espeak-ng"
    told = [line for line in capsys.readouterr().err.splitlines() if "Piper" in line]
    assert len(told) == 1
    assert told[0].endswith("meanwhile: espeak-ng")
