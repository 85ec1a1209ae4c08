"""Set the project up in `.venv/`: what `make install` runs, with the system's own Python.

Standard library only. pip does the work; this shows that it is working, since llama-cpp-python
compiles llama.cpp on the first install (about nine minutes on two cores; pip keeps the result).
Meanwhile the models that suit this machine are pulled, unless `MODELS=none`. What is missing on the
system is said in one line, with the command that mends it.
"""

from __future__ import annotations

import argparse
import ctypes.util
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOG = VENV / "install.log"

COMPILED = re.compile(r"\[\s*(\d+)/(\d+)\]")
STEP = re.compile(r"^\s*(Collecting|Downloading|Building wheel for|Installing collected)\s+(\S+)")

NICE_TO_HAVE = {
    "espeak-ng": "names new skills bring are pronounced by simple rules",
    "libportaudio2": "no microphone and no sound",
    "fonts-noto-cjk": "Chinese in PNG pictures is drawn as boxes",
}
"""Debian packages the agent does without, and what is missing then."""


def main() -> int:
    """Install; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--extra", help="also install this optional group, such as test")
    extra = parser.parse_args().extra
    if problem := _cannot_start():
        print(problem, file=sys.stderr)
        return 1
    if not (VENV / "bin" / "python").exists():
        print("Making a virtual environment in .venv", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    target = f".[{extra}]" if extra else "."
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
    command = [*pip, "install", "--verbose", "--progress-bar=off", "--editable", target]
    bar = _Bar(f"Installing {target}")
    models = None if extra or os.environ.get("MODELS") == "none" else _Models(bar)
    try:
        status = _watch(command, f"Installing {target}", bar)
        if models is not None and status == 0:
            models.wait()
    except KeyboardInterrupt:
        bar.end("stopped; the same command goes on")
        return 130
    finally:
        if models is not None:
            models.stop()
        bar.end()
    if status == 0 and not extra:
        if models is not None and models.whole:
            _finish_models()
        for line in _missing():
            print(line)
    return status


def _finish_models() -> None:
    """Get what is made of what was pulled: all-MiniLM-L6-v2, 91 MB, which needs numpy for that."""
    if os.environ.get("MODELS", "auto") in ("", "auto"):
        glasses = str(VENV / "bin" / "glasses")
        done = subprocess.run(
            [glasses, "models", "pull", "minilm"], cwd=ROOT, capture_output=True, text=True
        )
        if done.returncode:
            print(f"{done.stderr.strip()}; words alone are weighed, and `make models` tries again")


def _cannot_start() -> str | None:
    """Return the one line that says what stands in the way, if anything does."""
    if sys.version_info < (3, 11):  # noqa: UP036  whoever runs this may have an older one
        found = f"{sys.version_info.major}.{sys.version_info.minor}"
        return f"Python {found} is too old: run `make PYTHON=python3.11 install` or newer"
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        return "Python cannot make virtual environments: sudo apt install python3-venv"
    have_llama = any(VENV.glob("lib/python3*/site-packages/llama_cpp"))
    if not have_llama and not any(shutil.which(name) for name in ("c++", "g++", "clang++")):
        return "no C++ compiler, and llama.cpp must be compiled: sudo apt install build-essential"
    return None


def _missing() -> Iterable[str]:
    """Yield one line for each thing the system could still give."""
    have = {
        "espeak-ng": shutil.which("espeak-ng") is not None,
        "libportaudio2": ctypes.util.find_library("portaudio") is not None,
        "fonts-noto-cjk": any(Path("/usr/share/fonts").rglob("*CJK*")),
    }
    lacking = [name for name, found in have.items() if not found]
    if lacking and sys.platform == "linux":
        why = "; ".join(NICE_TO_HAVE[name] for name in lacking)
        yield f"Works without, better with: sudo apt install {' '.join(lacking)}  ({why})"


class _Models(threading.Thread):
    """The models, on their way while pip works: another process, and half of the bar's line."""

    def __init__(self, bar: _Bar) -> None:
        super().__init__(daemon=True)
        self._bar = bar
        self._pull = subprocess.Popen(
            [str(VENV / "bin" / "python"), str(ROOT / ".ci" / "pull.py")],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
        )
        self.start()

    def run(self) -> None:
        assert self._pull.stdout is not None
        for line in self._pull.stdout:
            told = json.loads(line)
            if "begins" in told:
                self._bar.say(f"Models: {told['begins']}; MODELS=none skips this")
            if "done" in told:
                self._bar.beside = f"models {told['done'] / told['of']:.0%}"
            if "said" in told:
                self._bar.say(f"{told['said']}; the rest goes on, and `make models` tries again")
            if "ends" in told:
                self._bar.say(told["ends"])
        self._bar.beside = ""

    def wait(self) -> None:
        """Wait for what is still to come."""
        self._bar.show("waiting for the models; Ctrl-C goes on later")
        while self.is_alive():
            self.join(0.2)

    @property
    def whole(self) -> bool:
        """Whether all of them came, or were there."""
        return self._pull.poll() == 0

    def stop(self) -> None:
        """End it, if it has not ended."""
        if self._pull.poll() is None:
            self._pull.send_signal(signal.SIGINT)
            self._pull.wait()
        self.join()


