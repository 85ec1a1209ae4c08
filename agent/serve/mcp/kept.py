"""What the wearer has agreed to of MCP servers: a folder each, beside the settings.

    mcp/amap/server.json            how it is reached, its tools as they were then, what each may do
    mcp/amap/sentences/en.yaml      what can be said for them, derived, and the wearer's to mend
    mcp/amap/paraphrases/en.yaml

Keys are not among it: what a server is given of environment and headers is kept as a secret.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import typing
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from agent import private
from agent.errors import ConfigError
from agent.skill.secrets import Secrets
from hardware import reading

FOLDER = "mcp"
"""Beside the settings."""
FILE = "server.json"
MOST_BYTES = 4 << 20
"""Longest such file."""
NAME = re.compile(r"[a-z][a-z0-9]{1,19}")
"""What a server may be called: one word that can be said, and that names its skill."""

TAKEN = frozenset(("me", "us", "them", "him", "her", "it", "my", "the", "for", "to", "asked"))
"""What would be misheard in “tell … that”, or is ours."""

MOST_TOOLS = 64
"""Tools of one server that are taken; a lens is no place for more."""
LONGEST_SCHEMA = 64 << 10
"""Characters of a tool's schema; a longer one is not taken."""
LONGEST_TEXT = 2_000
"""Characters of a tool's description that are kept."""

ToolRisk = Literal["none", "change", "money", "off"]
"""As of an action; `off` is never done."""
RISKS: tuple[ToolRisk, ...] = typing.get_args(ToolRisk)


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool as its server described it when the wearer agreed to it."""

    name: str
    """The server's own name."""
    title: str
    """What people call it; empty where the server does not say."""
    description: str
    """What it does, in the server's words."""
    schema: Mapping[str, Any]
    """JSON schema of its arguments."""
    reads: bool = False
    """Whether the server says that it changes nothing. It may lie: see `risk`."""
    risk: ToolRisk = "change"
    """What the agent enforces around it."""
    allowed: bool = False
    """Whether the wearer has said yes to it; else the first use asks."""
    unsaid: str = ""
    """Why it cannot be said; empty where it can."""

    @property
    def print(self) -> str:
        """Fingerprint of what the server says of it: when that changes, it is another tool."""
        said = [self.name, self.description, self.schema]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Server:
    """One server."""

    name: str
    """What the wearer calls it."""
    command: tuple[str, ...] = ()
    """Program and arguments, begun without a shell; empty where it is reached by `url`."""
    url: str = ""
    """Where it listens, without what may be a key."""
    given: tuple[str, ...] = ()
    """Names of what it is given as a secret: variables, headers, `url`."""
    timeout_s: float = 8.0
    """Longest a call may take."""
    calls_an_hour: int = 120
    """Most calls in an hour."""
    tools: tuple[Tool, ...] = ()
    """Its tools."""

    def tool(self, name: str) -> Tool | None:
        """Return a tool by the server's name of it."""
        return next((tool for tool in self.tools if tool.name == name), None)

    def having(self, tool: Tool) -> Server:
        """Return it with another tool of the same name in its place."""
        return replace(self, tools=tuple(tool if t.name == tool.name else t for t in self.tools))

    @property
    def where(self) -> str:
        """How it is reached, in words."""
        return self.url or " ".join(self.command)


def folder(settings: Path, name: str = "") -> Path:
    """Return where servers are kept, or one of them. Raises ConfigError for what is no name."""
    if name and (not NAME.fullmatch(name) or name in TAKEN):
        raise ConfigError(
            f"{reading.shown(name)} is no name for a server: one word of 2 to 20 small letters and"
            " digits, such as amap"
        )
    return settings / FOLDER / name if name else settings / FOLDER


def names(settings: Path) -> tuple[str, ...]:
    """Return the servers that there are, by name."""
    there = folder(settings)
    if not there.is_dir():
        return ()
    return tuple(sorted(p.parent.name for p in there.glob(f"*/{FILE}")))


