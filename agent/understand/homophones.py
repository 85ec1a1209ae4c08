"""A Chinese sentence in characters of the same sound: 波放欢乐颂 is 播放欢乐颂.

Recognisers and people who type by sound choose among dozens of characters for each syllable. So
what no sentence matches is read aloud, and taken for the sentence of the same sound, tones aside.
English is spelt by the ears, which know the sound itself (`agent.listen.whisper.fusion`).
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.derive.nearest import Near, Nearest
from agent.language.sounds import MERGED_PART, TONE
from agent.skill.declare import Action

SAME = TONE / 2
"""Cost of a phone where every tone is another, and all else the same."""
WORST = (MERGED_PART + TONE) / 2
"""The same in the one syllable that is most unlike: also with zh for z, or n for l."""


class Homophones:
    """What can be said in Chinese, by its sound."""

    def __init__(self, actions: Mapping[str, Action]) -> None:
        """Look at these actions, which may change while the agent runs."""
        self._actions = actions

    def find(self, text: str) -> Near | None:
        """Return the sentence that sounds like a text, some 20 ms; None where none does.

        Half a second more for the first, and some 50 ms once a skill has changed.
        """
        sayings = [s for action in [*self._actions.values()] for s in action.sayings("zh")]
        near = Nearest(sayings).find(text, SAME)
        return near if near is not None and near.worst <= WORST else None
