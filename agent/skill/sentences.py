"""Sentence files: what a skill says and understands in one language, written without Python.

`sentences/<language>.yaml` beside a skill, in the format of Home Assistant's intents:

    language: zh
    name: 计时                        # what the wearer reads the skill called
    intents:
      timer:                          # the name of an action
        data:
          - sentences: ["<set>{length}的计时器", "{length}后提醒我"]
    lists:
      size:
        values: [{in: 大, out: large}, {in: 小, out: small}]
    expansion_rules:
      set: "[请](设|定)[一个]"
    skip_words: [劳驾]
    responses:
      "Timer set": "计时器已设好"

`responses` is ours: it maps the English text that a skill says to its translation. A list has
`values`, a `range` (`from`, `to`, `step`) or is a `wildcard`; `{list:slot}` fills a slot from a
list of another name; `lists` and `expansion_rules` may also stand beside `sentences`. A mistake is
a SentenceError that names the file, the line and the reason.
"""

from __future__ import annotations

import difflib
import re
import string
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from agent.errors import SentenceError
from agent.skill import template
from agent.skill.declare import Declaration, Sentences, check_sentence, check_spoken, sentence_place
from agent.skill.slots import Number, SlotKind

Node = Any  # yaml's; its stubs leave out `id`

MAX_BYTES = 1_000_000
"""Largest sentence file; the largest that ships has 4,000."""

_TOP = ("language", "name", "intents", "lists", "expansion_rules", "skip_words", "responses")
_NEVER_SKIPPED = frozenset(("no", "not", "don't", "never", "stop", "cancel", "yes", *"不别没莫是"))
_RENAMED = re.compile(r"\{([^{}:]+):([^{}]+)\}")
_INLINE_RANGE = re.compile(r"\d+\.\.\d+(,\d+)?")


def languages(declared: Declaration) -> dict[str, Sentences]:
    """Return what can be said for an action, by language: its decorator's, then its files'.

    Raises SentenceError naming the file, the line and the reason.
    """
    found = {"en": Sentences(templates=declared.sentences, where=declared.where)}
    for path in files(declared):
        read = read_sentences(path, declared)
        if path.stem == "en":
            read = Sentences(
                (*declared.sentences, *read.templates), read.lists, read.rules, read.responses,
                read.where, read.skip_words, read.name,
            )  # fmt: skip
        if read.templates or read.responses or read.name or path.stem == "en":
            found[path.stem] = read
    check_spoken(declared, found)
    return found


def files(declared: Declaration) -> list[Path]:
    """Return the sentence files beside an action. Raises SentenceError for one named `.yml`."""
    return _listed(_folder(declared))


def _folder(declared: Declaration) -> Path:
    """Return where the sentence files of an action are, if it has any."""
    return Path(declared.where.rpartition(":")[0]).parent / "sentences"


def _listed(folder: Path) -> list[Path]:
    try:
        found = sorted(folder.iterdir())
    except OSError:  # most skills outside this project have none
        return []
    if wrong := next((path for path in found if path.name.endswith(".yml")), None):
        raise SentenceError(f"{wrong}: a sentence file ends in .yaml: rename it")
    return [path for path in found if path.name.endswith(".yaml")]


def check_files(declared: Iterable[Declaration]) -> None:
    """Raise SentenceError when a file of a skill speaks of an action or slot that it does not have.

    A folder that several plugins share, such as the user's own, is not looked at: what one of them
    lacks another may have.
    """
    declared = list(declared)
    for path in {path for folder in {*map(_folder, declared)} for path in _listed(folder)}:
        home = path.parent.parent
        if not (home / "__init__.py").is_file() and len(list(home.glob("*.py"))) > 1:
            continue
        _File.read(path).check(
            {one.name for one in declared}, {slot.name for one in declared for slot in one.slots}
        )


def place(sentence: str, declared: Declaration, sentences: Sentences) -> str:
    """Return `file:line` of a sentence, of the decorator or of a file."""
    if sentence in declared.sentences or not sentences.where:
        return sentence_place(sentence, declared)
    try:
        lines = Path(sentences.where).read_text("utf-8").splitlines()
    except OSError:
        return sentences.where
    line = next((at for at, text in enumerate(lines, start=1) if sentence in text), 1)
    return f"{sentences.where}:{line}"


