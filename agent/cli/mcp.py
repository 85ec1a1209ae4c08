"""`glasses mcp`: servers of the Model Context Protocol, and being one."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import click

from agent import config
from agent.cli import streams
from agent.config import Config
from agent.errors import ConfigError, GlassesError
from agent.plugins.skills import Problem, Skills
from agent.serve.mcp import kept
from agent.serve.mcp.kept import Login, Server, Tool, ToolRisk


def install(skills: Skills, settings: Config, begin: bool = False) -> None:
    """Add what the wearer's MCP servers can do to the skills; what is wrong is in `problems`.

    With `begin` they are connected to in the background; else by their first call.
    """
    folder = settings.plugins.parent
    if not kept.names(folder):
        return
    from agent.serve.mcp import call, skill

    call.loop()  # begun here, so that its thread is nobody's plugin's
    for name in kept.names(folder):
        load = partial(skill.load, folder, settings.data, name, begin)
        skills.add(name, load, f"MCP server {name}")


def add(
    name: str,
    where: Sequence[str],
    environment: Iterable[str],
    headers: Iterable[str],
    limits: tuple[float, int],
    allowed: bool,
    client: tuple[str, str] | None = None,
) -> None:
    """Ask a server for its tools and keep it. Raises GlassesError.

    `client` is the id and the secret, or nothing, of who is registered where it signs people in.
    """
    settings = config.load()
    folder = settings.plugins.parent
    if kept.folder(folder, name).is_dir():
        raise ConfigError(f"{name} is there already: `glasses mcp remove {name}` first")
    skills = Skills.discover((), settings.plugins, apart=settings.alone)
    if name in skills.plugins:
        raise ConfigError(f"{name} is the name of a skill: call the server something else")
    given = _given("--env", environment) | _given("--header", headers)
    server = Server(name, timeout_s=limits[0], calls_an_hour=limits[1])
    if len(where) == 1 and where[0].startswith(("http://", "https://")):
        if environment:
            raise ConfigError("--env is for a command: a URL takes --header")
        server = replace(server, url=_plain(where[0], given))
    else:
        if headers:
            raise ConfigError("--header is for a URL: a command takes --env")
        if client is not None:
            raise ConfigError("--client-id is for a URL: a command is not signed in to")
        server = replace(server, command=tuple(where))
    server = replace(server, given=tuple(sorted(given)))
    login = kept.login(folder, settings.data, name)
    try:
        tools = _asked(server, given, login, client)
    except GlassesError:
        login.forget()
        raise
    secret = kept.secret_name(name)
    if given:
        kept.keys(folder, settings.data).put(secret, json.dumps(given))
    _take(folder, server, tools, skills, allowed)
    show(name)


def _given(option: str, pairs: Iterable[str]) -> dict[str, str]:
    """Read NAME=VALUE; a value that is left out is asked for, and seen nowhere."""
    given: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key.strip() or not key.isprintable():
            raise ConfigError(f"{option} is NAME=VALUE")
        if not equals:
            value = str(click.prompt(f"{key}", hide_input=True))
        given[key.strip()] = value.strip()
    return given


def _plain(url: str, given: dict[str, str]) -> str:
    """Return a URL without what may be a key, which is then among what is given."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigError(f"{url[:80]} is no URL: {error}") from None
    if not host:
        raise ConfigError(f"{url[:80]} is no URL: it has no host")
    if parts.query or parts.username or parts.password:
        given["url"] = url
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}"


def login(name: str) -> None:
    """Sign in to a server, anew where that was done before. Raises GlassesError."""
    settings = config.load()
    folder = settings.plugins.parent
    if not kept.read(folder, name).url:
        raise ConfigError(f"{name} is a command of this machine: there is nothing to sign in to")
    login = kept.login(folder, settings.data, name)
    login.sign_out()
    _now(settings, name)
    there = login.read().get("tokens")
    streams.echo(f"you are signed in to {name}" if there else f"{name} wants nobody to sign in")


def _asked(
    server: Server,
    given: dict[str, str],
    login: Login,
    client: tuple[str, str] | None = None,
) -> tuple[Tool, ...]:
    """Connect once, with signing in, and return the tools that there are. Raises ServerError."""
    from agent.serve.mcp.line import CONNECT_S, Line
    from agent.serve.mcp.signin import SignIn

    sign_in = SignIn(server.url, login, partial(_link, server.name), client)
    line = Line(server, lambda: given, lambda: sign_in)
    began = time.perf_counter()
    try:
        tools = line.tools(CONNECT_S + sign_in.patience_s if server.url else CONNECT_S)
    finally:
        line.close()
        sign_in.close()
    took_ms = (time.perf_counter() - began) * 1000
    streams.echo(f"{server.name}: {line.version}, {len(tools)} tools, {took_ms:.0f} ms", err=True)
    return tools


