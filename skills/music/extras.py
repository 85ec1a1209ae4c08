"""What one does with a song beside playing it: go on in it, like it, put it in the queue, sleep."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Annotated, Literal

from agent import Context, OneOf, Range, Reply, skill
from hardware.base import DeviceError
from skills.music import library
from skills.music.player import card, clock, missing, nothing, player_of
from skills.music.playlists import Playlists, PlaylistsError

SKIP_S = 15
"""Seconds for one “skip forward”, as podcast players have it."""
LIKED = "liked songs"
"""The playlist of songs that the wearer likes."""

Seconds = Annotated[int, Range(1, 3600)]
Minutes = Annotated[int, Range(1, 600)]
Song = Annotated[str, OneOf(library.titles, open=True)]


def _loops(language: str) -> dict[str, str]:
    if language == "zh":
        return {
            "单曲循环": "one",
            "列表循环": "all",
            "全部循环": "all",
            "关闭循环": "off",
            "取消循环": "off",
        }
    return {
        "repeat one": "one", "loop this song": "one", "repeat all": "all", "loop everything": "all",
        "repeat everything": "all", "repeat off": "off", "turn off repeat": "off",
        "stop repeating": "off",
    }  # fmt: skip


@skill(
    "(skip|jump|fast forward) {seconds} seconds [(ahead|forward)]",
    "(skip|jump) (ahead|forward) {seconds} seconds",
    "(skip|jump) (ahead|forward)",
    "fast forward [the (song|track)]",
    risk="change",
)
def seek(ctx: Context, seconds: Seconds = SKIP_S) -> Reply:
    """Go on a little in the song."""
    return _sought(seconds, ctx)


@skill(
    "rewind the (song|track)",
    "rewind {seconds} seconds",
    "(skip|jump) back {seconds} seconds",
    "(skip|jump) back in the (song|track)",
    risk="change",
)
def back(ctx: Context, seconds: Seconds = SKIP_S) -> Reply:
    """Go back a little in the song."""
    return _sought(-seconds, ctx)


def _sought(by_s: float, ctx: Context) -> Reply:
    player = player_of(ctx)
    now = player.now()
    if now is None:
        return nothing(ctx)
    to_s = max(0.0, now.position_s + by_s)
    if now.track.length_s and to_s > now.track.length_s:
        to_s = max(0.0, now.track.length_s - 1)
    player.seek(to_s)
    return Reply(f"{now.track.shown(ctx.language)}\n{clock(to_s)}", kind="playing")


@skill(
    "i (like|love) this (song|track|tune)",
    "like this (song|track|tune)",
    "(save|remember) this (song|track|tune)",
    risk="change",
)
def like(ctx: Context) -> Reply:
    """Remember that the wearer likes the song: it goes on a playlist of their own."""
    now = player_of(ctx).now()
    if now is None:
        return nothing(ctx)
    title = now.track.title
    try:
        added = Playlists(ctx.folder).add(title, LIKED)
    except PlaylistsError:
        return Reply(ctx.say("I can't read or save your playlists."))

    def undo() -> Reply:
        Playlists(ctx.folder).remove(title, LIKED)
        return Reply(now.track.shown(ctx.language), title=ctx.say("Removed"))

    heading = ctx.say("Liked") if added else ctx.say("Already there")
    return Reply(now.track.shown(ctx.language), title=heading, undo=undo if added else None)


@skill(
    "play {song} next",
    "(add|put) {song} (to|in|into) the queue",
    "queue [up] {song}",
    risk="change",
)
def queue(song: Song, ctx: Context) -> Reply:
    """Put a song in the queue, right after the present one."""
    player = player_of(ctx)
    found = library.find(song)
    if found is None:
        return missing(song, ctx)
    player.enqueue(found, soon=True)
    return Reply(found.shown(ctx.language), title=ctx.say("Comes next"), kind="playing")


@skill("{what}", risk="change")
def loop(what: Annotated[str, OneOf(_loops)], ctx: Context) -> Reply:
    """Repeat the song, the whole queue, or nothing."""
    player = player_of(ctx)
    now = player.now()
    if now is None:
        return nothing(ctx)
    mode: Literal["off", "one", "all"] = (
        "one" if what == "one" else "all" if what == "all" else "off"
    )
    player.loop(mode)
    titles = {
        "one": ctx.say("Repeating this song"),
        "all": ctx.say("Repeating all"),
        "off": ctx.say("Not repeating"),
    }
    return card(titles[mode], now, ctx)


@skill(
    "stop the music in {minutes} minutes",
    "(set a|start a|set the) (music|sleep) timer (for|of) {minutes} minutes",
    "play [music] for {minutes} minutes",
    risk="change",
)
def sleep(minutes: Minutes, ctx: Context) -> Reply:
    """Stop the music after a while; the last time that was said counts."""
    player = player_of(ctx)
    if player.now() is None:
        return nothing(ctx)

    def end() -> None:
        with suppress(DeviceError):
            player.stop()

    if isinstance(before := ctx.memory.get("sleep"), threading.Timer):
        before.cancel()
    timer = threading.Timer(minutes * 60, end)
    timer.daemon = True
    timer.start()
    ctx.memory["sleep"] = timer

    def undo() -> Reply:
        timer.cancel()
        return Reply(ctx.say("The music plays on."))

    return Reply(ctx.say("The music stops in {n} minutes.", n=minutes), undo=undo)
