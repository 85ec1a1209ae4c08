"""A clean environment to install into, in which the agent is there and nothing is downloaded.

A bare `python -m venv --without-pip` that sees the packages of the running environment through one
`.pth` file, and has a script for each command that a user would type. What is installed into it
stays in it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent

COMMANDS = {
    "pip": "pip._internal.cli.main:main",
    "pytest": "pytest:main",
    "glasses": "agent.cli.commands:main",
}


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment and a home folder of its own."""

    bin: Path
    """Its commands; first on the path of `run`."""
    home: Path
    """Where its settings and data are."""

    def run(self, *command: object, cwd: Path | None = None, **variables: str) -> str:
        """Run a command there and return what it printed. Raises AssertionError when it fails."""
        environ = self.environ() | variables
        done = subprocess.run(
            [str(part) for part in command],
            cwd=cwd or self.home,
            env=environ,
            text=True,
            encoding="utf-8",
            capture_output=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, (
            f"{command} exited {done.returncode}\n{done.stdout}{done.stderr}"
        )
        return done.stdout

    def environ(self) -> dict[str, str]:
        """Return the environment variables of a shell in it, with no network for pip."""
        kept = {
            k: v for k, v in os.environ.items() if not k.startswith(("GLASSES_", "PYTEST", "PIP_"))
        }
        return kept | {
            "PATH": f"{self.bin}{os.pathsep}{kept.get('PATH', '')}",
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_DATA_HOME": str(self.home / "share"),
            "PYTHONUTF8": "1",
            "PIP_NO_INDEX": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it the other way round: this switches it off
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }


def make(folder: Path) -> Environment:
    """Make an environment in `folder`."""
    venv, home = folder / "venv", folder / "home"
    home.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    bin_ = venv / "bin"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    seen = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    lines = [f"import site; site.addsitedir({path!r})" for path in dict.fromkeys(seen)]
    (venv / "lib" / version / "site-packages" / "agent-is-here.pth").write_text(
        "\n".join([*lines, str(ROOT)]) + "\n"
    )
    for name, point in COMMANDS.items():
        module, function = point.split(":")
        script = bin_ / name
        script.write_text(
            f"#!{bin_ / 'python'}\nimport sys\nfrom {module} import {function}\n"
            f"if __name__ == '__main__':\n    sys.exit({function}())\n"  # a spawned child imports it
        )
        script.chmod(0o755)
    return Environment(bin_, home)
