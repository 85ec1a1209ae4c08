"""Sentence files: what a skill says and understands in one language, written without Python.

`sentences/<language>.yaml` beside a skill, in the format of Home Assistant's intents, with one
addition: `responses` maps the English text a skill says to its translation.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.errors import SentenceError
from agent.skill import Declaration, Sentences, check_sentence


def read_sentences(path: Path, declared: Declaration) -> Sentences:
    """Read one action's part of a sentence file in Home Assistant's intents format.

    `responses` maps the English text a skill says to its translation. Raises SentenceError naming
    the file, and the line where YAML itself is broken.
    """
    raw = _read_yaml(str(path), path.stat().st_mtime_ns)
    data = (raw.get("intents") or {}).get(declared.name) or {}
    templates = [s for block in data.get("data", ()) for s in block.get("sentences", ())]
    for template in templates:
        check_sentence(str(template), declared, str(path))
    return Sentences(
        templates=tuple(str(t) for t in templates),
        lists={name: _values(path, name, body) for name, body in (raw.get("lists") or {}).items()},
        rules={str(k): str(v) for k, v in (raw.get("expansion_rules") or {}).items()},
        responses={str(k): str(v) for k, v in (raw.get("responses") or {}).items()},
        where=str(path),
    )


_yaml_cache: dict[tuple[str, int], dict[str, Any]] = {}


def _read_yaml(path: str, mtime_ns: int) -> dict[str, Any]:
    """Read a YAML mapping, once per version of the file: every action of a skill asks for it."""
    import yaml

    if (cached := _yaml_cache.get((path, mtime_ns))) is not None:
        return cached
    try:
        raw = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise SentenceError(
            f"{path}:{line}: not YAML: {getattr(error, 'problem', error)}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SentenceError(f"{path}: cannot be read: {error}") from None
    if not isinstance(raw, dict):
        raise SentenceError(f"{path}:1: a sentence file is a mapping with `intents:`")
    _yaml_cache[path, mtime_ns] = raw
    return raw


def _values(path: Path, name: str, body: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for value in body.get("values") or ():
        if isinstance(value, Mapping) and {"in", "out"} <= set(value):
            values[str(value["in"])] = value["out"]
        elif isinstance(value, str | int | float):
            values[str(value)] = value
        else:
            raise SentenceError(f"{path}: list {name}: a value is text or has `in` and `out`")
    return values
