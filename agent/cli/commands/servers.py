"""Other people's servers as skills, and being a server oneself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from agent.cli.options import LANGUAGE, PLUGIN, Command, certificates, one_line_errors


def _where(port: str) -> Callable[[Command], Command]:
    return click.option(
        "--host",
        "where",
        metavar="[HOST:]PORT",
        default=port,
        show_default=True,
        help="Where to listen; this machine only without a HOST.",
    )


@click.group()
def mcp() -> None:
    """Use servers of the Model Context Protocol, or be one."""


@mcp.command("add", context_settings={"allow_interspersed_args": False})
@click.option(
    "--env",
    "environment",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="A variable for a command; without VALUE it is asked for.",
)
@click.option(
    "--header",
    "headers",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="A header for a URL; without VALUE it is asked for.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(0.5, 9.5),
    default=8.0,
    show_default=True,
    metavar="SECONDS",
    help="Longest a call may take.",
)
@click.option(
    "--calls",
    type=click.IntRange(1, 100_000),
    default=120,
    show_default=True,
    metavar="N",
    help="Most calls in an hour.",
)
@click.option("--allow", "allowed", is_flag=True, help="Do not ask before a tool's first use.")
@click.option(
    "--client-id",
    metavar="ID",
    help="Who you are registered as, where a URL signs in nobody else.",
)
@click.option("--client-secret", "secret", is_flag=True, help="Ask for the secret of that ID.")
@click.argument("name")
@click.argument("where", nargs=-1, required=True, metavar="COMMAND…|URL")
@one_line_errors
def add_mcp(
    environment: tuple[str, ...],
    headers: tuple[str, ...],
    timeout_s: float,
    calls: int,
    allowed: bool,
    client_id: str | None,
    secret: bool,
    name: str,
    where: tuple[str, ...],
) -> None:
    """Make the tools of a server skills: NAME is what you call it.

    Options come first; what follows NAME is the server's command, or its URL. A server at a URL may
    want you to sign in: open the link that is shown. Keys and tokens are kept as secrets.
    """
    from agent.cli.mcp import add

    client = None
    if client_id is not None:
        asked = click.prompt("client secret", hide_input=True) if secret else ""
        client = client_id, str(asked).strip()
    add(name, where, environment, headers, (timeout_s, calls), allowed, client)


@mcp.command("login")
@click.argument("name")
@one_line_errors
def login_mcp(name: str) -> None:
    """Sign in to NAME, a server at a URL: open the link that is shown."""
    from agent.cli.mcp import login

    login(name)


@mcp.command("list")
@click.argument("name", required=False)
@one_line_errors
def list_mcp(name: str | None) -> None:
    """Show the servers, or the tools of NAME with what each may do."""
    from agent.cli.mcp import show

    show(name)


@mcp.command("test")
@click.argument("name")
@one_line_errors
def test_mcp(name: str) -> None:
    """Connect to NAME; exit with 1 when it is not there, or not as you agreed to it."""
    from agent.cli.mcp import test

    test(name)


@mcp.command("update")
@click.argument("name")
@one_line_errors
def update_mcp(name: str) -> None:
    """Take the tools of NAME as they are now; what is new asks before its first use."""
    from agent.cli.mcp import update

    update(name)


@mcp.command("allow")
@click.argument("which", metavar="NAME[.TOOL]")
@click.option(
    "--risk",
    type=click.Choice(["none", "change", "money", "off"]),
    help="What the tool is from now on; off is never done.",
)
@click.option("--ask", "again", is_flag=True, help="Ask again before the next use.")
@one_line_errors
def allow_mcp(which: str, risk: Any, again: bool) -> None:
    """Let a server, or one of its tools, be used without asking first; a payment always asks."""
    from agent.cli.mcp import permit

    permit(which, risk, again)


@mcp.command("remove")
@click.argument("name")
@one_line_errors
def remove_mcp(name: str) -> None:
    """Forget server NAME with its keys."""
    from agent.cli.mcp import remove

    remove(name)


@mcp.command("serve")
@click.option(
    "--http",
    "where",
    metavar="[HOST:]PORT",
    help="Over streamable HTTP; on the standard streams by default.",
)
@certificates
@LANGUAGE
@PLUGIN
@one_line_errors
def serve_mcp(
    where: str | None,
    certificate: Path | None,
    key: Path | None,
    language: str | None,
    plugins: tuple[str, ...],
) -> None:
    """Be a server: every skill is a tool, under the same rules as if it had been said.

    GLASSES_MCP does the same beside a conversation. With a HOST that others can reach, a token is
    asked for.
    """
    from agent.cli.serving import serve

    asyncio.run(serve(where, plugins, language, (certificate, key)))


@click.group()
def wyoming() -> None:
    """Be a server of the Wyoming protocol, as for Home Assistant."""


@wyoming.command("serve")
@_where("10300")
@click.option(
    "--from",
    "guests",
    multiple=True,
    metavar="ADDRESS",
    help="Who may come from other machines: an address, or a network as 192.168.1.0/24.",
)
@click.option("--hidden", is_flag=True, help="Do not tell the network where it is.")
@LANGUAGE
@PLUGIN
@one_line_errors
def serve_wyoming(
    where: str,
    guests: tuple[str, ...],
    hidden: bool,
    language: str | None,
    plugins: tuple[str, ...],
) -> None:
    """Be a server: your ears for what others record, and answers to what they ask as text.

    GLASSES_WYOMING does the same beside a conversation. What a client asks is answered like what is
    said, but it can only propose a payment.
    """
    from agent.cli.serving import serve_wyoming as serve

    asyncio.run(serve(where, guests, hidden, plugins, language))


@click.group()
def rtvi() -> None:
    """Be a bot for Pipecat's clients, which speak RTVI."""


