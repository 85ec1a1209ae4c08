"""The floor: a skill takes what is said in place of commands, as a reading or a meeting does."""

from __future__ import annotations

from typing import Protocol


class Listener(Protocol):
    """What takes what is said. On the thread of the loop: whatever takes long belongs elsewhere."""

    recording: bool
    """Whether what is said is kept: the lens shows a mark for as long as it has the floor."""

    stoppable: bool
    """Whether “stop” ends it; else only what the skill itself can be told does."""

    def samples(self, pcm: bytes) -> None:
        """Take the next sound of the microphone, 16 kHz mono 16-bit; also while nobody speaks."""
        ...

    def heard(self, text: str, language: str, final: bool, continues: bool) -> None:
        """Take what was heard: so far, or in the end.

        With `continues` it takes the place of what was heard last, which it begins with.
        """
        ...

    def over(self) -> None:
        """Let go: the floor is taken away, by a stop or at the end of the stream."""
        ...
