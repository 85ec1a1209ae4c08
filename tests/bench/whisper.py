"""What Whisper costs, and with real weights how well it hears.

Weights of Whisper cannot be had everywhere, so the times are measured on models that
`tests.tiny_whisper` makes in the real shapes of tiny and base, multilingual, int8. **Their weights
are random**: they do all the work of the real ones and always say the same command, so that the
times are honest and accuracy is not measured. Where a real model is on disk (`GLASSES_MODELS`, or
the folder of models), the same times are taken on it, and how many spoken orders it gets right.

    python -m tests.bench.whisper
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from rich.progress import Progress

from agent.language.saying import Saying
from agent.listen.endpoint import energy_speech_end
from agent.listen.whisper.engine import FasterWhisper, WhisperOptions, find_model
from agent.listen.whisper.hints import hints
from agent.messages import Intent
from agent.plugins.skills import Skills
from agent.turn import intent_json
from agent.understand.router import Router, Stages
from hardware.audio import read
from hardware.base import CHUNK_MS, SAMPLE_BYTES, SAMPLE_RATE_HZ
from hardware.spoken import __file__ as spoken
from tests.shared import PLUGIN, Order, orders
from tests.tiny_whisper import BASE, TINY, Bigrams, scripted_model

NOTE = "weights are random in the shapes of tiny and base: times are real, accuracy is not measured"
SAYS = (" could", " you", " please", " pay", " twenty", " dollars", " to", " Anna")
"""What the made models say: as many tokens as a command has."""
NOISE = 0.01
"""Size of the made models' weights; the time to multiply them does not depend on it."""

RUNS = 7
CHUNK_BYTES = SAMPLE_RATE_HZ * CHUNK_MS // 1000 * SAMPLE_BYTES
PREPARE_MS = 100
"""Silence after which the streamed runs call `prepare`."""
END_MS = 400
"""Silence after which they call `finish`, as the endpointer does on its own."""


def script() -> Bigrams:
    """Return the bigrams of the one command, in English."""
    steps = ("<|notimestamps|>", *SAYS, "<|endoftext|>")
    said = {before: {after: 0.99} for before, after in pairwise(steps)}
    return {"<|startoftranscript|>": {"<|en|>": 0.99}, **said}


def figures() -> dict[str, float]:
    """Return the times of made models and, with real weights here, times and accuracy of those."""
    found: dict[str, float] = {}
    real = find_model()
    clips = orders()[::3] if real else []
    with Progress() as progress, tempfile.TemporaryDirectory() as made:
        step = _counter(progress, 2 * (1 + _STEPS) + (_STEPS + 2 * len(clips) if real else 0))
        for name, shape in (("tiny", TINY), ("base", BASE)):
            step(f"making a Whisper of {name}'s shape, {NOTE}")
            folder = scripted_model(Path(made) / name, script(), True, shape, NOISE)
            found |= {f"random_{name}_{k}": v for k, v in compute(folder, step).items()}
        if real is not None:
            found |= {f"real_{k}": v for k, v in compute(real, step).items()}
            for bonus, name in ((None, "rescored"), (0.0, "first")):
                share = accepted(real, clips, bonus, lambda: step(f"hearing with {real.name}"))
                found[f"real_accepted_{name}_percent"] = 100 * share
    return found


def _counter(progress: Progress, total: int) -> Callable[[str], None]:
    bar = progress.add_task("Whisper", total=total)

    def step(what: str) -> None:
        progress.update(bar, advance=1, description=what)

    return step


_STEPS = 4 + 2 * 5


def compute(folder: Path, step: Callable[[str], None]) -> dict[str, float]:
    """Return what the parts cost and what a wearer waits for; all in ms but the load."""
    found: dict[str, float] = {}
    step(f"loading {folder.name}")
    with timed() as load_s:
        whisper = FasterWhisper(folder, WhisperOptions(language="en"))
    found["load_and_warm_s"] = load_s[0]
    sayings = [s for a in Skills.discover([str(PLUGIN)]).actions.values() for s in a.sayings("en")]
    step(f"{folder.name}: parts")
    found |= parts(whisper, sayings)
    step(f"{folder.name}: whole decodes")
    found |= decodes(whisper, sayings)
    step(f"{folder.name}: expecting")
    with timed() as expect_s:
        whisper.expect(sayings)
    found["expect_first_ms"] = 1000 * expect_s[0]
    clips = sorted(Path(spoken).parent.glob("*.flac"))[:5]
    for ahead in (True, False):
        waits, firsts, slowest = [], [], 0.0
        for clip in clips:
            step(f"{folder.name}: streaming at real-time pace")
            wait, first, slow = stream(whisper, read(clip), ahead)
            waits.append(wait)
            firsts += [first] if first is not None else []
            slowest = max(slowest, slow)
        how = "after_prepare" if ahead else "without_prepare"
        found[f"finish_{how}_p50_ms"] = statistics.median(waits)
        found[f"finish_{how}_max_ms"] = max(waits)
        if ahead and firsts:
            found["first_partial_p50_ms"] = statistics.median(firsts)
            found["slowest_feed_or_partial_ms"] = slowest
    whisper.close()
    return found


