"""The words that stop everything at once, heard beside whatever the agent says, plays or does."""

from __future__ import annotations

from agent.dialogue import CONTROLS
from agent.listen.wake import Phrase, Spotter, SpotterOptions

SOUNDS = {
    "stop": (
        "S T AA P",
        "S T AO P",  # the rounded vowel of Britain and Scotland
        "S D AA P",  # the t after s has no breath in it, which is how English tells a d
    )
}
"""Ways to say a word that the dictionary does not tell apart."""

OFTEN_PER_HOUR = 100.0
"""False alarms in an hour of unbroken speech that are allowed for while the agent plays or speaks:
stopping what ought to go on is a nuisance, not stopping is a worse one, and few others speak."""
SELDOM_PER_HOUR = 10.0
"""The same while it is silent, as when an action runs."""
ALONE_DB = 6.0
"""A stop word is said alone: what is right before and after it has half its amplitude or less."""


def words() -> tuple[str, ...]:
    """Return every word that stops, in every language."""
    return tuple(word for controls in CONTROLS.values() for word in controls["stop"])


def stop_spotter(playing: bool = True) -> Spotter:
    """Build what listens for the words that stop; more readily while the agent is `playing`.

    Raises EngineError without pocketsphinx.
    """
    rate = OFTEN_PER_HOUR if playing else SELDOM_PER_HOUR
    phrases = [Phrase(word, rate, SOUNDS.get(word, ())) for word in words()]
    return Spotter(phrases, SpotterOptions(alone_db=ALONE_DB))