def read_sentences(path: Path, declared: Declaration) -> Sentences:
    """Read one action's part of a sentence file.

    Raises SentenceError naming the file, the line and the reason.
    """
    file = _File.read(path)
    top = file.top
    intents = file.part(top, "intents", "`intents`")
    rules = file.texts(top.get("expansion_rules"), "`expansion_rules`")
    rule_nodes = file.part(top, "expansion_rules", "`expansion_rules`")
    lists = file.part(top, "lists", "`lists`")
    sentences: list[tuple[str, Node]] = []
    if declared.name in intents:
        intent = file.mapping(intents[declared.name], f"the intent {declared.name}", ("data",))
        for block in file.sequence(intent.get("data", intents[declared.name]), "`data`"):
            data = file.mapping(
                block, "an entry of `data`", ("sentences", "lists", "expansion_rules")
            )
            sentences += [
                (file.text(node, "a sentence"), node)
                for node in file.sequence(data.get("sentences", block), "`sentences`")
            ]
            for name, node in file.part(data, "expansion_rules", "`expansion_rules`").items():
                if name in rules and rules[name] != file.text(node, "a rule"):
                    file.fail(node, f"<{name}> is another rule already: give it a name of its own")
                rules[name], rule_nodes[name] = file.text(node, "a rule"), node
            local = file.part(data, "lists", "`lists`")
            used = {listed for text, _ in sentences for listed, _ in _RENAMED.findall(text)}
            own = {slot.name for slot in declared.slots}
            file.check_lists(file.keys(data.get("lists")), own, used)
            lists |= local
    for name, node in rule_nodes.items():
        file.try_(node, lambda name=name: template.check_rule(name, rules))  # type: ignore[misc]
    sources = _sources([*(text for text, _ in sentences), *rules.values()], declared)
    plain = {name: _renamed(rule, lists) for name, rule in rules.items()}
    templates = []
    for text, node in sentences:
        for listed, _ in _RENAMED.findall(text):
            if listed not in lists and not _INLINE_RANGE.fullmatch(listed):
                file.fail(node, f"there is no list {listed!r}")
        templates.append(_renamed(text, lists))
        check_sentence(templates[-1], declared, f"{path}:{file.line(node)}", plain)
    return Sentences(
        templates=tuple(templates),
        lists=_lists(file, lists, sources, declared),
        rules=plain,
        responses=file.responses,
        where=str(path),
        skip_words=file.skip_words(top.get("skip_words")),
        name=file.text(top["name"], "`name`").strip() if "name" in top else "",
    )


def _sources(texts: Iterable[str], declared: Declaration) -> dict[str, list[str]]:
    """Return for each slot the lists that fill it: its own, and those of `{list:slot}`."""
    found = {slot.name: [slot.name] for slot in declared.slots}
    for text in texts:
        for listed, slot in _RENAMED.findall(text):
            if slot in found and listed not in found[slot]:
                found[slot].append(listed)
    return found


def _renamed(text: str, lists: Mapping[str, Any]) -> str:
    """Write `{list:slot}` as `{slot}`: the values of the list become those of the slot."""
    return _RENAMED.sub(lambda m: f"{{{m[2]}}}" if m[1] in lists else m[0], text)


def _lists(
    file: _File, lists: Mapping[str, Node], sources: Mapping[str, list[str]], declared: Declaration
) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for slot in declared.slots:
        for name in sources[slot.name]:
            if name in lists and (values := file.values(lists[name], name, slot.kind)) is not None:
                found.setdefault(slot.name, {}).update(values)
    return found


