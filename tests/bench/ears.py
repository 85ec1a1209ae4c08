"""The pair of ears on real weights: commands, free speech, free words, nothing, and peers.

    python -m tests.bench.ears                   # all of it
    python -m tests.bench.ears recognition       # or one of its parts

Commands are heard as in `tests.bench.recognition`, each clip once by the pair, and judged three
times: by the pair's result, the grammar engine's alone, and Whisper's alone.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.progress import track

from agent.errors import EngineError
from agent.loop import Agent
from hardware.audio import read
from tests.bench import curves, free, nothing, peers
from tests.bench.mix import NOISES, mixed, samples
from tests.bench.pair import Ears, Heard, opened, routing, weights
from tests.bench.recognition import AMBIENT, SNRS_DB, meant, other_speech
from tests.bench.turns import percent
from tests.shared import MISSING, Order, orders

OUT = Path("bench-results")
PREFIX = "ears: "
"""What the names of the sections begin with."""
WHO: dict[str, Callable[[Heard], str]] = {
    "": lambda heard: heard.both.text,
    "grammar_alone_": lambda heard: heard.grammar.text,
    "whisper_alone_": lambda heard: heard.whisper.text,
}
"""Whose result is judged, by the beginning of its figures' names."""


@dataclass(frozen=True, slots=True)
class Amount:
    """How much is measured."""

    quick: bool = False
    """Some clips instead of all."""
    realtime: int = 40
    """Clips that are streamed at the pace of speech to see how long a transcript takes."""
    minutes: float | None = None
    """How long nothing is heard; None for 10, and 2 in a quick run."""


Figures = dict[str, dict[str, float]]


def recognition(amount: Amount) -> Figures:
    """Return the acceptance of orders, and the other speech that is taken for a command."""
    said = orders()[:: 6 if amount.quick else 2]
    if not said:
        return {}
    with routing() as agent, opened(agent.sayings("en")) as ears:
        found = _levels(_accepted(agent, ears, said, "quiet", None, 0), {
            (name, snr_db): _accepted(agent, ears, said, name, path, snr_db)
            for name, path in NOISES.items() for snr_db in SNRS_DB
        })  # fmt: skip
        other = list(other_speech())[:: 6 if amount.quick else 1]
        heard = [ears.hear(*piece) for piece in track(other, "hearing other speech")]
        found["other_speech_pieces"] = float(len(heard))
        for who, text in WHO.items():
            taken = (meant(agent, text(one)) is not None for one in heard)
            found[f"{who}false_accept_percent"] = percent(taken)
    return {PREFIX + "recognition": found}


def _accepted(
    agent: Agent, ears: Ears, said: Sequence[Order], name: str, path: Path | None, snr_db: float
) -> dict[str, float]:
    """Return how many percent of the orders are right, by whose result is judged."""
    noise = samples(path) if path else None
    right: dict[str, list[bool]] = {who: [] for who in WHO}
    for order in track(said, f"hearing orders in {name}" + (f" at {snr_db} dB" if path else "")):
        sound = mixed(f"{order.path.name}/{name}", read(order.path), noise, snr_db)
        heard = ears.hear(sound[:AMBIENT], sound[AMBIENT:])
        for who, text in WHO.items():
            right[who].append(meant(agent, text(heard)) == (order.action, order.slots))
    return {who: percent(hits) for who, hits in right.items()}


def _levels(
    clean: dict[str, float], noisy: dict[tuple[str, int], dict[str, float]]
) -> dict[str, float]:
    """Return the table of a run by noise and level, and how much worse both are than one alone."""
    found: dict[str, float] = {}
    by_level: dict[str, list[float]] = {}
    for who in WHO:
        found[f"{who}accepted_clean_percent"] = clean[who]
        for (name, snr_db), shares in noisy.items():
            found[f"{who}accepted_{name}_{snr_db}db_percent"] = shares[who]
        means = {
            snr_db: statistics.mean(s[who] for (_, at), s in noisy.items() if at == snr_db)
            for snr_db in dict.fromkeys(snr_db for _, snr_db in noisy)
        }
        for snr_db, mean in means.items():
            found[f"{who}accepted_{snr_db}db_percent"] = mean
        found[f"{who}accepted_mean_percent"] = statistics.mean(means.values())
        by_level[who] = [clean[who], *means.values()]
    found["worse_than_one_alone_points"] = worse(by_level.pop(""), by_level.values())
    return found


def worse(both: Sequence[float], alone: Iterable[Sequence[float]]) -> float:
    """Return by how many points both are worse than one alone, at the level where most; or 0."""
    return max(0.0, *(one - mine for of in alone for one, mine in zip(of, both, strict=True)))


def _speech(amount: Amount) -> Figures:
    realtime = min(amount.realtime, 8) if amount.quick else amount.realtime
    found = free.speech(amount.quick, realtime)
    return {PREFIX + "free speech": found} if found else {}


def _slots(amount: Amount) -> Figures:
    found = free.slots(amount.quick)
    return {PREFIX + "free slots": found} if found else {}


def _nothing(amount: Amount) -> Figures:
    found = nothing.figures(amount.minutes or (2.0 if amount.quick else 10.0))
    return {PREFIX + "nothing": found} if found else {}


def _peers(amount: Amount) -> Figures:
    found = peers.figures(24 if amount.quick else 6)
    if found:
        curves.draw_peers(found, OUT / "peers.png")
    return {f"{PREFIX}peers, {who}": figures for who, figures in found.items()}


PARTS: dict[str, Callable[[Amount], Figures]] = {
    "recognition": recognition,
    "speech": _speech,
    "slots": _slots,
    "nothing": _nothing,
    "peers": _peers,
}


def figures(amount: Amount = Amount(), parts: Iterable[str] = PARTS) -> Figures:
    """Return the sections. Raises EngineError where there are no weights."""
    weights()
    found: Figures = {}
    for part in parts:
        found |= PARTS[part](amount)
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"some of: {', '.join(PARTS)}")
    parser.add_argument("--quick", action="store_true", help="some clips instead of all")
    parser.add_argument("--realtime", type=int, default=40, help="clips at real-time pace (40)")
    parser.add_argument("--minutes", type=float, help="how long nothing is heard (10; quick 2)")
    given = parser.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}: choose among {', '.join(PARTS)}")
    amount = Amount(given.quick, given.realtime, given.minutes)
    for part in given.parts or PARTS:
        try:
            found = figures(amount, [part])
        except EngineError as error:
            parser.exit(1, f"{error}\n")
        if not found:
            print(f"{part} is left out: {MISSING}")
        for section, values in found.items():
            print(section)
            for name, value in values.items():
                print(f"  {name.replace('_', ' '):46}{value:10,.1f}", flush=True)


if __name__ == "__main__":
    main()
