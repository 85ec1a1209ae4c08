"""The film at the head of the README: `python -m tests.gallery.film`; needs Chromium and Playwright.

What the simulator's page shows of the stage while a wearer talks, one picture a card.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from agent import config
from agent.cli.simulate import maker
from hardware.profiles import load as load_profile
from tests.agent.serve.server import running

SAID = (
    "navigate to the pharmacy",
    "what is the next turn",
    "translate good morning into chinese",
    "play ode to joy",
    "pay twenty dollars to anna",
    "yes",
    "导航到火车站",
    "dashboard",
)
"""What is said, in this order."""
SHOWN_MS = 2600
SIZE = {"width": 1240, "height": 860}
WIDTH_PX = 720
COLOURS, GREENS = 160, 24


def main() -> None:
    """Write `film.gif` beside this file."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("Chromium is not installed: sudo apt install chromium")
    shots: list[Image.Image] = []
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = replace(config.load({"HOME": folder}), data=home)
        with running(maker(settings), home) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(viewport=SIZE, locale="en-US", reduced_motion="reduce")
            page.goto(address)
            page.wait_for_selector("#status.ready")
            for count, line in enumerate(SAID, start=1):
                page.fill("#line", line)
                page.press("#line", "Enter")
                page.wait_for_function(
                    f"() => document.querySelectorAll('#turn-list > li').length >= {count}"
                )
                page.evaluate("() => document.activeElement.blur()")
                page.wait_for_timeout(700)
                shot = page.locator("#stage").screenshot()
                shots.append(Image.open(BytesIO(shot)).convert("RGB"))
            browser.close()
    height = shots[0].height * WIDTH_PX // shots[0].width
    small = [shot.resize((WIDTH_PX, height), Image.Resampling.LANCZOS) for shot in shots]
    sheet = Image.new("RGB", (WIDTH_PX, height * (len(small) + 1)))
    for number, shot in enumerate(small):
        sheet.paste(shot, (0, number * height))
    for level in range(GREENS):  # few pixels are lit, and they are what the film is about
        light = tuple(channel * (level + 1) // GREENS for channel in load_profile("quark-s1").tint)
        across = WIDTH_PX // GREENS
        sheet.paste(
            light, (level * across, height * len(small), (level + 1) * across, sheet.height)
        )
    palette = sheet.quantize(COLOURS, method=Image.Quantize.MEDIANCUT)
    drawn = [shot.quantize(palette=palette, dither=Image.Dither.NONE) for shot in small]
    drawn[0].save(
        Path(__file__).with_name("film.gif"),
        save_all=True,
        append_images=drawn[1:],
        duration=SHOWN_MS,
        loop=0,
        optimize=False,
        disposal=1,
    )


if __name__ == "__main__":
    main()
