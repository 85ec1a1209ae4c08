"""Recording a session to a file, and replaying one."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from agent import config
from agent.cli import streams
from agent.cli.engines import ears
from agent.loop.agent import Agent
from agent.plugins.skills import Skills
from agent.testing.session import Recorder, Setting
from agent.testing.session import read as read_session
from agent.testing.session import replay as replay_session
from hardware import reading
from hardware.base import DeviceError


def start(path: Path, agent: Agent, plugins: Sequence[str]) -> Recorder:
    """Record what this agent hears and answers from now on."""
    location = agent.devices.location
    try:
        place = location.where() if location else None
    except DeviceError:
        place = None
    speaker = agent.devices.speaker
    setting = Setting(
        agent.devices.display.profile.name,
        agent.options.language,
        tuple(plugins),
        place,
        speaker is not None and speaker.available,
    )
    recorder = Recorder(path, setting)
    recorder.follow(agent)
    streams.echo(f"recording what is said and answered, in the clear, to {path}", err=True)
    return recorder


def replay(path: Path, plugins: Sequence[str], film: Path | None = None) -> int:
    """Replay a session, print what differs; return the exit status, 1 where something does.

    `film` is a GIF to write of what the lens shows.
    """
    settings = config.load()
    session = read_session(path)
    setting = session.setting
    spoken = any(isinstance(given, bytes) for _, given in session.inputs)
    for named in setting.plugins:
        if named not in plugins:  # a recording is data: it may come from anyone
            told = f"recorded with the plugin {reading.shown(named)}, which is not loaded"
            streams.echo(f"{told}: --plugin loads one", err=True)
    if session.cut:
        streams.echo(f"{path}: the end is cut: line {session.cut} is left out", err=True)
    skills = Skills.discover(plugins, settings.plugins, apart=settings.alone)
    for problem in skills.problems:
        streams.echo(f"not loaded: {problem.plugin}: {problem.reason}", err=True)
    with tempfile.TemporaryDirectory(prefix="glasses-replay-") as folder:
        transcriber = ears(settings, setting.language).make() if spoken else None
        again = replay_session(path, Path(folder), transcriber, skills, film, settings.models)
    if film is not None:
        streams.echo(f"{film}: the lens, as it was", err=True)
    for difference in again.differences:
        streams.echo(difference)
    count = len(again.turns)
    streams.echo(f"{count} turns replayed, {len(again.differences) or 'no'} differences", err=True)
    return 1 if again.differences else 0