def read(settings: Path, name: str) -> Server:
    """Return a server. Raises ConfigError where there is none, or its file is broken."""
    path = folder(settings, name) / FILE
    try:
        told = reading.from_json(reading.read_text(path, MOST_BYTES))
        return _server(name, told)
    except FileNotFoundError:
        known = ", ".join(names(settings)) or "none; `glasses mcp add` brings one"
        raise ConfigError(f"there is no MCP server {name}; there are: {known}") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(f"{path} is broken ({error}): add the server again") from None


def _server(name: str, told: Mapping[str, Any]) -> Server:
    tools = tuple(
        Tool(
            str(one["name"]), str(one["title"]), str(one["description"]), dict(one["schema"]),
            bool(one["reads"]), _risk(one["risk"]), one["allowed"] is True, str(one["unsaid"]),
        )
        for one in told["tools"]
    )  # fmt: skip
    return Server(
        name, tuple(map(str, told["command"])), str(told["url"]), tuple(map(str, told["given"])),
        float(told["timeout_s"]), int(told["calls_an_hour"]), tools,
    )  # fmt: skip


def _risk(told: object) -> ToolRisk:
    if told not in RISKS:
        raise ValueError(f"the risk {reading.shown(told)} is not one of {', '.join(RISKS)}")
    return told


def write(settings: Path, server: Server) -> Path:
    """Keep a server, whole or not at all, and return its file. Raises ConfigError."""
    path = folder(settings, server.name) / FILE
    told = asdict(server)
    del told["name"]
    try:
        private.write(path, json.dumps(told, ensure_ascii=False, indent=1))
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}") from None
    return path


def allow(settings: Path, name: str, tool: str) -> None:
    """Note that the wearer has said yes to a tool. Raises ConfigError."""
    server = read(settings, name)
    if (known := server.tool(tool)) is not None and not known.allowed:
        write(settings, server.having(replace(known, allowed=True)))


def remove(settings: Path, data: Path, name: str) -> None:
    """Forget a server with its keys. Raises ConfigError where there is none."""
    path = folder(settings, name)
    if not (path / FILE).is_file():
        read(settings, name)  # says what there is
    keys(settings, data).forget(secret_name(name))
    login(settings, data, name).forget()
    shutil.rmtree(path)


# -- keys -----------------------------------------------------------------------------------------


def keys(settings: Path, data: Path) -> Secrets:
    """Return where the keys of servers are kept."""
    return Secrets(data, settings)


def secret_name(name: str) -> str:
    """Return the name that the keys of a server are kept under."""
    return f"mcp-{name}"


class Login:
    """What signing in to a server gave: tokens, and where to have new ones."""

    def __init__(self, secrets: Secrets, name: str) -> None:
        """Read nothing yet; it is the secret of this name."""
        self._secrets, self._name = secrets, name

    def read(self) -> dict[str, Any]:
        """Return all of it; empty where there is none. Raises ConfigError."""
        secret = self._secrets.get(self._name)
        return {} if secret is None else dict(json.loads(secret.value))

    def write(self, changes: Mapping[str, Any]) -> None:
        """Keep it with these changed. Raises ConfigError."""
        self._secrets.put(self._name, json.dumps({**self.read(), **changes}))

    def sign_out(self) -> None:
        """Erase the tokens, and keep who we are there. Raises ConfigError."""
        if self.read():
            self.write({"tokens": None, "ends": None})

    def forget(self) -> None:
        """Erase it. Raises ConfigError."""
        self._secrets.forget(self._name)


def login(settings: Path, data: Path, name: str) -> Login:
    """Return what signing in to a server gave, or will give."""
    return Login(keys(settings, data), f"{secret_name(name)}-login")


def given(settings: Path, data: Path, server: Server) -> Mapping[str, str]:
    """Return what a server is given: variables or headers, and `url` in full where it holds a key.

    Raises ConfigError.
    """
    if not server.given:
        return {}
    secret = keys(settings, data).get(secret_name(server.name))
    if secret is None:
        raise ConfigError(f"the keys of {server.name} are gone: add the server again")
    return {str(k): str(v) for k, v in json.loads(secret.value).items()}
