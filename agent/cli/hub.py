"""`glasses hub`: many glasses on one machine, by uvicorn, or on a cluster, by Ray Serve."""

from __future__ import annotations

import asyncio
import os
import queue
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from agent import config, private
from agent.cli import compose, engines, push, streams
from agent.cli.tls import Tls, warn
from agent.config import Config
from agent.errors import ConfigError, GlassesError
from agent.language import controls
from agent.language.saying import Saying
from agent.loop.agent import Agent
from agent.models.llm.model import Model, NoModel
from agent.plugins.skills import Skills
from agent.serve.hub.ledgers import Line, Writer
from agent.serve.hub.lens import HubLens
from agent.serve.hub.tenants import Tenant, Tenants
from hardware.display import MemoryDisplay
from hardware.profiles import load as load_profile

if TYPE_CHECKING:
    from agent.listen.transcriber import Transcriber
    from agent.serve.hub.pool import Pool
    from agent.serve.hub.sessions import Options, Sessions

SESSIONS_A_CORE = 20
"""Sessions that a core is given unless told otherwise; see "Sizing" in the README."""
STOCK = 24
"""Sessions that can begin at once with what was loaded before, about 1 MB each."""
QUIET_S = 2.0
"""How long nobody may have come before the stock is filled again, and how long each of it waits."""
READY_S = 60
"""How long a replica may take to be up, or to answer that it is there, before it is replaced."""
MODEL = "the hub asks a server for Qwen: set GLASSES_MODEL to its address, http://HOST:PORT/v1"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line; may be given to other processes."""

    sessions: int
    """Most sessions of a replica."""
    engines: int
    """Speech engines of a replica."""
    plugins: tuple[str, ...] = ()
    """Plugins besides those that are found."""
    language: str | None = None
    """`en`, `zh` or `auto`, where it is not the setting's."""


def folder(settings: Config) -> Path:
    """Return the hub's folder."""
    return settings.data / "hub"


