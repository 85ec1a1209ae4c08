"""The commands as a user runs them: real processes, real output, real exit status."""

import json
import subprocess
import sys
import wave
from array import array
from pathlib import Path

import pytest

from hardware import spoken
from tests.shared import PLUGIN

pytestmark = pytest.mark.slow  # a process each

GLASSES = [str(Path(sys.executable).parent / "glasses")]
KEYS = {
    "source", "language", "transcript", "confidence", "engine", "intent", "reply", "timings_ms",
    "replaces", "error",
}  # fmt: skip
TIMES = {"speech_end", "endpoint", "transcript", "intent", "reply", "first_glyph"}


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("GLASSES_MODEL", "GLASSES_MODELS", "GLASSES_PLUGINS", "GLASSES_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def run(*arguments, stdin=b""):
    return subprocess.run(
        [*GLASSES, *map(str, arguments)], input=stdin, capture_output=True, timeout=60, check=False
    )


def records(done):
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def test_say_json_is_the_documented_object(home):
    done = run("say", "pay twenty dollars to anna", "--json")
    assert done.returncode == 0, done.stderr
    (record,) = records(done)
    assert set(record) == KEYS
    assert set(record["timings_ms"]) == TIMES
    assert set(record["engine"]) == {"asr", "route", "model"}
    assert record["intent"] == {
        "skill": "pay",
        "action": "pay",
        "slots": {"amount": 20, "payee": "anna"},
    }
    assert record["reply"]["proposal"]["amount"] == "20.00"
    assert record["reply"]["lines"]
    assert record["error"] is None


def test_say_in_chinese(home):
    (record,) = records(run("say", "导航到火车站", "--json"))
    assert record["language"] == "zh"
    assert record["intent"]["action"] == "route"


def test_route_works_through_a_pipe_in_one_process(home):
    lines = [
        "play ode to joy",
        "",
        "make me a sandwich",
        "播放音乐",
        "\x00\x1b[31m",
        "😀",
        "x" * 100_000,
    ]
    done = run("route", "--json", stdin="\n".join(lines * 20).encode() + b"\n\xff\xfe\n")
    assert done.returncode == 0, done.stderr
    found = records(done)
    assert len(found) == len(lines) * 20 + 1
    actions = [r["intent"] and r["intent"]["action"] for r in found[: len(lines)]]
    assert actions == ["play", None, None, "play", None, None, None]
    assert all(set(r) == KEYS and r["reply"] is None for r in found)


def test_listen_hears_the_examples_that_ship(home):
    from hardware.spoken.make import SPOKEN

    clips = spoken.clips()
    done = run("listen", *clips, "--pace", "fast", "--json", "--language", "en")
    found = records(done)
    assert [r["source"] for r in found] == [str(c) for c in clips]
    failed = {Path(r["source"]).stem for r in found if r["error"] is not None}
    assert failed <= {"07-play", "08-stop"}, found  # where there is no speaker
    heard = {Path(r["source"]).stem: r["transcript"] for r in found}
    assert {k: v for k, v in heard.items() if k != "09-unknown"} == {
        k: v for k, v in SPOKEN.items() if k != "09-unknown"
    }
    for record in found:
        times = record["timings_ms"]
        assert times["speech_end"] < times["endpoint"] <= times["transcript"]
        assert times["transcript"] <= times["reply"] <= times["first_glyph"]
        assert record["engine"]["asr"] == "pocketsphinx"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "does not exist"), (b"", "empty"), (b"hello, this is text\n" * 50, "not audio")],
)
def test_what_cannot_be_heard_is_one_line_and_the_rest_goes_on(home, content, reason):
    path = home / "odd.wav"
    if content is not None:
        path.write_bytes(content)
    good = spoken.clips()[0]
    done = run("listen", path, good, "--json", "--language", "en")
    assert done.returncode == 1
    bad, fine = records(done)
    assert reason in bad["error"].lower()
    assert "odd.wav" in bad["error"]
    assert "\n" not in bad["error"]
    assert fine["intent"]["action"] == "search"
    assert b"Traceback" not in done.stderr


def test_chinese_speech_without_a_model_says_what_to_do(home):
    done = run("listen", spoken.clips()[0], "--json", "--language", "zh")
    assert done.returncode == 1
    assert "Whisper" in records(done)[0]["error"]


