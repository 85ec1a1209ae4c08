"""The teleprompter: is the line that is lit the one that is being read?

    python -m tests.bench.prompter [--voice "flite slt"] [--minutes 5]

A synthetic voice reads a text aloud, each line at another pace and with another pause after it:
plainly, and once more with two lines left out and two said again. Five times a second the line that is lit is held against
the one whose sound is being heard. What is counted: how often it is that line or one beside it; the
same without the two seconds after a jump, which nobody can know of before some words of it are said;
and how much of a core it takes.
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.listen.sphinx.script import Script
from hardware.audio import read
from hardware.base import SAMPLE_BYTES, SAMPLE_RATE_HZ

PACES = (0.8, 1.0, 1.4, 1.8)
"""How long a line takes, beside the voice's own pace: one of them for each."""
PAUSES_S = (0.1, 0.5, 1.5, 2.5)
LOOK_BYTES = SAMPLE_BYTES * SAMPLE_RATE_HZ // 5
KNOWN_S = 2.0
"""How soon after a jump its line has to be lit."""
ESPEAK_WORDS = 150
"""Words a minute of espeak-ng at pace 1."""

ENGLISH = [
    "Good evening everybody and thank you for coming",
    "Tonight I want to talk about rivers",
    "When I was a boy my grandfather had a small boat",
    "Every morning before school we rowed across the water",
    "He told me that a river never forgets its way",
    "Even when the valley is dry the stones remember",
    "Years later I studied geology in a distant city",
    "The professors spoke about sediments and erosion",
    "But nobody spoke about the patience of the water",
    "So I went back to the village and I started to measure",
    "We put forty seven sensors under the bridge",
    "They told us how the current changes with the moon",
    "The first winter almost all of them were lost",
    "A flood carried them away in a single night",
    "I was ready to give up and return to my office",
    "Then an old fisherman came to our door",
    "He had found nineteen of our little machines",
    "They were hanging in his nets like strange fish",
    "That is when I understood what science needs",
    "It needs neighbors who look at the same water",
    "We asked the school whether the children would help",
    "The teacher laughed and said they had already begun",
    "In a blue notebook they had written every flood",
    "Some pages were older than the bridge itself",
    "A girl named Clara had drawn the shape of the banks",
    "Her drawing was better than our expensive map",
    "From that day on we met every second Friday",
    "Somebody always brought bread and somebody brought questions",
    "Why is the water brown after a warm wind",
    "Why do the herons leave before the first frost",
    "I could answer very few of these questions",
    "But each of them became a small experiment",
    "We measured the temperature at five in the morning",
    "We counted the insects on the northern shore",
    "We listened to the stones with a cheap microphone",
    "You can hear a flood coming about forty minutes early",
    "It sounds like a crowd that is walking on gravel",
    "The mayor did not believe us until the spring",
    "On the second of April the sirens were quiet",
    "Our notebook said that the water would rise by noon",
    "Nine families moved their cattle to the hill",
    "At a quarter past twelve the meadow was a lake",
    "Nobody was hurt and not one animal was lost",
    "After that the council gave us a room with a stove",
    "Today the project has three hundred volunteers",
    "Children count insects and teachers write the reports",
    "The data are open and anyone may use them",
    "A student in another country found a mistake in them",
    "She wrote us a polite letter and we corrected it",
    "That letter hangs on the wall beside the stove",
    "Last month the government changed the plan for the dam",
    "Because of your numbers the channel will stay free",
    "I do not know what the river will do next year",
    "But I know that many people will be watching",
    "Perhaps you have a river where you live",
    "Perhaps it is only a ditch behind the station",
    "Go there tomorrow and write down what you see",
    "Then go again and write down what has changed",
    "You do not need a laboratory to be curious",
    "You need a pencil and a place to come back to",
    "My grandfather never learned to read a map",
    "He read the water and he was seldom wrong",
    "I still keep his boat under the apple tree",
    "The paint is gone but the wood is dry and sound",
    "Thank you very much and now I take your questions",
]
CHINESE = [
    "大家晚上好感谢各位的到来",
    "今天我想谈一谈河流",
    "我小时候爷爷有一条小船",
    "每天上学以前我们都划船过河",
    "他告诉我河流从来不会忘记自己的路",
    "就算山谷干了石头也会记得",
    "很多年以后我在一个遥远的城市学习地质",
    "教授们谈论沉积物和侵蚀",
    "但是没有人谈论水的耐心",
    "所以我回到村里开始测量",
    "我们在桥下放了四十七个传感器",
    "它们告诉我们水流怎样随着月亮变化",
    "第一个冬天几乎全部都丢了",
    "一场洪水在一夜之间把它们带走",
    "我已经准备放弃回到办公室",
    "这时候一位老渔民来到我们门口",
    "他找到了十九个我们的小机器",
    "它们像奇怪的鱼一样挂在他的网里",
    "那时我明白了科学需要什么",
    "谢谢大家现在请提问",
]


@dataclass(frozen=True, slots=True)
class Read:
    """A text that was read aloud."""

    pcm: bytes
    """The sound."""
    lines: tuple[tuple[float, float, int], ...]
    """From when to when each line sounds, in seconds, and which it is."""
    jumps_s: tuple[float, ...]
    """When it went on elsewhere than at the next line."""


