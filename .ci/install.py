"""Set the project up in `.venv/`: what `make install` runs, with the system's own Python.

Standard library only. pip does the work; this shows that it is working, since llama-cpp-python
compiles llama.cpp on the first install (about nine minutes on two cores; pip keeps the result), and
it says in one line what is missing on the system and which command mends it.
"""

from __future__ import annotations

import argparse
import ctypes.util
import importlib.util
import os
import re
import shutil
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
    status = _watch(command, f"Installing {target}")
    if status == 0 and not extra:
        _fetch_minilm()
        for line in _missing():
            print(line)
    return status


def _fetch_minilm() -> None:
    """Get what understands paraphrases, some 84 MB; without it words alone are weighed."""
    print("Fetching all-MiniLM-L6-v2 for paraphrases", flush=True)
    subprocess.run([str(VENV / "bin" / "python"), "-m", "agent.understand.minilm"], cwd=ROOT)


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


def _watch(command: list[str], title: str) -> int:
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
        bar = _Bar(title, began)
        for line in running.stdout:
            log.write(line)
            if done := COMPILED.search(line):
                bar.show("compiling llama.cpp", int(done[1]), int(done[2]))
            elif step := STEP.match(line):
                bar.show(f"{step[1].lower()} {step[2]}")
        status = running.wait()
    bar.end(f"{title}: {'done' if status == 0 else 'failed'} in {_clock(time.monotonic() - began)}")
    if status:
        tail = LOG.read_text(encoding="utf-8").splitlines()[-15:]
        print("\n".join(tail), f"\nThe whole log is in {LOG.relative_to(ROOT)}", file=sys.stderr)
    return status


class _Bar(threading.Thread):
    """One line redrawn every second on a terminal, or a line every half minute in a log.

    A thread, because one file of llama.cpp may compile for half a minute, and a clock that stands
    still looks like a program that hangs.
    """

    def __init__(self, title: str, began: float) -> None:
        super().__init__(daemon=True)
        self._began, self._tty = began, sys.stdout.isatty()
        self._step = "starting pip"
        self._over = threading.Event()
        print(title, flush=True)
        self.start()

    def show(self, step: str, done: int = 0, of: int = 0) -> None:
        filled = round(24 * done / of) if of else 0
        progress = f"{'█' * filled}{'─' * (24 - filled)} {done}/{of} " if of else ""
        self._step = progress + step

    def run(self) -> None:
        while not self._over.wait(1.0 if self._tty else 30.0):
            line = f"  {_clock(time.monotonic() - self._began)} {self._step}"
            width = shutil.get_terminal_size().columns
            print(f"\r\x1b[K{line[: width - 1]}" if self._tty else line,
                  end="" if self._tty else "\n", flush=True)  # fmt: skip

    def end(self, line: str) -> None:
        self._over.set()
        self.join()
        print(f"\r\x1b[K{line}" if self._tty else line, flush=True)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


if __name__ == "__main__":
    sys.exit(main())
