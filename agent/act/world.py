"""The world: what the agent has and how things stand, as plain data.

Whatever answers a turn is given this instead of the agent. Nothing here does anything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path

from agent.act.chat import Talk
from agent.act.gate import Gate
from agent.body.power import STEPS, Rung, Step
from agent.display.lens import Lens
from agent.errors import EngineError
from agent.listen.patience import DEFAULT as DEFAULT_PATIENCE
from agent.listen.patience import Patience
from agent.listen.thread import LOAD_S
from agent.models.llm.model import Model, NoModel, leaves
from agent.plugins.skills import Skills
from agent.skill.notes import NOTES, Notes
from agent.skill.notes import Reader as NotesReader
from agent.understand import minilm
from hardware.base import Devices


@dataclass(frozen=True, slots=True)
class AgentOptions:
    """How one agent behaves."""

    language: str = "auto"
    """`en`, `zh`, or `auto`: by the script of typed text, by the engine for speech."""
    action_timeout_s: float = 10.0
    """Longest an action may take."""
    commit_timeout_s: float = 30.0
    """Longest a payment may take; then its outcome is unknown, and the skill goes on with it."""
    engine_timeout_s: float = 8.0
    """Longest one call of a speech engine may take."""
    engine_load_timeout_s: float = LOAD_S
    """Longest a speech engine may take to load; the wearer is told that it is loading."""
    patience: Patience = DEFAULT_PATIENCE
    """How long a pause must be to end a turn."""
    models: Path | None = None
    """Folder of models that were pulled or trained; None where there is none."""
    share: frozenset[str] = frozenset()
    """What of the wearer's a model on another machine may be told: `notes`."""
    private: frozenset[str] = frozenset()
    """Skills and actions, by name, that speech does only in the enrolled voice, as payments are."""


DEFAULT = AgentOptions()


@dataclass(slots=True)
class World:
    """One agent's world."""

    skills: Skills
    """What is installed."""
    devices: Devices
    """What it sees, hears and shows with."""
    lens: Lens
    """What is shown."""
    gate: Gate
    """What waits for a yes."""
    folder: Path
    """Where everything is kept that outlives the agent."""
    model: Model = field(default_factory=NoModel)
    """The language model, as far as there is power for it."""
    options: AgentOptions = DEFAULT
    """How the agent behaves."""
    now: Callable[[], datetime] = datetime.now
    """The time of day that skills are told; tests give their own."""
    step: Step = STEPS[0]
    """What the remaining power allows."""
    rung: Rung = "large"
    """What understands and answers now."""
    talk: Talk = field(default_factory=Talk)
    """What was said to the language model, and what it answered."""
    spoken: str = "auto"
    """Language of the last turn; gestures are answered and news is told in it."""
    notes: Notes = field(init=False)
    """What the wearer asked to have remembered."""

    def __post_init__(self) -> None:
        """Find the notes in the folder."""
        self.notes = Notes(self.folder / NOTES, cache(self._reader))

    def _reader(self) -> NotesReader | None:
        """Return what reads a sentence of a note, where MiniLM is there."""
        if self.options.models is None or not (self.options.models / minilm.NAME).is_file():
            return None
        try:
            read = minilm.find(self.options.models)
        except (EngineError, ImportError):
            return None
        return read and (lambda text: read(text)[minilm.LAST])

    @property
    def tells(self) -> bool:
        """Whether the model may be told what the wearer asked to have remembered."""
        return not leaves(self.model) or "notes" in self.options.share
