"""Which of the agent's files run for one spoken turn: `python -m tests.one_turn where am i`.

Run in a process of its own, so that every thread is watched and nothing else runs in it.
"""

import asyncio
import sys
import tempfile
import threading
from pathlib import Path

from agent.act.world import AgentOptions
from agent.testing import make_agent, voiced
from hardware.microphone import FileMicrophone
from tests.pace import PATIENCE_S

ROOT = str(Path(__file__).parent.parent) + "/"
SILENCE = bytes(32_000)


class Watch:
    """Notes the files in which a function was called, once it is on."""

    def __init__(self):
        self.on, self.files = False, set()

    def __call__(self, frame, event, argument):
        if self.on and event == "call" and frame.f_code.co_filename.startswith(ROOT):
            self.files.add(frame.f_code.co_filename.removeprefix(ROOT))


async def run(said, watch):
    """Hear it twice, so that all is loaded, and watch the second time."""
    with tempfile.TemporaryDirectory() as folder:
        patient = AgentOptions(engine_timeout_s=PATIENCE_S)  # to be watched takes time
        agent = make_agent(Path(folder), builtin=True, texts=[said, said], options=patient)
        agent._router.load()  # beside listening otherwise, whenever it is ready
        for watch.on in (False, True):
            sound = FileMicrophone(SILENCE + voiced(1.0) + SILENCE, pace="fast")
            turns = [turn async for turn in agent.listen(sound)]
            assert [turn.transcript.text for turn in turns] == [said], turns
        watch.on = False
        await agent.close()


def main():
    watch = Watch()
    threading.setprofile(watch)
    sys.setprofile(watch)
    asyncio.run(run(" ".join(sys.argv[1:]), watch))
    sys.setprofile(None)
    print(*sorted(f for f in watch.files if f.startswith("agent/")), sep="\n")


if __name__ == "__main__":
    main()
