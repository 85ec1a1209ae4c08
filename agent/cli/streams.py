"""The standard streams of a command: closed, full, unreadable or not made for Unicode.

Whatever is wrong with one of them is told in one line, like any other error.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, TextIO

from agent.errors import GlassesError
from hardware import reading

_SURROGATES = re.compile("[\ud800-\udfff]")


class StreamError(GlassesError, OSError):
    """A standard stream is closed, or cannot be read or written; the message says which."""


class _Written(io.TextIOWrapper):
    """Standard output or error; what goes wrong with it says that it was this stream."""

    fault: StreamError | None = None
    """Why it could not be written, if so."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failed(error) from None

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> StreamError:
        self.fault = StreamError(f"{self.name} cannot be written: {error.strerror}")
        return self.fault

    @property
    def name(self) -> str:
        return "standard error" if self is sys.stderr else "standard output"


def _written(stream: TextIO) -> _Written:
    """Return the same stream, which writes `?` for what its encoding has no letter for."""
    assert isinstance(stream, io.TextIOWrapper)  # as Python makes them
    encoding, by_line, at_once = stream.encoding, stream.line_buffering, stream.write_through
    return _Written(stream.detach(), encoding, "replace", None, by_line, at_once)


def prepare() -> None:
    """Make the streams such that every text can be written, in a process of our own.

    What a terminal cannot show becomes `?`. A descriptor that is closed is given to nothing, so
    that no file, such as a ledger, is opened under its number and printed into.

    Raises StreamError when standard output is closed: nobody would see the answer.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - for good
    else:
        sys.stderr = sys.__stderr__ = _written(sys.stderr)  # type: ignore[misc]  # both are it
    if sys.stdout is None:
        raise StreamError("standard output is closed: there is nowhere to write the answer")
    sys.stdout = sys.__stdout__ = _written(sys.stdout)  # type: ignore[misc]  # both are it


def echo(line: str = "", err: bool = False) -> None:
    """Print a line at once, as far as the stream has letters for it.

    click's own `echo` writes UTF-8 to a stream that says that it takes ASCII.
    """
    print(line, file=sys.stderr if err else sys.stdout, flush=True)


def flush() -> None:
    """Write what waits to be written. Raises BrokenPipeError or StreamError."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            stream.flush()
        if isinstance(stream, _Written) and stream.fault is not None:
            raise stream.fault  # also what somebody took for a fault of his display


def discard(*more: TextIO) -> None:
    """Let what cannot be written go, so that Python does not try once more at its end."""
    for stream in (*more, sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            try:
                stream.flush()
            except OSError:
                nothing = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nothing, stream.fileno())
                os.close(nothing)


def source() -> BinaryIO:
    """Return what can be read of standard input. Raises StreamError where it is closed."""
    if sys.stdin is None or sys.stdin.closed:
        raise StreamError("standard input is closed: there is nothing to read")
    return sys.stdin.buffer


def whole(most_bytes: int) -> bytes:
    """Read standard input to its end. Raises StreamError, or Unreadable where it is too long."""
    piped = source()
    try:
        return reading.limited(piped, most_bytes)
    except OSError as error:
        raise StreamError(f"standard input cannot be read: {error.strerror}") from None


@contextmanager
def saved(most_bytes: int) -> Iterator[Path]:
    """Keep standard input, to its end, in a file as long as it is used.

    Raises StreamError, also where there is more of it than allowed.
    """
    piped, room = source(), most_bytes
    with tempfile.NamedTemporaryFile(prefix="glasses-input-") as file:
        try:
            while block := piped.read(1 << 20):
                room -= len(block)
                if room < 0:
                    raise StreamError(f"standard input is longer than {most_bytes >> 20} MiB")
                file.write(block)
            file.flush()
        except StreamError:
            raise
        except OSError as error:
            raise StreamError(f"standard input cannot be read: {error.strerror}") from None
        yield Path(file.name)


def lines() -> Iterator[str]:
    """Yield the lines of standard input as they come. Raises StreamError."""
    piped, decode = source(), Decoder()
    try:
        for line in piped:
            yield decode(line)
    except OSError as error:
        raise StreamError(f"standard input cannot be read: {error.strerror}") from None


class Decoder:
    """Makes text of the lines of one pipe: U+FFFD for what is none, no byte order mark."""

    def __init__(self) -> None:
        self._begun = False

    def __call__(self, line: bytes) -> str:
        """Return a line without its end."""
        if not self._begun:
            line = line.removeprefix(codecs.BOM_UTF8)
        self._begun = True
        return line.decode("utf-8", errors="replace").rstrip("\r\n")


def text(argument: str) -> str:
    """Return an argument as text: U+FFFD for each byte of it that is not UTF-8."""
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", argument)