def _watch(command: list[str], title: str, bar: _Bar) -> int:
    """Run pip, show one line of progress, keep everything in the log; return its status."""
    began = time.monotonic()
    with LOG.open("w", encoding="utf-8") as log:
        # ninja uses every core by default; a bounded number keeps small machines responsive.
        jobs = os.environ.get("CMAKE_BUILD_PARALLEL_LEVEL", str(os.cpu_count() or 1))
        running = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "CMAKE_BUILD_PARALLEL_LEVEL": jobs},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        assert running.stdout is not None
        for line in running.stdout:
            log.write(line)
            if done := COMPILED.search(line):
                bar.show("compiling llama.cpp", int(done[1]), int(done[2]))
            elif step := STEP.match(line):
                bar.show(f"{step[1].lower()} {step[2]}")
        status = running.wait()
    bar.say(f"{title}: {'done' if status == 0 else 'failed'} in {_clock(time.monotonic() - began)}")
    if status:
        bar.end()
        tail = LOG.read_text(encoding="utf-8").splitlines()[-15:]
        print("\n".join(tail), f"\nThe whole log is in {LOG.relative_to(ROOT)}", file=sys.stderr)
    return status


class _Bar(threading.Thread):
    """One line redrawn every second on a terminal, or a line every half minute in a log.

    A thread, because one file of llama.cpp may compile for half a minute, and a clock that stands
    still looks like a program that hangs.
    """

    def __init__(self, title: str) -> None:
        super().__init__(daemon=True)
        self._began, self._tty = time.monotonic(), sys.stdout.isatty()
        self._step = "starting pip"
        self.beside = ""
        """What goes on besides, at the end of the line."""
        self._over = threading.Event()
        print(title, flush=True)
        self.start()

    def show(self, step: str, done: int = 0, of: int = 0) -> None:
        filled = round(24 * done / of) if of else 0
        progress = f"{'█' * filled}{'─' * (24 - filled)} {done}/{of} " if of else ""
        self._step = progress + step

    def run(self) -> None:
        while not self._over.wait(1.0 if self._tty else 30.0):
            self.draw()

    def draw(self) -> None:
        line = f"  {_clock(time.monotonic() - self._began)} {self._step}"
        line = f"{line} · {self.beside}" if self.beside else line
        width = shutil.get_terminal_size().columns
        print(f"\r\x1b[K{line[: width - 1]}" if self._tty else line,
              end="" if self._tty else "\n", flush=True)  # fmt: skip

    def say(self, line: str) -> None:
        """Print a line that stays, above the one that is redrawn."""
        print(f"\r\x1b[K{line}" if self._tty else line, flush=True)

    def end(self, line: str = "") -> None:
        if not self._over.is_set():
            self._over.set()
            self.join()
            print("\r\x1b[K" if self._tty else "", end="", flush=True)
        if line:
            print(line, flush=True)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


if __name__ == "__main__":
    sys.exit(main())
