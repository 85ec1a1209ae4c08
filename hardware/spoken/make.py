"""Make the spoken examples again: `python -m hardware.spoken.make`; needs flite."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from hardware.audio import read
from hardware.base import SAMPLE_RATE_HZ

SPOKEN = {
    "01-search": "search for running shoes",
    "02-price": "how much is the desk lamp",
    "03-navigate": "navigate to the pharmacy",
    "04-translate": "translate good morning into chinese",
    "05-pay": "pay twenty dollars to anna",
    "06-yes": "yes",
    "07-play": "play ode to joy",
    "08-stop": "stop the music",
    "09-unknown": "what is the meaning of life",
}
"""What each file says."""

VOICE = "slt"
"""flite's clearest voice built in: American English, female."""


def main() -> None:
    """Speak every example into a file beside this one."""
    folder = Path(__file__).parent
    for name, text in SPOKEN.items():
        with tempfile.NamedTemporaryFile(suffix=".wav") as wav:
            subprocess.run(["flite", "-voice", VOICE, "-t", text, "-o", wav.name], check=True)
            _flac(read(wav.name), folder / f"{name}.flac")


def _flac(pcm: bytes, path: Path) -> None:
    import av
    import numpy as np

    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE_HZ, layout="mono")
        samples = np.frombuffer(pcm, "<i2").reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        container.mux([*stream.encode(frame), *stream.encode(None)])


if __name__ == "__main__":
    main()