def test_listen_says_beside_its_output_what_is_wrong_with_the_sound(home, tmp_path):
    from hardware.audio import Resampler, read

    def wav(name, pcm, rate_hz):
        with wave.open(str(tmp_path / name), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate_hz)
            file.writeframes(pcm)
        return tmp_path / name

    said = read(spoken.clips()[0])
    down = Resampler(8_000)
    telephone = wav("telephone.wav", down.feed(said, 16_000) + down.flush(), 8_000)
    quiet = wav("quiet.wav", array("h", [s // 100 for s in array("h", said)]).tobytes(), 16_000)
    done = run("listen", spoken.clips()[0], telephone, quiet, "--json", "--language", "en")
    first, second = done.stderr.decode().splitlines()
    assert first.startswith(f"{telephone}: telephone quality")
    assert second.startswith(f"{quiet}: too quiet")
    assert len(records(done)) == 3
    table = run("doctor", "--json")
    (last,) = [row for row in records(table) if row["part"] == "last listening"]
    assert last["state"] == "problem"
    assert "too quiet" in last["used"]


@pytest.mark.parametrize(
    "arguments",
    [("say", "hi", "--plugin", "nowhere.py"), ("say", "hi", "--plugin", "no_such_module"),
     ("skills", "nosuchskill")],
)  # fmt: skip
def test_a_wrong_name_is_one_line_and_a_status(home, arguments):
    done = run(*arguments)
    assert done.returncode == 1
    lines = done.stderr.decode().strip().splitlines()
    assert len(lines) == 1, lines
    assert arguments[-1].removesuffix(".py") in lines[0]


def test_a_corrupt_model_is_named_when_it_is_needed(home, monkeypatch):
    path = home / "broken.gguf"
    path.write_bytes(b"GGUF" + bytes(100))
    monkeypatch.setenv("GLASSES_MODEL", str(path))
    done = run("say", "translate the quick brown fox into chinese", "--json")
    (record,) = records(done)
    assert "broken.gguf" in record["reply"]["text"]
    assert b"Traceback" not in done.stderr
    (record,) = records(run("say", "translate good morning into chinese", "--json"))
    assert record["reply"]["text"].startswith("早上好"), "what needs no model still works"


def test_the_repl_reads_a_pipe(home):
    lines = ["navigate to the pharmacy", "", "付给安娜二十块", "取消", "😀 \x07\x1b[2J", "a" * 100_000, ":timings",
             ":nonsense", ":quit", "never reached"]  # fmt: skip
    done = run("repl", stdin="\n".join(lines).encode())
    shown = done.stdout.decode()
    assert done.returncode == 0, done.stderr
    assert "Nothing was typed" in shown
    assert "too long" in shown
    assert "first_glyph" in shown
    assert "no command :nonsense" in shown
    assert "never reached" not in shown
    assert "\x1b[2J" not in shown


def test_plugins_are_heard(home):
    done = run("say", "get me a large latte with some oat milk", "--plugin", PLUGIN, "--json")
    assert (records(done)[0]["intent"] or {}).get("skill") != "barista"
    done = run("say", "get me a large latte with some soy milk", "--plugin", PLUGIN, "--json")
    assert records(done)[0]["intent"] == {
        "skill": "barista",
        "action": "orderDrink",
        "slots": {"size": "large", "coffeeDrink": "latte", "milkAmount": "some soy milk"},
    }


READER = """
from agent import hookimpl

permissions = {"transcripts": "to count your words"}

@hookimpl
def turn_ended(turn):
    pass
"""


def test_who_reads_transcripts_is_told(home, tmp_path):
    path = tmp_path / "counter.py"
    path.write_text(READER, encoding="utf-8")
    for command in ("skills", "doctor"):
        shown = run(command, "--plugin", path).stdout.decode()
        assert "counter" in shown
        assert "to count your words" in shown
    path.write_text(READER.replace("permissions", "reasons"), encoding="utf-8")
    told = run("skills", "--plugin", path)
    assert told.returncode == 1
    assert "its turn_ended is given what the wearer says and reads" in told.stderr.decode()


def test_a_plugin_runs_apart(home, monkeypatch):
    monkeypatch.setenv("GLASSES_APART", "define")
    (row,) = (
        row
        for row in records(run("doctor", "--json", "--plugin", PLUGIN, "--apart", "barista"))
        if row["part"] in ("apart", "plugin")
        if row["used"] != "define"
    )
    assert (row["part"], row["used"]) == ("apart", "barista")
    said = run("say", "make me a large latte", "--plugin", PLUGIN, "--apart", "barista", "--json")
    assert records(said)[0]["reply"]["text"] == "large latte"


def test_skills_and_doctor_tell(home):
    shown = run("skills", "pay").stdout.decode()
    assert "risk: money" in shown
    assert "{amount}" in shown
    rows = records(run("doctor", "--json"))
    found = {row["part"]: row for row in rows}
    assert found["speech, English"]["used"] == "pocketsphinx"
    assert found["speech, Chinese"]["state"] == "missing"
    assert found["model"]["state"] == "missing"
    assert "GLASSES_MODEL" in found["model"]["note"]
    assert run("doctor").returncode == 0


def test_help_names_every_command(home):
    shown = run("--help").stdout.decode()
    for command in ("talk", "repl", "say", "listen", "route", "skills", "doctor"):
        assert command in shown
