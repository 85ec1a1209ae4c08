"""What the tests of the hub share: replicas in this process, on scripted ears and real sockets."""

import contextlib
import itertools
from dataclasses import replace

import pytest

from agent.cli import push
from agent.serve.hub import door
from agent.serve.hub.ledgers import Ledgers
from agent.serve.hub.pool import Pool
from agent.serve.hub.sessions import Options, Sessions
from agent.serve.hub.tenants import Tenant, Tenants
from agent.testing import ScriptedTranscriber, make_agent
from hardware.base import Devices
from tests.agent.serve.hub.wearer import Wearer


class Hub:
    """One replica, and who may come to it."""

    def __init__(self, url, key, folder, sessions, ears, agents):
        self.url, self.key, self.folder = url, key, folder
        self.sessions, self.ears, self.agents = sessions, ears, agents
        self._names = itertools.count()

    def wearer(self, name=None, **options):
        return Wearer(self.url, self.key, name or f"glasses-{next(self._names)}", **options)

    async def lives(self):
        """Whether it still answers."""
        async with self.wearer() as wearer:
            return (await wearer.say("what time is it"))["error"] is None


@pytest.fixture
async def hub(tmp_path):
    """Return a function that starts a replica; all that a test starts share a folder."""
    async with contextlib.AsyncExitStack() as running:
        folder = tmp_path / "hub"
        ledgers = Ledgers(folder / "ledgers")
        running.callback(ledgers.close)
        keys = []

        async def start(texts=(), plugins=(), tenant=None, engines=1, **options):
            agents = []
            ears = ScriptedTranscriber(texts)

            def make(lens, own, language):
                agent = make_agent(own, plugins, builtin=True, texts=())
                agent.options = replace(agent.options, language=language)
                agent.devices = Devices(display=lens)
                if own.is_relative_to(folder):  # and not the one of the rehearsal
                    agents.append(agent)
                return agent

            pool = Pool(lambda: ears, engines, lambda language: [])
            sessions = Sessions(
                Options(folder, **options), make, pool.hear, ledgers.do,
                warm=pool.warm, close=pool.close,
            )  # fmt: skip
            bound = push.listening("0", "hub")
            url = f"ws://127.0.0.1:{bound.getsockname()[1]}"
            kept = {**door.options(), "timeout_graceful_shutdown": 5}
            await running.enter_async_context(push.running(sessions, bound, **kept))
            if not keys:
                keys.append(Tenants(folder).add(tenant or Tenant("acme")))
            return Hub(url, keys[0], folder, sessions, ears, agents)

        yield start