def _now(settings: Config, name: str) -> tuple[Server, tuple[Tool, ...]]:
    """Return a server that is kept, and the tools that it has now. Raises GlassesError."""
    folder = settings.plugins.parent
    server = kept.read(folder, name)
    given = dict(kept.given(folder, settings.data, server))
    return server, _asked(server, given, kept.login(folder, settings.data, name))


def _link(name: str, link: str) -> None:
    """Show where to sign in; the browser comes back to this machine."""
    told = f"{name} wants you to sign in, in a browser of this machine:"
    streams.echo(f"{told}\n\n{link}\n", err=True)


def _take(
    folder: Path, server: Server, tools: Iterable[Tool], skills: Skills, allowed: bool
) -> None:
    from agent.serve.mcp import adding

    others = [action for action in skills.actions.values() if action.skill != server.name]
    server, told = adding.take(server, tools, others)
    if allowed:
        server = replace(server, tools=tuple(replace(t, allowed=True) for t in server.tools))
    adding.write(folder, server, told)


def update(name: str) -> None:
    """Take a server's tools as they are now, and say what is different. Raises GlassesError."""
    settings = config.load()
    server, tools = _now(settings, name)
    different = [*_differences(server, tools)]
    for line in different or ("nothing has changed",):
        streams.echo(line)
    if different:
        skills = Skills.discover((), settings.plugins, apart=settings.alone)
        _take(settings.plugins.parent, server, tools, skills, False)


def _differences(server: Server, tools: Iterable[Tool]) -> Iterable[str]:
    now = {tool.name: tool for tool in tools}
    for tool in server.tools:
        if tool.name not in now:
            yield f"{tool.name}: no longer there"
        elif now[tool.name].print != tool.print:
            yield f"{tool.name}: is described otherwise, and asks again before its first use"
    for name in now:
        if server.tool(name) is None:
            yield f"{name}: new, and asks before its first use"


def test(name: str) -> None:
    """Connect, and compare its tools to those agreed to. Raises GlassesError."""
    settings = config.load()
    server, tools = _now(settings, name)
    different = [*_differences(server, tools)]
    for line in different:
        streams.echo(line)
    if different:
        raise GlassesError(f"{name} has changed: `glasses mcp update {name}` takes it as it is now")
    problem = _problem(settings, name)
    if problem is not None:
        raise GlassesError(f"{name} cannot be used: {problem.reason}")
    streams.echo(f"{name} is as you agreed to it")


def _problem(settings: Config, name: str) -> Problem | None:
    skills = Skills.discover((), settings.plugins, apart=settings.alone)
    install(skills, settings)
    return next((problem for problem in skills.problems if problem.plugin == name), None)


def show(name: str | None = None) -> None:
    """Print the servers, or the tools of one. Raises ConfigError."""
    folder = config.load().plugins.parent
    if name is None:
        for one in kept.names(folder):
            try:
                server = kept.read(folder, one)
            except ConfigError as error:
                streams.echo(str(error), err=True)
                continue
            there = sum(not tool.unsaid for tool in server.tools)
            streams.echo(f"{one}  {there} of {len(server.tools)} tools  {server.where}")
        return
    server = kept.read(folder, name)
    for tool in server.tools:
        if tool.unsaid:
            streams.echo(f"{tool.name}  –  {tool.unsaid}")
            continue
        asks = (
            "" if tool.allowed or tool.risk in ("money", "off") else ", asks before its first use"
        )
        streams.echo(f"{tool.name}  {tool.risk}{asks}")


def permit(which: str, risk: ToolRisk | None, again: bool) -> None:
    """Allow a server, or one of its tools as SERVER.TOOL, to be used without asking.

    `risk` says what it is from now on; `again` takes the yes back. Raises ConfigError.
    """
    folder = config.load().plugins.parent
    name, _, wanted = which.partition(".")
    server = kept.read(folder, name)
    if wanted and server.tool(wanted) is None:
        there = ", ".join(tool.name for tool in server.tools) or "none"
        raise ConfigError(f"{name} has no tool {wanted}; it has: {there}")
    if risk is not None and not wanted:
        raise ConfigError(f"--risk is of one tool: {name}.TOOL")
    for tool in server.tools:
        if wanted in ("", tool.name):
            server = server.having(replace(tool, allowed=not again, risk=risk or tool.risk))
    kept.write(folder, server)
    if risk is not None:  # a payment is said otherwise, and has an amount
        from agent.serve.mcp import adding

        settings = config.load()
        skills = Skills.discover((), settings.plugins, apart=settings.alone)
        others = [action for action in skills.actions.values() if action.skill != name]
        adding.write(folder, *adding.take(server, server.tools, others))
    show(name)


def remove(name: str) -> None:
    """Forget a server, its keys and what can be said for it. Raises ConfigError."""
    settings = config.load()
    kept.remove(settings.plugins.parent, settings.data, name)
    streams.echo(f"{name} is removed")
