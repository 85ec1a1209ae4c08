"""pocketsphinx's own C interface, for calls that take long: they run without the GIL.

Its Python module holds the GIL in every call. Compiling what can be said takes seconds, and for so
long nothing else in the process would move: sound would be lost, the lens would stand still. The
module's shared library has the C functions too (https://cmusphinx.github.io/doc/pocketsphinx), and
`ctypes` calls them by two handles: one lets go of the GIL, one keeps it, for calls that are short
or read numbers, since the library's `strtod` is not made for several threads.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Iterable, Iterator
from ctypes import POINTER, byref, c_char_p, c_double, c_float, c_int, c_size_t, c_void_p
from dataclasses import dataclass
from functools import cache
from typing import Any

from agent.errors import EngineError

CEPSTRA = 13
"""Numbers of one frame, pocketsphinx's `ceplen`."""

_SHORT: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "ps_config_init": (c_void_p, (c_void_p,)),
    "ps_config_set_str": (c_void_p, (c_void_p, c_char_p, c_char_p)),
    "ps_config_set_int": (c_void_p, (c_void_p, c_char_p, ctypes.c_long)),
    "ps_config_set_float": (c_void_p, (c_void_p, c_char_p, c_double)),
    "ps_config_set_bool": (c_void_p, (c_void_p, c_char_p, c_int)),
    "ps_config_float": (c_double, (c_void_p, c_char_p)),
    "ps_config_free": (c_int, (c_void_p,)),
    "ps_init": (c_void_p, (c_void_p,)),
    "ps_free": (c_int, (c_void_p,)),
    "ps_get_logmath": (c_void_p, (c_void_p,)),
    "logmath_log": (c_int, (c_void_p, c_double)),
    "logmath_get_base": (c_double, (c_void_p,)),
    "ps_lookup_word": (c_void_p, (c_void_p, c_char_p)),
    "ckd_free": (None, (c_void_p,)),
    "ps_add_word": (c_int, (c_void_p, c_char_p, c_char_p, c_int)),
    "fsg_model_init": (c_void_p, (c_char_p, c_void_p, c_float, c_int)),
    "fsg_model_word_add": (c_int, (c_void_p, c_char_p)),
    "fsg_model_trans_add": (None, (c_void_p, c_int, c_int, c_int, c_int)),
    "fsg_model_null_trans_add": (c_int, (c_void_p, c_int, c_int, c_int)),
    "fsg_model_free": (c_int, (c_void_p,)),
    "ps_start_utt": (c_int, (c_void_p,)),
    "ps_get_hyp": (c_char_p, (c_void_p, POINTER(c_int))),
    "ps_seg_iter": (c_void_p, (c_void_p,)),
    "ps_seg_next": (c_void_p, (c_void_p,)),
    "ps_seg_free": (None, (c_void_p,)),
    "ps_seg_word": (c_char_p, (c_void_p,)),
    "ps_seg_frames": (None, (c_void_p, POINTER(c_int), POINTER(c_int))),
    "ps_seg_prob": (c_int, (c_void_p, POINTER(c_int), POINTER(c_int), POINTER(c_int))),
    "ps_get_cmn": (c_char_p, (c_void_p, c_int)),
    "ps_set_cmn": (c_int, (c_void_p, c_char_p)),
}
_LONG: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "ps_add_fsg": (c_int, (c_void_p, c_char_p, c_void_p)),
    "ps_activate_search": (c_int, (c_void_p, c_char_p)),
    "ps_remove_search": (c_int, (c_void_p, c_char_p)),
    "ps_process_raw": (c_int, (c_void_p, c_char_p, c_size_t, c_int, c_int)),
    "ps_process_cep": (c_int, (c_void_p, c_void_p, c_int, c_int, c_int)),
    "ps_end_utt": (c_int, (c_void_p,)),
}


