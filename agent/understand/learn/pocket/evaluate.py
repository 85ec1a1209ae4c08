"""How good a pocket model is: `python -m agent.understand.learn.pocket.evaluate [MODEL.gguf]`.

Two questions, each with words that training never used: sentence shapes that it learnt, and those
that were held out (the same seeded split). A held-out sentence whose wording, slots and politeness
aside, a learnt template can produce too is no unseen shape, and is left out. How far the others are
from what was learnt is printed: the fewest words to change, add or drop. With `--real FILE`, JSONL
of `{"text", "skill"}`, also how often the skill is right.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import click

from agent import config
from agent.plugins.skills import Skills
from agent.understand.learn.pocket.data import Sample, Sampler
from agent.understand.learn.pocket.noise import Tagged
from agent.understand.learn.pocket.recipe import Pattern, Recipe, collect
from agent.understand.pocket.layout import NONE
from agent.understand.pocket.reading import spelled, words_of
from agent.understand.pocket.router import Guess, PocketRouter, find

DRAWS = 60
"""Sentences drawn of each learnt template to know what it can produce, slots aside."""
NEIGHBOURS, COMPARED = 3000, 60
"""Learnt wordings looked at for each word of a held-out one, and those of them it is compared with.
The distance found is thus never too small, seldom too large."""
MEASURED = 300
"""Held-out shapes whose distance is measured."""


@dataclass(slots=True)
class Score:
    """Counts of one question."""

    name: str
    """What is printed."""
    total: int = 0
    """Sentences asked."""
    skill: int = 0
    """Of these, with the right skill."""
    action: int = 0
    """With the right action."""
    exact: int = 0
    """With the right action, every slot right and none too many."""
    slotted: int = 0
    """Sentences that have slots."""
    slotted_exact: int = 0
    """Of these, exact."""
    copied: int = 0
    """Where nothing had to be kept from going astray."""
    copied_exact: int = 0
    """Of these, exact."""
    times_ms: list[float] = field(default_factory=list)
    """Of each call."""
    wrong: list[tuple[Sample, Guess]] = field(default_factory=list)
    """What went wrong."""

    def add(self, sample: Sample, call: Guess, took_ms: float) -> None:
        """Count one."""
        said = {slot: spelled(words).strip() for slot, words in sample.slots.items()}
        made = {slot: spelled(words_of(text)).strip() for slot, text in call.slots.items()}
        exact = call.intent == sample.intent and said == made
        self.total += 1
        self.skill += call.intent.partition(".")[0] == sample.intent.partition(".")[0]
        self.action += call.intent == sample.intent
        self.exact += exact
        self.slotted += bool(said)
        self.slotted_exact += exact and bool(said)
        self.copied += call.copied
        self.copied_exact += exact and call.copied
        self.times_ms.append(took_ms)
        if not exact:
            self.wrong.append((sample, call))


def ask(router: PocketRouter, name: str, samples: Iterable[Sample]) -> Score:
    """Ask for every sample."""
    score = Score(name)
    for sample in samples:
        text = spelled([word for word, _ in sample.words]).strip()
        began = time.perf_counter()
        call = router.call(text)
        score.add(sample, call, (time.perf_counter() - began) * 1000)
    return score


def known_shapes(recipe: Recipe, seed: int) -> Iterator[Sample]:
    """Draw sentences of learnt templates, with words that training never uses."""
    learnt, _ = recipe.split(seed)
    for sample, _ in _evenly(recipe, learnt, f"{seed} known"):
        yield sample


class Unseen:
    """Sentences of held-out templates that no learnt template can produce, slots aside."""

    def __init__(self, recipe: Recipe, seed: int) -> None:
        """Draw what the learnt templates can produce; the split is the seed's, as in training."""
        learnt, held = recipe.split(seed)
        self._producible = _carriers(recipe, learnt)
        self._held = len(held)
        self._drawn = _evenly(recipe, held, f"{seed} held")
        self._by_word: dict[str, list[str]] = defaultdict(list)
        for carrier in sorted(self._producible):
            for word in set(carrier.split()):
                self._by_word[word].append(carrier)

    def __iter__(self) -> Iterator[Sample]:
        """Draw for ever, or as long as any of them is unseen."""
        return (sample for sample, _ in self.pairs())

    def pairs(self) -> Iterator[tuple[Sample, str]]:
        """Draw sentences, each with its wording."""
        missed = 0
        for sample, carrier in self._drawn:
            if carrier not in self._producible:
                missed = 0
                yield sample, carrier
            elif (missed := missed + 1) > 100 * self._held:  # none of them is unseen
                return

    def distance(self, carrier: str) -> int:
        """Return how many words must change to make it one that a learnt template produced."""
        words = carrier.split()
        # the nearest shares words with it: count those shared, the commonest words left out
        shared: Counter[str] = Counter()
        for word in sorted(set(words), key=lambda word: len(self._by_word[word])):
            if shared and len(self._by_word[word]) > NEIGHBOURS:
                break
            shared.update(islice(self._by_word[word], NEIGHBOURS))
        near = (other.split() for other, _ in shared.most_common(COMPARED))
        return min((_changes(words, other) for other in near), default=len(words))


def _changes(one: Sequence[str], other: Sequence[str]) -> int:
    """Return Levenshtein's distance, over words."""
    row = list(range(len(other) + 1))
    for at, word in enumerate(one, start=1):
        last, row[0] = row[0], at
        for number, said in enumerate(other, start=1):
            last, row[number] = (
                row[number],
                min(row[number] + 1, row[number - 1] + 1, last + (word != said)),
            )
    return row[-1]