def spoken(text: str, voice: str, pace: float) -> bytes:
    """Return a line in a synthetic voice, as 16 kHz mono int16."""
    program, _, name = voice.partition(" ")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "line.wav"
        if program == "flite":
            asked = ["flite", "-voice", name, "--setf", f"duration_stretch={pace}", "-t", text]
            subprocess.run([*asked, "-o", str(path)], check=True, timeout=30)
        else:
            if name.startswith("cmn"):
                from hardware.voice import as_pinyin

                text = as_pinyin(text)
            speed = str(round(ESPEAK_WORDS / pace))
            asked = ["espeak-ng", "-v", name, "-s", speed, "-w", str(path), text]
            subprocess.run(asked, check=True, timeout=30)
        return read(path)


def reading(
    lines: Sequence[str], voice: str, seconds: float, seed: int = 0, plainly: bool = False
) -> Read:
    """Read a text aloud, until it ends or so many seconds have passed; `plainly` from end to end."""
    import numpy as np

    rng = random.Random(seed)
    order = [*range(len(lines))]
    if not plainly:
        order = [*order[:8], *order[10:15], *order[13:]]  # two are left out, two are said again
    pcm, spans, jumps, before = b"", [], [], -1
    for number in order:
        at_s = len(pcm) / SAMPLE_BYTES / SAMPLE_RATE_HZ
        if at_s >= seconds:
            break
        line = spoken(lines[number], voice, rng.choice(PACES))
        spans.append((at_s, at_s + len(line) / SAMPLE_BYTES / SAMPLE_RATE_HZ, number))
        if number != before + 1:
            jumps.append(at_s)
        before = number
        pcm += line + bytes(SAMPLE_BYTES * int(SAMPLE_RATE_HZ * rng.choice(PAUSES_S)))
    heard = np.frombuffer(pcm, "<i2").astype(float)
    loud = heard[np.abs(heard) > 100]
    heard *= 3000 / np.sqrt(np.square(loud).mean())
    heard += np.random.default_rng(seed).normal(0.0, 40.0, len(heard))  # a quiet room
    sound = heard.clip(-32768, 32767).astype("<i2").tobytes()
    return Read(sound, tuple(spans), tuple(jumps))


def followed(lines: Sequence[str], said: Read) -> dict[str, float]:
    """Return how often the line that is lit is the one being read, ± 1."""
    script, began_s = Script(lines), time.process_time()
    right = looked = known = right_known = 0
    for at in range(0, len(said.pcm), LOOK_BYTES):
        line = script.feed(said.pcm[at : at + LOOK_BYTES])
        now_s = (at + LOOK_BYTES) / SAMPLE_BYTES / SAMPLE_RATE_HZ
        now = next((n for begin, end, n in said.lines if begin <= now_s < end), None)
        if now is None:
            continue
        near = abs(line - now) <= 1
        right, looked = right + near, looked + 1
        if not any(0 <= now_s - jump < KNOWN_S for jump in said.jumps_s):
            right_known, known = right_known + near, known + 1
    long_s = len(said.pcm) / SAMPLE_BYTES / SAMPLE_RATE_HZ
    return {
        "seconds": long_s,
        "within_a_line_percent": 100 * right / looked,
        "but_after_jumps_percent": 100 * right_known / known,
        "core_percent": 100 * (time.process_time() - began_s) / long_s,
    }


def figures(quick: bool = False) -> dict[str, float]:
    """Return the figures of the benchmark; none without the voices."""
    found: dict[str, float] = {}
    seconds = 60.0 if quick else 300.0
    if shutil.which("flite"):
        for name in ("slt",) if quick else ("slt", "rms", "awb"):
            plain = followed(ENGLISH, reading(ENGLISH, f"flite {name}", seconds, plainly=True))
            found[f"{name}_plain_within_a_line_percent"] = plain["within_a_line_percent"]
            measured = followed(ENGLISH, reading(ENGLISH, f"flite {name}", seconds))
            found |= {f"{name}_{key}": value for key, value in measured.items()}
    if shutil.which("espeak-ng"):
        voice = "espeak-ng cmn-latn-pinyin"
        plain = followed(CHINESE, reading(CHINESE, voice, seconds, plainly=True))
        found["chinese_plain_within_a_line_percent"] = plain["within_a_line_percent"]
        said = reading(CHINESE, voice, seconds)
        found |= {f"chinese_{key}": value for key, value in followed(CHINESE, said).items()}
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voice", help='"flite slt", or "espeak-ng en-us": that one alone')
    parser.add_argument("--minutes", type=float, default=5.0)
    asked = parser.parse_args()
    if asked.voice:
        lines = CHINESE if " cmn" in asked.voice else ENGLISH
        measured = followed(lines, reading(lines, asked.voice, 60 * asked.minutes))
    else:
        measured = figures()
    for name, value in measured.items():
        print(f"{name.replace('_', ' '):32}{value:8.1f}")


if __name__ == "__main__":
    main()
