"""Find songs by title, artist, album, genre or mood, however they are written or heard."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property

from agent.language.alike import Alike, likeness, sounded, written
from agent.language.folding import compared
from skills.music.track import Track, sayable

LEAST = 0.8
"""Score from which a song that only sounds like it is played without a word."""

MOODS = {
    "calm": ("ambient", "classical", "acoustic", "new age", "chillout", "lounge", "piano"),
    "happy": ("pop", "dance", "funk", "reggae", "disco", "soul"),
    "sad": ("blues", "ballad", "singer songwriter", "soul"),
    "energetic": ("rock", "metal", "punk", "techno", "drum and bass", "electronic", "hip hop"),
    "romantic": ("ballad", "r and b", "soul", "bossa nova"),
    "focus": ("classical", "ambient", "lo fi", "piano", "instrumental"),
    "party": ("dance", "house", "disco", "pop", "hip hop"),
}
"""Genres that fit a mood, ours: people name a mood, tags name a genre."""
_SAID = {
    "relaxing": "calm", "quiet": "calm", "peaceful": "calm", "soothing": "calm", "soft": "calm",
    "cheerful": "happy", "upbeat": "happy", "fun": "happy", "melancholic": "sad",
    "workout": "energetic", "fast": "energetic", "loud": "energetic", "love": "romantic",
    "study": "focus", "studying": "focus", "concentration": "focus", "dancing": "party",
    "安静": "calm", "轻松": "calm", "放松": "calm", "舒缓": "calm", "欢快": "happy",
    "开心": "happy", "快乐": "happy", "伤感": "sad", "悲伤": "sad", "动感": "energetic",
    "激情": "energetic", "浪漫": "romantic", "学习": "focus", "专注": "focus", "派对": "party",
}  # fmt: skip
_GENRES = {
    "摇滚": "rock", "流行": "pop", "古典": "classical", "爵士": "jazz", "民谣": "folk",
    "电子": "electronic", "说唱": "hip hop", "嘻哈": "hip hop", "蓝调": "blues", "乡村": "country",
    "金属": "metal", "舞曲": "dance",
}  # fmt: skip
_AROUND = re.compile(
    r"^(?:(?:some|something|the album|album|songs? by|music by|the|any)\s+|一些|一点|来点|专辑)+"
    r"|(?:\s+(?:music|songs?|tunes?|album|tracks?)|的?(?:音乐|歌曲|歌|专辑|乐))+$"
)


class Index:
    """All songs, by everything they may be asked for."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        """Index songs; each list is made when it is first needed."""
        self.tracks = tuple(tracks)

    def named(self, wanted: str) -> tuple[Track, ...]:
        """Return the track of that title or name, else all by that artist, else the one with it.

        Then an album, a genre, a mood, and what sounds alike. Accents and punctuation do not
        count: "motorhead" is "Motörhead". Of an artist's name a part is enough: "beethoven", and
        "finches" for "The Finches".
        """
        key = keyed(wanted)
        if not key:
            return ()
        if found := self._titles.get(key):
            return self._at(found[:1])
        if found := self._by(wanted):
            return self._at(found[:1])
        for look in (self._artist, self._album, self._words, self._genre, self._heard):
            if several := look(key):
                return self._at(several)
        return ()

    def _at(self, rows: Iterable[int]) -> tuple[Track, ...]:
        return tuple(self.tracks[row] for row in rows)

    # -- exactly ----------------------------------------------------------------------------------

    @cached_property
    def _titles(self) -> dict[str, list[int]]:
        return _grouped(
            (row, keyed(said))
            for row, track in enumerate(self.tracks)
            for language in ("en", "zh")
            for said in track.said(language)
        )

    @cached_property
    def _artists(self) -> dict[str, list[int]]:
        return _grouped(
            (row, keyed(name))
            for row, track in enumerate(self.tracks)
            for name in {track.artist, *track.by.values()}
        )

    @cached_property
    def _albums(self) -> dict[str, list[int]]:
        return _grouped((row, keyed(track.album)) for row, track in enumerate(self.tracks))

    @cached_property
    def _genres(self) -> dict[str, list[int]]:
        return _grouped((row, keyed(track.genre)) for row, track in enumerate(self.tracks))

    def _by(self, wanted: str) -> list[int]:
        """Return the song of "title by artist", 歌手的歌名."""
        title, by, artist = wanted.rpartition(" by ")
        if not by:
            artist, by, title = wanted.partition("的")
        if not by:
            return []
        theirs = set(self._artists.get(keyed(artist), ()))
        return [row for row in self._titles.get(keyed(title), ()) if row in theirs]

    def _artist(self, key: str) -> list[int]:
        if found := self._artists.get(key):
            return found
        words = set(key.split())
        parts = [name for name in self._artists if words <= set(name.split())]
        return sorted({row for name in parts for row in self._artists[name]})

    def _album(self, key: str) -> list[int]:
        return self._albums.get(key) or self._albums.get(_bare(key), [])

    def _words(self, key: str) -> list[int]:
        """Return the only song whose title has all these words."""
        words = set(key.split())
        rare = min((self._with.get(word, []) for word in words), key=len)
        found = [row for row in rare if words <= set(keyed(self.tracks[row].title).split())]
        return found if len(found) == 1 else []

    @cached_property
    def _with(self) -> dict[str, list[int]]:
        return _grouped(
            (row, word)
            for row, track in enumerate(self.tracks)
            for word in set(keyed(track.title).split())
        )

    def _genre(self, key: str) -> list[int]:
        """Return the songs of a genre, or of those that fit a mood."""
        bare = _bare(key)
        if bare == key and bare not in self._genres and bare not in _SAID:
            return []
        wanted = {_GENRES.get(bare, bare), *MOODS.get(_SAID.get(bare, bare), ())}
        rows = {row for name, rows in self._genres.items() if _fits(name, wanted) for row in rows}
        return sorted(rows)

    # -- by ear -----------------------------------------------------------------------------------

    @cached_property
    def _spoken(self) -> tuple[Alike, list[list[int]]]:
        """Titles, titles with their artists, artists and albums, and the songs behind each."""
        names: dict[str, list[int]] = {}
        for row, track in enumerate(self.tracks):
            for name in dict.fromkeys((*track.said("en"), *track.said("zh"))):
                names.setdefault(name, []).append(row)
            for name in filter(None, (track.artist, track.album)):
                names.setdefault(sayable(name), []).append(row)
        return Alike(list(names)), list(names.values())

    def _heard(self, key: str) -> list[int]:
        """Return what sounds like it; of "title by artist" both have to."""
        title, by, artist = _bare(key).rpartition(" by ")
        rows = self._alike(title if by else artist)
        if by:
            theirs = (written(artist), sounded(artist))
            rows = [row for row in rows if self._artist_is(row, theirs)]
        return rows

    def _artist_is(self, row: int, theirs: tuple[str, str]) -> bool:
        name = self.tracks[row].artist
        return likeness(*theirs, written(name), sounded(name)) >= LEAST

    def _alike(self, key: str) -> list[int]:
        alike, rows = self._spoken
        found = alike.find(key, limit=2, least=LEAST, parts=False)
        if not found or (len(found) > 1 and found[0].score == found[1].score < 1):
            return []
        return rows[found[0].index]


def keyed(text: str) -> str:
    """Return a title or name as it is compared."""
    return compared(sayable(text))


def _bare(key: str) -> str:
    return _AROUND.sub("", key).strip() or key


def _fits(genre: str, wanted: set[str]) -> bool:
    return any(f" {one} " in f" {genre} " for one in wanted)


def _grouped(pairs: Iterable[tuple[int, str]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row, key in pairs:
        if key and found.setdefault(key, [])[-1:] != [row]:
            found[key].append(row)
    return found
