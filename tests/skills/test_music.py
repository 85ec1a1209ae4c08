"""Music: the library, the queue, and that nothing pretends to play."""

from __future__ import annotations

import json
import os
import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

import skills.music as music
from agent import Context, Reply
from agent.messages import Intent, Transcript
from agent.plugins.skills import Skills
from agent.testing import make_agent
from agent.understand.router import Router
from hardware import audio
from hardware.base import DeviceError, Speaker
from hardware.speaker import NoSpeaker, VirtualSpeaker
from skills.music import library, make_tunes, playlists
from skills.music.player import Queue
from skills.music.playlists import Playlists, PlaylistsError
from skills.music.track import sayable

FOLDER = Path(music.__file__).parent
TUNES = library.TUNES


class Clock:
    """Seconds that pass when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def speaker(clock: Clock) -> VirtualSpeaker:
    return VirtualSpeaker(clock=clock, length_s=60)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The wearer's music folder, with three songs in two folders."""
    songs = tmp_path / "songs"
    for name in ("01 - The Finches - Paper Boats.mp3", "Night_Train.flac", "more/日出.wav"):
        path = songs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (songs / "cover.jpg").touch()
    monkeypatch.setattr(library, "FOLDER", songs)
    return songs


@pytest.fixture
def installed(folder: Path) -> Skills:
    skills = Skills()
    skills.load(music)
    return skills


def context(speaker: Speaker | None, language: str = "en", keep: Path = Path("unused")) -> Context:
    raw = yaml.safe_load((FOLDER / "sentences" / "zh.yaml").read_text(encoding="utf-8"))
    return Context(
        skill="music",
        language=language,
        folder=keep,
        memory={},
        responses=raw["responses"] if language == "zh" else {},
        speaker=speaker,
    )


# The library


def test_titles_come_from_file_names(folder: Path) -> None:
    own = [(t.title, t.artist) for t in library.tracks() if t.path.is_relative_to(folder)]
    assert own == [("Paper Boats", "The Finches"), ("Night Train", ""), ("日出", "")]


@pytest.mark.parametrize(
    ("name", "title", "artist"),
    [
        ("07. Rain", "Rain", ""),
        ("99 Balloons", "99 Balloons", ""),
        ("1999", "1999", ""),
        ("A - B - C", "B - C", "A"),
        ("12 - ", "12 -", ""),
    ],
)
def test_track_numbers_and_artists(name: str, title: str, artist: str) -> None:
    track = library._track(Path(f"{name}.mp3"))
    assert (track.title, track.artist) == (title, artist)


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Paper Boats (Live) [2011]", "paper boats"),
        ("Don’t Stop!", "don't stop"),
        ("{x} | <y>; \\z/", "z"),
        ("'Round Midnight", "round midnight"),
        ("日出 (现场)", "日出"),
        ("???", ""),
    ],
)
def test_a_title_is_said_in_words_that_are_safe_in_a_template(title: str, said: str) -> None:
    assert sayable(title) == said


def test_hostile_file_names_break_neither_library_nor_routing(
    folder: Path, installed: Skills
) -> None:
    for name in ("(((", "{amount}", "[a|b", "<rule>", "%s {0}", "-", "x" * 200, "\n"):
        (folder / f"{name}.mp3").touch()
    route = Router(installed.actions).route(Transcript("play night train"))
    assert isinstance(route, Intent)
    speaker = VirtualSpeaker(length_s=1)
    for track in library.tracks():
        music.play(context(speaker), track.title)


def test_a_new_song_is_found_without_a_restart(folder: Path) -> None:
    assert library.find("slow river") is None
    late = folder / "more" / "deeper"
    late.mkdir()
    assert library.find("slow river") is None
    (late / "Slow River.ogg").touch()
    _age(late)
    assert library.find("slow river") is not None
    shutil.rmtree(late)
    _age(folder / "more")
    assert library.find("slow river") is None


def _age(path: Path) -> None:
    """Give a folder another time than before: the test is faster than the clock of some disks."""
    os.utime(path, ns=(1, path.stat().st_mtime_ns + 1))


