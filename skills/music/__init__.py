"""Play the wearer's own music, or that of an MPD, and four tunes that ship."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Annotated, Literal

from agent import Context, OneOf, Range, Reply, hookimpl, skill
from skills.music import extras, library, playlists, remote
from skills.music.player import (
    card,
    missing,
    move,
    nothing,
    player_of,
    queue_of,
    sounding,
    start,
)
from skills.music.playlists import Playlists, PlaylistsError
from skills.music.track import Track

LOUDER_BY = 10
"""Points of volume for one “louder”."""
RESTART_S = 3.0
"""Further into a song than this, “previous song” starts it again, as players do."""

SERVICES = (
    "spotify", "youtube", "youtube music", "apple music", "itunes", "amazon music", "google music",
    "pandora", "deezer", "tidal", "soundcloud", "last fm", "groove shark", "iheart radio",
    "网易云音乐", "网易云", "QQ音乐", "酷狗音乐", "酷狗", "酷我音乐", "虾米音乐",
)  # fmt: skip
"""Where people may ask for music from. A closed list, since in “play fool on the hill” the hill is
not a service; a short one, since after “play” and a song the turn waits for what could follow."""
_THIS = frozenset(("it", "this", "that", "this song", "that song", "the song", "这首", "这首歌"))


def _services(language: str) -> list[str]:
    return [name for name in SERVICES if name.isascii() or language == "zh"]


Song = Annotated[str, OneOf(library.titles, open=True)]
Service = Annotated[str, OneOf(_services)]
PlaylistName = Annotated[str, OneOf(playlists.often, open=True)]
Level = Annotated[int, Range(0, 100)]
Points = Annotated[int, Range(1, 100)]


@skill(
    "play {song}",
    "play the song {song}",
    "play the tune {song}",
    "listen to {song}",
    "play [some|my] music",
    "play (a song|something)",
    "play [my|the] {song} playlist",
    "play {song} on {service}",
    "play [[some|my] music] on {service}",
    risk="change",
)
def play(ctx: Context, song: Song | None = None, service: Service | None = None) -> Reply:
    """Play a song, all songs of an artist, a playlist, or all there is."""
    if service is not None:
        name = service.title() if service.isascii() else service
        return Reply(
            ctx.say("{service} is not connected. I only play your own music.", service=name)
        )
    player = player_of(ctx)  # without one that is what to tell
    if song is None and player.goes_on:
        player.resume()
        return card(ctx.say("Playing"), now, ctx) if (now := player.now()) else nothing(ctx)
    every = library.tracks()
    if song is None:
        return start(every, 0, ctx) if every else nothing(ctx)
    if listed := _listed(song, ctx):
        return start(listed, 0, ctx)
    found = library.named(song)
    if not found:
        return missing(song, ctx)
    return start(found, 0, ctx) if len(found) > 1 else start(every, every.index(found[0]), ctx)


@skill(
    "pause the (music|song|tune)",
    "pause (music|playback)",
    "hold the music",
    risk="change",
)
def pause(ctx: Context) -> Reply:
    """Pause the song."""
    player = player_of(ctx)
    now = player.now()
    if now is None or now.paused:
        return nothing(ctx)
    player.pause()
    return card(ctx.say("Paused"), now, ctx)


@skill(
    "resume the (music|song|tune)",
    "resume (music|playback)",
    "continue the (music|song)",
    "keep playing",
    risk="change",
)
def resume(ctx: Context) -> Reply:
    """Go on playing a paused song."""
    player = player_of(ctx)
    now = player.now()
    if now is None or not now.paused:
        return Reply(ctx.say("Nothing is paused."))
    player.resume()
    return card(ctx.say("Playing"), now, ctx)


@skill(
    "next (song|track|tune)",
    "(skip|skip to) the next (song|track|tune)",
    "skip this (song|track|tune)",
    risk="change",
)
def next_song(ctx: Context) -> Reply:
    """Play the next song of the library."""
    return move(+1, ctx)


@skill(
    "previous (song|track|tune)",
    "go back (a|one) (song|track|tune)",
    "go back to the (previous|last) (song|track|tune)",
    risk="change",
)
def previous_song(ctx: Context) -> Reply:
    """Start the song again, or play the one before it."""
    now = player_of(ctx).now()
    started = now is not None and not now.paused and now.position_s > RESTART_S
    return move(0 if started else -1, ctx)


@skill(
    "stop the (music|song|tune)",
    "stop playing [music]",
    "turn off the music",
    "(turn|switch) the music off",
    risk="change",
)
def stop_music(ctx: Context) -> Reply:
    """Stop the music."""
    player = player_of(ctx)
    if player.now() is None:
        return nothing(ctx)
    player.stop()
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
    "(turn|bring) [the] (volume|music|it) up by {points} [percent|points]",
    "turn up the (volume|music) by {points} [percent|points]",
    "(raise|increase) the volume [by {points} [percent|points]]",
    "volume up [by] {points} [percent|points]",
    "{switch} [[the] (sound|music|volume)]",
    "{switch} it",
    risk="change",
)
def louder(
    ctx: Context, points: Points = LOUDER_BY, switch: Literal["unmute"] | None = None
) -> Reply:
    """Turn the volume up, or back to what it was before it was muted."""
    muted = ctx.memory.pop("muted at", points)
    return _set_volume(lambda now: (now or muted) if switch else now + points, ctx)


@skill(
    "(turn|bring) the (volume|music) down",
    "turn down the (volume|music)",
    "volume down",
    "make it quieter",
    "(turn|bring) [the] (volume|music|it) down by {points} [percent|points]",
    "turn down the (volume|music) by {points} [percent|points]",
    "(lower|reduce|decrease) the volume [by {points} [percent|points]]",
    "volume down [by] {points} [percent|points]",
    "{switch} [[the] (sound|music|volume)]",
    "{switch} it",
    risk="change",
)
def quieter(
    ctx: Context, points: Points = LOUDER_BY, switch: Literal["mute"] | None = None
) -> Reply:
    """Turn the volume down, or off."""
    player = player_of(ctx)
    if switch and player.volume:
        ctx.memory["muted at"] = player.volume
    return _set_volume(lambda now: 0 if switch else now - points, ctx)


@skill(
    "what's playing",
    "what is playing",
    "(what|which) (song|tune) is (this|playing)",
    "what am i listening to",
)
def playing(ctx: Context) -> Reply:
    """Tell which song is playing."""
    now = player_of(ctx).now()
    if now is None:
        return nothing(ctx)
    title = ctx.say("Paused") if now.paused else ctx.say("Playing")
    return card(title, now, ctx, clocked=True)


@skill(
    "add {song} to (my|the) {playlist} playlist",
    "put {song} (on|in) (my|the) {playlist} playlist",
    "add {song} to (my|a|the) playlist",
    "(add|put) this (song|track|tune) (to|on|in) (my|the) {playlist} playlist",
    "(add|put) this (song|track|tune) (to|on|in) (my|a|the) playlist",
    risk="change",
)
def add_to_playlist(
    ctx: Context, song: Song | None = None, playlist: PlaylistName | None = None
) -> Reply:
    """Put a song, or the one that is playing, on one of the wearer's playlists."""
    track = _meant(song, ctx)
    if track is None:
        return _unknown(song, ctx)
    name = playlists.plain(playlist) if playlist else playlists.often(ctx.language)[0]
    try:
        added = Playlists(ctx.folder).add(track.title, name)
    except PlaylistsError:
        return Reply(ctx.say("I can't read or save your playlists."))
    title = ctx.say("Added") if added else ctx.say("Already there")
    where = ctx.say("Playlist: {name}", name=name)

    def undo() -> Reply:
        Playlists(ctx.folder).remove(track.title, name)
        return Reply("\n".join([track.shown(ctx.language), where]), title=ctx.say("Removed"))

    text = "\n".join([track.shown(ctx.language), where])
    return Reply(text, title=title, undo=undo if added else None)


