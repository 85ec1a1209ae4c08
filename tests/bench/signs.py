"""From a photographed sign to the lens: how long it takes, on the clock and on the processor.

python -m tests.bench.signs FOLDER     # pictures, such as shared/data/images/easyocr-signs
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from agent.plugins.skills import Skills
from agent.testing.clock import VirtualClock
from agent.testing.conversation import Conversation, Doubles
from agent.testing.doubles import VirtualCamera

ROUNDS = 3
"""How often each picture is read; the first of all, with which the networks load, is left out."""


def main(folder: str) -> None:
    """Read every picture of a folder and print the times of an answer, in seconds."""
    pictures = [path for path in sorted(Path(folder).iterdir()) if path.suffix in (".jpg", ".png")]
    camera = VirtualCamera()
    with tempfile.TemporaryDirectory() as data:
        clock = VirtualClock(patience_s=60.0)
        talk = Conversation(Skills.discover(), Path(data), Doubles(clock, camera=camera))
        walls, cpus = [], []
        for path in pictures * ROUNDS:
            camera.picture = path.read_bytes()
            wall, cpu = time.perf_counter(), time.process_time()
            talk("translate the sign").succeeds()
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
        talk.close()
    for name, times in (("wall", walls[1:]), ("processor", cpus[1:])):
        p95 = statistics.quantiles(times, n=20)[18]
        print(f"{name}: p50 {statistics.median(times):.2f} s, p95 {p95:.2f} s, {len(times)} times")


if __name__ == "__main__":
    main(*sys.argv[1:])
