"""pocketsphinx decoders on the English model in its wheel, with what all of them have in common."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import EngineError
from agent.language.pronounce import pronounce

if TYPE_CHECKING:
    from pocketsphinx import Decoder


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
    folder = model_folder()
    from pocketsphinx import Config, Decoder

    fixed: dict[str, Any] = {"lm": None, "dict": None, "bestpath": False, "loglevel": "FATAL"}
    try:
        return Decoder(Config(hmm=str(folder), **fixed, **settings))
    except RuntimeError as error:
        raise EngineError(
            f"pocketsphinx cannot load {folder}: {error}; reinstall pocketsphinx"
        ) from error


def teach(decoder: Decoder, words: Iterable[str]) -> None:
    """Add words that a decoder does not know yet to its dictionary, in every way they are said."""
    new = {word for word in words if decoder.lookup_word(word) is None}
    for word, pronunciation in pronounce(new).items():
        for number, phones in enumerate(pronunciation.phones, start=1):
            decoder.add_word(word if number == 1 else f"{word}({number})", phones, False)