def test_without_a_folder_the_tunes_that_ship_remain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "FOLDER", tmp_path / "nowhere")
    assert {track.title for track in library.tracks()} == {
        "Ode to Joy", "Twinkle Twinkle Little Star", "Brother John", "Greensleeves",
    }  # fmt: skip


def test_the_speech_grammar_stays_small_and_keeps_the_tunes(folder: Path) -> None:
    for n in range(300):
        (folder / f"Song Number {n}.mp3").touch()
    said = library.titles("en")
    assert len(said) == library.MOST_SAID
    assert "ode to joy" in said
    found = library.find("song number 299")  # but all of them can be found
    assert found is not None


def test_a_song_is_found_by_some_of_its_words_only_when_they_mean_one(folder: Path) -> None:
    found = library.find("boats")
    assert found is not None
    assert found.title == "Paper Boats"
    (folder / "Red Boats.mp3").touch()
    _age(folder)
    assert library.find("boats") is None
    assert library.find("") is None


# Playing


def test_a_song_is_played_and_shown(folder: Path, speaker: VirtualSpeaker) -> None:
    reply = music.play(context(speaker), "Paper Boats")
    assert speaker.playing == folder / "01 - The Finches - Paper Boats.mp3"
    assert (reply.kind, reply.title) == ("playing", "Playing")
    assert reply.text.splitlines() == ["Paper Boats", "The Finches", "1 of 7"]


def test_a_tune_that_ships_is_known_by_all_its_names(folder: Path, speaker: VirtualSpeaker) -> None:
    for name in ("brother john", "are you sleeping", "两只老虎"):
        music.play(context(speaker), name)
        assert speaker.playing == TUNES / "brother-john.ogg"


def test_a_miss_says_so_and_leaves_the_song_alone(folder: Path, speaker: VirtualSpeaker) -> None:
    ctx = context(speaker)
    music.play(ctx, "Night Train")
    reply = music.play(ctx, "the moonlight sonata")
    assert reply.text == "“the moonlight sonata” is not in your library."
    assert speaker.playing == folder / "Night_Train.flac"
    assert len(speaker.played) == 1


def test_next_and_previous_walk_the_library_in_a_circle(
    folder: Path, speaker: VirtualSpeaker, clock: Clock
) -> None:
    ctx = context(speaker)
    music.play(ctx)
    assert music.next_song(ctx).text.splitlines()[0] == "Night Train"
    assert music.previous_song(ctx).text.splitlines()[0] == "Paper Boats"
    assert music.previous_song(ctx).text.splitlines()[0] == "Greensleeves"
    assert music.next_song(ctx).text.splitlines()[0] == "Paper Boats"
    clock.now += music.RESTART_S + 1
    assert music.previous_song(ctx).text.splitlines()[0] == "Paper Boats"
    assert speaker.position_s == 0


def test_pause_and_resume_keep_the_position(
    folder: Path, speaker: VirtualSpeaker, clock: Clock
) -> None:
    ctx = context(speaker)
    music.play(ctx, "Night Train")
    clock.now += 75 - 60
    assert music.pause(ctx).title == "Paused"
    assert speaker.playing is None
    assert music.playing(ctx).title == "Paused"
    clock.now += 100
    assert music.resume(ctx).title == "Playing"
    assert music.playing(ctx).text.splitlines() == ["Night Train", "0:15  2 of 7"]


def test_a_song_that_has_ended_is_not_called_playing(
    folder: Path, speaker: VirtualSpeaker, clock: Clock
) -> None:
    ctx = context(speaker)
    music.play(ctx, "Night Train")
    clock.now += 61
    for ask in (music.playing, music.pause, music.stop_music):
        assert ask(ctx).text == "Nothing is playing."
    assert music.resume(ctx).text == "Nothing is paused."
    assert music.next_song(ctx).text.splitlines()[0] == "日出"


def test_stop_forgets_the_song(folder: Path, speaker: VirtualSpeaker) -> None:
    ctx = context(speaker)
    music.play(ctx)
    assert music.stop_music(ctx).text == "Music stopped."
    assert speaker.playing is None
    assert music.resume(ctx).text == "Nothing is paused."
    assert music.next_song(ctx).text == "Nothing is playing."