class _Grammar(ctypes.Structure):
    """How `fsg_model_t` begins (fsg_model.h): two of its numbers have no function to set them."""

    _fields_ = (
        ("references", c_int), ("name", c_void_p), ("words", c_int), ("room", c_int),
        ("vocabulary", c_void_p), ("silences", c_void_p), ("alternatives", c_void_p),
        ("logmath", c_void_p), ("states", c_int), ("start", c_int), ("final", c_int),
        ("weight", c_float),
    )  # fmt: skip


class Hidden(EngineError):
    """The build of pocketsphinx keeps its C functions to itself."""


@cache
def _library() -> Any:
    """Return the functions by name. Raises Hidden."""
    from pocketsphinx import _pocketsphinx

    path = _pocketsphinx.__file__

    class Library:
        pass

    found = Library()
    try:
        for handle, functions in ((ctypes.PyDLL(path), _SHORT), (ctypes.CDLL(path), _LONG)):
            for name, (result, arguments) in functions.items():
                function = getattr(handle, name)
                function.restype, function.argtypes = result, arguments
                setattr(found, name, function)
    except (AttributeError, OSError) as error:
        raise Hidden("this build of pocketsphinx hides its C functions") from error
    return found


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What a decoder makes of an utterance."""

    hypstr: str
    """The words."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One word of it, as pocketsphinx's module has it."""

    word: str
    """The word; `word(2)` in its second pronunciation, `<sil>` between words."""
    start_frame: int
    """Its first frame of 10 ms."""
    end_frame: int
    """Its last one."""
    ascore: float
    """How well it fits the sound: a probability in pocketsphinx's steps."""


