"""Settings: what is wrong with a file is one line, the same each time."""

import subprocess
import sys

import pytest

from agent.config import load
from agent.errors import ConfigError
from tests.environment import ROOT


@pytest.fixture
def config(tmp_path):
    """Write settings, and read them."""

    def read(content, **variables):
        path = tmp_path / "glasses" / "config.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load({"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), **variables})

    return read


def test_a_byte_order_mark_is_no_setting(config):
    assert config(b'\xef\xbb\xbflanguage = "zh"\r\n').language == "zh"


def test_one_model_can_be_named_in_the_file_too(config):
    assert config('model = "/a.gguf"').model == "/a.gguf"
    assert config('model = "/a.gguf"', GLASSES_MODEL="/b.gguf").model == "/b.gguf"


def test_plugins_that_run_apart_are_named(config):
    assert config("").alone == ()
    assert config('apart = "define, walk ,"').alone == ("define", "walk")
    assert config('apart = "define"', GLASSES_APART="walk").alone == ("walk",)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ('langage = "zh"', "no setting 'langage', did you mean 'language'"),
        (
            'zzz = "zh"',
            "no setting 'zzz'; known: aloud, apart, calendar, certificate, country, currency, data, desktop, ears, ggml, language",
        ),
        ('"' + "x" * 9_000 + '" = "zh"', "no setting 'xxx"),
        ("language = 3", "language is 3: it must be text"),
        ("language = [" + '"en",' * 9_000 + "]", "it must be text"),
        ("language = " + "[" * 9_000, "nested too deeply"),
        ("a" + ".a" * 9_000 + " = 1", "nested too deeply"),
        ("wake = " + "1" * 5_000, "too many digits"),
        (b"\xff\xfel\x00", "it is not text: byte 1 is not UTF-8"),
        ("language = ", "Invalid value"),
    ],
    ids=range(10),
)
def test_what_is_wrong_is_one_short_line(config, content, why):
    with pytest.raises(ConfigError, match=why) as caught:
        config(content)
    assert len(str(caught.value)) < 600
    assert "\n" not in str(caught.value)


def test_the_message_is_the_same_each_time(tmp_path):
    (tmp_path / "glasses").mkdir()
    (tmp_path / "glasses" / "config.toml").write_text('zzz = "x"')
    said = {
        subprocess.run(
            [sys.executable, "-c", "from agent.config import load; load()"],
            env={"PYTHONPATH": str(ROOT), "XDG_CONFIG_HOME": str(tmp_path), "PYTHONHASHSEED": str(seed)},
            capture_output=True, text=True, check=False,
        ).stderr.splitlines()[-1]
        for seed in range(3)
    }  # fmt: skip
    assert len(said) == 1
    assert (
        "known: aloud, apart, calendar, certificate, country, currency, data, desktop, ears, ggml, language, lens, location, mcp, microphone"
        in said.pop()
    )
