"""Build the site: `python -m agent.docs [FOLDER]`, by default into `build/docs`.

The pages are copied, what they ask for is made, the pictures that they show are put beside them,
and Zensical builds the rest. A broken link, a missing anchor or a module that cannot be read ends
it with the reason.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from agent.docs import reference

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MADE = re.compile(r"^<!-- made: (\w+) -->$", re.MULTILINE)
PICTURE = re.compile(r"(!\[[^]]*\]\()(?:\.\./)+(tests/[^)]+)\)")


def main(into: Path) -> Path:
    """Build the site below a folder and return where its start page is.

    Raises RuntimeError with the reason.
    """
    if importlib.util.find_spec("zensical") is None:
        raise RuntimeError('zensical is not installed: pip install -e ".[docs]"')
    shutil.rmtree(into, ignore_errors=True)
    collect(into / "pages")
    text = (HERE / "mkdocs.yml").read_text(encoding="utf-8")
    (into / "mkdocs.yml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    environ = os.environ | {"NO_COLOR": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, "--config-file", str(into / "mkdocs.yml")],
        cwd=into,
        env=environ,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the pages in {into} cannot be built:\n{done.stdout.strip()}")
    return into / "site" / "index.html"


def collect(into: Path) -> None:
    """Put all pages into a folder, complete. Raises RuntimeError."""
    shutil.copytree(HERE / "pages", into)
    with tempfile.TemporaryDirectory() as empty:
        for path in sorted(into.rglob("*.md")):
            text = path.read_text(encoding="utf-8")
            text = MADE.sub(lambda asked: reference.section(asked[1], Path(empty)), text)
            text = _with_pictures(text, into, "../" * (len(path.relative_to(into).parts) - 1))
            path.write_text(text, encoding="utf-8")


def _with_pictures(text: str, into: Path, up: str) -> str:
    """Copy the pictures of a page, and return its text with where they are now."""

    def moved(picture: re.Match[str]) -> str:
        there = into / "pictures" / Path(picture[2]).name
        there.parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / picture[2], there)
        return f"{picture[1]}{up}pictures/{there.name})"

    return PICTURE.sub(moved, text)


if __name__ == "__main__":
    try:
        print(main(Path(sys.argv[1] if sys.argv[1:] else ROOT / "build" / "docs").absolute()))
    except (RuntimeError, OSError) as error:
        sys.exit(f"Error: {error}")