def test_the_volume_stays_between_0_and_100(speaker: VirtualSpeaker) -> None:
    ctx = context(speaker)
    assert music.volume(95, ctx).text == "Volume 95"
    assert music.louder(ctx).text == "Volume 100"
    assert music.louder(ctx).text == "Volume 100"
    music.volume(5, ctx)
    assert music.quieter(ctx).text == "Volume 0"
    assert speaker.volume == 0


ACTIONS: list[Callable[[Context], Reply]] = [
    music.play, music.pause, music.resume, music.next_song, music.previous_song, music.stop_music,
    music.louder, music.quieter, music.playing, lambda ctx: music.volume(50, ctx),
    lambda ctx: music.play(ctx, "ode to joy"),
    music.add_to_playlist, music.shuffle, music.repeat_song, music.about,
]  # fmt: skip


def test_louder_by_so_much_and_silence_for_a_while(speaker: VirtualSpeaker) -> None:
    ctx = context(speaker)
    music.volume(80, ctx)
    music.louder(ctx, points=20)
    assert speaker.volume == 100
    music.quieter(ctx, points=30)
    assert speaker.volume == 70
    music.quieter(ctx, switch="mute")
    music.quieter(ctx, switch="mute")
    assert speaker.volume == 0
    music.louder(ctx, switch="unmute")
    assert speaker.volume == 70
    music.louder(ctx, switch="unmute")
    assert speaker.volume == 70


@pytest.mark.parametrize("speaker", [None, NoSpeaker()])
@pytest.mark.parametrize("action", ACTIONS)
def test_without_a_sound_device_nothing_pretends_to_play(
    folder: Path, action: Callable[[Context], Reply], speaker: Speaker | None
) -> None:
    ctx = context(speaker)
    with pytest.raises(DeviceError, match="No speaker here: connect headphones"):
        action(ctx)
    assert ctx.memory == {}
    assert music.dashboard(ctx) is None


@pytest.mark.parametrize(
    ("said", "shown"), [("play ode to joy", "connect headphones"), ("播放欢乐颂", "请连接耳机")]
)
async def test_the_wearer_reads_that_nothing_can_be_heard(
    tmp_path: Path, said: str, shown: str
) -> None:
    agent = make_agent(tmp_path, [music], speaker=NoSpeaker())
    turn = await agent.hear(said)
    assert turn.reply is not None
    assert shown in turn.reply.text
    assert agent.skills.offences == {}
    await agent.close()


async def test_a_speaker_that_is_gone_is_told_when_something_is_taken_back(
    tmp_path: Path, speaker: VirtualSpeaker
) -> None:
    agent = make_agent(tmp_path, [music], speaker=speaker)
    await agent.hear("volume 20")
    speaker.available = False
    turn = await agent.hear("undo")
    assert turn.reply is not None
    assert "connect headphones" in turn.reply.text
    assert agent.skills.offences == {}
    await agent.close()


def test_a_file_that_cannot_be_played_is_not_remembered(folder: Path) -> None:
    ctx = context(VirtualSpeaker())  # reads the files, and these are empty
    with pytest.raises(DeviceError):
        music.play(ctx, "Night Train")
    assert music.playing(ctx).text == "Nothing is playing."


def test_chinese_replies(folder: Path, speaker: VirtualSpeaker) -> None:
    reply = music.play(context(speaker, "zh"), "ode to joy")
    assert (reply.title, reply.text) == ("正在播放", "欢乐颂\n第4首，共7首")


def test_repeat_starts_the_present_song_again(
    folder: Path, speaker: VirtualSpeaker, clock: Clock
) -> None:
    ctx = context(speaker)
    assert music.repeat_song(ctx).text == "Nothing is playing."
    music.play(ctx, "Night Train")
    clock.now += 20
    assert music.repeat_song(ctx).text.splitlines()[0] == "Night Train"
    assert speaker.position_s == 0


