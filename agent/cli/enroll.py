"""The command `enroll`: the wearer reads for a minute, is heard better and known from then on."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from agent import config
from agent.cli.compose import voice_engine
from agent.cli.engines import ears
from agent.cli.provided import provided
from agent.config import Config
from agent.derive.sample import samples
from agent.errors import ConfigError, EngineError
from agent.language.pronounce import cmu_dictionary
from agent.listen import voiceprint
from agent.listen.endpoint import energy_speech_end
from agent.listen.sphinx import enroll as voice
from agent.listen.sphinx.acoustic import Aligner, Alignment
from agent.listen.sphinx.enroll import Comparison, Fault, Take
from agent.listen.sphinx.mllr import estimate
from agent.plugins.skills import Skills
from hardware import microphone, reading
from hardware.audio import read
from hardware.base import AudioChunk, DeviceError, Microphone

PAUSE_MS = 900.0
"""Silence after which a sentence was read to its end; readers pause for half of it at most."""
LOOK_CHUNKS = 5
"""Chunks, of 20 ms, between two looks at whether the sentence is over."""
TAKE_S = 12.0
"""Longest a sentence may take, from when it is shown."""
TRIES = 3
"""How often one sentence is asked for before the next."""
WORDS = range(5, 11)
"""Words of a sentence worth stopping for, and still easily read aloud at once."""
CHARACTERS = range(8, 17)
"""The same of a Chinese sentence, in characters."""
CHARACTERS_A_SECOND = 4.5
"""How fast they are read aloud."""
SOUNDS = (".wav", ".flac", ".ogg", ".mp3")
TRANSCRIPTS = "transcripts.txt"
_AWKWARD = re.compile(r"\ban [^aeiouh]|\ba [aeio]|\bare (it|this|that)\b|\bis (they|these|those)\b")
"""Templates take what is not grammatical; readers stumble over it."""

TEXTS = {
    "en": {
        "read": "Read each line aloud as you would say it, a minute in all. Ctrl-C ends.",
        "quiet": "nothing was heard: once more, closer to the microphone",
        "noisy": "the room is too loud: once more",
        "clipped": "too loud, the sound is cut off at its peaks: once more, further away",
        "other words": "that did not sound like this line: once more",
        "skipped": "leaving it out",
        "compare": "Comparing what is understood with and without it …",
        "understood": "{before} → {after} of {takes} sentences understood that it had not learnt"
        " from; likelihood {nats_before:+.2f} → {nats_after:+.2f} nats a frame.",
        "kept": "Your voice is kept in {path}. To remove it: glasses enroll --forget",
        "known": "Payments by voice want your voice from now on.",
        "worse": "That would not make it better, so nothing was changed.",
        "forgotten": "Your voice is forgotten.",
        "nothing": "There was nothing to forget.",
        "unused": "{engine} is the speech engine in use; enrolment holds for pocketsphinx.",
    },
    "zh": {
        "read": "屏幕上每出现一行，请照平时说话的样子朗读，一共约一分钟。按 Ctrl-C 结束。",
        "quiet": "没有听到声音：请靠近麦克风再读一次",
        "noisy": "周围太吵：请再读一次",
        "clipped": "声音太大，已失真：请离远一点再读一次",
        "other words": "听起来不是这一行：请再读一次",
        "skipped": "跳过这一行",
        "compare": "正在比较适应前后的识别结果 …",
        "understood": "在没有学过的 {takes} 句里，听懂的句数 {before} → {after}；"
        "每帧对数似然 {nats_before:+.2f} → {nats_after:+.2f}。",
        "kept": "您的声音已保存在 {path}。删除：glasses enroll --forget",
        "known": "从现在起，语音付款需要是您本人的声音。",
        "worse": "适应后没有变好，因此什么都没有改动。",
        "forgotten": "您的声音已删除。",
        "nothing": "没有可删除的内容。",
        "unused": "当前的语音引擎是 {engine}；声音适应只用于 pocketsphinx。",
    },
}
"""What the command says. The lines to read stay English: pocketsphinx hears nothing else."""


@dataclass(slots=True)
class _Session:
    """What was read well enough so far."""

    aligner: Aligner | None
    """Judges what is said in the takes; None where the sound alone matters."""
    takes: list[Take] = field(default_factory=list)
    """The good ones."""
    alignments: list[Alignment] = field(default_factory=list)
    """Theirs."""
    faults: Counter[Fault] = field(default_factory=Counter)
    """What was wrong with the others."""

    def add(self, text: str, pcm: bytes) -> Fault | None:
        """Judge a take and keep it when it is good."""
        take = Take(text, voice.trimmed(pcm))
        fault = voice.sound_fault(take.pcm)
        if fault is None and self.aligner is not None:
            fault, alignment = voice.fault(take, self.aligner)
            if alignment is not None:
                self.alignments.append(alignment)
        if fault is None:
            self.takes.append(take)
        else:
            self.faults[fault] += 1
        return fault


def enroll(
    language: str | None,
    plugins: Sequence[str],
    source: Path | None,
    forget: bool,
    sentences: bool,
    only_voice: bool = False,
) -> None:
    """Enrol the wearer, from the microphone or a folder, or forget the voice.

    `sentences` prints lines for a folder's transcripts instead. `only_voice` keeps who speaks, and
    leaves recognition as it is: what is read may then be Chinese. Raises EngineError when too
    little was read well, ConfigError for a folder without transcripts, DeviceError without a
    microphone.
    """
    settings = config.load()
    say = TEXTS["zh" if (language or settings.language) == "zh" else "en"]
    console = Console(highlight=False, soft_wrap=True)
    if forget:
        there = [voice.forget(settings.data), voiceprint.forget(settings.data)]
        console.print(say["forgotten" if any(there) else "nothing"])
        return
    skills = Skills.discover(plugins, settings.plugins, apart=settings.alone)
    chinese = only_voice and (language or settings.language) == "zh"
    sayable = _sayable(skills)
    chosen = _chinese(skills) if chinese else voice.choose(sayable)
    if sentences:
        for number, text in enumerate(chosen, start=1):
            console.print(f"{number:02}.wav {text}", markup=False)
        return
    engine = ears(settings, "en").name
    if not only_voice and not engine.startswith("pocketsphinx"):
        console.print(say["unused"].format(engine=engine))
    aligner = None if only_voice else Aligner()
    try:
        session = _Session(aligner)
        if source is not None:
            _hear_folder(source, session, console, say, only_voice)
            name = str(source)
        else:
            device = _microphone(skills, settings)
            name = device.name
            asyncio.run(_hear_reading(device, chosen, session, console, say))
    finally:
        if aligner is not None:
            aligner.close()
    if not only_voice:
        _enough(session)
    _know(settings, skills, session, console, say)
    if not only_voice:
        _keep(settings, session, sayable, name, console, say)


def _sayable(skills: Skills) -> list[str]:
    """Return English sentences of the installed skills that are easily read aloud."""
    drawn = (
        sample
        for action in skills.actions.values()
        if "en" in action.languages
        for found in samples(action, "en", off_list=False).values()
        for sample in found
    )
    known = cmu_dictionary()  # how a guessed word is said, the reader may see otherwise
    return [
        text
        for text in dict.fromkeys(sample.text for sample in drawn if not sample.free)
        if len(words := text.split()) in WORDS
        and not _AWKWARD.search(text)
        and all(word in known for word in words)
    ]


def _chinese(skills: Skills) -> list[str]:
    """Return Chinese sentences of the installed skills, of about `voice.SPEECH_S`."""
    drawn = (
        sample.text
        for action in skills.actions.values()
        if "zh" in action.languages
        for found in samples(action, "zh", off_list=False).values()
        for sample in found
        if not sample.free
    )
    fit = {text for text in drawn if len(text) in CHARACTERS}
    rich = sorted(fit, key=lambda text: (-len(set(text)), text))
    return rich[: round(voice.SPEECH_S * CHARACTERS_A_SECOND / CHARACTERS[0])]


def _microphone(skills: Skills, settings: Config) -> Microphone:
    own = provided(skills, "microphone", settings)
    if own.provider is not None:
        device: Microphone = own.thing
        return device
    there, why = microphone.available()
    if not there:
        raise DeviceError(f"{why}; or record elsewhere: glasses enroll --from FOLDER")
    return microphone.LiveMicrophone()


def _bar(console: Console) -> Progress:
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    return Progress(*columns, console=console, transient=True)


async def _hear_reading(
    device: Microphone,
    lines: Sequence[str],
    session: _Session,
    console: Console,
    say: dict[str, str],
) -> None:
    """Show each line, listen until it was read, and ask again for what cannot be used."""
    console.print(say["read"])
    with _bar(console) as progress:
        bar = progress.add_task("", total=len(lines))
        async with aclosing(device.chunks()) as chunks:
            for line in lines:
                console.print(f"\n  [bold]{line}[/bold]")
                for again in range(1, TRIES + 1):
                    pcm = await _one_take(chunks)
                    fault = await asyncio.to_thread(session.add, line, pcm)
                    if fault is None:
                        break
                    console.print(f"  {say[fault] if again < TRIES else say['skipped']}")
                progress.advance(bar)


async def _one_take(chunks: AsyncIterator[AudioChunk]) -> bytes:
    """Listen until somebody spoke and was silent for a while, or for TAKE_S."""
    pcm = b""
    number = 0
    async for chunk in chunks:
        pcm += chunk.pcm
        number += 1
        heard_ms = len(pcm) / voice.MS_BYTES
        if heard_ms >= TAKE_S * 1000:
            break
        if number % LOOK_CHUNKS == 0 and heard_ms - energy_speech_end(pcm) >= PAUSE_MS:
            break
    return pcm


def _hear_folder(
    folder: Path, session: _Session, console: Console, say: dict[str, str], only_voice: bool = False
) -> None:
    """Hear the recordings of a folder, naming those that cannot be used."""
    pairs = [(path, "") for path in _sounds(folder)] if only_voice else list(_transcribed(folder))
    with _bar(console) as progress:
        for path, text in progress.track(pairs, description=folder.name):
            try:
                fault = session.add(text, read(path))
            except DeviceError as error:
                console.print(f"{error}: {say['skipped']}", markup=False)
                continue
            if fault is not None:
                why = re.split("[:：]", say[fault])[0]
                console.print(f"{path.name}: {why}: {say['skipped']}", markup=False)


def _sounds(folder: Path) -> list[Path]:
    """Return the recordings of a folder. Raises ConfigError where there are none."""
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() in SOUNDS)
    if not found:
        raise ConfigError(f"--from {folder}: there are no sound files in it: record some, as .wav")
    return found


def _transcribed(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield each recording of a folder and what is said in it.

    `transcripts.txt` has a line for each: the name of the sound file, a blank, and the words.
    """
    path = folder / TRANSCRIPTS
    try:
        lines = reading.read_text(path).splitlines()
    except (OSError, reading.Unreadable) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise ConfigError(
            f"--from {folder}: {path} cannot be read ({reason}): glasses enroll --sentences"
            " prints one to record"
        ) from None
    for line in filter(str.strip, lines):
        name, _, text = line.strip().partition(" ")
        words = re.findall(r"[a-z']+", text.lower())
        if not words:
            raise ConfigError(f"{path}: “{line}” has no English words after the file's name")
        yield folder / name, " ".join(words)