class _File:
    """A sentence file as YAML nodes, which know their lines."""

    def __init__(self, path: Path, root: Node) -> None:
        self.path = path
        self.root = root

    @classmethod
    def read(cls, path: Path) -> _File:
        """Read a file, once per version of it: every action of a skill asks for it."""
        try:
            status = path.stat()
        except OSError as error:
            raise SentenceError(f"{path}: cannot be read: {error.strerror}") from None
        return _read(path, status.st_mtime_ns, status.st_size)

    def line(self, node: Node | None) -> int:
        return node.start_mark.line + 1 if node is not None else 1

    def fail(self, node: Node | None, reason: str) -> Any:
        raise SentenceError(f"{self.path}:{self.line(node)}: {reason}")

    def try_(self, node: Node, check: Callable[[], Any]) -> Any:
        """Give a ValueError its place."""
        try:
            return check()
        except ValueError as error:
            return self.fail(node, str(error))

    def mapping(
        self, node: Node | None, what: str, known: Iterable[str] | None = None
    ) -> dict[str, Node]:
        """Return a mapping's nodes by key; a key given twice or not known is refused."""
        if node is None or node.id != "mapping":
            self.fail(node, f"{what} is a mapping, not {_kind(node)}")
        found: dict[str, Node] = {}
        for key, value in node.value if node else ():
            name = self.text(key, "a key")
            if name in found:
                self.fail(key, f"{name!r} is given twice")
            if known is not None and name not in known:
                self.fail(key, f"{what} has no {name!r}{_nearest(name, known)}")
            found[name] = value
        return found

    def keys(self, node: Node | None) -> dict[str, Node]:
        """Return the nodes of a mapping's keys, for the line they are on."""
        return {str(key.value): key for key, _ in node.value} if node is not None else {}

    def part(self, mapping: Mapping[str, Node], key: str, what: str) -> dict[str, Node]:
        """Return an optional mapping within a mapping."""
        return self.mapping(mapping[key], what) if key in mapping else {}

    def texts(self, node: Node | None, what: str) -> dict[str, str]:
        """Return an optional mapping of texts."""
        parts = self.mapping(node, what) if node is not None else {}
        return {name: self.text(value, f"{what} {name!r}") for name, value in parts.items()}

    @cached_property
    def top(self) -> dict[str, Node]:
        """What stands at the left margin, by key."""
        return self.mapping(self.root, "a sentence file", _TOP)

    @cached_property
    def responses(self) -> dict[str, str]:
        """The translations; one with blanks that its original lacks is refused.

        Read once: they belong to the file, and every action of its skill is given them.
        """
        node = self.top.get("responses")
        found = self.texts(node, "`responses`")
        keys = self.keys(node)
        nodes = self.mapping(node, "`responses`") if node is not None else {}
        for original, said in found.items():
            given = self.try_(keys[original], lambda text=original: _blanks(text))  # type: ignore[misc]
            named = self.try_(nodes[original], lambda text=said: _blanks(text))  # type: ignore[misc]
            if unknown := sorted(named - given):
                self.fail(
                    nodes[original],
                    f"{original!r} gives no {{{unknown[0]}}}{_nearest(unknown[0], given)}",
                )
        return found

    def sequence(self, node: Node | None, what: str) -> list[Node]:
        if node is None or node.id != "sequence":
            self.fail(node, f"{what} is a list, each entry after a dash, not {_kind(node)}")
        return list(node.value) if node else []

    def text(self, node: Node, what: str) -> str:
        if node.id != "scalar":
            self.fail(node, f"{what} is text, not {_kind(node)}")
        if node.tag.rpartition(":")[2] in ("bool", "null"):
            self.fail(node, f"{what} is read as {_kind(node)}: put {node.value!r} in quotes")
        return str(node.value)

    def scalar(self, node: Node, what: str) -> Any:
        """Return a value as YAML understands it."""
        from yaml.constructor import ConstructorError, SafeConstructor

        if node.id != "scalar":
            self.fail(node, f"{what} is one value, not {_kind(node)}")
        try:
            return SafeConstructor().construct_object(node)
        except (ConstructorError, ValueError) as error:
            return self.fail(node, f"{what} cannot be read: {error}")

    def values(self, node: Node, name: str, kind: SlotKind) -> dict[str, Any] | None:
        """Return a list as what is said and what it means; None for a wildcard or a number."""
        body = self.mapping(node, f"the list {name}", ("values", "range", "wildcard"))
        if len(body) != 1:
            self.fail(node, f"the list {name} has one of `values`, `range` and `wildcard`")
        if "range" in body:
            numbers = self._range(body["range"], name)
            self.try_(node, lambda: [kind.listed(numbers[0]), kind.listed(numbers[-1])])
            # Numbers are read as words and digits alike, so they need no list.
            return None if isinstance(kind, Number) else {str(n): kind.listed(n) for n in numbers}
        if "wildcard" in body:
            if self.scalar(body["wildcard"], "`wildcard`") is not True or not kind.is_open:
                self.fail(node, f"the list {name} cannot be a wildcard: its slot is {kind.label}")
            return None
        found: dict[str, Any] = {}
        for entry in self.sequence(body["values"], f"`values` of the list {name}"):
            if entry.id == "mapping":
                pair = self.mapping(entry, "a value", ("in", "out", "context", "metadata"))
                if not {"in", "out"} <= set(pair):
                    self.fail(entry, f"a value of the list {name} is text or has `in` and `out`")
                said, meant = self.text(pair["in"], "`in`"), self.scalar(pair["out"], "`out`")
            else:
                said, meant = self.text(entry, f"a value of the list {name}"), entry.value
            if "{" in said or "<" in said:
                self.fail(entry, f"a value of the list {name} cannot hold slots or rules")
            self.try_(entry, lambda said=said: template.check(said, {}, lambda _: False))  # type: ignore[misc]
            if said in found:
                self.fail(entry, f"{said!r} is in the list {name} twice")
            try:
                found[said] = kind.listed(meant)
            except ValueError as error:
                self.fail(entry, f"the list {name}: {error}")
        if not found:
            self.fail(node, f"the list {name} is empty")
        return found

    def _range(self, node: Node, name: str) -> range:
        bounds = self.mapping(node, f"the range of the list {name}", ("from", "to", "step"))
        read = {key: self.scalar(value, f"`{key}`") for key, value in bounds.items()}
        first, last, step = read.get("from"), read.get("to"), read.get("step", 1)
        whole = all(type(number) is int for number in (first, last, step))
        if not whole or not first <= last or step < 1 or last - first > 100_000:  # type: ignore[operator]
            self.fail(node, f"the range of the list {name} is whole numbers: from, to, step")
        return range(first, last + 1, step)  # type: ignore[arg-type,operator]

    def skip_words(self, node: Node | None) -> tuple[str, ...]:
        """Return the skip words; one that answers a question is refused."""
        words = []
        for entry in self.sequence(node, "`skip_words`") if node is not None else ():
            words.append(self.text(entry, "a skip word").strip())
            if not words[-1]:
                self.fail(entry, "a skip word is empty")
            if words[-1].casefold() in _NEVER_SKIPPED:
                self.fail(entry, f"{words[-1]!r} says too much to be skipped")
        return tuple(words)

    def check_lists(
        self, lists: Mapping[str, Node], slots: Iterable[str], used: Iterable[str] = ()
    ) -> None:
        known = {*slots, *used}
        for name, node in lists.items():
            if name not in known:
                self.fail(node, f"the list {name} is for no slot{_nearest(name, known)}")

    def check(self, actions: set[str], slots: set[str]) -> None:
        """Refuse what no action of the skill can use."""
        top = self.top
        if "language" in top and self.text(top["language"], "`language`") != self.path.stem:
            self.fail(top["language"], f"`language` is not {self.path.stem}, as the file's name is")
        for name in self.part(top, "intents", "`intents`"):
            if name not in actions:
                node = self.keys(top["intents"])[name]
                self.fail(node, f"there is no action {name!r}{_nearest(name, actions)}")
        renamed = {listed for listed, _ in _RENAMED.findall(self.path.read_text("utf-8"))}
        self.part(top, "lists", "`lists`")
        self.check_lists(self.keys(top.get("lists")), slots, renamed)


