"""Talk to the glasses, try them in text, and see what they show."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Literal

import click

from agent.cli.options import (
    LANGUAGE,
    PLUGIN,
    RECORD,
    as_text,
    certificates,
    has_folder,
    one_line_errors,
)
from agent.cli.output import JSON


@click.command()
@LANGUAGE
@PLUGIN
@click.option(
    "--demo", is_flag=True, help="Stream the spoken commands that ship, microphone or not."
)
@RECORD
@one_line_errors
def talk(language: str | None, plugins: tuple[str, ...], demo: bool, record: Path | None) -> None:
    """Listen, answer, and draw the lens in the terminal."""
    from agent.cli.talk import run

    asyncio.run(run(language, plugins, demo, record=record))


@click.command()
@click.option("--host", metavar="HOST", help="Address to listen on; this machine only by default.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="PORT", help="8642, or a free one.")
@click.option("--profile", metavar="NAME", help="Which glasses, such as even-g1.")
@LANGUAGE
@PLUGIN
@click.option("--no-browser", is_flag=True, help="Print the address and open nothing.")
@certificates
@one_line_errors
def simulate(
    host: str | None,
    port: int | None,
    profile: str | None,
    language: str | None,
    plugins: tuple[str, ...],
    no_browser: bool,
    certificate: Path | None,
    key: Path | None,
) -> None:
    """Wear the glasses in a browser: lens, microphone, camera, head, batteries.

    With a HOST that others can reach, the address holds a token that nobody guesses; browsers give
    a page of another machine microphone and camera only by TLS.
    """
    from agent.cli import tls
    from agent.cli.simulate import run

    run(host, port, profile, language, plugins, not no_browser, tls.chosen(certificate, key))


@click.command()
@LANGUAGE
@PLUGIN
@RECORD
@one_line_errors
def repl(language: str | None, plugins: tuple[str, ...], record: Path | None) -> None:
    """Type instead of talking; reads from a pipe too."""
    from agent.cli.repl import run

    asyncio.run(run(language, plugins, record=record))


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--gif",
    "film",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="OUT",
    help="Also write what the lens shows as a film.",
)
@PLUGIN
@one_line_errors
def replay(file: Path, film: Path | None, plugins: tuple[str, ...]) -> None:
    """Give a recorded session to the agent again; exit with 1 when it answers otherwise."""
    from agent.cli.session import replay as again

    has_folder(film)
    sys.exit(again(file, plugins, film))


@click.command()
@click.argument("card", metavar="CARD.json")
@click.option(
    "--profile",
    metavar="NAME",
    help="Lens to draw on, or the path of your own profile; that of the settings by default.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A .png, or a .gif in which each page stays for its time; in the terminal by default.",
)
@one_line_errors
def render(card: str, profile: str | None, out: Path | None) -> None:
    """Draw the card in CARD.json, `-` for standard input, as the lens would show it."""
    from agent.cli.render import render as draw
    from agent.config import load

    has_folder(out)
    draw(card, profile or load().profile, out)


@click.command()
@click.argument("text", callback=as_text)
@JSON
@LANGUAGE
@PLUGIN
@one_line_errors
def say(text: str, as_json: bool, language: str | None, plugins: tuple[str, ...]) -> None:
    """Answer one TEXT and exit."""
    from agent.cli.machine import say as answer

    sys.exit(asyncio.run(answer(text, as_json, language, plugins)))


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--pace",
    type=click.Choice(["realtime", "fast"]),
    default="fast",
    show_default=True,
    help="Stream as a microphone would, or as fast as it can be heard.",
)
@JSON
@LANGUAGE
@PLUGIN
@one_line_errors
def listen(
    files: tuple[str, ...],
    pace: Literal["realtime", "fast"],
    as_json: bool,
    language: str | None,
    plugins: tuple[str, ...],
) -> None:
    """Hear sound FILES, `-` for standard input, as if they were spoken into the microphone."""
    from agent.cli.machine import listen as hear

    sys.exit(asyncio.run(hear(files, pace, as_json, language, plugins)))


COMMANDS = [talk, simulate, repl, replay, render, say, listen]
"""What `glasses` has of this file."""
