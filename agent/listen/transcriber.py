"""Port: what the agent asks of a speech recogniser. No engine is named here.

Calls are synchronous and come from one thread of their own; the agent loop puts a time-out on each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from agent.errors import EngineError
from agent.language.saying import Saying
from agent.messages import Transcript

__all__ = ["EngineError", "Transcriber", "loaded"]


@runtime_checkable
class Transcriber(Protocol):
    """Turns speech into text while it is spoken.

    Every call may raise EngineError when the engine cannot go on.
    """

    name: str
    """What `glasses doctor` and Transcript.engine call it: `pocketsphinx`."""
    languages: frozenset[str]
    """ISO 639-1 codes it understands."""

    def expect(self, sayings: Sequence[Saying]) -> None:
        """Say what can be said from the next utterance on.

        Cheap when unchanged or seen before. Raises SentenceError when a template is wrong.
        """
        ...

    def ambient(self, pcm: bytes) -> None:
        """Take note of the sound right before an utterance, in which nobody spoke: up to 1 s.

        Called before `start` where there is any.
        """
        ...

    def start(self) -> None:
        """Begin an utterance; one that was begun and not finished is thrown away."""
        ...

    def feed(self, pcm: bytes) -> None:
        """Hear the next 16 kHz mono 16-bit samples, of any length."""
        ...

    def partial(self) -> Transcript | None:
        """Return what was heard so far, not final; None when nothing or unknown. Cheap."""
        ...

    def prepare(self) -> None:
        """Begin to work out what `finish` will be asked for: the wearer seems to be done.

        Returns at once. More may be fed all the same; then the work is thrown away.
        """
        ...

    def finish(self) -> Transcript:
        """End the utterance; the text is empty when nothing was understood."""
        ...

    def abort(self) -> None:
        """Throw the utterance away; nothing happens when there is none."""
        ...

    def close(self) -> None:
        """Free the engine; no other call may follow."""
        ...


def loaded(engine: Transcriber, longest_s: float) -> Transcriber:
    """Return an engine once all of it is there, where it loads in parts, as a pair does."""
    load = getattr(engine, "load", None)  # a pair's own: no part of the port
    if load is not None:
        load(longest_s)
    return engine
