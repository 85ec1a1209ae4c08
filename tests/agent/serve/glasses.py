"""Glasses that serve a protocol over WebSocket, for its tests."""

import contextlib

from agent.cli import push
from agent.serve import sockets
from agent.serve.ears import Ears
from agent.testing import ScriptedTranscriber, make_agent


@contextlib.asynccontextmanager
async def serving(folder, protocol, app, glasses):
    """Yield a function that makes glasses serve: what `glasses` makes of agent, ears and port.

    `app` builds the application of `protocol`; `deaf` glasses have no ears.
    """
    async with contextlib.AsyncExitStack() as running:

        async def make(transcriber=None, deaf=False, token=None, **options):
            agent = make_agent(
                folder / "data", transcriber=transcriber or ScriptedTranscriber(), **options
            )
            running.push_async_callback(agent.close)
            ears = None
            if not deaf:
                ears = Ears(agent.more_ears(), agent.sayings, "ears", frozenset({"en", "zh"}))
                running.push_async_callback(ears.close)
            bound = push.listening("0", protocol)
            port = bound.getsockname()[1]
            serves = app(agent, ears, token)
            await running.enter_async_context(push.running(serves, bound, **sockets.OPTIONS))
            return glasses(agent, ears, port)

        yield make