@lru_cache(maxsize=64)
def _read(path: Path, mtime_ns: int, size: int) -> _File:
    import yaml

    if size > MAX_BYTES:
        raise SentenceError(
            f"{path}: {size:,} bytes are too many for a sentence file, {MAX_BYTES:,} are the limit:"
            " long lists belong in OneOf(…) with a function"
        )
    try:
        # Not the loader in C: some ten thousand open brackets crash it.
        root: Node = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        reason = getattr(error, "problem", None) or " ".join(str(error).split())
        raise SentenceError(f"{path}:{line}: not YAML: {reason}") from None
    except RecursionError:
        raise SentenceError(f"{path}:1: not a sentence file: nested too deeply") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SentenceError(f"{path}: cannot be read: {error}") from None
    if root is None or root.id != "mapping":
        raise SentenceError(f"{path}:1: a sentence file is a mapping with `intents:`")
    return _File(path, root)


def _blanks(text: str) -> set[str]:
    """Return the names in braces of a text for `str.format`; ValueError where it is none."""
    try:
        fields = [(name, spec) for _, name, spec, _ in string.Formatter().parse(text)]
    except ValueError as error:
        raise ValueError(f"the braces of {text[:80]!r} do not fit: {error}") from None
    named = [name for name, _ in fields if name is not None]
    named += [name for _, spec in fields if spec for name in _blanks(spec)]
    for name in named:
        if not re.match(r"[^\W\d]", name):
            raise ValueError(f"{{{name}}} of {text[:80]!r} is no name")
    return {re.split(r"[.\[]", name)[0] for name in named}


def _kind(node: Node | None) -> str:
    """Say what is there instead."""
    if node is None:
        return "nothing"
    if node.id != "scalar":
        return {"mapping": "a mapping", "sequence": "a list"}[str(node.id)]
    kind = node.tag.rpartition(":")[2]
    return {"null": "nothing", "bool": "yes or no", "str": "text"}.get(kind, "a number")


def _nearest(name: str, known: Iterable[str]) -> str:
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else f" (there is: {', '.join(known) or 'none'})"
