"""From a transcript to an intent: the stages, cheapest first, each able to say no."""

from __future__ import annotations

from collections.abc import Mapping

from agent.messages import Intent, NotRecognized, Transcript
from agent.skill import Action
from agent.understand.templates import Templates
from agent.understand.text import MAX_CHARACTERS, clean, language_of


class Router:
    """Asks one stage after the other; the first that is sure decides."""

    def __init__(self, actions: Mapping[str, Action]) -> None:
        """Route to these actions; the mapping may change while the agent runs."""
        self._templates = Templates(actions)

    def warm(self) -> None:
        """Compile what the first utterance would otherwise wait for."""
        for language in ("en", "zh"):
            self._templates.warm(language)

    def route(self, transcript: Transcript) -> Intent | NotRecognized:
        """Return the call the words make, or NotRecognized with the reason."""
        if len(transcript.text) > MAX_CHARACTERS:
            return NotRecognized(f"longer than {MAX_CHARACTERS} characters")
        text = clean(transcript.text)
        if not text:
            return NotRecognized("nothing was said")
        # A Chinese sentence may name an English song and the other way round.
        first = transcript.language if transcript.language in ("en", "zh") else language_of(text)
        for language in (first, "en" if first == "zh" else "zh"):
            for match in self._templates.match(text, language):
                if not match.missing:
                    return match.intent
        return NotRecognized()
