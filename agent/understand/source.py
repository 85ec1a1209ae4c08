"""Which model reads sentences for the semantic stage, and what was learned for it.

An embedding GGUF in the models folder with what `train --embedding` fitted to it, or else MiniLM
where it was fetched, or else nothing: then words alone decide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from agent.errors import EngineError
from agent.models import header, store
from agent.models.llm.store import find_embeddings
from agent.understand import minilm
from agent.understand.embedding import COMMAND, Embedding
from agent.understand.learned import MEANING, WORDS, Learned
from agent.understand.minilm import MiniLM
from agent.understand.reader import Reader

NOTHING = "words alone"
MINILM = "minilm"
"""What MiniLM is called in the store."""


@dataclass(frozen=True, slots=True)
class Source:
    """What reads, and what goes with it."""

    reader: Reader | None
    """None where nothing reads."""
    learned: Learned | None
    """What was fitted to the reader; None is what ships, which is MiniLM's."""
    notes: tuple[str, ...] = ()
    """A line for each file that is there and cannot be used: what is wrong, what helps."""


def choose(models: Path) -> Source:
    """Return the first that can be used, loaded."""
    notes: list[str] = []
    for path in _embeddings(models):
        try:
            store.trusted(path, "sentences")
            return Source(*_loaded(path), tuple(notes))
        except EngineError as error:
            notes.append(str(error))
    reader = None
    try:
        reader = minilm.find(models)
    except EngineError as error:
        notes.append(str(error))
    meanwhile = reader.name if reader else NOTHING
    return Source(reader, None, tuple(f"{note}; meanwhile: {meanwhile}" for note in notes))


def look(models: Path) -> tuple[str, list[str]]:
    """Return the name of what will be used, and what is wrong, without loading a large model."""
    notes: list[str] = []
    for path in _embeddings(models):
        try:
            store.trusted(path, "sentences")
            header.check(path)
            fitted(path)
        except EngineError as error:
            notes.append(str(error))
        else:
            return path.stem, notes
    try:
        found = minilm.find(models)  # small enough to be loaded
    except EngineError as error:
        return NOTHING, [*notes, str(error)]
    return MiniLM.name if found else NOTHING, notes


def _embeddings(models: Path) -> list[Path]:
    """Return the embedding models in the order in which they are tried."""
    wanted = store.chosen(models).get("sentences", "")
    if wanted == MINILM:
        return []
    found = find_embeddings(models)
    return sorted(found, key=lambda path: wanted not in store.names(path))


def fitted(path: Path) -> Learned:
    """Read what was learned for an embedding file. Raises EngineError: it has to be fitted."""
    beside = path.with_suffix(".npz")
    command = f"run `{COMMAND} {path}`"
    if not beside.is_file():
        raise EngineError(f"{path.name}: not fitted to the skills yet; {command}")
    try:
        learned = Learned.load(beside)
    except EngineError:
        raise EngineError(f"{beside}: damaged; {command}") from None
    if learned.reader != mark(path) or f"{WORDS}+{MEANING}" not in learned.pools:
        raise EngineError(f"{beside}: fitted to another file than {path.name} now is; {command}")
    return learned


def mark(path: Path) -> str:
    """Return what tells a file from another one, and from a part of itself."""
    return f"{path.stat().st_size} bytes"


def _loaded(path: Path) -> tuple[Reader, Learned]:
    learned = fitted(path)
    reader = Embedding(path)
    if math.prod(reader.shape) != len(learned.head[0]):
        raise EngineError(f"{path.name}: not what was fitted; run `{COMMAND} {path}`")
    return reader, learned
