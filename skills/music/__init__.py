"""Play the wearer's own music, and four tunes that ship."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from agent import Context, OneOf, Range, Reply, hookimpl, skill
from hardware.base import Speaker
from skills.music import library
from skills.music.library import Track

LOUDER_BY = 10
"""Points of volume for one “louder”."""
RESTART_S = 3.0
"""Further into a song than this, “previous song” starts it again, as players do."""

Song = Annotated[str, OneOf(library.titles, open=True)]
Level = Annotated[int, Range(0, 100)]


@dataclass(slots=True)
class Queue:
    """What is being played, kept in the skill's memory."""

    tracks: tuple[Track, ...]
    """In playing order."""
    index: int = 0
    """Which one sounds."""
    paused: bool = False
    """True when it was paused and can go on."""

    @property
    def track(self) -> Track:
        """The track that sounds."""
        return self.tracks[self.index]


@skill(
    "play {song}",
    "play the song {song}",
    "play the tune {song}",
    "listen to {song}",
    "play [some|my] music",
    "play (a song|something)",
    risk="change",
)
def play(ctx: Context, song: Song | None = None) -> Reply:
    """Play a song of the wearer's library, or all of it."""
    speaker = _speaker(ctx)
    if speaker is None:
        return _silent(ctx)
    every = library.tracks()
    first = every[0] if song is None else library.find(song)
    if first is None:
        return Reply(ctx.say("“{song}” is not in your library.", song=song))
    queue = Queue(every, every.index(first))
    return _start(queue, speaker, ctx)


@skill(
    "pause the (music|song|tune)",
    "pause (music|playback)",
    "hold the music",
    risk="change",
)
def pause(ctx: Context) -> Reply:
    """Pause the song."""
    speaker, queue = _speaker(ctx), _queue(ctx)
    if speaker is None:
        return _silent(ctx)
    if queue is None or speaker.playing is None:
        return _nothing(ctx)
    speaker.pause()
    queue.paused = True
    return _card(ctx.say("Paused"), queue, ctx)


@skill(
    "resume the (music|song|tune)",
    "resume (music|playback)",
    "continue the (music|song)",
    "keep playing",
    risk="change",
)
def resume(ctx: Context) -> Reply:
    """Go on with a paused song."""
    speaker, queue = _speaker(ctx), _queue(ctx)
    if speaker is None:
        return _silent(ctx)
    if queue is None or not queue.paused:
        return Reply(ctx.say("Nothing is paused."))
    speaker.resume()
    queue.paused = False
    return _card(ctx.say("Playing"), queue, ctx)


@skill(
    "next (song|track|tune)",
    "(skip|skip to) the next (song|track|tune)",
    "skip this (song|track|tune)",
    risk="change",
)
def next_song(ctx: Context) -> Reply:
    """Play the next song of the library."""
    return _move(+1, ctx)


@skill(
    "previous (song|track|tune)",
    "go back (a|one) (song|track|tune)",
    "go back to the (previous|last) (song|track|tune)",
    risk="change",
)
def previous_song(ctx: Context) -> Reply:
    """Start the song again, or play the one before it."""
    speaker = _speaker(ctx)
    if speaker is not None and speaker.playing and speaker.position_s > RESTART_S:
        return _move(0, ctx)
    return _move(-1, ctx)


@skill(
    "stop the (music|song|tune)",
    "stop playing [music]",
    "turn off the music",
    "(turn|switch) the music off",
    risk="change",
)
def stop_music(ctx: Context) -> Reply:
    """Stop the music."""
    speaker, queue = _speaker(ctx), _queue(ctx)
    if speaker is None:
        return _silent(ctx)
    if queue is None or (speaker.playing is None and not queue.paused):
        return _nothing(ctx)
    speaker.stop()
    del ctx.memory["queue"]
    return Reply(ctx.say("Music stopped."))


@skill(
    "set [the] volume to {level} [percent]",
    "volume {level} [percent]",
    "(turn|change) the volume to {level} [percent]",
    risk="change",
)
def volume(level: Level, ctx: Context) -> Reply:
    """Set the volume, 0 to 100."""
    return _set_volume(lambda _: level, ctx)


@skill(
    "(turn|bring) the (volume|music) up",
    "turn up the (volume|music)",
    "volume up",
    "make it louder",
    risk="change",
)
def louder(ctx: Context) -> Reply:
    """Turn the volume up."""
    return _set_volume(lambda now: now + LOUDER_BY, ctx)


@skill(
    "(turn|bring) the (volume|music) down",
    "turn down the (volume|music)",
    "volume down",
    "make it quieter",
    risk="change",
)
def quieter(ctx: Context) -> Reply:
    """Turn the volume down."""
    return _set_volume(lambda now: now - LOUDER_BY, ctx)


@skill(
    "what's playing",
    "what is playing",
    "(what|which) (song|tune) is (this|playing)",
    "what am i listening to",
)
def playing(ctx: Context) -> Reply:
    """Tell which song is playing."""
    speaker, queue = _speaker(ctx), _queue(ctx)
    if speaker is None:
        return _silent(ctx)
    if queue is None or (speaker.playing is None and not queue.paused):
        return _nothing(ctx)
    title = ctx.say("Paused") if queue.paused else ctx.say("Playing")
    return _card(title, queue, ctx, position_s=speaker.position_s)


def _speaker(ctx: Context) -> Speaker | None:
    """Return the speaker when there is one to hear."""
    return ctx.speaker if ctx.speaker is not None and ctx.speaker.available else None


def _queue(ctx: Context) -> Queue | None:
    queue = ctx.memory.get("queue")
    return queue if isinstance(queue, Queue) else None


def _start(queue: Queue, speaker: Speaker, ctx: Context) -> Reply:
    """Play the queue's track; it is remembered only once the speaker took it."""
    speaker.play(queue.track.path)
    queue.paused = False
    ctx.memory["queue"] = queue
    return _card(ctx.say("Playing"), queue, ctx)


def _move(by: int, ctx: Context) -> Reply:
    speaker, queue = _speaker(ctx), _queue(ctx)
    if speaker is None:
        return _silent(ctx)
    if queue is None:
        return _nothing(ctx)
    moved = Queue(queue.tracks, (queue.index + by) % len(queue.tracks))
    return _start(moved, speaker, ctx)


def _set_volume(change: Callable[[int], int], ctx: Context) -> Reply:
    speaker = _speaker(ctx)
    if speaker is None:
        return _silent(ctx)
    speaker.volume = max(0, min(100, change(speaker.volume)))
    return Reply(ctx.say("Volume {level}", level=speaker.volume), kind="playing")


def _card(title: str, queue: Queue, ctx: Context, position_s: float | None = None) -> Reply:
    track = queue.track
    lines = [track.shown(ctx.language)]
    if track.artist:
        lines.append(track.artist)
    place = ctx.say("{n} of {total}", n=queue.index + 1, total=len(queue.tracks))
    if position_s is not None:
        place = f"{int(position_s) // 60}:{int(position_s) % 60:02}  {place}"
    return Reply("\n".join([*lines, place]), title=title, kind="playing")


def _silent(ctx: Context) -> Reply:
    return Reply(ctx.say("No sound device here."))


def _nothing(ctx: Context) -> Reply:
    return Reply(ctx.say("Nothing is playing."))


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Add the actions."""
    register(
        play, pause, resume, next_song, previous_song, stop_music, volume, louder, quieter, playing
    )
