"""Speech that is in no list: how well it is written down, how soon, and free words in commands.

What is written is compared with what plain faster-whisper makes of the whole clip on the same
weights; numbers are read aloud, case and punctuation make no difference. The sentences with free
words are spoken by synthetic voices, and were written before any of them was heard.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import track

from agent.language.text import simplified
from agent.listen.whisper.engine import FasterWhisper, WhisperOptions
from agent.listen.whisper.window import placement
from agent.loop import Agent
from agent.messages import Intent
from agent.turn import intent_json
from hardware.audio import read
from hardware.microphone import FileMicrophone
from tests.bench import synthetic, turns
from tests.bench.listening import spread
from tests.bench.pair import (
    Ears,
    aloud,
    errors,
    listening_agent,
    load_average,
    opened,
    routing,
    weights,
)
from tests.bench.synthetic import in_room, say
from tests.bench.words import BYTES_PER_MS, speech_span_ms
from tests.shared import DATA

if TYPE_CHECKING:
    from faster_whisper import WhisperModel

LONGEST_S = 30.0
"""Longest clip: what Whisper hears at once."""
SHORT_MS = 6000.0
"""Longest speech of which the wait for the transcript is measured."""
TAIL_MS = 2000.0
PATTERNS: dict[tuple[str, str], tuple[tuple[str, tuple[str, ...]], ...]] = {
    ("to_chinese", "text"): (
        (
            "translate {} to chinese",
            (
                "the meeting starts in ten minutes", "i left my umbrella on the train",
                "could you take a picture of us", "my daughter is afraid of dogs",
                "we would like to sit near the window", "the elevator has been broken since monday",
                "please wake me at six thirty", "this soup is too salty for me",
                "my flight was cancelled because of the storm", "she teaches history at a high school",
                "where can i charge my phone", "the battery lasts about three days",
                "i am allergic to peanuts and shellfish", "we got married twelve years ago",
                "the museum is closed on tuesdays",
            ),
        ),
        (
            "how do you say {} in chinese",
            (
                "the bus is late again", "my brother lives on a farm", "keep the change please",
                "i have never seen snow before", "turn left after the bridge",
            ),
        ),
    ),
    ("into", "text"): (
        (
            "translate {} to spanish",
            (
                "my suitcase did not arrive", "the children are sleeping upstairs",
                "i prefer tea without sugar", "there is a hole in the roof",
                "we are looking for a quiet beach", "the water in the pool is cold",
                "our neighbour plays the trumpet", "i lost my passport at the airport",
                "the pharmacy opens at nine", "this chair is not comfortable",
            ),
        ),
        (
            "how do you say {} in french",
            (
                "the kitchen smells wonderful", "i would rather walk home",
                "the stairs are very steep", "nobody told me about the party",
                "it rained during the whole weekend", "your garden looks beautiful",
                "the doctor will call you tomorrow", "he forgot his keys at the office",
                "i need a new pair of glasses", "the movie was longer than the book",
            ),
        ),
    ),
    ("search", "product"): (
        (
            "search for a {}",
            (
                "waterproof hiking jacket", "folding camping chair", "bicycle pump with a gauge",
                "wooden chess board", "cast iron frying pan", "garden hose with a nozzle",
                "left handed guitar", "stainless steel thermos", "telescope for beginners",
                "baby stroller with big wheels", "magnetic knife holder", "silk scarf with flowers",
            ),
        ),
        (
            "i'm looking for {}",
            (
                "purple curtains for the bedroom", "replacement strings for a violin",
                "noise cancelling earplugs", "glow in the dark stickers",
                "second hand cookbooks", "thick woolen socks", "a birthday present for my uncle",
                "sunflower seeds for planting",
            ),
        ),
    ),
    ("play", "song"): (
        (
            "play {}",
            (
                "the sound of silence", "bohemian rhapsody", "somewhere over the rainbow",
                "hotel california", "what a wonderful world", "stairway to heaven",
                "dancing in the moonlight", "bridge over troubled water", "yellow submarine",
                "blowing in the wind", "fly me to the moon", "georgia on my mind",
                "smoke on the water", "every breath you take", "raindrops keep falling on my head",
            ),
        ),
        (
            "play the song {}",
            (
                "purple rain", "under the bridge", "walking on sunshine", "house of the rising sun",
                "stand by me",
            ),
        ),
    ),
    ("add_to_list", "product"): (
        (
            "add {} to my shopping list",
            (
                "sparkling water", "birthday candles", "frozen blueberries", "dishwasher tablets",
                "smoked salmon", "wrapping paper", "cinnamon sticks", "rubber gloves",
                "pumpkin seeds", "vanilla pudding", "paper plates", "light bulbs for the hallway",
                "coconut milk", "hazelnut spread", "dried apricots", "charcoal for the grill",
                "maple syrup", "lavender soap", "whole grain crackers", "goat cheese",
            ),
        ),
    ),
}  # fmt: skip
"""What is said, by action and slot: sentences, and the free words in them."""
SHARES = {
    "exact": "exact_percent",
    "typed": "exact_when_typed_percent",
    "words": "every_word_heard_percent",
}
"""Names of the figures: what came of the sentences spoken, what of them typed, which is the most
that ears can reach, and whether the ears had every word of the sentence right."""
OUT = Path("bench-results")
Record = list[dict[str, object]]
ARTICLES = frozenset({"a", "an", "the", "some"})
"""What the templates of products leave off at the front."""


@dataclass(frozen=True, slots=True)
class Free:
    """One sentence with free words."""

    text: str
    """The whole sentence."""
    action: str
    """What it asks for."""
    slot: str
    """Name of the slot that the free words are in."""
    words: str
    """The free words."""


def sentences() -> list[Free]:
    """Return the hundred sentences."""
    return [
        Free(pattern.format(words), action, slot, words)
        for (action, slot), said in PATTERNS.items()
        for pattern, texts in said
        for words in texts
    ]


def exact(agent: Agent, text: str, wanted: Free) -> bool:
    """Whether a text means what was said, with the very words in its free slot."""
    if not text:
        return False
    _, intent = agent.route(text, "en")
    if not isinstance(intent, Intent):
        return False
    call = intent_json(intent)
    got = _bare(aloud(str(call["slots"].get(wanted.slot, ""))))
    return call["action"] == wanted.action and got == _bare(aloud(wanted.words))


def _bare(words: list[str]) -> str:
    """Return words without an article at the front; where they are joined makes no difference."""
    return "".join(words[1:] if words[:1] and words[0] in ARTICLES else words).replace("-", "")


def slots(quick: bool = False) -> dict[str, float]:
    """Return how many of the free slots are exact, typed and spoken; nothing without synthetic.

    What was heard of each sentence is written to `free-slots.json` in the folder of results.
    """
    known = synthetic.here()
    if not known:
        return {}
    said = [(free, known[n % len(known)]) for n, free in enumerate(sentences())]
    said = said[::6] if quick else said  # no multiple of the voices, so that all speak
    record: Record = []
    with routing() as agent, opened(agent.sayings("en")) as ears:
        for free, voice in track(said, "hearing free words"):
            sound = in_room(say(free.text, voice))
            text = ears.hear(sound[:16_000], sound[16_000:]).both.text
            record.append({
                "voice": voice,
                "said": free.text,
                "heard": text,
                "typed": exact(agent, free.text, free),
                "exact": exact(agent, text, free),
                "words": aloud(text) == aloud(free.text),
            })  # fmt: skip
    _write("free-slots.json", record)
    found = {"sentences": float(len(said))}
    for kind in ("exact", "typed", "words"):
        found[SHARES[kind]] = turns.percent(bool(one[kind]) for one in record)
    for voice in known:
        hits = (bool(one["exact"]) for one in record if one["voice"] == voice)
        found[f"exact_{voice}_percent"] = turns.percent(hits)
    return found


def _write(name: str, record: Record) -> None:
    OUT.mkdir(exist_ok=True)
    (OUT / name).write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf-8")


# -- what others said ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spoken:
    """A recording, and what is said in it."""

    path: Path
    """The file."""
    text: str
    """The words."""


def transcripts(language: str) -> list[Spoken]:
    """Return the transcribed recordings of a language, none longer than Whisper hears at once."""
    found = []
    for file in sorted((DATA / "speech").glob("*/transcripts.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            one = json.loads(line)
            if one["lang"] == language and one["text"]:
                # some lists name the folder of an archive that was unpacked flat
                paths = file.parent / one["file"], file.parent / Path(one["file"]).name
                path = next((path for path in paths if path.is_file()), None)
                if path is not None:
                    found.append(Spoken(path, one["text"]))
    return [one for one in found if len(read(one.path)) <= LONGEST_S * 1000 * BYTES_PER_MS]


def speech(quick: bool = False, realtime: int = 40) -> dict[str, float]:
    """Return the error rates beside plain faster-whisper's, and the wait for a transcript.

    What was written of each clip is in `free-speech.json` in the folder of results.
    """
    english, chinese = transcripts("en"), transcripts("zh")
    if not english:
        return {}
    record: Record = []
    plain = plain_whisper()
    with routing() as agent:
        with opened(agent.sayings("en")) as ears:
            found = _english(english[::6] if quick else english, ears, plain, record)
        chinese_sayings = agent.sayings("zh")
    whisper = FasterWhisper(weights(), WhisperOptions("zh", partial_every_ms=0))
    whisper.expect(chinese_sayings)
    found |= _chinese(chinese, whisper, plain, record)
    whisper.close()
    _write("free-speech.json", record)
    return found | asyncio.run(_waits(spread(_uncommanded(english), realtime)))


def plain_whisper() -> WhisperModel:
    """Return faster-whisper as anybody uses it, warm, with the weights and arithmetic that we use."""
    from faster_whisper import WhisperModel

    options = WhisperOptions()
    device, compute_type = placement(options)
    plain = WhisperModel(
        str(weights()),
        device=device,
        compute_type=compute_type,
        cpu_threads=options.cpu_threads,
        local_files_only=True,
    )
    transcribed(plain, bytes(1000 * BYTES_PER_MS))
    return plain


def transcribed(plain: WhisperModel, pcm: bytes, language: str = "en") -> str:
    """Return what plain faster-whisper writes of a whole clip."""
    import numpy as np

    samples = np.frombuffer(pcm, "<i2").astype(np.float32) / 32768
    segments, _ = plain.transcribe(samples, language=language, beam_size=5)
    return "".join(segment.text for segment in segments).strip()


@dataclass(slots=True)
class Rate:
    """Words, and how many of them came out wrong."""

    words: int = 0
    """How many were said."""
    wrong: int = 0
    """How many have to be put in, left out or changed."""

    def add(self, wanted: Sequence[str], got: Sequence[str]) -> None:
        """Count one clip."""
        self.words += len(wanted)
        self.wrong += errors(wanted, got)

    @property
    def percent(self) -> float:
        """Wrong words beside said ones; NaN of none."""
        return 100 * self.wrong / self.words if self.words else float("nan")


def _english(
    said: Sequence[Spoken], ears: Ears, plain: WhisperModel, record: Record
) -> dict[str, float]:
    """Return word error rates: of all clips, and of those with more than one word."""
    rates = {name: Rate() for name in ("pair", "written", "plain")}
    several = {name: Rate() for name in rates}
    for one in track(said, "writing English down"):
        pcm, wanted = read(one.path), aloud(one.text)
        heard = ears.hear(b"", pcm)
        versions = heard.written.versions
        got = {
            "pair": heard.both.text,
            "written": versions[0].text if versions else "",
            "plain": transcribed(plain, pcm),
        }
        record.append({"clip": one.path.name, "said": one.text, **got})
        for name, text in got.items():
            rates[name].add(wanted, aloud(text))
            if len(wanted) > 1:
                several[name].add(wanted, aloud(text))
    found = {"english_clips": float(len(said))}
    for name in rates:
        found[f"english_{name}_wrong_words_percent"] = rates[name].percent
        found[f"english_sentences_{name}_wrong_words_percent"] = several[name].percent
    for name in ("pair", "written"):
        found[f"english_{name}_beyond_plain_points"] = _beyond(rates[name], rates["plain"])
        found[f"english_sentences_{name}_beyond_plain_points"] = _beyond(
            several[name], several["plain"]
        )
    return found


def _chinese(
    said: Sequence[Spoken], whisper: FasterWhisper, plain: WhisperModel, record: Record
) -> dict[str, float]:
    """Return character error rates, both in simplified characters."""
    ours, theirs = Rate(), Rate()
    for one in track(said, "writing Chinese down"):
        pcm, wanted = read(one.path), aloud(simplified(one.text), "zh")
        whisper.start()
        whisper.feed(pcm)
        got = {
            "whisper": simplified(whisper.finish().text),
            "plain": simplified(transcribed(plain, pcm, "zh")),
        }
        record.append({"clip": one.path.name, "said": one.text, **got})
        ours.add(wanted, aloud(got["whisper"], "zh"))
        theirs.add(wanted, aloud(got["plain"], "zh"))
    return {
        "chinese_clips": float(len(said)),
        "chinese_wrong_characters_percent": ours.percent,
        "chinese_plain_wrong_characters_percent": theirs.percent,
        "chinese_beyond_plain_points": _beyond(ours, theirs),
    }


def _beyond(ours: Rate, theirs: Rate) -> float:
    """Return by how many points we are worse; 0 where we are not."""
    return max(0.0, ours.percent - theirs.percent) if ours.words else float("nan")


# -- how soon --------------------------------------------------------------------------------------


def _uncommanded(said: Sequence[Spoken]) -> list[Spoken]:
    """Return the short ones with more than a word: a word alone is heard in any noise."""

    def fits(one: Spoken) -> bool:
        begin_ms, end_ms = speech_span_ms(read(one.path))
        return len(aloud(one.text)) > 1 and end_ms - begin_ms <= SHORT_MS

    return [one for one in said if fits(one)]


async def _waits(said: Sequence[Spoken]) -> dict[str, float]:
    """Return the wait from the last syllable to the transcript, at the pace of speech."""
    waits: list[float] = []
    commands = early = silent = 0
    with tempfile.TemporaryDirectory() as folder:
        agent = await listening_agent(Path(folder))
        for one in track(said, "waiting for transcripts"):
            pcm = read(one.path)
            end_ms = speech_span_ms(pcm)[1]
            length = round((end_ms + TAIL_MS) * BYTES_PER_MS) & ~1
            pcm = (pcm + bytes(length))[:length]
            heard = [turn async for turn in agent.listen(FileMicrophone(pcm, tail_ms=0))]
            spoken = [t for t in heard if t.transcript.text and t.timings.transcript is not None]
            if not spoken:
                silent += 1
                continue
            last = spoken[-1]
            assert last.timings.transcript is not None
            wait_ms = last.timings.transcript - end_ms
            commands += isinstance(last.intent, Intent)
            early += wait_ms < 0
            if wait_ms >= 0 and not isinstance(last.intent, Intent):
                waits.append(wait_ms)
        await agent.close()
    return {
        "waits": float(len(waits)),
        "wait_p50_ms": turns.percentile(waits, 0.5),
        "wait_p95_ms": turns.percentile(waits, 0.95),
        "wait_no_transcript": float(silent),
        "wait_ended_before_last_syllable": float(early),
        "wait_taken_for_commands": float(commands),
        "load_average": load_average(),
    }
