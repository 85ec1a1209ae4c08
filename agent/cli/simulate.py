"""`glasses simulate`: the glasses as a page in a browser."""

from __future__ import annotations

import asyncio
import socket
import sys
import webbrowser
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from agent import config
from agent.cli import streams
from agent.cli.compose import build
from agent.cli.engines import ears
from agent.cli.tls import Tls
from agent.config import Config
from agent.errors import GlassesError
from agent.serve.simulator import guard
from agent.serve.simulator.app import Options, create
from agent.serve.simulator.from_page import Setting
from agent.serve.simulator.glasses import Built, Make, Parts
from agent.serve.simulator.protocol import MOST_READ_BYTES
from hardware.profiles import load as load_profile

if TYPE_CHECKING:
    import uvicorn

LOOPBACK = "127.0.0.1"
PORT = 8642
"""Where the page is unless another port is asked for; a free one where this one is taken."""


def run(
    host: str | None = None,
    port: int | None = None,
    profile: str | None = None,
    language: str | None = None,
    plugins: Sequence[str] = (),
    browser: bool = True,
    tls: Tls | None = None,
) -> None:
    """Serve the page until Ctrl-C. Raises GlassesError or DeviceError for what cannot be."""
    settings = config.load()
    settings = replace(
        settings,
        profile=profile or settings.profile,
        language=language or settings.language,
    )
    load_profile(settings.profile)
    token = None if host is None or guard.is_loopback(host) else guard.token()
    options = Options(
        folder=settings.data / "simulator",
        setting=Setting(settings.profile, settings.language),
        token=token,
    )
    listening = bound(host or LOOPBACK, port)
    shown = "localhost" if token is None else _address(host or LOOPBACK)
    scheme = "https" if tls else "http"
    path = f"{token}/" if token else ""
    url = f"{scheme}://{shown}:{listening.getsockname()[1]}/{path}"
    streams.echo(f"The glasses are at {url} – Ctrl-C ends.")
    if token and tls is None:
        streams.echo(
            "Browsers give a page microphone and camera only on localhost or over https:"
            " add --certificate FILE.",
            err=True,
        )
    if browser and sys.stdout.isatty():
        webbrowser.open(url)
    serving = server(maker(settings, plugins), options, tls)
    asyncio.run(serving.serve(sockets=[listening]))


def maker(settings: Config, plugins: Sequence[str] = ()) -> Make:
    """Return what builds the agent of one pair of glasses."""

    def make(parts: Parts) -> Built:
        own = replace(settings, profile=parts.display.profile.name)
        agent = build(own, parts.display, plugins, parts.language, parts.folder)
        devices = agent.devices
        parts.body.location.otherwise = devices.location
        agent.devices = replace(
            devices,
            display=parts.display,
            speaker=parts.speaker,
            imu=parts.body.imu,
            battery=parts.body.battery,
            light=parts.body.light,
            location=parts.body.location,
            others={**devices.others, "camera": lambda: parts.camera},
        )
        heard = "en" if parts.language == "auto" else parts.language
        chosen = ears(settings, heard)
        name = chosen.name if chosen.name != "none" else chosen.note
        return Built(agent, name, tuple(plugins))

    return make


def server(make: Make, options: Options, tls: Tls | None = None) -> uvicorn.Server:
    """Return what serves the page; `serve(sockets=[…])` runs it until the process is told to end.

    Messages over `MOST_READ_BYTES` are refused as soon as their head has been read.
    """
    import uvicorn

    return uvicorn.Server(
        uvicorn.Config(
            create(make, options),
            ws="websockets-sansio",
            ws_max_size=MOST_READ_BYTES,
            ws_per_message_deflate=False,  # pictures and sound do not shrink, and bombs stay out
            log_config=None,
            log_level="warning",  # the log of requests would hold the token
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=2,
            **(tls.options if tls else {}),
        )
    )


def bound(host: str, port: int | None) -> socket.socket:
    """Bind a socket, to `PORT` or a free one where none is asked for. Raises GlassesError."""
    wanted = PORT if port is None else port
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, wanted))
        made.listen()  # who comes before the server is there waits
    except OSError as error:
        made.close()
        if port is None:
            return bound(host, 0)
        raise GlassesError(
            f"cannot listen on {host}:{port} ({error.strerror or error}):"
            " choose another --port or --host"
        ) from None
    return made


def _address(host: str) -> str:
    """Return what others reach this machine by when it listens on all its addresses."""
    if host not in ("0.0.0.0", "::"):
        return f"[{host}]" if ":" in host else host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation; nothing is sent
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
