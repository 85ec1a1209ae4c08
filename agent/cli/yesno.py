"""`glasses yesno`: what lines mean as answers to a question."""

from __future__ import annotations

from collections.abc import Iterable

from agent.cli import streams
from agent.cli.output import print_json
from agent.language.yesno import answer


def run(lines: Iterable[str], as_json: bool) -> None:
    """Print what each line means, as soon as it has come."""
    for line in lines:
        if as_json:
            print_json({"text": line, "answer": answer(line)})
        else:
            streams.echo(answer(line))
