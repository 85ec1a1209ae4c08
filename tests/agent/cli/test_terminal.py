"""What somebody sees who types in a terminal: `glasses repl` on a pseudo-terminal."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator

import pytest

from tests.pace import PATIENCE_S

pytestmark = pytest.mark.slow  # a process on a terminal

PLUGIN = '''
"""Rings while somebody types."""
import threading
import time
from pathlib import Path

from agent import Context, Reply, hookimpl, skill


@skill("ring the bell")
def ring(ctx: Context) -> Reply:
    """Ring when the button beside this file is pressed."""

    def later() -> None:
        while not Path(__file__).with_name("button").exists():
            time.sleep(0.01)
        ctx.show(Reply("ding dong", kind="alert"))

    threading.Thread(target=later, daemon=True).start()
    return Reply("soon")


@hookimpl
def register_skills(register):
    register(ring)
'''


class Terminal:
    """A process on a terminal of 100 x 40."""

    def __init__(self, *command: str, home: str) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 100, 0, 0))
        kept = {key: os.environ[key] for key in ("PATH", "PYTHONPATH") if key in os.environ}
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env={**kept, "HOME": home, "TERM": "xterm", "LANG": "C.UTF-8"},
        )  # fmt: skip
        os.close(theirs)

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def until(self, wanted: str, seconds: float = PATIENCE_S) -> None:
        """Wait for a text from now on, whatever spaces and escapes are in it."""
        found, came, end = b"", b"", time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self._ours], [], [], 0.1)[0]:
                try:
                    found += (came := os.read(self._ours, 65536))
                except OSError:  # the process has ended
                    end = 0.0
                if b"\x1b[6n" in came:  # asks where the cursor is
                    self.type("\x1b[1;1R")
            plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", found.decode(errors="replace"))
            if "".join(wanted.split()) in "".join(plain.split()):
                return
        raise AssertionError(f"{wanted!r} did not come:\n{plain}")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.fixture
def terminal(tmp_path) -> Iterator[Terminal]:
    plugin = tmp_path / "bell.py"
    plugin.write_text(PLUGIN, encoding="utf-8")
    program = "import sys; from agent.cli.commands import main; sys.argv[0] = 'glasses'; main()"
    opened = Terminal(
        sys.executable, "-c", program, "repl", "--plugin", str(plugin), home=str(tmp_path)
    )
    yield opened
    opened.close()


def test_an_alert_comes_above_what_is_being_typed(terminal, tmp_path):
    terminal.until("you › ")
    terminal.type("ring the bell\r")
    terminal.until("soon")
    terminal.until("you › ")
    terminal.type("paus")
    terminal.until("paus")
    (tmp_path / "button").touch()
    terminal.until("ding dong")
    terminal.until("you › paus")  # the prompt is drawn again below, with what was typed
    terminal.type("e\r")
    terminal.until("headphones")