def test_shuffling_goes_on_from_the_present_song(folder: Path, speaker: VirtualSpeaker) -> None:
    ctx = context(speaker)
    music.play(ctx, "Night Train")
    reply = music.shuffle(ctx)
    assert (reply.title, reply.text) == ("Shuffled", "Night Train\n1 of 7")
    assert len(speaker.played) == 1  # it plays on
    heard = [music.next_song(ctx).text.splitlines()[0] for _ in range(7)]
    assert heard[-1] == "Night Train"
    assert set(heard) == {track.title for track in library.tracks()}


def test_shuffling_orders_differ(folder: Path, speaker: VirtualSpeaker) -> None:
    ctx = context(speaker)
    music.play(ctx, "Night Train")
    orders = {tuple(t.title for t in _shuffled(ctx)) for _ in range(20)}
    assert len(orders) > 1


def _shuffled(ctx: Context) -> tuple[library.Track, ...]:
    music.shuffle(ctx)
    queue = ctx.memory["queue"]
    assert isinstance(queue, Queue)
    return queue.tracks


def test_shuffling_silence_plays_everything(folder: Path, speaker: VirtualSpeaker) -> None:
    ctx = context(speaker)
    reply = music.shuffle(ctx)
    assert (reply.title, reply.text.splitlines()[-1]) == ("Playing", "1 of 7")
    assert {t.title for t in ctx.memory["queue"].tracks} == {t.title for t in library.tracks()}


def test_a_paused_song_stays_paused_when_shuffled(folder: Path, speaker: VirtualSpeaker) -> None:
    ctx = context(speaker)
    music.play(ctx, "Night Train")
    music.pause(ctx)
    music.shuffle(ctx)
    assert music.resume(ctx).text.splitlines()[0] == "Night Train"


def test_whose_song_it_is(folder: Path, speaker: VirtualSpeaker) -> None:
    ctx = context(speaker)
    assert music.about(ctx).text == "Nothing is playing."
    music.play(ctx, "Paper Boats")
    reply = music.about(ctx, "this song")
    assert (reply.title, reply.text) == ("Paper Boats", "The Finches")
    assert music.about(ctx, "ode to joy").text == "Ludwig van Beethoven"
    assert music.about(context(None, "zh"), "小星星").text == "法国民歌，18世纪"
    assert music.about(ctx, "night train").text == "I only know the title."
    assert music.about(ctx, "yesterday").text == "“yesterday” is not in your library."


def test_a_service_that_is_not_connected_is_not_played(
    folder: Path, speaker: VirtualSpeaker
) -> None:
    ctx = context(speaker)
    reply = music.play(ctx, "night train", "spotify")
    assert reply.text == "Spotify is not connected. I only play your own music."
    assert music.play(ctx, None, "QQ音乐").text.startswith("QQ音乐 is not")
    assert speaker.played == []


# Playlists


def test_a_song_put_on_a_playlist_can_be_played_from_it_after_a_restart(
    folder: Path, speaker: VirtualSpeaker, tmp_path: Path
) -> None:
    keep = tmp_path / "music"
    ctx = context(speaker, keep=keep)
    reply = music.add_to_playlist(ctx, "night train", "My Road Trip playlist")
    assert (reply.title, reply.text) == ("Added", "Night Train\nPlaylist: road trip")
    music.add_to_playlist(ctx, "ode to joy", "road trip")
    assert music.add_to_playlist(ctx, "NIGHT TRAIN", "Road Trip").title == "Already there"
    again = context(speaker, keep=keep)
    assert music.play(again, "my road trip playlist").text == "Night Train\n1 of 2"
    assert music.next_song(again).text == "Ode to Joy\n2 of 2"
    assert music.next_song(again).text == "Night Train\n1 of 2"
    assert [path.name for path in keep.iterdir()] == [playlists.NAME]


def test_the_song_that_plays_is_put_on_the_favourites(
    folder: Path, speaker: VirtualSpeaker, tmp_path: Path
) -> None:
    ctx = context(speaker, keep=tmp_path)
    assert music.add_to_playlist(ctx).text == "Nothing is playing."
    music.play(ctx, "Paper Boats")
    assert music.add_to_playlist(ctx).text == "Paper Boats\nPlaylist: favorites"
    assert Playlists(tmp_path).titles("favorites") == ["Paper Boats"]


