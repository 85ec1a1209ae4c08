"""One Chromium for all tests of the page, and the simulators that it looks at."""

from __future__ import annotations

import shutil
import wave
from dataclasses import replace
from pathlib import Path

import pytest

from agent import config
from agent.cli.simulate import maker
from agent.serve.simulator.from_page import Setting
from hardware.audio import read
from hardware.spoken import clips
from tests.agent.serve.server import Plugin, running, scripted
from tests.pace import PATIENCE_S

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

FOLDER = Path(__file__).parent
LEAD_S = 1.0
"""Silence before the spoken command, while the browser opens its microphone."""


def pytest_collection_modifyitems(items):
    """All of these are servers with real clients: they are left out of the inner loop."""
    for item in items:
        if FOLDER in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="module")  # Playwright keeps a loop running, beside which no other can
def chromium(tmp_path_factory):
    """A browser whose microphone says “search for running shoes” every twelve seconds.

    Again and again, since a browser on a busy machine loses some of the sound it was to capture.
    """
    sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: sudo apt install chromium")
    spoken = tmp_path_factory.mktemp("spoken") / "command.wav"
    with wave.open(str(spoken), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(int(LEAD_S * 32_000)) + read(clips()[0]) + bytes(10 * 32_000))
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",  # the tests may run as root
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={spoken}",
                "--autoplay-policy=no-user-gesture-required",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def real(tmp_path_factory):
    """The address of a simulator whose agents are those that ship."""
    folder = tmp_path_factory.mktemp("real")
    settings = replace(config.load({"HOME": str(folder)}), data=folder)
    with running(maker(settings), folder, setting=Setting("quark-s1", "auto")) as address:
        yield address


@pytest.fixture(scope="package")
def quick(tmp_path_factory):
    """The address of a simulator with one small plugin and scripted ears."""
    with running(scripted(["greet anna"] * 50, Plugin()), tmp_path_factory.mktemp("quick")) as made:
        yield made


@pytest.fixture
def open_page(chromium):
    """Open an address in a browser of its own; whatever the page complains of fails the test."""
    contexts, complaints = [], []

    def complained(message):
        # What tests themselves do: send a file that is no session, read pixels again and again.
        wanted = "status of 400" in message.text or "willReadFrequently" in message.text
        if message.type in ("error", "warning") and not wanted:
            complaints.append(message.text)

    def opened(address, **options):
        context = chromium.new_context(
            **{"viewport": {"width": 1280, "height": 800}, "locale": "en-US"} | options
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_S * 1000)
        page.on("console", complained)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda asked: (
                asked.url.startswith((address.partition("?")[0], "blob:", "data:"))
                or complaints.append(f"asked for {asked.url}")
            ),
        )
        page.goto(address)
        page.wait_for_selector("#status.ready")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
