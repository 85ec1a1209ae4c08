"""Music on the real MPD, with an output that nobody hears; and what happens when it dies."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from mutagen.oggopus import OggOpus

from hardware.base import DeviceError
from skills.music import library, mpd

pytestmark = pytest.mark.skipif(shutil.which("mpd") is None, reason="mpd is not installed")

SONGS = {
    "boats": ("Paper Boats", "The Finches", "Rivers", "Folk"),
    "train": ("Night Train", "The Finches", "Rivers", "Folk"),
    "moon": ("月亮代表我的心", "邓丽君", "岛国之情歌", "Pop"),
    "storm": ("Thunderstorm", "Iron Larks", "Loud", "Rock"),
}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Daemon:
    """An MPD on loopback with a few songs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        music = folder / "music"
        music.mkdir()
        for name, (title, artist, album, genre) in SONGS.items():
            path = music / f"{name}.ogg"
            shutil.copy(library.TUNES / "ode-to-joy.ogg", path)
            tags = OggOpus(path)
            tags.update(title=title, artist=artist, album=album, genre=genre)
            tags.save()
        (folder / "mpd.conf").write_text(
            f'music_directory "{music}"\ndb_file "{folder}/db"\nbind_to_address "127.0.0.1"\n'
            f'port "{self.port}"\nstate_file "{folder}/state"\nauto_update "no"\n'
            'audio_output {\n type "null"\n name "nobody"\n mixer_type "software"\n}\n'
        )
        self.process = self.begin()

    def begin(self) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        command = ["mpd", "--no-daemon", str(self.folder / "mpd.conf")]
        self.process = subprocess.Popen(command, stdout=quiet, stderr=quiet)
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self.process
            except OSError:
                time.sleep(0.05)
        raise AssertionError("mpd did not begin")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    from mpd import MPDClient

    begun = Daemon(tmp_path_factory.mktemp("mpd"))
    client = MPDClient()
    client.connect("127.0.0.1", begun.port)
    client.update()
    while "updating_db" in client.status():
        time.sleep(0.05)
    client.disconnect()
    yield begun
    begun.end()


@pytest.fixture
def player(daemon, monkeypatch):
    monkeypatch.setattr(mpd, "SERVER", f"mpd://127.0.0.1:{daemon.port}")
    found = mpd.player("127.0.0.1", daemon.port)
    found.stop()
    found.loop("off")
    return found


def test_its_songs_are_the_library(player):
    assert {track.title for track in library.tracks()} == {song[0] for song in SONGS.values()}
    assert [track.title for track in library.named("iron larks")] == ["Thunderstorm"]
    assert len(library.named("rivers")) == 2


def test_a_song_is_played_held_and_gone_on_with(ask, player):
    ask("play night train").shows("Night Train", "The Finches")
    assert player.now().track.title == "Night Train"
    ask("pause the music").shows("Paused")
    assert player.now().paused
    ask("resume the music")
    assert not player.now().paused
    ask("play something calm").shows("not in your library")
    ask("播放邓丽君的歌").shows("月亮代表我的心")
    ask("stop the music")
    assert player.now() is None
    ask("what's playing").shows("Nothing is playing")


def test_seek_volume_queue_and_loop(ask, player):
    ask("play the finches").shows("1 of 2")
    ask("jump ahead 4 seconds").shows("0:0")
    assert player.now().position_s >= 4
    ask("set the volume to 35")
    assert player.volume == 35
    ask("play thunderstorm next").shows("Comes next")
    ask("next song").shows("Thunderstorm", "2 of 3")
    ask("repeat all").shows("Repeating all")
    ask("next song")
    ask("next song").shows("1 of 3")
    ask("单曲循环").shows("单曲循环")
    ask("shuffle the music").shows("Shuffled")


def test_a_command_is_with_it_at_once(player):
    player.start(library.tracks(), 0)
    took = []
    for command in (player.pause, player.resume, lambda: player.move(1), player.now) * 5:
        began = time.perf_counter()
        command()
        took.append(time.perf_counter() - began)
    assert sorted(took)[len(took) // 2] < 0.1


def test_it_dies_in_the_middle_of_a_song_and_comes_back(ask, player, daemon):
    ask("play night train")
    daemon.end()
    ask("next song").shows("MPD at", "is it running?")
    ask("what time is it")
    daemon.begin()
    ask("play night train").shows("Night Train")


def test_a_setting_that_is_no_mpd_is_told(monkeypatch):
    monkeypatch.setattr(mpd, "SERVER", "spotify")
    with pytest.raises(DeviceError, match="write mpd://HOST"):
        library.tracks()