def _know(
    settings: Config, skills: Skills, session: _Session, console: Console, say: dict[str, str]
) -> None:
    """Keep what the wearer's voice is like, for payments and what is private."""
    engine = voice_engine(skills, settings)
    profile = voiceprint.Profile(engine.name, engine.enroll([take.pcm for take in session.takes]))
    voiceprint.keep(settings.data, profile)
    console.print(say["known"])


def _enough(session: _Session) -> None:
    """Raise EngineError when too little was read to fit recognition to it."""
    read_s = voice.speech_s(session.alignments)
    if read_s < voice.LEAST_S:
        faults = ", ".join(f"{count} × {fault}" for fault, count in session.faults.most_common())
        raise EngineError(
            f"{read_s:.0f} s were read well enough, {voice.LEAST_S:.0f} s are needed"
            f" ({faults or 'nothing was wrong with the rest'}): read more, in a quiet place"
        )


def _keep(
    settings: Config,
    session: _Session,
    sayable: Sequence[str],
    source: str,
    console: Console,
    say: dict[str, str],
) -> None:
    """Estimate, compare, and keep what helps."""
    with console.status(say["compare"]), tempfile.TemporaryDirectory() as folder:
        comparison = voice.compare(session.takes, session.alignments, sayable, Path(folder))
    console.print(_told(comparison, say))
    if not comparison.better:
        console.print(say["worse"])
        return
    kept = voice.save(settings.data, estimate(session.alignments), comparison, source)
    console.print(say["kept"].format(path=kept.mllr.parent), markup=False)


def _told(comparison: Comparison, say: dict[str, str]) -> str:
    return say["understood"].format(
        before=comparison.understood_before,
        after=comparison.understood_after,
        takes=comparison.takes,
        nats_before=comparison.nats_before,
        nats_after=comparison.nats_after,
    )