def wanted(
    sessions: int | None, replicas: int, language: str | None, plugins: Sequence[str]
) -> Wanted:
    """Return what each of the replicas is to have: its share of this machine."""
    cores = os.cpu_count() or 1
    most = sessions or max(1, SESSIONS_A_CORE * cores // replicas)
    return Wanted(most, max(1, cores // replicas), tuple(plugins), language)


# -- tenants ---------------------------------------------------------------------------------------


def add(tenant: Tenant) -> None:
    """Keep a tenant and print its key, once. Raises ConfigError."""
    tenants = Tenants(folder(config.load()))
    new = tenant.name not in tenants.all()
    streams.echo(tenants.add(tenant))
    told = "is" if new else "has a new key and is"
    streams.echo(f"{tenant.name} {told} let in with this key, which is not shown again", err=True)


def remove(name: str) -> None:
    """Take a tenant's key away. Raises ConfigError."""
    Tenants(folder(config.load())).remove(name)
    streams.echo(f"{name} is let in no more; what its glasses keep is still there")


def show() -> None:
    """Print the tenants. Raises ConfigError."""
    for tenant in Tenants(folder(config.load())).all().values():
        shares = f"{tenant.sessions} sessions, {tenant.glasses} glasses"
        streams.echo(f"{tenant.name}  {shares}, {tenant.turns_a_minute} turns a minute each")


# -- one replica -----------------------------------------------------------------------------------


def options(settings: Config, wanted: Wanted) -> Options:
    """Return what one replica is."""
    from agent.serve.hub.sessions import Options

    return Options(folder(settings), wanted.sessions, settings.profile)


def maker(settings: Config, wanted: Wanted) -> Callable[[HubLens, Path, str], Agent]:
    """Return what builds the agent of one pair of glasses."""
    load = partial(Skills.discover, wanted.plugins, settings.plugins, apart=settings.alone)
    stock = _Stock(load, 0 if settings.alone else STOCK)  # plugins that run apart are processes

    def make(lens: HubLens, own: Path, language: str) -> Agent:
        spoken = language if language != "auto" else wanted.language
        far = replace(settings, profile=lens.profile.name, voice="off", sensors="none")
        model, skills = _model(settings), stock.take()
        agent = compose.build(far, lens, wanted.plugins, spoken, own, model, skills)
        others = {k: v for k, v in agent.devices.others.items() if k in ("places",)}
        agent.devices = replace(
            agent.devices, display=lens, speaker=None, voice=None, imu=None, battery=None,
            light=None, others=others,
        )  # fmt: skip
        return agent

    return make


class _Stock:
    """Skills that are loaded already, which is most of what a session costs at its beginning.

    So those whose replica was killed, and come here all at once, need not wait for one another.
    """

    def __init__(self, load: Callable[[], Skills], size: int) -> None:
        self._load, self._size = load, size
        self._ready: queue.SimpleQueue[Skills] = queue.SimpleQueue()
        self._taken_s = 0.0
        threading.Thread(target=self._fill, name="stock", daemon=True).start()

    def take(self) -> Skills:
        """Return skills that nobody has. Raises PluginError."""
        self._taken_s = time.monotonic()
        with suppress(queue.Empty):
            return self._ready.get_nowait()
        return self._load()

    def _fill(self) -> None:
        while True:
            if self._ready.qsize() < self._size and time.monotonic() - self._taken_s > QUIET_S:
                try:
                    self._ready.put(self._load())
                except GlassesError:
                    self._taken_s = time.monotonic()  # whoever takes some is told
            if self._taken_s or self._ready.qsize() >= self._size:
                time.sleep(QUIET_S)  # who talks goes before who may come


def _model(settings: Config) -> Model:
    """Return the server that all sessions ask, each by a client of its own."""
    if settings.model.startswith(("http://", "https://")):
        return engines.model(settings)
    return NoModel(MODEL)


def pool(settings: Config, wanted: Wanted) -> Pool:
    """Return the ears of a replica, which are loaded when they are warmed."""
    from agent.serve.hub.apart import Apart
    from agent.serve.hub.pool import Pool

    chosen = engines.ears(settings, wanted.language or settings.language)
    if chosen.name == "none":
        streams.echo(f"nothing is heard: {chosen.note}", err=True)
        return Pool(chosen.make, 0)
    return Pool(partial(Apart, partial(engine, wanted)), wanted.engines)


def engine(wanted: Wanted) -> Transcriber:
    """Build one engine, in its own process, that knows what can be said. Raises EngineError."""
    settings = config.load()
    made = engines.ears(settings, wanted.language or settings.language).make()
    made.expect(
        [one for lang in sorted(made.languages) for one in _sayings(settings, wanted, lang)]
    )
    return made


def _sayings(settings: Config, wanted: Wanted, language: str) -> list[Saying]:
    """Return what every pair of glasses may hear, with the answers to a question."""
    with tempfile.TemporaryDirectory(prefix="glasses-hub-") as nobodys:
        display = MemoryDisplay(load_profile(settings.profile))
        model = NoModel(MODEL)  # nothing of this agent is ever begun, so nothing of it is to end
        agent = compose.build(settings, display, wanted.plugins, None, Path(nobodys), model)
        return [*agent.sayings(language), *controls.sayings(language, asking=True)]


def sessions(wanted: Wanted, line: Line) -> Sessions:
    """Build one replica for uvicorn."""
    from agent.serve.hub.sessions import Sessions

    settings = config.load()
    ears = pool(settings, wanted)
    return Sessions(
        options(settings, wanted), maker(settings, wanted), ears.hear, line.do,
        warm=ears.warm, close=ears.close,
    )  # fmt: skip


# -- one machine -----------------------------------------------------------------------------------


def run(where: str, each: Wanted, replicas: int, tls: Tls | None) -> None:
    """Serve until told to end; SIGHUP replaces the replicas one by one. Raises ConfigError."""
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    from agent.serve.hub import door

    settings = checked()
    bound = push.listening(where, "--host")
    writer = Writer(folder(settings) / "ledgers")
    shared = tempfile.mkdtemp(prefix="glasses-hub-metrics-")
    if replicas > 1:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = shared
    try:
        writer.begin()
        kept = uvicorn.Config(
            partial(sessions, each, writer.line), factory=True, workers=replicas,
            timeout_worker_healthcheck=READY_S, **door.options(), **(tls.options if tls else {}),
        )  # fmt: skip
        told(bound, tls, f"{replicas} x {each.sessions} sessions")
        if replicas > 1:
            Multiprocess(kept, sockets=[bound]).run()
        else:
            asyncio.run(uvicorn.Server(kept).serve([bound]))
    finally:
        bound.close()
        writer.close()
        shutil.rmtree(shared, ignore_errors=True)


def checked() -> Config:
    """Return the settings, where the hub can be begun with them. Raises ConfigError."""
    settings = config.load()
    private.folder(folder(settings))
    if not Tenants(folder(settings)).all():
        raise ConfigError("nobody could come: add a tenant first: glasses hub add NAME")
    return settings


def told(bound: socket.socket, tls: Tls | None, what: str) -> None:
    """Say where the hub is."""
    host, port = bound.getsockname()[:2]
    scheme = "wss" if tls else "ws"
    streams.echo(f"hub: {scheme}://{host}:{port}/glasses/NAME, {what}", err=True)
    warn(host, tls)