def parts(whisper: FasterWhisper, sayings: Sequence[Saying]) -> dict[str, float]:
    """Return the cost of the encoder, of a step of the decoder, and of the hint before it."""
    from faster_whisper.audio import pad_or_trim

    model = whisper.window._model
    features = model.feature_extractor(_samples(bytes(2 * SAMPLE_RATE_HZ * SAMPLE_BYTES)))
    found = {}
    for seconds in (10, 30):
        window = pad_or_trim(features, 100 * seconds)
        found[f"encode_{seconds}_s_ms"] = least_ms(lambda window=window: model.encode(window))
    encoded = model.encode(pad_or_trim(features, 1000))
    tokenizer = whisper.window._tokenizers["en"]
    hint = whisper.window.hint(hints(sayings))["en"]

    def generate(prompt: list[int], beam: int, steps: int) -> None:
        model.model.generate(
            encoded,
            [prompt],
            beam_size=beam,
            max_length=max(2 * steps, len(prompt) - 1 + steps),
            suppress_tokens=[tokenizer.eot],  # so that all steps are made
        )

    bare = model.get_prompt(tokenizer, [], without_timestamps=True)
    told = model.get_prompt(tokenizer, hint, without_timestamps=True)
    for name, beam in (("greedy", 1), ("beam_5", 5)):
        one, many = (
            least_ms(lambda beam=beam, steps=steps: generate(bare, beam, steps))
            for steps in (1, 21)
        )
        found[f"decode_a_token_{name}_ms"] = (many - one) / 20
    found["hint_ms"] = least_ms(lambda: generate(told, 1, 1)) - least_ms(
        lambda: generate(bare, 1, 1)
    )
    return found


def decodes(whisper: FasterWhisper, sayings: Sequence[Saying]) -> dict[str, float]:
    """Return the cost of whole decodes of one spoken command: partial, final, and detection."""
    pcm = read(sorted(Path(spoken).parent.glob("*.flac"))[4])
    window = whisper.window
    told, least = window.hint(hints(sayings)), window.windows_s(pcm)[0]
    return {
        "speech_check_ms": least_ms(lambda: window.has_speech(pcm)),
        "partial_decode_ms": least_ms(lambda: window.decode(pcm, least, told, 1)),
        "final_decode_ms": least_ms(lambda: window.decode(pcm, least, told, 5)),
        "final_decode_30_s_ms": least_ms(lambda: window.decode(pcm, 30.0, told, 5)),
    }


def stream(whisper: FasterWhisper, pcm: bytes, ahead: bool) -> tuple[float, float | None, float]:
    """Feed a command as fast as it is spoken.

    Return what `finish` takes, when the first partial words were there after the start (None when
    they never were), and the longest call of `feed` or `partial`; all in ms.
    """
    end_ms = energy_speech_end(pcm)
    pcm += bytes(SAMPLE_RATE_HZ * SAMPLE_BYTES)
    whisper.start()
    began, first, slowest = time.perf_counter(), None, 0.0
    for number, at in enumerate(range(0, len(pcm), CHUNK_BYTES), start=1):
        now_ms = number * CHUNK_MS
        time.sleep(max(0.0, began + now_ms / 1000 - time.perf_counter()))
        called = time.perf_counter()
        whisper.feed(pcm[at : at + CHUNK_BYTES])
        if whisper.partial() and first is None:
            first = (time.perf_counter() - began) * 1000
        slowest = max(slowest, (time.perf_counter() - called) * 1000)
        if ahead and now_ms >= end_ms + PREPARE_MS:
            whisper.prepare()
        if now_ms >= end_ms + END_MS:
            break
    with timed() as finish_s:
        whisper.finish()
    return 1000 * finish_s[0], first, slowest


def accepted(
    folder: Path, clips: Sequence[Order], bonus: float | None, step: Callable[[], None]
) -> float:
    """Return the share of orders, heard whole, whose action and every slot are right."""
    options = WhisperOptions(language="en", partial_every_ms=0)
    whisper = FasterWhisper(folder, options if bonus is None else replace(options, bonus=bonus))
    actions = Skills.discover([str(PLUGIN)]).actions
    router = Router(actions, Stages(semantic=False))
    whisper.expect([s for action in actions.values() for s in action.sayings("en")])
    right = 0
    for order in clips:
        whisper.start()
        whisper.feed(read(order.path))
        intent = router.route(whisper.finish())
        if isinstance(intent, Intent):
            call = intent_json(intent)
            right += call["action"] == order.action and call["slots"] == order.slots
        step()
    whisper.close()
    return right / max(1, len(clips))


@contextmanager
def timed() -> Iterator[list[float]]:
    """Measure a block; the one number, in s, is in the list afterwards."""
    taken: list[float] = []
    began = time.perf_counter()
    yield taken
    taken.append(time.perf_counter() - began)


def least_ms(run: Callable[[], object]) -> float:
    """Return the least of a few runs, in ms: what else the machine did is not Whisper's doing."""
    times = []
    for _ in range(RUNS):
        with timed() as taken:
            run()
        times.append(taken[0])
    return 1000 * min(times)


def _samples(pcm: bytes) -> object:
    import numpy as np

    return np.frombuffer(pcm, "<i2").astype(np.float32) / 32768


if __name__ == "__main__":
    for key, value in figures().items():
        print(f"{key:48} {value:10.1f}")
    print(NOTE)