class Decoder:
    """What the engine uses of pocketsphinx's `Decoder`, under the same names.

    All methods raise RuntimeError where the library refuses; one thread at a time may call them.
    """

    def __init__(self, **settings: str | float | bool | None) -> None:
        """Load the acoustic model. Raises Hidden where the C functions are out of reach."""
        self._decoder: int | None = None
        self._c = c = _library()
        config = c.ps_config_init(None)
        try:
            for name, value in settings.items():
                self._set(config, name, value)
            self._weight = c.ps_config_float(config, b"lw")
            self._decoder = c.ps_init(config)
        finally:
            c.ps_config_free(config)
        if not self._decoder:
            raise RuntimeError("the acoustic model cannot be loaded")
        self._logmath = c.ps_get_logmath(self._decoder)
        self._base = c.logmath_get_base(self._logmath)
        self._probe()

    def _probe(self) -> None:
        """Raise Hidden where grammars are kept in another way than `_Grammar` has it."""
        fsg = self._c.fsg_model_init(b"probe", self._logmath, 0.5, 7)
        head = _Grammar.from_address(fsg)
        found = head.states, head.logmath, head.weight, head.references
        self._c.fsg_model_free(fsg)
        if found != (7, self._logmath, 0.5, 1):
            raise Hidden("this build of pocketsphinx keeps grammars in another way")

    def _set(self, config: int, name: str, value: str | float | bool | None) -> None:
        key = name.encode()
        match value:
            case None:
                return
            case bool():
                kept = self._c.ps_config_set_bool(config, key, value)
            case int():
                kept = self._c.ps_config_set_int(config, key, value)
            case float():
                kept = self._c.ps_config_set_float(config, key, value)
            case _:
                kept = self._c.ps_config_set_str(config, key, value.encode())
        if not kept:
            raise RuntimeError(f"pocketsphinx knows no setting {name}")

    def __del__(self) -> None:
        """Free it."""
        if self._decoder:
            self._c.ps_free(self._decoder)
            self._decoder = None

    def lookup_word(self, word: str) -> str | None:
        """Return how a word is said, None where the dictionary has it not."""
        found = self._c.ps_lookup_word(self._decoder, word.encode())
        if not found:
            return None
        phones = ctypes.string_at(found).decode()
        self._c.ckd_free(found)
        return phones

    def add_word(self, word: str, phones: str, update: bool = True) -> None:
        """Add a word, or with `word(2)` a second way to say it."""
        if self._c.ps_add_word(self._decoder, word.encode(), phones.encode(), update) < 0:
            raise RuntimeError(f"{word!r} cannot be added as {phones!r}")

    def create_fsg(
        self,
        name: str,
        start: int,
        final: int,
        transitions: Iterable[tuple[int, int, float, str] | tuple[int, int, float]],
    ) -> int:
        """Return a grammar of (from, to, probability[, word]); `add_fsg` takes it over."""
        c, listed = self._c, list(transitions)
        states = max(max(one[0], one[1]) for one in listed) + 1
        fsg = c.fsg_model_init(name.encode(), self._logmath, self._weight, states)
        head = _Grammar.from_address(fsg)
        head.start, head.final = start, final
        words: dict[str, int] = {}
        for source, target, probability, *word in listed:
            log = c.logmath_log(self._logmath, probability)
            if not word:
                c.fsg_model_null_trans_add(fsg, source, target, log)
                continue
            number = words.get(word[0])
            if number is None:
                number = words[word[0]] = c.fsg_model_word_add(fsg, word[0].encode())
            c.fsg_model_trans_add(fsg, source, target, log, number)
        return int(fsg)

    def add_fsg(self, name: str, fsg: int) -> None:
        """Compile a grammar."""
        done = self._c.ps_add_fsg(self._decoder, name.encode(), fsg)
        self._c.fsg_model_free(fsg)
        self._check(done, "compile")

    def activate_search(self, name: str) -> None:
        """Decode by a grammar from the next utterance on."""
        self._check(self._c.ps_activate_search(self._decoder, name.encode()), "activate")

    def remove_search(self, name: str) -> None:
        """Forget a grammar."""
        self._check(self._c.ps_remove_search(self._decoder, name.encode()), "remove")

    def start_utt(self) -> None:
        """Begin an utterance."""
        self._check(self._c.ps_start_utt(self._decoder), "start")

    def process_raw(self, pcm: bytes, full_utt: bool = False) -> None:
        """Decode samples, 16 kHz mono int16; `full_utt` for all of an utterance at once."""
        done = self._c.ps_process_raw(self._decoder, pcm, len(pcm) // 2, False, full_utt)
        self._check(done, "decode")

    def process_cep(self, cepstra: bytes) -> None:
        """Decode frames of 13 cepstra, float32."""
        frames = len(cepstra) // (CEPSTRA * 4)
        kept = ctypes.create_string_buffer(cepstra, len(cepstra))
        first = ctypes.addressof(kept)
        rows = (c_void_p * frames)(*range(first, first + frames * CEPSTRA * 4, CEPSTRA * 4))
        done = self._c.ps_process_cep(self._decoder, rows, frames, False, False)
        self._check(done, "decode")

    def end_utt(self) -> None:
        """End the utterance."""
        self._check(self._c.ps_end_utt(self._decoder), "end")

    def hyp(self) -> Hypothesis | None:
        """Return the best words so far, None where there are none."""
        score = c_int()
        words = self._c.ps_get_hyp(self._decoder, byref(score))
        return None if words is None else Hypothesis(words.decode())

    def seg(self) -> Iterator[Segment]:
        """Yield the words of the best path, with silences."""
        c = self._c
        sound, grammar, back, start, end = (c_int() for _ in range(5))
        at = c.ps_seg_iter(self._decoder)
        try:
            while at:
                c.ps_seg_frames(at, byref(start), byref(end))
                c.ps_seg_prob(at, byref(sound), byref(grammar), byref(back))
                word = c.ps_seg_word(at).decode()
                yield Segment(word, start.value, end.value, math.pow(self._base, sound.value))
                at = c.ps_seg_next(at)  # frees it at the end
        finally:
            if at:
                c.ps_seg_free(at)

    def get_cmn(self) -> str:
        """Return the mean that is taken off cepstra."""
        return str(self._c.ps_get_cmn(self._decoder, False).decode())

    def set_cmn(self, mean: str) -> None:
        """Take another mean off from the next utterance on."""
        self._check(self._c.ps_set_cmn(self._decoder, mean.encode()), "set the mean")

    def _check(self, done: int, what: str) -> None:
        if done < 0:
            raise RuntimeError(f"pocketsphinx cannot {what}")
