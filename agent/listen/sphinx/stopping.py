"""The words that stop everything at once, heard beside whatever the agent says, plays or does."""

from __future__ import annotations

from agent.language.controls import CONTROLS
from agent.listen.phrases import Phrase
from agent.listen.sphinx.spotter import Spotter, SpotterOptions

SOUNDS = {
    "stop": (
        "S T AA P",
        "S T AO P",  # the rounded vowel of Britain and Scotland
        "S D AA P",  # the t after s has no breath in it, which is how English tells a d
    )
}
"""Ways to say a word that the dictionary does not tell apart."""

OFTEN_PER_HOUR = 30.0
"""False alarms of one word in an hour of unbroken speech that are allowed for while the agent plays
or speaks: few others speak then, and not to be able to stop it is worse than to play it once more.
"""
SELDOM_PER_HOUR = 10.0
"""The same while it is silent, as when an action runs."""
OVER_PER_HOUR = 10_000.0
"""The same over the agent's voice, which is kept out of it: only what is louder is heard at all. Of
24 times “stop” by three voices in four rooms it misses one, 300 misses six. It takes every other
sentence of somebody else's for one, which ends the agent's own and has no other effect: for more, a
word has to be as sure as `SURELY`."""
SURELY = 21.0
"""Decades by which it has to fit better to be a turn: as with 300 false alarms an hour."""
ALONE_DB = 6.0
"""A stop word is said alone: what is right before and after it has half its amplitude or less."""

DELAY_MS = 100.0
"""What the engine waits to be sure: 40 ms for the windows of its features come on top."""


def words() -> tuple[str, ...]:
    """Return every word that stops, in every language."""
    return tuple(word for controls in CONTROLS.values() for word in controls["stop"])


def stop_spotter(playing: bool = True) -> Spotter:
    """Build what listens for the words that stop; more readily while the agent is `playing`.

    Raises EngineError without pocketsphinx.
    """
    return _spotter(OFTEN_PER_HOUR if playing else SELDOM_PER_HOUR)


def over_spotter() -> Spotter:
    """Build what listens for them over the agent's own voice. Raises EngineError."""
    return _spotter(OVER_PER_HOUR)


def _spotter(rate: float) -> Spotter:
    phrases = [Phrase(word, rate, SOUNDS.get(word, ())) for word in words()]
    return Spotter(phrases, SpotterOptions(DELAY_MS, alone_db=ALONE_DB))