def _evenly(recipe: Recipe, patterns: Sequence[Pattern], seed: str) -> Iterator[tuple[Sample, str]]:
    """Draw of one template after the other, each counts the same; with its wording, unframed."""
    sampler = Sampler(recipe, patterns, seed, unseen=True, noisy=False)
    order = list(patterns)
    random.Random(seed).shuffle(order)
    while order:
        for pattern in order:
            sample, bare = sampler.draw_framed(pattern)
            yield sample, carrier_of(bare)


def _carriers(recipe: Recipe, patterns: Sequence[Pattern]) -> set[str]:
    sampler = Sampler(recipe, patterns, "carriers", noisy=False)
    return {carrier_of(sampler.plain(pattern)) for pattern in patterns for _ in range(DRAWS)}


def carrier_of(sentence: Sequence[Tagged]) -> str:
    """Return a sentence with its slots blank."""
    parts: list[str] = []
    for word, slot in sentence:
        blank = "{" + slot + "}" if slot else word
        if not (slot and parts and parts[-1] == blank):
            parts.append(blank)
    return " ".join(parts)


def real(router: PocketRouter, path: Path) -> Score:
    """Ask for real utterances; only their skill is known."""
    score = Score("real utterances (skill)")
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        began = time.perf_counter()
        call = router.call(row["text"])
        took_ms = (time.perf_counter() - began) * 1000
        skills: dict[str, float] = defaultdict(float)
        for intent, probability in call.probabilities.items():
            skills[intent.partition(".")[0]] += probability
        score.total += 1
        score.skill += max(skills, key=lambda name: skills[name]) == row["skill"]
        score.times_ms.append(took_ms)
    return score


def report(scores: Sequence[Score]) -> str:
    """Return the table."""
    lines = [
        f"{'':34}{'n':>6}{'skill':>8}{'action':>8}{'exact':>8}{'slotted':>9}{'copied':>8}"
        f"{'of these':>9}{'p50 ms':>8}{'p95 ms':>8}"
    ]
    for score in scores:
        times = sorted(score.times_ms) or [0.0]
        shares = [
            (score.skill, score.total),
            (score.action, score.total),
            (score.exact, score.total),
            (score.slotted_exact, score.slotted),
            (score.copied, score.total),
            (score.copied_exact, score.copied),
        ]
        cells = [f"{100 * part / whole:.1f}" if whole and part else "-" for part, whole in shares]
        lines.append(
            f"{score.name:34}{score.total:6}{cells[0]:>8}{cells[1]:>8}{cells[2]:>8}{cells[3]:>9}"
            f"{cells[4]:>8}{cells[5]:>9}{times[len(times) // 2]:8.1f}"
            f"{times[int(len(times) * 0.95)]:8.1f}"
        )
    return "\n".join(lines)


@click.command()
@click.argument("model", required=False, type=click.Path(path_type=Path))
@click.option("--count", default=1500, show_default=True, help="Sentences a question.")
@click.option("--seed", default=0, show_default=True, help="The split's seed, as in training.")
@click.option("--real", "texts", type=click.Path(path_type=Path), help="Real utterances, JSONL.")
@click.option("--wrong", default=0, metavar="N", help="Also print N mistakes a question.")
@click.option("--plugin", "plugins", multiple=True, help="Load one more skill plugin.")
def main(
    model: Path | None,
    count: int,
    seed: int,
    texts: Path | None,
    wrong: int,
    plugins: tuple[str, ...],
) -> None:
    """Print how many calls of a pocket model are exact, and how long they take."""
    settings = config.load()
    recipe = collect(Skills.discover(plugins).actions.values())
    router = PocketRouter(model or find(settings.models))
    missing = set(recipe.slots) - {NONE} - router.actions
    if missing:
        click.echo(f"the model does not know {', '.join(sorted(missing))}", err=True)
    if router.sentences != recipe.fingerprint:
        click.echo(
            "sentences have changed since: new ones count as learnt though it has not seen them",
            err=True,
        )
    if not router.holdout:
        click.echo("the model held nothing out: no shape is unseen", err=True)
    unseen = Unseen(recipe, seed)
    held = list(islice(unseen.pairs(), count))
    scores = [
        ask(router, "known shapes, unknown words", islice(known_shapes(recipe, seed), count)),
        ask(router, "held-out shapes, unknown words", [sample for sample, _ in held]),
    ]
    if texts is not None:
        scores.append(real(router, texts))
    click.echo(report(scores))
    far = Counter(min(4, unseen.distance(carrier)) for _, carrier in held[:MEASURED])
    shares = (
        f"{far[n] / max(1, far.total()):.0%} {n}{' or more' if n == 4 else ''}" for n in range(1, 5)
    )
    click.echo(f"words from a held-out shape to the nearest learnt one: {', '.join(shares)}")
    for score in scores:
        for sample, call in score.wrong[:wrong]:
            said = spelled([word for word, _ in sample.words]).strip()
            wanted = {slot: spelled(words).strip() for slot, words in sample.slots.items()}
            made = f"{call.intent} {dict(call.slots) or ''}"
            click.echo(f"  {said!r}: {sample.intent} {wanted or ''} → {made}")


if __name__ == "__main__":
    main()
