"""What is served, as `describe` is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent.serve.ears import Ears
from agent.version import __version__

if TYPE_CHECKING:
    from wyoming.info import Info

NAME = "glasses"
"""What both programs are called."""
MAKERS = {
    "pocketsphinx": ("Carnegie Mellon University", "https://github.com/cmusphinx/pocketsphinx"),
    "faster-whisper": ("OpenAI and SYSTRAN", "https://github.com/SYSTRAN/faster-whisper"),
}
"""Who made an engine, by the first word of its name."""
ONLY = {"pocketsphinx": frozenset({"en"})}
"""What an engine understands by itself, where others beside it understand more."""
OURS = (NAME, "")
"""Who made the rest, which has no page of its own."""


def info(ears: Ears | None, languages: frozenset[str]) -> Info:
    """Return what is served: the agent in `languages`, and its ears where there are some."""
    from wyoming.info import AsrModel, AsrProgram, Attribution, HandleModel, HandleProgram, Info

    ours = Attribution(*OURS)
    handle = HandleProgram(
        name=NAME,
        attribution=ours,
        installed=True,
        description="The agent of a pair of AI glasses",
        version=__version__,
        models=[
            HandleModel(
                name=NAME,
                attribution=ours,
                installed=True,
                description="What the installed skills can do",
                version=__version__,
                languages=sorted(languages),
            )
        ],
    )
    if ears is None or not ears.name:
        return Info(handle=[handle])
    models = [
        AsrModel(
            name=name,
            attribution=Attribution(*MAKERS.get(name.split()[0], OURS)),
            installed=True,
            description=f"{name}, told what can be said to the glasses",
            version=__version__,
            languages=sorted(ears.languages & ONLY.get(name, ears.languages)),
        )
        for name in ears.name.split(" and ")
    ]
    asr = AsrProgram(
        name=NAME,
        attribution=ours,
        installed=True,
        description="The ears of a pair of AI glasses",
        version=__version__,
        models=models,
        supports_transcript_streaming=True,
        requires_external_vad=True,
        prefers_auto_gain_enabled=False,
        prefers_noise_reduction_enabled=False,
    )
    return Info(asr=[asr], handle=[handle])
