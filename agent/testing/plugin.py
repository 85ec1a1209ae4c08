"""The pytest plugin: `ask` and what it is made of. Installed with the project, nothing to import.

    def test_a_walk(ask):
        ask("how long are five kilometers on foot").shows("60 minutes")

`ask` talks to an agent with the skills that ship and every installed plugin. To test a plugin that
is not installed, name it, by path (from the test's folder or pytest's root) or module:

    pytestmark = pytest.mark.glasses("walk.py", language="en")

or give objects, through a fixture of your own that takes the place of ours:

    @pytest.fixture
    def glasses_plugins():
        return [walk]

`model`, `transcriber`, `display`, `speaker`, `location` and `clock` are replaced the same way. The
agent itself is imported when a test first asks for it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from agent.listen.transcriber import Transcriber
    from agent.models.llm.model import Model
    from agent.plugins.skills import Skills
    from agent.testing.clock import VirtualClock
    from agent.testing.conversation import Conversation
    from agent.testing.golden import Kind
    from hardware.base import Display, Location, Speaker

MARKER = (
    "glasses(*plugins, builtin=True, language='auto', profile='quark-s1', patience_s=30.0,"
    " **options): what the fixture `ask` talks to; options are those of AgentOptions"
)


class LensGolden(Protocol):
    """What the fixture `lens_golden` is."""

    def __call__(self, name: str, kind: Kind = "png") -> None:
        """Claim that the lens looks as it did when golden/NAME was last agreed."""
        ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update-goldens`, unless another plugin has it, whose option then serves."""
    group = parser.getgroup("glasses", "voice agent for AI glasses")
    try:
        group.addoption(
            "--update-goldens", action="store_true", help="Write what the lens shows as agreed."
        )
    except ValueError:
        return


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture
def glasses_plugins() -> Sequence[Any] | None:
    """List plugins to talk to: modules, objects, names or paths; None is what is installed."""
    return None


@pytest.fixture
def clock(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[VirtualClock]:
    """Give virtual time, for the agent and for `time.sleep` in its actions."""
    from agent.testing.clock import PATIENCE_S, VirtualClock

    made = VirtualClock(_marked(request).get("patience_s", PATIENCE_S))
    monkeypatch.setattr(time, "sleep", made.sleep)
    yield made
    made.close()


@pytest.fixture
def model() -> Model:
    """Script a language model: `model.replies.append("…")`, then look at `model.prompts`."""
    from agent.models.llm.model import ScriptedModel

    return ScriptedModel()


@pytest.fixture
def transcriber() -> Transcriber:
    """Script the ears, for `ask.aloud`."""
    from agent.testing.doubles import ScriptedTranscriber

    return ScriptedTranscriber()


@pytest.fixture
def display(request: pytest.FixtureRequest) -> Display:
    """Remember what the lens showed: `display.frames`."""
    from hardware.display import MemoryDisplay
    from hardware.profiles import load

    return MemoryDisplay(load(_marked(request).get("profile", "quark-s1")))


@pytest.fixture
def speaker(clock: VirtualClock) -> Speaker:
    """Play silently: `speaker.played`, `speaker.playing`."""
    from hardware.speaker import VirtualSpeaker

    return VirtualSpeaker(clock=clock.time)


@pytest.fixture
def location() -> Location | None:
    """Tell where the wearer stands: set `location.place`."""
    from agent.testing.doubles import VirtualLocation

    return VirtualLocation()


@pytest.fixture
def ask(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    glasses_plugins: Sequence[Any] | None,
    clock: VirtualClock,
    model: Model,
    transcriber: Transcriber,
    display: Display,
    speaker: Speaker,
    location: Location | None,
) -> Iterator[Conversation]:
    """Talk to an agent of the test's own: `ask("play music").shows("♪")`."""
    from agent.loop.agent import AgentOptions
    from agent.testing.conversation import Conversation, Doubles

    marked = _marked(request)
    builtin = marked.pop("builtin", True)
    for other in ("profile", "patience_s"):
        marked.pop(other, None)
    plugins = _wanted(request, glasses_plugins)
    try:
        options = AgentOptions(**marked)
    except TypeError as error:
        raise pytest.UsageError(f"{request.node.nodeid}: {MARKER} ({error})") from None
    made = Conversation(
        _skills(request, plugins, builtin),
        tmp_path / "glasses",
        Doubles(clock, model, transcriber, display, speaker, location),
        options,
    )
    yield made
    made.close()


@pytest.fixture
def conversation(ask: Conversation) -> Conversation:
    """Give `ask` another name, for `conversation.says("…").shows("…").then("…")`."""
    return ask


@pytest.fixture
def lens_golden(request: pytest.FixtureRequest, ask: Conversation) -> LensGolden:
    """Compare the lens to `golden/NAME.png` beside the test; `kind="text"` to NAME.txt."""
    from agent.testing.golden import Goldens

    update = bool(request.config.getoption("update_goldens", default=False))
    goldens = Goldens(request.path.parent / "golden", update)

    def check(name: str, kind: Kind = "png") -> None:
        __tracebackhide__ = True
        goldens.check(name, ask.frame, ask.display.profile, kind)

    return check


def _marked(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the marker's options; those nearer to the test come first."""
    options: dict[str, Any] = {}
    for mark in request.node.iter_markers("glasses"):
        options = {**mark.kwargs, **options}
    return options


def _wanted(request: pytest.FixtureRequest, given: Sequence[Any] | None) -> list[Any] | None:
    """Return the plugins of the fixture and of every marker; None when neither names any."""
    marks = [mark for mark in request.node.iter_markers("glasses") if mark.args]
    if given is None and not marks:
        return None
    return [*(given or ()), *(plugin for mark in reversed(marks) for plugin in mark.args)]


def _skills(request: pytest.FixtureRequest, plugins: list[Any] | None, builtin: bool) -> Skills:
    from agent.errors import GlassesError
    from agent.plugins.skills import BUILTIN, Skills

    if plugins is None and builtin:
        return Skills.discover()
    skills = Skills()
    for name in BUILTIN if builtin else ():
        skills.add(name, source="glasses")
    for plugin in plugins or ():
        if not isinstance(plugin, str | Path):
            try:
                skills.load(plugin)
            except GlassesError as error:
                pytest.fail(f"the plugin cannot be loaded: {error}", pytrace=False)
        elif problem := skills.add(_place(request, str(plugin))):
            pytest.fail(f"the plugin {plugin} cannot be loaded: {problem.reason}", pytrace=False)
    return skills


def _place(request: pytest.FixtureRequest, plugin: str) -> str:
    """Return the path of a plugin given from the test's folder or the root; else the name."""
    for folder in (request.path.parent, request.config.rootpath):
        if (folder / plugin).exists():
            return str(folder / plugin)
    return plugin