def test_only_songs_of_the_library_are_put_on_a_playlist(
    folder: Path, speaker: VirtualSpeaker, tmp_path: Path
) -> None:
    ctx = context(speaker, keep=tmp_path / "none")
    assert "not in your library" in music.add_to_playlist(ctx, "yesterday", "old").text
    assert not (tmp_path / "none").exists()


def test_a_song_that_is_gone_is_left_out(
    folder: Path, speaker: VirtualSpeaker, tmp_path: Path
) -> None:
    ctx = context(speaker, keep=tmp_path)
    for song in ("night train", "paper boats"):
        music.add_to_playlist(ctx, song, "boats and trains")
    (folder / "Night_Train.flac").unlink()
    _age(folder)
    assert music.play(ctx, "boats and trains").text.endswith("1 of 1")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', "[" * 100_000, "\udcff"])
def test_a_broken_file_is_told_and_left_untouched(
    folder: Path, speaker: VirtualSpeaker, tmp_path: Path, text: str
) -> None:
    file = tmp_path / playlists.NAME
    file.write_text(text, encoding="utf-8", errors="surrogateescape")
    before = file.read_bytes()
    ctx = context(speaker, keep=tmp_path)
    reply = music.add_to_playlist(ctx, "night train", "party")
    assert reply.text == "I can't read or save your playlists."
    assert file.read_bytes() == before
    assert music.play(ctx, "night train").text.startswith("Night Train")


def test_a_folder_that_cannot_be_written_is_told(
    folder: Path, speaker: VirtualSpeaker, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    ctx = context(speaker, keep=tmp_path / "file")
    reply = music.add_to_playlist(ctx, "night train", "party")
    assert reply.text == "I can't read or save your playlists."


def test_power_lost_while_writing_loses_no_playlist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Playlists(tmp_path)
    ours.add("Night Train", "party")

    def lost(*_: object) -> None:
        raise OSError(5, "power is gone")

    monkeypatch.setattr(os, "fsync", lost)
    with pytest.raises(PlaylistsError, match="power is gone"):
        ours.add("Paper Boats", "party")
    assert ours.titles("party") == ["Night Train"]


def test_there_is_an_end_to_a_playlist(tmp_path: Path) -> None:
    songs = [f"song {n}" for n in range(5 * playlists.MOST)]
    (tmp_path / playlists.NAME).write_text(json.dumps({"all": songs}), encoding="utf-8")
    with pytest.raises(PlaylistsError):
        Playlists(tmp_path).add("one more", "all")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("My Workout Playlist", "workout"),
        ("the party", "party"),
        ("我的运动歌单", "运动"),
        ("playlist", "playlist"),
        ("my", "my"),
        ("\ud800 x\x00y", "x y"),
        ("x" * 500, "x" * playlists.LONGEST),
    ],
)
def test_a_playlist_is_known_by_its_bare_name(name: str, kept: str) -> None:
    assert playlists.plain(name) == kept


# The tunes that ship


@pytest.mark.parametrize("name", make_tunes.TUNES)
def test_a_tune_is_small_and_sounds(name: str) -> None:
    path = TUNES / f"{name}.ogg"
    assert path.stat().st_size < 80_000
    pcm = memoryview(audio.read(path)).cast("h")
    assert 10 <= len(pcm) / 16_000 <= 16
    assert 10_000 < max(pcm) < 32_767  # loud, and never clipped


