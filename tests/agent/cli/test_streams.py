"""Standard streams that are closed, full or of another encoding: one line, never a trace."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from hardware import spoken
from tests.environment import ROOT

pytestmark = pytest.mark.slow

GLASSES = str(Path(sys.executable).parent / "glasses")

READ = {
    "route": "route",
    "route --json": "route --json",
    "yesno": "yesno",
    "repl": "repl",
    "render": "render -",
    "listen": "listen -",
}
WRITE = {
    "say": "say hi",
    "say --json": "say hi --json",
    "route": "route 'play music'",
    "doctor": "doctor",
    "doctor --json": "doctor --json",
    "skills": "skills",
    "a skill": "skills shop",
    "schema": "skills --schema",
    "markdown": "skills --markdown",
    "help": "--help",
    "version": "--version",
    "enroll": "enroll --sentences",
    "new-skill": "new-skill weather_here --into made",
}


@pytest.fixture
def shell(tmp_path):
    """Run a line of shell in an empty home."""

    def run(line, **variables):
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("GLASSES_", "XDG_", "PYTHON"))
        }
        return subprocess.run(
            ["/bin/sh", "-c", f"'{GLASSES}' {line}"],
            env={**kept, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), **variables},
            cwd=tmp_path,
            capture_output=True,
            timeout=100,
            check=False,
        )

    return run


def one_line(done):
    assert done.returncode == 1, done
    (line,) = done.stderr.decode().strip().splitlines()
    return line


@pytest.mark.parametrize("command", READ)
def test_there_is_nothing_to_read(shell, command):
    assert "standard input is closed: there is nothing to read" in one_line(
        shell(f"{READ[command]} <&-")
    )


@pytest.mark.parametrize("command", WRITE)
def test_there_is_nowhere_to_write(shell, command):
    said = one_line(shell(f"{WRITE[command]} >&-"))
    assert said == "Error: standard output is closed: there is nowhere to write the answer"


@pytest.mark.parametrize("command", WRITE)
def test_there_is_no_room_to_write(shell, command):
    said = one_line(shell(f"{WRITE[command]} >/dev/full"))
    assert said == "Error: standard output cannot be written: No space left on device"


@pytest.mark.parametrize("command", ["repl", "render -", "route", "yesno --json"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_pipe_to_a_full_disk(shell, command, unbuffered):
    text = '{"text": "hi"}' if "render" in command else "hi"
    done = shell(f"{command} >/dev/full <<'END'\n{text}\nEND", PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"standard output cannot be written: No space left" in done.stderr


def test_no_stream_at_all(shell):
    done = shell("say hi <&- >&- 2>&-")
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"")
    assert shell("say hi >/dev/full 2>/dev/full").returncode == 1
    assert shell("say hi --plugin nowhere.py 2>&-").returncode == 1
    assert b"Hello" in shell("say hi <&- 2>&-").stdout


def test_what_is_opened_does_not_take_the_place_of_a_closed_stream(shell, tmp_path):
    """Else the ledger would be standard error, and be written into by whatever complains."""
    assert (
        shell("repl 2>&- <<'END'\npay 20 dollars to anna\nyes\nwhat did i pay\nEND").returncode == 0
    )
    found = list(tmp_path.rglob("*.sqlite"))
    assert len(found) == 1
    assert all(path.read_bytes().startswith(b"SQLite format 3\0") for path in found)


def test_the_reader_may_go_away(shell):
    for command in ("say hi", "say hi --json", "route --json hi hi hi"):
        done = shell(f"{command} | true")
        assert done.stderr == b""


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
@pytest.mark.parametrize(
    "command", ["say 我在哪里", "doctor", "skills shop", "repl", "say --json 我在哪里"]
)
def test_what_a_terminal_has_no_letter_for_is_a_question_mark(shell, encoding, command):
    done = shell(f"{command} <<'END'\n我在哪里\nEND", PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr
    shown = done.stdout.decode("utf-8" if "--json" in command else encoding)
    assert ("?" in shown) == (encoding != "utf-8" and "--json" not in command)


def test_bytes_that_are_no_text(shell):
    done = shell(r"""say --json "$(printf 'play \377\376 music')" """)
    assert json.loads(done.stdout)["transcript"] == "play \ufffd\ufffd music", done.stderr
    done = shell(r"""route --json "$(printf 'play \344\275 music')" """)
    assert "\ufffd" in json.loads(done.stdout)["transcript"]
    done = shell(r"""listen --json "$(printf '\377.wav')" """)
    assert "does not exist" in json.loads(done.stdout)["error"]
    assert "does not exist" in one_line(shell(r"""listen "$(printf '\377.wav')" """))
    assert "No such file" in one_line(shell(r"""render "$(printf '\377.json')" """))
    done = shell(r"""repl --record r.jsonl <<END
$(printf 'play \377 music')
END""")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", ["route --json", "yesno --json", "repl"])
def test_a_byte_order_mark_in_a_pipe_is_no_word(shell, command):
    done = shell(f"{command} <<END\n$(printf '\\357\\273\\277yes')\nEND")
    assert done.returncode == 0, done.stderr
    assert b"\xef\xbb\xbf" not in done.stdout
    if "yesno" in command:
        assert json.loads(done.stdout) == {"text": "yes", "answer": "yes"}


def test_sound_comes_through_a_pipe(shell):
    clip = spoken.clips()[0]
    done = shell(f"listen - --json --language en <'{clip}'")
    (record,) = map(json.loads, done.stdout.splitlines())
    assert record["source"] == "-"
    assert record["intent"]["action"] == "search"
    assert "standard input is empty" in one_line(shell("listen - </dev/null"))
    done = shell(f"listen --json --language en - '{clip}' <<'END'\nno sound\nEND")
    bad, good = map(json.loads, done.stdout.splitlines())
    assert bad["error"].startswith("standard input is not audio")
    assert good["error"] is None


@pytest.mark.parametrize("columns", [20, 40, 80])
@pytest.mark.parametrize("command", [["doctor"], ["skills"], ["skills", "shop"]])
def test_a_narrow_terminal_folds_and_never_cuts(tmp_path, columns, command):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    models = tmp_path / "a" / "folder-of-a-name-that-is-long" / "models"
    kept = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    environ = {**kept, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    process = subprocess.Popen(
        [GLASSES, *command], stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
        env={**environ, "GLASSES_MODELS": str(models), "NO_COLOR": "1", "GLASSES_LANGUAGE": "en"},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    while True:
        try:
            block = os.read(ours, 65536)
        except OSError:
            break
        shown += block
    assert process.wait() == 0
    text = shown.decode()
    assert "…" not in text
    if command == ["doctor"] and columns > 20:
        last = "".join(
            line[19:].strip()
            for line in text.replace("\x1b[2m", "").replace("\x1b[0m", "").splitlines()
        )
        assert str(models) in last


def test_a_table_in_a_pipe_has_whole_lines(shell, tmp_path):
    shown = shell("doctor").stdout.decode()
    assert (
        f"put a Qwen3 GGUF in {tmp_path}/.local/share/glasses/models or set GLASSES_MODEL" in shown
    )
