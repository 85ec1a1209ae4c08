"""The player in use, the queue that the glasses' own speaker plays, and the cards."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from agent import Context, Reply
from hardware.base import DeviceError, Speaker
from skills.music import library, remote
from skills.music.port import Loop, Now, Player
from skills.music.track import Track

AFTER_S = 0.5
"""How long after the end of a song the next one begins."""


@dataclass(slots=True)
class Queue:
    """What is being played, kept in the skill's memory."""

    tracks: tuple[Track, ...]
    """In playing order."""
    index: int = 0
    """Which one sounds."""
    paused: bool = False
    """True when it was paused and can go on."""
    loop: Loop = "off"
    """What is repeated."""
    follow: threading.Timer | None = field(default=None, compare=False)
    """Begins the next song at the end of this one."""

    @property
    def track(self) -> Track:
        """The track that sounds."""
        return self.tracks[self.index]


def player_of(ctx: Context) -> Player:
    """Return what plays. Raises DeviceError, in the wearer's words, where nothing can."""
    if (player := remote.asked()) is not None:
        return player
    return Embedded(ctx, speaker_of(ctx))


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


class Embedded:
    """Plays a queue on the glasses' own speaker, song after song."""

    goes_on = False

    def __init__(self, ctx: Context, speaker: Speaker) -> None:
        """Play there; the queue is in the skill's memory."""
        self._ctx, self._speaker = ctx, speaker

    def start(self, tracks: Sequence[Track], index: int) -> None:
        """Play these; they are remembered only once the speaker took the first."""
        before = queue_of(self._ctx)
        queue = Queue(tuple(tracks), index, loop=before.loop if before else "off")
        self._play(queue)

    def _play(self, queue: Queue, at_s: float = 0.0) -> None:
        old = self._ctx.memory.get("queue")
        self._speaker.play(queue.track.path, at_s)
        queue.paused = False
        self._ctx.memory["queue"] = queue
        _cancel(old)
        self._follow(queue)

    def _follow(self, queue: Queue) -> None:
        """Begin the next song at the end of this one, where its length is known."""
        _cancel(queue)
        if queue.track.length_s > 0:
            left = queue.track.length_s - self._speaker.position_s + AFTER_S
            queue.follow = threading.Timer(max(AFTER_S, left), self._ended, (queue,))
            queue.follow.daemon = True
            queue.follow.start()

    def _ended(self, queue: Queue) -> None:
        if self._ctx.memory.get("queue") is not queue or queue.paused:
            return
        if self._speaker.playing is not None:  # it is longer than its tags say
            self._follow(queue)
            return
        last = queue.index + 1 == len(queue.tracks)
        if queue.loop == "off" and last:
            return
        by = 0 if queue.loop == "one" else 1
        with suppress(DeviceError):
            self._play(Queue(queue.tracks, (queue.index + by) % len(queue.tracks), loop=queue.loop))

    def enqueue(self, track: Track, soon: bool) -> None:
        """Put a song next in the queue, or at its end; play it where nothing sounds."""
        queue = queue_of(self._ctx)
        if queue is None:
            self.start((track,), 0)
            return
        at = queue.index + 1 if soon else len(queue.tracks)
        queue.tracks = (*queue.tracks[:at], track, *queue.tracks[at:])

    def now(self) -> Now | None:
        """Return what sounds or is held."""
        queue = queue_of(self._ctx)
        if queue is None or (self._speaker.playing is None and not queue.paused):
            return None
        return Now(
            queue.track, queue.index, len(queue.tracks), queue.paused, self._speaker.position_s
        )

    def pause(self) -> None:
        """Hold the song."""
        if queue := queue_of(self._ctx):
            self._speaker.pause()
            queue.paused = True
            _cancel(queue)

    def resume(self) -> None:
        """Go on with it."""
        if queue := queue_of(self._ctx):
            self._speaker.resume()
            queue.paused = False
            self._follow(queue)

    def stop(self) -> None:
        """Be silent, and forget the queue."""
        _cancel(self._ctx.memory.pop("queue", None))
        self._speaker.stop()

    def move(self, by: int) -> None:
        """Play another song of the queue."""
        if queue := queue_of(self._ctx):
            at = (queue.index + by) % len(queue.tracks)
            self._play(Queue(queue.tracks, at, loop=queue.loop))

    def seek(self, to_s: float) -> None:
        """Go to a place in the song."""
        if queue := queue_of(self._ctx):
            self._play(queue, max(0.0, to_s))

    def shuffle(self) -> None:
        """Mix what comes after the present song, which comes first."""
        if queue := queue_of(self._ctx):
            rest = [*queue.tracks[: queue.index], *queue.tracks[queue.index + 1 :]]
            queue.tracks = (queue.track, *random.sample(rest, len(rest)))
            queue.index = 0

    def loop(self, what: Loop) -> None:
        """Repeat one song, the whole queue, or nothing."""
        if queue := queue_of(self._ctx):
            queue.loop = what

    @property
    def volume(self) -> int:
        """0 … 100."""
        return self._speaker.volume

    @volume.setter
    def volume(self, level: int) -> None:
        self._speaker.volume = level


def _cancel(queue: object) -> None:
    if isinstance(queue, Queue) and queue.follow is not None:
        queue.follow.cancel()
        queue.follow = None


def sounding(ctx: Context) -> Track | None:
    """Return the track that sounds or is paused; None also where nothing can play."""
    with suppress(DeviceError):
        now = player_of(ctx).now()
        return now.track if now else None
    return None


def start(tracks: Sequence[Track], index: int, ctx: Context) -> Reply:
    """Play tracks from one on."""
    player = player_of(ctx)
    player.start(tracks, index)
    now = Now(tracks[index], index, len(tracks))
    return card(ctx.say("Playing"), player.now() or now, ctx)


def move(by: int, ctx: Context) -> Reply:
    """Play the track that many places further on; the queue is a circle."""
    player = player_of(ctx)
    if queue_of(ctx) is None and player.now() is None:
        return nothing(ctx)
    player.move(by)
    now = player.now()
    return card(ctx.say("Playing"), now, ctx) if now else nothing(ctx)


def card(title: str, now: Now, ctx: Context, clocked: bool = False) -> Reply:
    """Return the card of a track: title, artist, place in the queue, and time if asked for."""
    lines = [now.track.shown(ctx.language)]
    if now.track.artist:
        lines.append(now.track.artist)
    place = ctx.say("{n} of {total}", n=now.index + 1, total=now.total)
    if clocked:
        place = f"{clock(now.position_s)}  {place}"
    return Reply("\n".join([*lines, place]), title=title, kind="playing")


def clock(seconds: float) -> str:
    """Return minutes and seconds: 3:07."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def nothing(ctx: Context) -> Reply:
    """Say that nothing is playing."""
    return Reply(ctx.say("Nothing is playing."))


def missing(song: str, ctx: Context) -> Reply:
    """Say that a song is not there."""
    words = " ".join(song.split())
    words = words if len(words) <= 60 else f"{words[:60]}…"
    return Reply(ctx.say("“{song}” is not in your library.", song=words))
