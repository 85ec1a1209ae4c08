"""The picture of the simulator: `python -m tests.gallery.simulator`; needs Chromium and Playwright.

A real Chromium whose microphone says “navigate to the pharmacy”, in the street at dusk.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import wave
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from agent import config
from agent.cli.simulate import maker
from hardware.audio import read
from hardware.spoken import clips
from tests.agent.serve.server import running

SIZE = {"width": 1440, "height": 860}
QUALITY = 86
"""Of the JPEG; with more it would be over 200 kB."""


def main() -> None:
    """Write `simulator.jpg` beside this file."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("Chromium is not installed: sudo apt install chromium")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        spoken = home / "spoken.wav"
        with wave.open(str(spoken), "wb") as file:
            file.setparams((1, 2, 16_000, 0, "NONE", ""))
            file.writeframes(bytes(32_000) + read(clips()[2]) + bytes(640_000))
        settings = replace(config.load({"HOME": folder}), data=home)
        with running(maker(settings), home) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium,
                args=[
                    "--no-sandbox",
                    "--use-fake-ui-for-media-stream",
                    "--use-fake-device-for-media-stream",
                    f"--use-file-for-fake-audio-capture={spoken}%noloop",
                ],
            )
            page = browser.new_page(viewport=SIZE, locale="en-US")
            page.goto(address)
            page.wait_for_selector("#status.ready")
            page.click("#open-mic")
            page.wait_for_function("() => document.querySelectorAll('#turn-list li').length")
            page.evaluate("() => document.activeElement.blur()")
            page.wait_for_timeout(800)
            shot = page.screenshot()
            browser.close()
    picture = Image.open(BytesIO(shot)).convert("RGB")
    path = Path(__file__).with_name("simulator.jpg")
    picture.save(path, quality=QUALITY, subsampling=0, optimize=True, progressive=True)


if __name__ == "__main__":
    main()
