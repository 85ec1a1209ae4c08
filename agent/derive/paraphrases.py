"""Paraphrases: what people also say, for the stages that weigh words rather than match them.

`paraphrases/<language>.yaml` beside a skill holds `action: [template, …]`, in the syntax of its
sentences and with the same slots. `words.yaml` there (`words.<language>.yaml` for a language other
than English) holds `slot: [value, …]`: what may stand in a slot of free words. Neither can be said
to the speech engine, and no template stage reads them; they are what a call is learned from. What
belongs to no skill is in `agent/derive/none/<language>.txt`, one template a line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from agent.errors import SentenceError
from agent.skill.declare import Action, Declaration, Sentences, check_sentence
from agent.skill.slots import Slot, Text

NONE = "none"
"""Label of what no skill can do."""

NONE_FOLDER = Path(__file__).with_name("none")

MAX_BYTES = 1_000_000
"""Largest file, as for sentences."""


@dataclass(frozen=True, slots=True)
class Example:
    """One text and what it means."""

    text: str
    """As it may be said: lower case, few marks."""
    label: str
    """`skill.action`, or `none`."""
    language: str
    """`en` or `zh`."""
    template: str
    """What it was drawn from."""


def templates(action: Action, language: str) -> tuple[str, ...]:
    """Return the paraphrases of an action, checked; none when it has no file.

    Raises SentenceError naming the file and the template.
    """
    path = _folder(action) / f"{language}.yaml"
    found = _lists(path).get(action.declaration.name, ())
    rules = action.languages.get(language, Sentences()).rules
    for template in found:
        check_sentence(template, action.declaration, str(path), rules)
    return found


def words(action: Action, language: str) -> dict[str, dict[str, Any]]:
    """Return example words by slot, each with its value; words that are no value are left out."""
    path = _folder(action) / ("words.yaml" if language == "en" else f"words.{language}.yaml")
    found: dict[str, dict[str, Any]] = {}
    for name, said in _lists(path).items():
        slot = next((s for s in action.declaration.slots if s.name == name), None)
        if slot is not None and (values := slot.kind.readable(said, language)):
            found[name] = values
    return found


def widened(action: Action, language: str, sentences: bool = True) -> Action:
    """Return the action as if its paraphrases were sentences and its words were lists.

    `sentences` false leaves out the sentences of its own. For drawing examples only.
    """
    own = action.languages.get(language) or Sentences()
    said = (*(own.templates if sentences else ()), *templates(action, language))
    lists: dict[str, Mapping[str, Any]] = dict(own.lists)
    for name, values in words(action, language).items():
        lists[name] = {**(action.values(name, language) or {}), **values}
    wide = replace(own, templates=tuple(dict.fromkeys(said)), lists=lists)
    return replace(action, languages={**action.languages, language: wide})


def examples(
    action: Action, language: str, limit: int, seed: int = 0, sentences: bool = True
) -> Iterator[Example]:
    """Yield texts of every sentence and paraphrase of an action, at most `limit` of each."""
    from agent.derive.sample import samples

    wide = widened(action, language, sentences)
    for template, drawn in samples(wide, language, limit, seed, off_list=False).items():
        for sample in drawn:
            yield Example(sample.text, action.name, language, template)


def none_templates(language: str) -> tuple[str, ...]:
    """Return templates of what belongs to no skill: one a line, `#` begins a remark."""
    path = NONE_FOLDER / f"{language}.txt"
    if not path.is_file():
        return ()
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return tuple(line for line in lines if line and not line.startswith("#"))


def none_examples(language: str, limit: int, seed: int = 0) -> Iterator[Example]:
    """Yield texts that belong to no skill, at most `limit` of each template.

    Raises SentenceError for a line that is not a template.
    """
    from agent.derive.sample import samples
    from agent.skill.template import parse, slot_names

    found = none_templates(language)
    for template in found:
        try:
            parse(template)
        except ValueError as error:
            raise SentenceError(f"{NONE_FOLDER / language}.txt: {template!r} {error}") from None
    name = "words.yaml" if language == "en" else f"words.{language}.yaml"
    listed = _lists(NONE_FOLDER / name)
    slots = dict.fromkeys(slot for template in found for slot in slot_names(template))
    declared = Declaration(
        name=NONE, sentences=(), slots=tuple(Slot(slot, Text(), False) for slot in slots),
        risk="none", permissions={}, summary="", help="", context=None, where="",
    )  # fmt: skip
    lists = {slot: {said: said for said in listed[slot]} for slot in slots if slot in listed}
    action = Action(NONE, declared, lambda: None, {language: Sentences(found, lists)}, "")
    for template, drawn in samples(action, language, limit, seed, off_list=False).items():
        for sample in drawn:
            yield Example(sample.text, NONE, language, template)


def _folder(action: Action) -> Path:
    return Path(action.declaration.where.rpartition(":")[0]).parent / "paraphrases"


def _lists(path: Path) -> Mapping[str, tuple[str, ...]]:
    """Read a mapping of lists of text; empty when there is no such file."""
    try:
        status = path.stat()
    except OSError:
        return {}
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=64)
def _read(path: Path, mtime_ns: int, size: int) -> Mapping[str, tuple[str, ...]]:
    import yaml

    if size > MAX_BYTES:
        raise SentenceError(f"{path}: {size:,} bytes are too many, {MAX_BYTES:,} are the limit")
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise SentenceError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(read or {}, dict):
        raise SentenceError(f"{path}: is a mapping of lists, `name: [text, …]`")
    found = {}
    for name, listed in (read or {}).items():
        if not isinstance(listed, list) or not all(isinstance(text, str) for text in listed):
            raise SentenceError(f"{path}: {name} is a list of texts, each in quotes where in doubt")
        found[str(name)] = tuple(listed)
    return found
