"""`glasses yesno` as a real process: a line in, a line out, whatever comes."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pace import PATIENCE_S, spending

pytestmark = pytest.mark.slow

GLASSES = [str(Path(sys.executable).parent / "glasses"), "yesno"]


def run(*arguments, stdin):
    return subprocess.run(
        [*GLASSES, *arguments], input=stdin, capture_output=True, timeout=60, check=False
    )


def records(done):
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.decode().split("\n") if line]


def test_each_line_has_its_answer():
    lines = ["yes", "好的算了", "yes but make it ten", "don't not do it", "", "Yes, please.\r"]
    assert records(run("--json", stdin="\n".join(lines).encode())) == [
        {"text": "yes", "answer": "yes"},
        {"text": "好的算了", "answer": "no"},
        {"text": "yes but make it ten", "answer": "change"},
        {"text": "don't not do it", "answer": "unclear"},
        {"text": "", "answer": "unclear"},
        {"text": "Yes, please.", "answer": "yes"},
    ]


def test_the_language_is_a_hint_that_changes_nothing():
    for language in ("en", "zh", "auto"):
        done = run("--json", "--language", language, stdin="yes\n确认\n".encode())
        assert [r["answer"] for r in records(done)] == ["yes", "yes"]
    assert run("--language", "klingon", stdin=b"yes\n").returncode == 2


def test_bad_bytes_and_huge_lines_are_unclear_and_the_rest_goes_on():
    odd = [
        b"\xff\xfe yes",
        b"yes\x00",
        b"\x1b[31m",
        b"\xe6\x98",
        b"yes " * 1_000_000,
        b"\xef\xbb\xbfyes",
    ]
    found = records(run("--json", stdin=b"\n".join([*odd, b"yes\n"])))
    assert [r["answer"] for r in found] == ["unclear"] * len(odd) + ["yes"]


def test_without_json_the_answers_alone_are_printed():
    assert run(stdin=b"yes\nno\nno, fifty\nhm\n").stdout.split() == [
        b"yes",
        b"no",
        b"change",
        b"unclear",
    ]


def test_an_answer_comes_while_the_pipe_is_open():
    with subprocess.Popen(
        [*GLASSES, "--json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as going:
        for said, meant in (("yes", "yes"), ("no", "no")):
            going.stdin.write(said.encode() + b"\n")
            going.stdin.flush()
            assert json.loads(going.stdout.readline()) == {"text": said, "answer": meant}
        going.stdin.close()
        assert going.wait(timeout=PATIENCE_S) == 0


def test_thousands_of_lines_take_seconds():
    with spending() as spent:
        found = records(run("--json", stdin=b"yes but make it ten\nyes please go ahead\n" * 5_000))
    assert len(found) == 10_000
    assert spent.yards < 10_000


def test_nothing_heavy_is_loaded():
    code = (
        "import sys; import agent.cli.yesno\n"
        "print([m for m in ('numpy', 'hassil', 'jinja2', 'yaml', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