def test_a_tune_begins_on_its_first_note() -> None:
    np = pytest.importorskip("numpy")
    tempo, notes = make_tunes.TUNES["ode-to-joy"]
    wave = make_tunes.synthesise(tempo, notes)[: make_tunes.RATE_HZ // 3]
    loudest = np.abs(np.fft.rfft(wave)).argmax() * make_tunes.RATE_HZ / len(wave)
    assert loudest == pytest.approx(make_tunes.pitch_hz("e4"), abs=3)
    assert make_tunes.pitch_hz("a4") == 440
    assert make_tunes.pitch_hz("g#3") == pytest.approx(207.65, abs=0.01)


def test_every_tune_has_names_and_a_file() -> None:
    shipped = library.shipped()
    assert {t.path.stem for t in shipped} == set(make_tunes.TUNES)
    assert {p.stem for p in TUNES.glob("*.ogg")} == set(make_tunes.TUNES)
    for track in shipped:
        assert set(track.names) == set(track.by) == {"en", "zh"}


# Sentences


@pytest.mark.parametrize(
    ("said", "action", "slots"),
    [
        ("play ode to joy", "play", {"song": "Ode to Joy"}),
        ("play the song paper boats", "play", {"song": "Paper Boats"}),
        ("play brother john", "play", {"song": "Brother John"}),
        ("play the moonlight sonata", "play", {"song": "the moonlight sonata"}),
        ("play some music", "play", {}),
        ("play music", "play", {}),
        ("pause the music", "pause", {}),
        ("resume playback", "resume", {}),
        ("next song", "next_song", {}),
        ("skip this song", "next_song", {}),
        ("previous track", "previous_song", {}),
        ("stop the music", "stop_music", {}),
        ("set the volume to forty percent", "volume", {"level": 40}),
        ("volume 30%", "volume", {"level": 30}),
        ("turn up the volume", "louder", {}),
        ("make it quieter", "quieter", {}),
        ("what's playing", "playing", {}),
        ("play ode to joy on spotify", "play", {"song": "Ode to Joy", "service": "spotify"}),
        ("play fool on the hill", "play", {"song": "fool on the hill"}),
        ("play my workout playlist", "play", {"song": "workout"}),
        (
            "add paper boats to my workout playlist",
            "add_to_playlist",
            {"song": "Paper Boats", "playlist": "workout"},
        ),
        (
            "put moonlight on my rainy day playlist",
            "add_to_playlist",
            {"song": "moonlight", "playlist": "rainy day"},
        ),
        ("add this song to my party playlist", "add_to_playlist", {"playlist": "party"}),
        ("add this song to my playlist", "add_to_playlist", {}),
        ("shuffle my music", "shuffle", {}),
        ("shuffle", "shuffle", {}),
        ("play this song again", "repeat_song", {}),
        ("repeat this song", "repeat_song", {}),
        ("who sings this song", "about", {}),
        ("what album is this from", "about", {}),
        ("who wrote the song greensleeves", "about", {"song": "Greensleeves"}),
        ("播放欢乐颂", "play", {"song": "Ode to Joy"}),
        ("来一首小星星", "play", {"song": "Twinkle Twinkle Little Star"}),
        ("播放日出", "play", {"song": "日出"}),
        ("播放音乐", "play", {}),
        ("放点音乐", "play", {}),
        ("暂停音乐", "pause", {}),
        ("继续播放", "resume", {}),
        ("下一首歌", "next_song", {}),
        ("上一首", "previous_song", {}),
        ("停止播放", "stop_music", {}),
        ("音量调到五十", "volume", {"level": 50}),
        ("音量调大一点", "louder", {}),
        ("小声点", "quieter", {}),
        ("这是什么歌", "playing", {}),
        ("把日出加到我的运动歌单", "add_to_playlist", {"song": "日出", "playlist": "运动"}),
        ("把这首歌加到聚会歌单", "add_to_playlist", {"playlist": "聚会"}),
        ("播放运动歌单", "play", {"song": "运动"}),
        ("随机播放", "shuffle", {}),
        ("再放一遍这首歌", "repeat_song", {}),
        ("这首歌是谁唱的", "about", {}),
    ],
)
def test_what_is_said_reaches_its_action(
    installed: Skills, said: str, action: str, slots: dict[str, object]
) -> None:
    intent = Router(installed.actions).exactly(Transcript(said, language=""))
    assert isinstance(intent, Intent), said
    assert (intent.action, dict(intent.slots)) == (action, slots)


@pytest.mark.parametrize(
    "said", ["next turn", "next", "stop", "set the volume to 101", "来一杯咖啡", "听不懂"]
)
def test_what_is_not_about_music_is_left_alone(installed: Skills, said: str) -> None:
    assert Router(installed.actions).exactly(Transcript(said, language="")) is None


def test_everything_that_changes_something_says_so(installed: Skills) -> None:
    looks = {"music.playing", "music.about"}
    for name, action in installed.actions.items():
        assert action.declaration.risk == ("none" if name in looks else "change")


def test_what_goes_on_after_a_loss_of_power_can_be_asked_for(folder, speaker):
    first, second = library.tracks()[:2]
    speaker.play(first.path, 30.0)
    ctx = context(speaker)
    assert music.dashboard(ctx) == f"♪ {first.title}"
    assert first.title in music.playing(ctx).text
    music.next_song(ctx)
    assert speaker.playing == second.path


@pytest.fixture
def songs(tmp_path, monkeypatch):
    """Songs whose names are as people have them, written apart as macOS does."""
    monkeypatch.setattr(library, "FOLDER", tmp_path)
    for name in (
        "Zoë - Señorita Azúl", "99 Luftballons", "7 Years", "01 - Luna - Café del Mar",
        "Blink 182 - Dammit", "Motörhead - Ace of Spades", "邓丽君 - 甜蜜蜜", "12 Morning", "7. Best Day",
    ):  # fmt: skip
        (tmp_path / f"{unicodedata.normalize('NFD', name)}.ogg").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("wanted", "title"),
    [
        ("señorita azúl", "Señorita Azúl"),
        ("senorita azul", "Señorita Azúl"),
        ("99 luftballons", "99 Luftballons"),
        ("luftballons", "99 Luftballons"),
        ("7 years", "7 Years"),
        ("12 morning", "12 Morning"),
        ("morning", "12 Morning"),
        ("best day", "Best Day"),
        ("café del mar by luna", "Café del Mar"),
        ("dammit by blink 182", "Dammit"),
        ("motorhead", "Ace of Spades"),
        ("邓丽君的甜蜜蜜", "甜蜜蜜"),
        ("邓丽君", "甜蜜蜜"),
    ],
)
def test_a_song_is_found_as_people_call_it(songs, wanted, title):
    found = library.find(wanted)
    assert found is not None
    assert found.title == title


