"""`glasses eval route`, as it is run."""

import hashlib
import json

import pytest
from click.testing import CliRunner

from agent.cli.commands import main
from agent.cli.evaluate import curve

LINES = [
    {"text": "pay twenty dollars to anna", "skill": "pay", "action": "pay",
     "slots": {"amount": 20, "payee": "anna"}},
    {"text": "stop the music", "skill": "music", "action": "stop_music", "slots": {}},
    {"text": "导航到火车站", "skill": "navigate"},
    {"text": "tell me about the moon", "skill": "none"},
]  # fmt: skip


@pytest.fixture
def run(tmp_path, monkeypatch):
    for name in ("GLASSES_MODEL", "GLASSES_MODELS", "GLASSES_PLUGINS", "GLASSES_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "cases.jsonl").write_text("\n".join(map(json.dumps, LINES)), "utf-8")

    def run(*arguments):
        return CliRunner().invoke(main, ["eval", "route", *map(str, arguments)])

    return run


def test_json_has_every_number(run, tmp_path):
    done = run(tmp_path / "cases.jsonl", "--json")
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    assert record["texts"] == 4
    assert record["skill"] == 1
    assert record["exact"] == 1
    assert record["false_accepts"] == 0
    assert record["confusion"]["navigate"] == {"navigate": 1}
    assert record["latency_ms"]["p50"] > 0
    assert {row["skill"] for row in record["skills"]} == {"pay", "music", "navigate", "none"}
    assert record["worst"] == []


def test_people_get_tables(run, tmp_path):
    done = run(tmp_path / "cases.jsonl")
    assert done.exit_code == 0, done.output
    for words in ("right skill, in scope", "100.00%", "Stages", "templates", "Confusion"):
        assert words in done.stdout


def test_calls_apart_and_a_picture(run, tmp_path):
    pytest.importorskip("matplotlib")
    call = {
        "id": hashlib.sha1("导航到火车站".encode()).hexdigest()[:12],
        "call": "navigate.route", "slots": {"place": "not there"},
    }  # fmt: skip
    (tmp_path / "calls.jsonl").write_text(json.dumps(call), "utf-8")
    picture = tmp_path / "curve.png"
    done = run(
        tmp_path / "cases.jsonl", "--calls", tmp_path / "calls.jsonl", "--picture", picture, "--json"
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    assert record["with_calls"] == 3
    assert record["worst"][0]["text"] == "导航到火车站"
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("text", "reason"), [(None, "cannot be read"), ("", "no texts"), ("{", "cases.jsonl:1: not JSON")]
)  # fmt: skip
def test_a_bad_file_is_one_line(run, tmp_path, text, reason):
    path = tmp_path / "cases.jsonl"
    path.unlink()
    if text is not None:
        path.write_text(text, "utf-8")
    done = run(path)
    assert done.exit_code == 1
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_the_curve_counts_from_the_strictest_threshold_on():
    ranked = [
        ("music", "music", 0.9),
        ("none", "shop", 0.8),
        ("pay", "shop", 0.7),
        ("none", "none", 0),
    ]
    assert curve(ranked) == [
        (0, 0.5, 0.9),
        (0.5, 0.5, 0.8),
        (0.5, 0.5, 0.7),
        (1.0, 0.5, 0),
    ]
