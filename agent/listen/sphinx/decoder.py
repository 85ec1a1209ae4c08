"""pocketsphinx decoders on the English model in its wheel, with what all of them have in common."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from agent.errors import EngineError
from agent.language.pronounce import pronounce
from agent.listen.sphinx import library

if TYPE_CHECKING:
    from pocketsphinx import Decoder

log = logging.getLogger(__name__)


def model_folder() -> Path:
    """Return the folder of the English model. Raises EngineError without pocketsphinx."""
    try:
        from pocketsphinx import get_model_path
    except ImportError as error:
        raise EngineError("pocketsphinx is not installed: pip install pocketsphinx") from error
    return Path(get_model_path("en-us/en-us"))


def decoder(**settings: Any) -> Decoder:
    """Load the acoustic model, some 10 ms; without language model, and with an empty dictionary.

    `settings` are pocketsphinx's own. No call of its Python module releases the GIL, so one that
    hung could not even be timed out. Each handles 20 ms of sound in about 1 ms, and the one known
    to hang, the search for the best path through the lattice in hyp(), is off. Raises EngineError.
    """
    from pocketsphinx import Config, Decoder

    return _loaded(lambda **all: Decoder(Config(**all)), settings)


def free_decoder(**settings: Any) -> library.Decoder | Decoder:
    """Load the same with calls that let go of the GIL, where this build of pocketsphinx has them.

    For large grammars, which take seconds to compile. Raises EngineError.
    """
    model_folder()
    try:
        return cast("library.Decoder", _loaded(library.Decoder, settings))
    except library.Hidden as error:
        log.info("everything stands still while a grammar is compiled: %s", error)
        return decoder(**settings)


def _loaded(make: Callable[..., Any], settings: dict[str, Any]) -> Any:
    folder = model_folder()
    fixed: dict[str, Any] = {"lm": None, "dict": None, "bestpath": False, "loglevel": "FATAL"}
    try:
        return make(hmm=str(folder), **fixed, **settings)
    except RuntimeError as error:
        raise EngineError(
            f"pocketsphinx cannot load {folder}: {error}; reinstall pocketsphinx"
        ) from error


def ways(decoder: library.Decoder | Decoder, word: str) -> list[str]:
    """Return what a word that was taught is called in the dictionary, once for each way it is said.

    A grammar with all of them compiles in half the time that pocketsphinx takes to look for them.
    """
    names = [word]
    while decoder.lookup_word(f"{word}({len(names) + 1})") is not None:
        names.append(f"{word}({len(names) + 1})")
    return names


def teach(decoder: library.Decoder | Decoder, words: Iterable[str]) -> None:
    """Add words that a decoder does not know yet to its dictionary, in every way they are said."""
    new = {word for word in words if decoder.lookup_word(word) is None}
    for word, pronunciation in pronounce(new).items():
        for number, phones in enumerate(pronunciation.phones, start=1):
            decoder.add_word(word if number == 1 else f"{word}({number})", phones, False)
