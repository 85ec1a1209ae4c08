"""Prompts are files: `prompts/<language>/<name>.j2`, Jinja2 with declared variables.

The first line of each declares what it takes: `{# variables: word, language #}`. Text that came
from the world (a sign, a review, a page) goes through the `quote` filter: `{{ page | quote }}`.
"""

from __future__ import annotations

import inspect
import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cached_property, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import PromptError
from agent.language.world import WorldText

if TYPE_CHECKING:
    from jinja2 import Environment

FALLBACK = "en"
"""Language of a prompt that has not been translated."""

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_DECLARATION = re.compile(r"\{#-?\s*variables:\s*([\w\s,]*?)\s*-?#\}")
_ROLE_MARKER = re.compile(r"<\|[^<>|\n]{0,40}\|>|</?(?:think|tool_call|tool_response)>")
_FENCE = re.compile(r"[⟦⟧]")


def quote(text: object) -> str:
    """Fence text from the world, so that a model reads it as data and not as instructions.

    Line breaks and tabs stay; other control, format (bidi, zero-width), surrogate and private
    characters go, and so do chat role markers such as `<|im_start|>` and the fence itself, until
    none is left. The result stands between `⟦` and `⟧` on lines of their own; the prompts say
    what that means. This lowers the risk and does not end it: what a model says about quoted text
    must still never choose an action.
    """
    clean = "".join(c for c in str(text) if c in "\n\t" or unicodedata.category(c)[0] != "C")
    clean = _FENCE.sub("", clean)
    # Taking one marker out can put another together: <|im_<|x|>start|>.
    while (fewer := _ROLE_MARKER.sub("", clean)) != clean:
        clean = fewer
    return f"⟦\n{clean.strip()}\n⟧"


def _fenced(value: object) -> object:
    """Fence what is marked as from the world, where a prompt forgot to."""
    return quote(value) if isinstance(value, WorldText) else value


class Prompts:
    """Finds and fills prompts: in the given folders first, then among the shipped ones."""

    def __init__(self, folders: Iterable[Traversable] = ()) -> None:
        """`folders` each hold `<language>/<name>.j2`: a plugin's own, most specific first."""
        self._folders = (*folders, files("prompts"))

    @cached_property
    def _environment(self) -> Environment:
        from jinja2 import Environment, StrictUndefined

        environment = Environment(
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            autoescape=False,  # prompts are plain text, not HTML
            finalize=_fenced,
        )
        environment.filters["quote"] = quote
        return environment

    def render(self, name: str, language: str, /, **variables: object) -> str:
        """Fill the prompt in `language` (ISO 639-1), or in English where it is not translated.

        Raises PromptError, naming the file, when there is none, when it does not parse, or when
        `variables` are not exactly those it declares.
        """
        from jinja2 import TemplateError

        file = self._find(name, language)
        text = file.read_text(encoding="utf-8-sig")
        _compare(file, declared(file, text), set(variables))
        try:
            return self._environment.from_string(text).render(variables).strip()
        except TemplateError as error:
            raise PromptError(f"{_label(file)}: {error}") from None

    def variables(self, name: str, language: str = FALLBACK) -> frozenset[str]:
        """Return the names a prompt takes. Raises PromptError when there is no such prompt."""
        file = self._find(name, language)
        return declared(file, file.read_text(encoding="utf-8-sig"))

    def _find(self, name: str, language: str) -> Traversable:
        for part in (name, language):
            if not _NAME.fullmatch(part):
                raise PromptError(
                    f"{part!r} cannot name a prompt or language: use a-z, 0-9, - and _"
                )
        for folder in self._folders:
            for tongue in dict.fromkeys((language, FALLBACK)):
                file = folder / tongue / f"{name}.j2"
                if file.is_file():
                    return file
        places = ", ".join(str(folder) for folder in self._folders)
        raise PromptError(f"no prompt {FALLBACK}/{name}.j2 in {places}")


def render(name: str, language: str, /, **variables: object) -> str:
    """Fill a shipped prompt; see `Prompts.render`."""
    return _SHIPPED.render(name, language, **variables)


def beside(function: Callable[..., object]) -> Prompts:
    """Return the prompts of a skill: those in `prompts/` beside its source, then the shipped ones.

    A prompt that the skill has in English alone comes before a shipped one of that name in another
    language: they share a name and nothing else.
    """
    try:
        source = Path(inspect.getfile(inspect.unwrap(function)))
    except TypeError:  # made by a C extension or by a partial: there is nothing beside it
        return _SHIPPED
    return _beside(source.parent / "prompts")


@lru_cache(maxsize=256)
def _beside(folder: Path) -> Prompts:
    return Prompts([folder])


def declared(file: Traversable, text: str) -> frozenset[str]:
    """Return the names in a prompt's first line. Raises PromptError when it declares none."""
    found = _DECLARATION.match(text)
    if not found:
        raise PromptError(
            f"{_label(file)}: its first line must declare what it takes: "
            "{# variables: word, language #}"
        )
    return frozenset(re.findall(r"\w+", found[1]))


def _compare(file: Traversable, wanted: frozenset[str], given: set[str]) -> None:
    missing, unknown = sorted(wanted - given), sorted(given - wanted)
    if missing or unknown:
        problems = [f"missing {', '.join(missing)}"] if missing else []
        problems += [f"unknown {', '.join(unknown)}"] if unknown else []
        takes = ", ".join(sorted(wanted)) or "nothing"
        raise PromptError(f"{_label(file)}: {'; '.join(problems)} (it takes {takes})")


def _label(file: Traversable) -> str:
    return "/".join(str(file).replace("\\", "/").split("/")[-3:])


_SHIPPED = Prompts()
