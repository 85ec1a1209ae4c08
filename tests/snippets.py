"""The snippets of the README and of the site's pages, and how they are run.

One mechanism for both. A page is a session in a clean environment of its own, from top to bottom:

    ```toml title="limits.toml"      a file that is saved, `~/…` in the home folder
    ```sh                            lines that are typed one after the other, and have to succeed
    ```python                        a program that is run and has to succeed
    ```text, ```json                 what the block before has printed: each line, `…` for anything;
                                     of JSON the keys

A comment above a block says what is different about it:

    <!-- serves -->                  it is left running until the end of the page
    <!-- fails -->                   its line exits with an error
    <!-- shown -->                   it is data, and printed by nothing
    <!-- needs PROGRAM -->           it is run where that program is installed
    <!-- not run: WHY -->            only its commands and options are looked up

Ports are replaced by free ones, so that pages can be run beside each other and beside the real thing.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click

from tests import environment
from tests.pace import PATIENCE_S, until

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
PAGES = ROOT / "agent" / "docs" / "pages"

_FENCE = re.compile(
    r'(?:^<!-- (?P<note>[^\n]+?) -->\n+)?^(?P<in> *)```(?P<kind>\w*)(?: title="(?P<title>[^"]+)")?[^\n]*\n'
    r"(?P<text>.*?)^(?P=in)```$",
    re.DOTALL | re.MULTILINE,
)
_PORT = re.compile(
    r"(?:(?<=127\.0\.0\.1:)|(?<=--host )|(?<=--port )|(?<=--http )|(?<=GLASSES_PUSH=))\d{4,5}"
)


@dataclass(frozen=True, slots=True)
class Snippet:
    """One block of code."""

    where: str
    """Its file and line."""
    kind: str
    """Its language; empty where none is given."""
    title: str
    """The file that it is saved as; empty where it is none."""
    note: str
    """What the comment above it says."""
    text: str
    """What is in it."""

    @property
    def lines(self) -> list[str]:
        """What is typed, without remarks; a line that ends with a backslash goes on."""
        joined = self.text.replace("\\\n", "")
        return [line for raw in joined.splitlines() if (line := raw.partition("  #")[0].rstrip())]


def pages() -> list[Path]:
    """Return the pages of the site, as they are written."""
    return sorted(PAGES.rglob("*.md"))


def snippets(path: Path) -> list[Snippet]:
    """Return the blocks of code of a file."""
    text = path.read_text(encoding="utf-8")
    name = path.relative_to(ROOT)
    return [
        Snippet(
            f"{name}:{text.count(chr(10), 0, found.start('kind')) + 1}",
            found["kind"],
            found["title"] or "",
            found["note"] or "",
            found["text"],
        )
        for found in _FENCE.finditer(text)
    ]


# -- looked up ------------------------------------------------------------------------------------


def commands(line: str) -> Iterator[list[str]]:
    """Yield each `glasses` command that a shell line has, as its arguments."""
    words = shlex.split(line)
    while "glasses" in words:
        words = words[words.index("glasses") + 1 :]
        ends = [at for at, word in enumerate(words) if re.fullmatch(r"[|&;<>]+", word)]
        yield words[: ends[0]] if ends else words


def unknown(arguments: list[str]) -> str:
    """Return what of a `glasses` command does not exist; empty if all of it does."""
    from agent.cli.commands import main

    command: click.Command = main
    words, ordered = list(arguments), False
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        inner = command.get_command(click.Context(command), words[0])
        if inner is None:
            return f"there is no command {words[0]!r}"
        command, words = inner, words[1:]
        ordered = inner.context_settings.get("allow_interspersed_args") is False
    known = {"-h", "--help"} | {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
    for word in words:
        if not word.startswith("-"):
            if ordered:  # what follows is somebody else's
                break
        elif len(word) > 1 and word.partition("=")[0] not in known:
            return f"{command.name} has no option {word}"
    return ""


# -- run ------------------------------------------------------------------------------------------


class Session:
    """A page as it is followed by a reader."""

    def __init__(self, folder: Path) -> None:
        self._there = environment.make(folder)
        self._where = self._there.home
        self._servers: list[subprocess.Popen[str]] = []
        self._ports: dict[str, str] = {}
        self._passed_over = False
        self.printed = ""
        """What the block before has printed."""

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error: object) -> None:
        for server in self._servers:
            assert server.stdin is not None
            server.stdin.close()
            os.killpg(server.pid, signal.SIGTERM)
        for server in self._servers:
            try:
                server.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()

    def follow(self, snippet: Snippet) -> None:
        """Do what a block says. Raises AssertionError with its place."""
        text = _PORT.sub(lambda port: self._port(port[0]), snippet.text)
        snippet = replace(snippet, text=text)
        if snippet.title:
            path = self._path(snippet.title)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        if snippet.kind == "sh":
            need = snippet.note.removeprefix("needs ")
            self._passed_over = need != snippet.note and shutil.which(need) is None
        if self._passed_over:
            return
        match snippet.kind, snippet.note.partition(":")[0]:
            case _, "not run" | "shown":
                pass
            case "sh", "serves":
                for line in snippet.lines:
                    self._serve(line, snippet.where)
            case "sh", note:
                self.printed = ""
                for line in snippet.lines:
                    if line.startswith("cd "):
                        self._where /= line.removeprefix("cd ")
                    else:
                        self._run(["sh", "-c", line], f"{snippet.where}: {line}", note == "fails")
            case "python", _:
                self.printed = ""
                self._run([str(self._there.bin / "python"), "-c", text], snippet.where)
            case "text", _:
                self._expect(text, snippet.where)
            case "json", _:
                assert keys(json.loads(text)) == keys(json.loads(self.printed)), snippet.where
            case kind, _:
                raise AssertionError(f"{snippet.where}: nobody knows what to do with {kind!r}")

    def _expect(self, text: str, where: str) -> None:
        got = [" ".join(line.split()) for line in self.printed.splitlines()]
        for line in text.splitlines():
            wanted = " ".join(line.split())
            pattern = ".*".join(map(re.escape, wanted.split("…")))
            assert any(re.fullmatch(pattern, one) for one in got), (
                f"{where}: {line!r} was not printed, but\n{self.printed}"
            )

    def _environ(self) -> dict[str, str]:
        home = self._there.home
        return self._there.environ() | {
            "XDG_CONFIG_HOME": str(home / ".config"),
            "XDG_DATA_HOME": str(home / ".local/share"),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "GLASSES_SENSORS": "none",
        }

    def _path(self, title: str) -> Path:
        if title.startswith("~/"):
            return self._there.home / title[2:]
        return self._where / title

    def _port(self, named: str) -> str:
        if named not in self._ports:
            with socket.create_server(("127.0.0.1", 0)) as free:
                self._ports[named] = str(free.getsockname()[1])
        return self._ports[named]

    def _run(self, command: list[str], where: str, fails: bool = False) -> None:
        done = subprocess.run(
            command,
            cwd=self._where,
            env=self._environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=3 * PATIENCE_S,
            check=False,
        )
        assert bool(done.returncode) == fails, f"{where}: {done.returncode}\n{done.stdout}"
        self.printed += done.stdout

    def _serve(self, line: str, where: str) -> None:
        """Start a server, and wait until it has told where it is."""
        path = self._there.home.parent / f"server-{len(self._servers)}.txt"
        with path.open("w", encoding="utf-8") as said:
            server = subprocess.Popen(
                ["sh", "-c", line],
                cwd=self._where,
                env=self._environ(),
                stdin=subprocess.PIPE,  # open: who reads it waits for more
                stdout=said,
                stderr=said,
                text=True,
                start_new_session=True,
            )
        self._servers.append(server)

        def told() -> bool:
            self.printed = path.read_text(encoding="utf-8")
            assert server.poll() is None, f"{where}: {line} ended\n{self.printed}"
            return re.search(r":\d{4,5}\b", self.printed) is not None

        until(told, 3 * PATIENCE_S)


def keys(value: object) -> object:
    """Return what is left of a JSON value without its values."""
    if isinstance(value, dict):
        return {name: keys(inner) for name, inner in value.items()}
    return None