@pytest.mark.parametrize(
    ("wanted", "titles"),
    [
        ("the finches", ["Kite", "Road"]),
        ("finches", ["Kite", "Road"]),
        ("FINCHES", ["Kite", "Road"]),
        ("邓丽君", ["小城", "甜蜜蜜"]),
        ("kite", ["Kite"]),
        ("kite by the finches", ["Kite"]),
        ("luna", ["Luna"]),
        ("finches and larks", []),
    ],
)
def test_an_artist_is_all_their_songs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    speaker: VirtualSpeaker,
    wanted: str,
    titles: list[str],
) -> None:
    monkeypatch.setattr(library, "FOLDER", tmp_path)
    names = ("The Finches - Kite", "The Finches - Road", "邓丽君 - 小城", "邓丽君 - 甜蜜蜜",
             "Luna - Sea", "Luna - Sky", "Others - Luna")  # fmt: skip
    for name in names:
        (tmp_path / f"{name}.mp3").touch()
    assert [track.title for track in library.named(wanted)] == titles
    reply = music.play(context(speaker), wanted)
    if len(titles) > 1:
        assert reply.text.splitlines()[-1] == f"1 of {len(titles)}"


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("play 欢乐颂", "Playing"),
        ("播放Ode to Joy", "正在播放"),
        ("播放Twinkle Twinkle Little Star", "正在播放"),
    ],
)
async def test_the_answer_is_in_the_language_of_the_sentence_not_of_the_song(
    tmp_path: Path, folder: Path, speaker: VirtualSpeaker, said: str, title: str
) -> None:
    agent = make_agent(tmp_path, [music], speaker=speaker)
    turn = await agent.hear(said)
    assert turn.reply is not None
    assert turn.reply.title == title
    await agent.close()


def test_a_song_by_somebody_else_is_not_found(songs):
    assert library.find("dammit by luna") is None


def test_a_playlist_that_is_no_list_of_titles_is_refused(tmp_path):
    for wrong in ('{"party": "abc"}', '{"party": [1]}', '["party"]'):
        (tmp_path / playlists.NAME).write_text(wrong)
        with pytest.raises(PlaylistsError, match="cannot be read"):
            Playlists(tmp_path).titles("party")