@skill(
    "shuffle (my|the|all) (music|songs|tunes|library)",
    "shuffle [[my] (music|songs)]",
    "(turn on|play on|play in) shuffle [mode]",
    "play [my] (music|songs) in random order",
    risk="change",
)
def shuffle(ctx: Context) -> Reply:
    """Shuffle what comes after the present song; with none, play the whole library shuffled."""
    player = player_of(ctx)
    if player.now() is None:
        queue = queue_of(ctx)
        tracks = queue.tracks if queue else library.tracks()
        return start(random.sample(tracks, len(tracks)), 0, ctx)
    player.shuffle()
    now = player.now()
    return card(ctx.say("Shuffled"), now, ctx) if now else nothing(ctx)


@skill(
    "repeat (this|the) (song|track|tune)",
    "play (this|that|the) (song|track|tune) again",
    "start (this|the) (song|track|tune) (over|again)",
    risk="change",
)
def repeat_song(ctx: Context) -> Reply:
    """Play the present song once more from its beginning."""
    return move(0, ctx)


@skill(
    "who (wrote|sings|sang|composed|made|plays) this [(song|track|tune)]",
    "who (wrote|sings|sang|composed|made|plays) the (song|track|tune) [{song}]",
    "who is (this|the) (song|track|tune) by",
    "(what|which) album is this [(song|track|tune)] (from|on)",
    "(who is|who's) the (artist|singer|composer|band)",
)
def about(ctx: Context, song: Song | None = None) -> Reply:
    """Tell who a song is by, as far as the library knows; without a name, the one playing."""
    track = _meant(song, ctx)
    if track is None:
        return _unknown(song, ctx)
    author = track.author(ctx.language)
    return Reply(author or ctx.say("I only know the title."), title=track.shown(ctx.language))


