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
OWN_PER_HOUR = 300.0
"""The same in the agent's own voice, where a false alarm costs no more than to say “stop” twice."""
ECHO_DELAY_MS = 40.0
"""What is waited there: it has to be known before the microphone hears it."""
ALONE_DB = 6.0
"""A stop word is said alone: what is right before and after it has half its amplitude or less."""

DELAY_MS = 100.0
"""What the engine waits to be sure: 40 ms for the windows of its features come on top."""


def words() -> tuple[str, ...]:
    """Return every word that stops, in every language."""
    return tuple(word for controls in CONTROLS.values() for word in controls["stop"])


def echo_spotter() -> Spotter:
    """Build what hears in the agent's own voice whatever could be taken for such a word.

    It need not stand alone there, and little likeness is enough. Raises EngineError.
    """
    phrases = [Phrase(word, OWN_PER_HOUR, SOUNDS.get(word, ())) for word in words()]
    return Spotter(phrases, SpotterOptions(ECHO_DELAY_MS))


def stop_spotter(playing: bool = True) -> Spotter:
    """Build what listens for the words that stop; more readily while the agent is `playing`.

    Raises EngineError without pocketsphinx.
    """
    rate = OFTEN_PER_HOUR if playing else SELDOM_PER_HOUR
    phrases = [Phrase(word, rate, SOUNDS.get(word, ())) for word in words()]
    return Spotter(phrases, SpotterOptions(DELAY_MS, alone_db=ALONE_DB))
