"""A real simulator on a free port, its agents on scripted ears, and a page without a browser."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

from websockets.sync.client import connect

from agent import Context, Proposal, Receipt, Reply, hookimpl, skill
from agent.cli.simulate import LOOPBACK, bound, server
from agent.serve.simulator import from_page, protocol
from agent.serve.simulator.app import Options
from agent.serve.simulator.glasses import Built
from agent.testing import make_agent
from hardware.base import Devices
from hardware.spoken import clips
from tests.pace import PATIENCE_S, until


class Plugin:
    """What the wearer can do here."""

    __name__ = "demo"

    def __init__(self):
        self.paid = []

    @hookimpl
    def register_skills(self, register):
        @skill("greet {name}")
        def greet(name: str) -> Reply:
            """Greet somebody."""
            return Reply(f"Hello {name}", title="Greeting")

        @skill("what do you see", permissions={"camera": "to look"})
        def look(ctx: Context) -> Reply:
            """Take a picture."""
            return Reply(f"{len(ctx.device('camera').take())} bytes")

        @skill("sing")
        def sing(ctx: Context) -> Reply:
            """Play a tune."""
            ctx.speaker.play(clips()[0])
            return Reply("La la la")

        @skill("settle up with {payee}", risk="money", permissions={"money": "to pay"})
        def settle(payee: str) -> Proposal:
            """Pay four dollars."""
            return Proposal(amount=Decimal(4), payee=payee, commit=self.commit)

        register(greet, look, sing, settle)

    def commit(self, key):
        self.paid.append(key)
        return Receipt("Paid.")


def scripted(texts=(), plugin=None):
    """Return what builds agents whose ears hear `texts`, one for each utterance."""

    def make(parts):
        agent = make_agent(parts.folder, [plugin or Plugin()], texts=texts)
        agent.options = replace(agent.options, language=parts.language)
        body = parts.body
        agent.devices = Devices(
            parts.display, None, parts.speaker, body.imu, body.battery, body.light,
            others={"camera": lambda: parts.camera},
        )  # fmt: skip
        return Built(agent, "scripted")

    return make


@contextmanager
def running(make, folder, tls=None, **options):
    """Serve until the block ends; gives the address of the page."""
    socket = bound(LOOPBACK, 0)
    serving = server(make, Options(folder, **options), tls)
    thread = threading.Thread(
        target=lambda: asyncio.run(serving.serve(sockets=[socket])), name="simulator"
    )
    thread.start()
    try:
        until(lambda: serving.started or not thread.is_alive())
        token = options.get("token")
        scheme = "https" if tls else "http"
        yield f"{scheme}://{LOOPBACK}:{socket.getsockname()[1]}/" + (f"{token}/" if token else "")
    finally:
        serving.should_exit = True
        thread.join()


def get(address):
    """Fetch a file as bytes."""
    with urllib.request.urlopen(address) as answer:
        return answer.read()


def health(address):
    return json.loads(get(f"{address}health"))


class Page:
    """A page without a browser: what it is told is kept, by type."""

    def __init__(self, address, pair="mine", hello=True):
        self.address = address
        self.pair = pair
        opening = connect(address.replace("http", "ws") + "socket", max_size=1 << 24)
        self.socket = opening.__enter__()
        self.told = []
        self.lens = []
        if hello:
            self.send("hello", version=protocol.VERSION, pair=pair)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, kind, **fields):
        self.socket.send(json.dumps({"type": kind, **fields}))

    def speak(self, pcm, on=True):
        """Send sound, as fast as it goes."""
        if on:
            self.send("listen", on=True)
        for number, at in enumerate(range(0, len(pcm), 640)):
            self.socket.send(from_page.sound(number, pcm[at : at + 640]))

    def until(self, name, /, seconds=PATIENCE_S, **wanted):
        """Return the next message of a kind whose fields are as wanted."""
        ends = time.monotonic() + seconds
        while (left := ends - time.monotonic()) > 0:
            try:
                message = json.loads(self.socket.recv(timeout=left))
            except TimeoutError:
                break
            self.told.append(message)
            if message["type"] == "lens":
                self.lens = message["rows"]
            if message["type"] == name and all(message[k] == v for k, v in wanted.items()):
                return message
        kinds = [m["type"] for m in self.told]
        raise AssertionError(f"no {name} with {wanted} within {seconds} s, but {kinds}")

    def shows(self, text, seconds=PATIENCE_S):
        """Wait until a text is on the lens; nothing for a lens that is clear."""
        ends = time.monotonic() + seconds
        while text not in "\n".join(self.lens) or (not text and self.lens):
            self.until("lens", ends - time.monotonic())