@rtvi.command("serve")
@_where("7860")
@certificates
@LANGUAGE
@PLUGIN
@one_line_errors
def serve_rtvi(
    where: str,
    certificate: Path | None,
    key: Path | None,
    language: str | None,
    plugins: tuple[str, ...],
) -> None:
    """Be a bot over WebSocket: text and sound in, text out.

    GLASSES_RTVI does the same beside a conversation. What a client says is answered like what is
    said, but it can only propose a payment. With a HOST that others can reach, a token is asked
    for.
    """
    from agent.cli.serving import serve_sockets

    asyncio.run(serve_sockets("rtvi", where, plugins, language, (certificate, key)))


@click.group()
def xiaozhi() -> None:
    """Be a server for xiaozhi's devices: cheap hardware as a pair of ears."""


@xiaozhi.command("serve")
@_where("8000")
@certificates
@LANGUAGE
@PLUGIN
@one_line_errors
def serve_xiaozhi(
    where: str,
    certificate: Path | None,
    key: Path | None,
    language: str | None,
    plugins: tuple[str, ...],
) -> None:
    """Be a server over WebSocket: what is said into a device is answered on its screen.

    GLASSES_XIAOZHI does the same beside a conversation. What is said is answered like anything
    said, but it can only propose a payment. With a HOST that others can reach, the address that a
    device is given holds a token.
    """
    from agent.cli.serving import serve_sockets

    asyncio.run(serve_sockets("xiaozhi", where, plugins, language, (certificate, key)))


@click.group(invoke_without_command=True)
@_where("8650")
@click.option(
    "--sessions",
    type=click.IntRange(1, 100_000),
    metavar="N",
    help="Most glasses at once of each replica; 20 a core, shared out among them, by default.",
)
@click.option(
    "--replicas",
    type=click.IntRange(1, 1_000),
    default=1,
    show_default=True,
    metavar="N",
    help="Processes that serve; one that dies is replaced, and SIGHUP replaces all, one by one.",
)
@certificates
@click.option(
    "--ray",
    "cluster",
    metavar="ADDRESS",
    help="Run on Ray Serve: `local`, or the cluster at ADDRESS (`auto` finds it).",
)
@LANGUAGE
@PLUGIN
@click.pass_context
@one_line_errors
def hub(
    context: click.Context,
    /,
    where: str,
    sessions: int | None,
    replicas: int,
    certificate: Path | None,
    key: Path | None,
    cluster: str | None,
    language: str | None,
    plugins: tuple[str, ...],
) -> None:
    """Be a hub for many glasses: each a WebSocket, with an agent of its own.

    Glasses come with a tenant's key: glasses hub add NAME. All replicas share the data folder; one
    that is killed loses no turn, and no payment is made twice.
    """
    if context.invoked_subcommand is not None:
        return
    from agent.cli import hub as serving
    from agent.cli import tls

    each, secure = (
        serving.wanted(sessions, replicas, language, plugins),
        tls.chosen(certificate, key),
    )
    if cluster is None:
        serving.run(where, each, replicas, secure)
        return
    from agent.cli import cluster as on_ray

    on_ray.run(where, each, replicas, secure, cluster)


@hub.command("add")
@click.option("--sessions", type=click.IntRange(0), default=100, show_default=True, metavar="N",
              help="Glasses at once.")  # fmt: skip
@click.option("--glasses", type=click.IntRange(0), default=1_000, show_default=True, metavar="N",
              help="Glasses that may ever come.")  # fmt: skip
@click.option("--turns", "turns_a_minute", type=click.IntRange(0), default=30, show_default=True,
              metavar="N", help="Turns a minute of each.")  # fmt: skip
@click.argument("name")
@one_line_errors
def add_tenant(name: str, sessions: int, glasses: int, turns_a_minute: int) -> None:
    """Let tenant NAME in, and print its key, once; with a new key where there is one already."""
    from agent.cli.hub import add
    from agent.serve.hub.tenants import Tenant

    add(Tenant(name, "", sessions, glasses, turns_a_minute))


@hub.command("remove")
@click.argument("name")
@one_line_errors
def remove_tenant(name: str) -> None:
    """Let tenant NAME in no more."""
    from agent.cli.hub import remove

    remove(name)


@hub.command("list")
@one_line_errors
def list_tenants() -> None:
    """Show the tenants and their shares."""
    from agent.cli.hub import show

    show()


COMMANDS = [mcp, wyoming, rtvi, xiaozhi, hub]
"""What `glasses` has of this file."""
