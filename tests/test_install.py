"""What `make install` pulls while pip works."""

import importlib.util
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def pulled(tmp_path, **environ):
    """Run the pull as the installer does, but without any installed package."""
    command = [sys.executable, "-I", "-S", str(ROOT / ".ci" / "pull.py")]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("GLASSES_", "HF_"))}
    environ = {"GLASSES_MODELS": str(tmp_path), "HF_HUB_OFFLINE": "1", **environ}
    done = subprocess.run(command, env={**clean, **environ}, capture_output=True, text=True)
    assert done.stderr == ""
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def test_it_needs_the_standard_library_alone(tmp_path):
    assert pulled(tmp_path, MODELS="none") == (0, [])
    assert pulled(tmp_path, MODELS="whisper-bas") == (
        1,
        [{"said": "no model is called 'whisper-bas'; did you mean whisper-base?"}],
    )


def test_without_a_network_it_is_one_line(tmp_path):
    status, told = pulled(tmp_path, MODELS="whisper-tiny whisper-small")
    assert status == 1
    assert told == [
        {"begins": "564 MB: Whisper tiny, Whisper small", "of": 564_415_991},
        {"said": "whisper-tiny cannot be had: no source is known, nor whisper-small"},
    ]


@pytest.fixture
def install():
    spec = importlib.util.spec_from_file_location("install", ROOT / ".ci" / "install.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Screen(io.StringIO):
    def isatty(self):
        return True


def test_both_share_one_line_of_the_terminal(install, monkeypatch):
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "100")
    bar = install._Bar("Installing .")
    bar.show("compiling llama.cpp", 30, 60)
    bar.beside = "models 40%"
    bar.draw()
    bar.say("Models: 1.3 GB: Whisper base")
    bar.end()
    first, *rest = screen.getvalue().split("\r")
    assert first == "Installing .\n"
    assert rest[0].startswith("\x1b[K  0:0")
    assert "█" * 12 + "─" * 12 + " 30/60 compiling llama.cpp · models 40%" in rest[0]
    assert rest[1] == "\x1b[KModels: 1.3 GB: Whisper base\n"
    assert rest[-1] == "\x1b[K"
