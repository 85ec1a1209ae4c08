"""What is the wearer's own: voice, PIN, secrets, notes, reminders, and all of it at once."""

from __future__ import annotations

from pathlib import Path

import click

from agent.cli.options import LANGUAGE, PLUGIN, as_text, has_folder, one_line_errors
from agent.cli.output import JSON
from agent.errors import ConfigError, GlassesError


@click.command("enroll")
@LANGUAGE
@PLUGIN
@click.option(
    "--from",
    "source",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Recordings with a transcripts.txt, its lines as --sentences prints them.",
)
@click.option("--forget", is_flag=True, help="Remove the voice that was enrolled.")
@click.option("--sentences", is_flag=True, help="Print the lines to read, and end.")
@click.option(
    "--voice",
    "only_voice",
    is_flag=True,
    help="Only learn who speaks; what is read may be Chinese.",
)
@one_line_errors
def enroll_voice(
    language: str | None,
    plugins: tuple[str, ...],
    source: Path | None,
    forget: bool,
    sentences: bool,
    only_voice: bool,
) -> None:
    """Read aloud for a minute, be understood better, and pay by your own voice alone.

    What is kept is how your voice differs from the average one, not what you said.
    """
    from agent.cli.enroll import enroll as run

    run(language, plugins, source, forget, sentences, only_voice)


@click.command()
@click.option("--remove", is_flag=True, help="Remove it: above the limit nothing is paid then.")
@one_line_errors
def pin(remove: bool) -> None:
    """Choose the PIN that a payment above the limit wants; the old one is asked for first.

    Only a hash of it is kept.
    """
    from agent.cli.kept import choose_pin

    choose_pin(remove)


@click.group()
def secrets() -> None:
    """Keys and tokens of what is connected, in the keyring or an encrypted file."""


@secrets.command("list")
@one_line_errors
def list_secrets() -> None:
    """Say which there are and where they are kept; never what they are."""
    from agent import config
    from agent.cli import kept

    keys = kept.secrets(config.load())
    print("\n".join([*keys.names(), f"kept in: {keys.where}"]))


@secrets.command("put")
@click.argument("name")
@one_line_errors
def put_secret(name: str) -> None:
    """Keep the secret NAME, such as alipay-app-key; it is asked for, or read from a pipe."""
    from agent.cli.kept import put_secret as put

    put(name)


@secrets.command("remove")
@click.argument("name")
@one_line_errors
def remove_secret(name: str) -> None:
    """Erase the secret NAME."""
    from agent import config
    from agent.cli import kept

    if not kept.secrets(config.load()).forget(name):
        raise ConfigError(f"there is no secret {name}: see glasses secrets list")


@click.command()
@click.option("--list", "listed", is_flag=True, help="Show what was paired.")
@click.option("--forget", metavar="NAME", help="Forget a lens.")
@click.option(
    "--seconds",
    type=click.FloatRange(1, 60),
    default=8.0,
    show_default=True,
    help="How long to look.",
)
@click.argument("name", required=False)
@one_line_errors
def pair(listed: bool, forget: str | None, seconds: float, name: str | None) -> None:
    """Find a real lens over Bluetooth, and remember it: Even G1, Brilliant Halo, ActiveLook.

    GLASSES_LENS then shows on it. NAME is what the lens is called, where several are in reach.
    """
    from agent.cli import pair as pairing

    if listed:
        pairing.show()
    elif forget is not None:
        pairing.forget(forget)
    else:
        pairing.pair(name, seconds)


@click.command("export")
@click.argument("out", type=click.Path(path_type=Path), metavar="FILE.zip")
@one_line_errors
def export_data(out: Path) -> None:
    """Hand over all that is kept about you, in one file; without secrets."""
    from agent import config
    from agent.cli import kept

    print(f"{kept.export(config.load(), out)} files are in {out}")


@click.command("forget")
@click.option("--yes", is_flag=True, help="Do not ask.")
@one_line_errors
def forget_data(yes: bool) -> None:
    """Erase all that is kept about you: payments, the PIN, secrets, what skills keep."""
    from agent import config
    from agent.cli import kept

    settings = config.load()
    if not yes:
        click.confirm(f"Erase everything in {settings.data}? It cannot be undone", abort=True)
    print(f"{kept.forget(settings)} things were erased")


@click.group()
def memory() -> None:
    """List, add, edit, export and forget what you asked to have remembered."""


@memory.command("list")
@JSON
@one_line_errors
def list_notes(as_json: bool) -> None:
    """Show all of it, the oldest first."""
    from agent.cli.memory import show

    show(as_json)


@memory.command("add")
@click.argument("text", callback=as_text)
@one_line_errors
def add_note(text: str) -> None:
    """Remember TEXT."""
    from agent.cli.memory import add

    add(text)


@memory.command("edit")
@click.argument("number", type=int)
@click.argument("text", callback=as_text)
@one_line_errors
def edit_note(number: int, text: str) -> None:
    """Put TEXT in the place of the note NUMBER."""
    from agent.cli.memory import edit

    edit(number, text)


@memory.command("forget")
@click.argument("numbers", nargs=-1, type=int, metavar="[NUMBER]...")
@click.option("--all", "everything", is_flag=True, help="Forget everything.")
@one_line_errors
def forget_notes(numbers: tuple[int, ...], everything: bool) -> None:
    """Forget notes by NUMBER; nothing else remembers them."""
    from agent.cli.memory import forget

    forget(numbers, everything)


@memory.command("export")
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
@JSON
@one_line_errors
def export_notes(out: Path | None, as_json: bool) -> None:
    """Write all of it, as Markdown or one JSON array, to FILE or standard output."""
    from agent.cli.memory import export

    has_folder(out)
    export(out, as_json)


@click.command()
@click.option("--export", "out", type=click.Path(path_type=Path), help="Write an .ics file.")
@click.option("--import", "read", type=click.Path(path_type=Path), help="Take an .ics file.")
@one_line_errors
def reminders(out: Path | None, read: Path | None) -> None:
    """List timers, alarms and reminders that are to come; write and take iCalendar."""
    from agent import config
    from agent.cli.reminders import run

    try:
        run(config.load().data, out, read)
    except OSError as error:
        raise GlassesError(
            f"{error.filename or 'the schedule'}: {error.strerror or error}"
        ) from None


COMMANDS = [enroll_voice, pin, pair, secrets, export_data, forget_data, memory, reminders]
"""What `glasses` has of this file."""