def _is_pronoun(song: str | None) -> bool:
    return song is None or song.strip().casefold() in _THIS


def _meant(song: str | None, ctx: Context) -> Track | None:
    """Return the song of that name; without a name, the one that is playing."""
    if song is None or _is_pronoun(song):
        player_of(ctx)  # without one nothing plays, and that is what to tell
        return sounding(ctx)
    return library.find(song)


def _unknown(song: str | None, ctx: Context) -> Reply:
    """Say why there is no such song, or that none is playing."""
    if song is not None and not _is_pronoun(song):
        return missing(song, ctx)
    return nothing(ctx)


def _listed(name: str, ctx: Context) -> tuple[Track, ...]:
    """Return the tracks of a playlist that are still in the library."""
    try:
        titles = Playlists(ctx.folder).titles(name) or ()
    except PlaylistsError:  # what is in the library can be played all the same
        return ()
    by_title = {track.title: track for track in library.tracks()}
    return tuple(by_title[title] for title in titles if title in by_title)


def _set_volume(change: Callable[[int], int], ctx: Context) -> Reply:
    player = player_of(ctx)
    before = player.volume
    level = max(0, min(100, change(before)))
    player.volume = level
    return Reply(
        ctx.say("Volume {level}", level=level),
        kind="playing",
        undo=lambda: _set_volume(lambda _: before, ctx),
    )


@hookimpl
def dashboard(ctx: Context) -> str | None:
    """Return the song that is playing."""
    track = sounding(ctx)
    return f"♪ {track.shown(ctx.language)}" if track else None


@hookimpl
def register_skills(register: Callable[..., None]) -> None:
    """Add the actions. Raises DataError: without its data the skill is left out."""
    library.shipped()
    register(
        play, pause, resume, next_song, previous_song, stop_music, volume, louder, quieter, playing
    )
    register(add_to_playlist, shuffle, repeat_song, about)
    register(extras.seek, extras.back, extras.like, extras.queue, extras.loop, extras.sleep)


@hookimpl
def register_commands(register: Callable[..., None]) -> None:
    """Add `glasses music`."""
    from skills.music.commands import music

    register(music)


@hookimpl
def register_devices(provide: Callable[..., None]) -> None:
    """Let the agent make a player of the wearer's quieter while they speak."""
    provide("player", lambda config: remote.BESIDE, "the player of music")
