"""The hub on Ray Serve: the same sessions as deployments, for many replicas on many machines.

    proxy ══▶ Replica (`Sessions`) ──clips──▶ Hearing (`Pool`, by `serve.batch`)
                     └───────────payments───▶ Books (`Ledgers`): one actor, the one writer

Ray places, restarts and replaces replicas; nothing of that is ours. Only `glasses hub --ray`
imports this: Ray is the optional extra `hub`. All nodes need the project installed, and the data
folder at the same path.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray import serve

from agent.errors import EngineError, GlassesError
from agent.messages import Transcript
from agent.serve.cutting import Clip
from agent.serve.hub.ledgers import WAIT_S, Do, Ledgers, Told, Unreached, answered, asked
from agent.serve.hub.pool import Hear, Pool
from agent.serve.hub.sessions import Sessions

NAME = "glasses"
"""What the application is called."""
BATCH, TOGETHER_S, BATCHES = 4, 0.01, 64
"""Utterances that go to the ears together at most, how long the first waits for others, and how
many may be there at once: an engine that is free does not wait for one that is not."""
SPARE = 64
"""Connections that a replica takes beyond its sessions, to tell them that it is full."""
LEAVE_S = 5.0
"""How long a replica that is to be replaced may take: its glasses are elsewhere right after."""
LOOK_S = 1.0
"""How often it is asked whether a replica is there."""
STORE_BYTES = 80 << 20
"""Memory for objects in transit, where Ray is begun here: an utterance is 480 kB at most."""

ROUND = "GLASSES_HUB_ROUND"
"""A variable whose value has Ray replace replicas that have another."""

Build = Callable[[Hear, Do], Sessions]
"""Builds the sessions of a replica, in its own process."""


class Books:
    """The actor that writes all ledgers."""

    def __init__(self, folder: Path) -> None:
        """Write below a folder."""
        self._ledgers = Ledgers(folder)

    def asked(self, tenant: str, name: str, call: str, given: tuple[Any, ...]) -> Told:
        """Call a ledger."""
        return asked(self._ledgers, tenant, name, call, given)

    def pid(self) -> int:
        """Return its process."""
        return os.getpid()


class Hearing:
    """The deployment that hears: batches of utterances from all replicas."""

    def __init__(self, make: Callable[[], Pool]) -> None:
        """Have engines that are loaded as soon as Ray looks whether this is there."""
        self._pool = make()
        self._warming: asyncio.Task[None] | None = None

    async def check_health(self) -> None:
        """Load the engines, once; Ray calls this again and again."""
        if self._warming is None:
            self._warming = asyncio.create_task(self._pool.warm())

    @serve.batch(  # type: ignore[untyped-decorator]  # Ray may not be here
        max_batch_size=BATCH, batch_wait_timeout_s=TOGETHER_S, max_concurrent_batches=BATCHES
    )
    async def hear(self, clips: list[Clip]) -> list[Transcript | str]:
        """Hear a batch; an utterance that cannot be heard gives why."""
        heard = await self._pool.batch(clips)
        return [str(one) if isinstance(one, EngineError) else one for one in heard]


class Replica:
    """The deployment that glasses are connected to."""

    def __init__(self, build: Build, hearing: Any, books: Any) -> None:
        """Have no sessions yet."""

        async def hear(clip: Clip) -> Transcript:
            try:
                heard = await hearing.hear.remote(clip)
            except ray.exceptions.RayError as error:
                raise EngineError(f"the ears of the hub failed ({type(error).__name__})") from None
            if not isinstance(heard, Transcript):
                raise EngineError(str(heard))
            return heard

        self._sessions = build(hear, _doing(books))

    def __serve_build_asgi_app__(self) -> Sessions:
        """Return what Ray's proxy talks to."""
        return self._sessions


def _doing(books: Any) -> Do:
    """Return how to call the actor with the ledgers."""

    def do(tenant: str, name: str, call: str, given: tuple[Any, ...]) -> Any:
        try:
            told = ray.get(books.asked.remote(tenant, name, call, given), timeout=WAIT_S)
        except ray.exceptions.RayError as error:
            why = f"the writer of the ledgers does not answer ({type(error).__name__})"
            raise Unreached(why) from None
        return answered(told)

    return do


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to run."""

    build: Build
    """Builds the sessions of a replica."""
    ears: Callable[[], Pool]
    """Builds the ears."""
    ledgers: Path
    """Folder of the ledgers."""
    sessions: int
    """Most sessions of a replica."""
    replicas: int
    """How many there are."""
    ears_replicas: int = 1
    """How many deployments hear."""
    cpus: float = 0.1
    """Cores that Ray sets aside for a replica, and for ears; a cluster is to be given 1."""


class Cluster:
    """The hub on a Ray."""

    def __init__(self, address: str, environment: dict[str, str], cores: int | None = None) -> None:
        """Join the cluster at an address, or begin one here for `local`. Raises GlassesError.

        `environment` is what processes of the hub have besides.
        """
        given: dict[str, Any] = {"address": address}
        if address == "local":
            given = {
                "address": "local", "num_cpus": cores or os.cpu_count(),
                "object_store_memory": STORE_BYTES, "include_dashboard": False,
            }  # fmt: skip
        logging.getLogger("ray.serve").setLevel(logging.ERROR)
        try:
            ray.init(
                **given, namespace=NAME, log_to_driver=False, logging_level="error",
                runtime_env={"env_vars": environment},
            )  # fmt: skip
        except (ConnectionError, RuntimeError, ValueError) as error:
            why = " ".join(str(error).split())[:200]
            raise GlassesError(f"no Ray is at {address}: {why}") from None
        self._environment, self._rounds = environment, 0

    def begin(self, plan: Plan, host: str, port: int, secure: Mapping[str, str]) -> None:
        """Serve, with `ssl_certfile` and `ssl_keyfile` by TLS; return once it is up."""
        serve.start(http_options={"host": host, "port": port, **secure})
        self._books = (
            ray.remote(Books)
            .options(name="books", get_if_exists=True, max_restarts=-1, num_cpus=0)
            .remote(plan.ledgers)
        )
        self._plan = plan
        self.renew()

    def renew(self) -> None:
        """Begin all replicas, or replace them one by one; return once they are up."""
        plan, self._rounds = self._plan, self._rounds + 1
        own = {**self._environment, ROUND: str(self._rounds)}
        shared: dict[str, Any] = {
            "health_check_period_s": LOOK_S, "graceful_shutdown_timeout_s": LEAVE_S,
            "graceful_shutdown_wait_loop_s": 0.5,
            "ray_actor_options": {"num_cpus": plan.cpus, "runtime_env": {"env_vars": own}},
        }  # fmt: skip
        hearing = serve.deployment(Hearing).options(
            **shared, num_replicas=plan.ears_replicas, max_ongoing_requests=BATCH * BATCHES
        )
        replica = serve.deployment(serve.ingress()(Replica)).options(
            **shared, num_replicas=plan.replicas, max_ongoing_requests=plan.sessions + SPARE
        )
        bound = hearing.bind(plan.ears)
        serve.run(replica.bind(plan.build, bound, self._books), name=NAME, route_prefix="/")

    def wait(self, ends: threading.Event, renew: threading.Event) -> None:
        """Serve until `ends` is set; `renew` replaces the replicas."""
        while not ends.wait(LOOK_S):
            if renew.is_set():
                renew.clear()
                self.renew()

    def close(self) -> None:
        """End the hub, and the Ray that was begun for it."""
        serve.shutdown()
        ray.shutdown()
