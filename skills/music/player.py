"""What is being played: the queue in the skill's memory, and the cards that show it."""

from __future__ import annotations

from dataclasses import dataclass

from agent import Context, Reply
from hardware.base import DeviceError, Speaker
from skills.music import library
from skills.music.library import Track


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


def speaker_of(ctx: Context) -> Speaker:
    """Return the speaker. Raises DeviceError, in the wearer's words, where there is none."""
    if ctx.speaker is None or not ctx.speaker.available:
        raise DeviceError(ctx.say("No speaker here: connect headphones."))
    return ctx.speaker


def queue_of(ctx: Context) -> Queue | None:
    """Return what was last played and not stopped."""
    queue = ctx.memory.get("queue")
    if isinstance(queue, Queue):
        return queue
    return _gone_on(ctx)


def _gone_on(ctx: Context) -> Queue | None:
    """Return the queue of what plays by itself: it goes on after a loss of power."""
    path = ctx.speaker.playing if ctx.speaker is not None else None
    if path is None:
        return None
    tracks = library.tracks()
    at = next((n for n, track in enumerate(tracks) if track.path == path), None)
    return None if at is None else ctx.memory.setdefault("queue", Queue(tracks, at))


def sounding(ctx: Context) -> Track | None:
    """Return the track that sounds or is paused."""
    if ctx.speaker is None or not ctx.speaker.available:
        return None
    queue = queue_of(ctx)
    return queue.track if queue and (ctx.speaker.playing or queue.paused) else None


def start(queue: Queue, speaker: Speaker, ctx: Context) -> Reply:
    """Play the queue's track; it is remembered only once the speaker took it."""
    speaker.play(queue.track.path)
    queue.paused = False
    ctx.memory["queue"] = queue
    return card(ctx.say("Playing"), queue, ctx)


def move(by: int, ctx: Context) -> Reply:
    """Play the track that many places further on; the queue is a circle."""
    speaker, queue = speaker_of(ctx), queue_of(ctx)
    if queue is None:
        return nothing(ctx)
    moved = Queue(queue.tracks, (queue.index + by) % len(queue.tracks))
    return start(moved, speaker, ctx)


def card(title: str, queue: Queue, ctx: Context, position_s: float | None = None) -> Reply:
    """Return the card of a track: title, artist, place in the queue."""
    track = queue.track
    lines = [track.shown(ctx.language)]
    if track.artist:
        lines.append(track.artist)
    place = ctx.say("{n} of {total}", n=queue.index + 1, total=len(queue.tracks))
    if position_s is not None:
        place = f"{int(position_s) // 60}:{int(position_s) % 60:02}  {place}"
    return Reply("\n".join([*lines, place]), title=title, kind="playing")


def nothing(ctx: Context) -> Reply:
    """Say that nothing is playing."""
    return Reply(ctx.say("Nothing is playing."))


def missing(song: str, ctx: Context) -> Reply:
    """Say that a song is not there."""
    words = " ".join(song.split())
    words = words if len(words) <= 60 else f"{words[:60]}…"
    return Reply(ctx.say("“{song}” is not in your library.", song=words))
