"""`glasses hub --ray`: the hub on Ray Serve."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from functools import partial
from typing import TYPE_CHECKING

from agent import config
from agent.cli import hub, push, streams
from agent.cli.hub import Wanted
from agent.cli.tls import Tls
from agent.errors import ConfigError

if TYPE_CHECKING:
    from agent.serve.hub.ledgers import Do
    from agent.serve.hub.pool import Hear, Pool
    from agent.serve.hub.sessions import Sessions


def run(
    where: str, wanted: Wanted, replicas: int, tls: Tls | None, address: str
) -> None:  # fmt: skip
    """Serve until told to end; SIGHUP replaces the replicas. Raises ConfigError, GlassesError."""
    try:
        from agent.serve.hub.cluster import Cluster, Plan
    except ImportError as error:
        missing = f"there is no Ray here ({error}): pip install 'glasses-agent[hub]'"
        raise ConfigError(f"{missing}, or leave --ray out") from None
    settings = hub.checked()
    bound = push.listening(where, "--host")
    host, port = bound.getsockname()[:2]
    shared = tempfile.mkdtemp(prefix="glasses-hub-metrics-")
    ends, renew = threading.Event(), threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ends.set())
    signal.signal(signal.SIGHUP, lambda *_: renew.set())
    environment = {key: value for key, value in os.environ.items() if key.startswith("GLASSES_")}
    local = {"PROMETHEUS_MULTIPROC_DIR": shared} if address == "local" else {}
    cluster = Cluster(address, {**environment, **local})
    plan = Plan(
        partial(sessions, wanted), partial(ears, wanted), hub.folder(settings) / "ledgers",
        wanted.sessions, replicas,
    )  # fmt: skip
    try:
        hub.told(bound, tls, f"{replicas} x {wanted.sessions} sessions on Ray Serve")
        bound.close()  # Ray's proxy binds it
        cluster.begin(plan, host, port, tls.options if tls else {})
        streams.echo("hub: ready", err=True)
        cluster.wait(ends, renew)
    finally:
        bound.close()
        cluster.close()
        shutil.rmtree(shared, ignore_errors=True)


def sessions(wanted: Wanted, hear: Hear, do: Do) -> Sessions:
    """Build the sessions of a replica, in its process."""
    from agent.serve.hub.sessions import Sessions

    settings = config.load()
    return Sessions(hub.options(settings, wanted), hub.maker(settings, wanted), hear, do)


def ears(wanted: Wanted) -> Pool:
    """Build the ears, in their process."""
    return hub.pool(config.load(), wanted)
