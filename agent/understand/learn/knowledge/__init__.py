"""Teach what a question needs to know: `knowledge.npz` is made by it.

    python -m agent.understand.learn.knowledge [--seed N]

Learns from sentences that were written for it, `en.txt` and `zh.txt` beside this file: sections of
templates by what has to be at hand to answer (`# time`, …), `# none` what a model can know. No text
of a wearer's is among them, and nothing of the questions it is measured with. Every template is
drawn from, and every draw is also read by a model that has seen no other of its template (five
folds): that sets the weights of the opinions and the bound. Seeded; a minute or two on one core.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent import config
from agent.derive.paraphrases import NONE
from agent.errors import GlassesError, SentenceError
from agent.language.text import clean
from agent.skill.declare import KNOWS
from agent.understand.knowledge import DATA, LABELS
from agent.understand.learn.corpus import Read, Row, fold_of
from agent.understand.learn.fit import fit_pool
from agent.understand.learn.semantic import bar, folded, learn, read, unseen
from agent.understand.learned import LEAST, MEANING, Floats, Learned, Pool
from agent.understand.minilm import find

LANGUAGES = ("en", "zh")
DRAWS = {NONE: 14, "": 8}
"""Most texts of a template; what a model can know is the widest, and gets more."""
INVENTED = 0.05
"""Share of the questions that a model cannot know which may still be put to it, in the folds: of
templates that were left out whole. Of questions as people ask them it is under a fifth of that."""

_CHOICE = re.compile(r"\(([^()\[\]]*)\)|\[([^()\[\]]*)\]")
_SECTION = re.compile(r"#\s*(\w+)$")
_LIST = re.compile(r"(\w+)\s*=\s*(.+)$")


def draw(template: str, lists: dict[str, str], rng: random.Random) -> str:
    """Return one text of a template: `(a|b)` is either, `[a]` may be left out, `{x}` is a list."""
    text = re.sub(r"\{(\w+)\}", lambda name: f"({lists[name[1]]})", template)
    while found := _CHOICE.search(text):
        ways = found[1].split("|") if found[1] is not None else [*found[2].split("|"), ""]
        text = text[: found.start()] + rng.choice(ways) + text[found.end() :]
    return clean(text)


def templates(language: str) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return the lists of words, and each template after its section. Raises SentenceError."""
    lists: dict[str, str] = {}
    found: list[tuple[str, str]] = []
    section = ""
    text = files(__package__).joinpath(f"{language}.txt").read_text(encoding="utf-8")
    for number, line in enumerate(map(str.strip, text.splitlines()), start=1):
        where = f"{language}.txt:{number}"
        if not line or line.startswith(";"):
            continue
        if begun := _SECTION.match(line):
            section = begun[1]
            if section not in LABELS:
                raise SentenceError(f"{where}: {section!r} is not one of {', '.join(LABELS)}")
        elif not section and (listed := _LIST.match(line)):
            lists[listed[1]] = listed[2]
        else:
            for name in re.findall(r"\{(\w+)\}", line):
                if name not in lists:
                    raise SentenceError(f"{where}: there is no list {name!r}")
            if any(line.count(a) != line.count(b) for a, b in ("()", "[]", "{}")):
                raise SentenceError(f"{where}: brackets do not match")
            found.append((section, line))
    return lists, found


def rows(seed: int = 0) -> Iterator[Row]:
    """Yield texts to learn from; each template counts alike, whatever it can say."""
    for language in LANGUAGES:
        lists, found = templates(language)
        for section, template in found:
            rng = random.Random(f"{seed} {template}")
            most = DRAWS.get(section, DRAWS[""])
            ways = template.count("|") + 4 * template.count("{")
            texts = {draw(template, lists, rng) for _ in range(max(4, min(4 * most, ways)))}
            for text in sorted(texts):
                group = f"{language} {template}"
                yield Row(text, frozenset((section,)), language, group, 1.0)


def bound(p: Floats, needs: NDArray[np.bool_]) -> float:
    """Return the probability of `none` over which only INVENTED of the needy are, at least a half.

    What is rather one that a model cannot know is never put to it.
    """
    high = np.sort(p[needs])[::-1]
    return max(0.5, float(high[int(INVENTED * len(high))]))


def train(models: Path | None, seed: int = 0) -> tuple[Learned, list[str]]:
    """Learn everything; return it with a line on each pool, of text it had not seen."""
    drawn = list(rows(seed))
    reader = find(models) if models is not None else None
    with bar() as show:
        text = read(drawn, LABELS, reader, show)
        folds = np.array([fold_of(row) for row in drawn])
        nothing = text.rows(np.array([], np.int64))
        found = unseen(text, folded(nothing, text, folds, seed, show))
    words, head = learn(text, seed)
    made, told = pools(found, text)
    return Learned(LABELS, words, head, made, {}), told


def pools(found: dict[str, Floats], text: Read) -> tuple[dict[str, Pool], list[str]]:
    """Fit how opinions are pooled and from where a model is asked, and say how well that does."""
    none = LABELS.index(NONE)
    made, told = {}, []
    for names in (("words",), ("words", MEANING)):
        if any(name not in found for name in names):
            continue
        at = np.flatnonzero(text.is_read) if MEANING in names else np.arange(len(text.is_read))
        logs = [np.log(found[name][at] + LEAST) for name in names]
        weights, bias = fit_pool(logs, none, text.allowed[at])
        pool = Pool(dict(zip(names, weights, strict=True)), bias, 0.5)
        p = pool({name: found[name][at] for name in names}, none)
        needy = ~text.allowed[at][:, none]
        pool = replace(pool, accept=bound(p[:, none], needy))
        right = text.allowed[at][np.arange(len(at)), p.argmax(axis=1)].mean()
        asked = p[:, none] > pool.accept
        told.append(
            f"{'+'.join(names):14} {right:.2%} right; asked from {pool.accept:.3f}:"
            f" {asked[~needy].mean():.2%} of what a model can know, {asked[needy].mean():.2%} of"
            f" what it cannot; {len(at)} texts"
        )
        made["+".join(names)] = pool
    return made, told


def main(arguments: list[str] | None = None) -> int:
    """Train, report and write; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m agent.understand.learn.knowledge",
        description="Teach what a question needs to know.",
    )
    parser.add_argument("--out", type=Path, default=DATA, help="file to write; ours if not given")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    try:
        learned, told = train(config.load().models, options.seed)
        learned.save(options.out)
    except GlassesError as error:
        print(error, file=sys.stderr)
        return 1
    print("Of drawn text, each read by a model that had not seen its template:")
    print(*told, sep="\n")
    print(f"{options.out} ({options.out.stat().st_size / 1e6:.2f} MB), {len(KNOWS)} needs")
    return 0
