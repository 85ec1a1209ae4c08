"""Music of another program, over a D-Bus of the tests' own; and what happens when it goes."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hardware.base import DeviceError
from skills.music import mpd, mpris, remote
from tests.pace import PATIENCE_S

pytestmark = [
    pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="no dbus-daemon"),
    pytest.mark.glasses(patience_s=PATIENCE_S),
]

PROGRAM = Path(__file__).with_name("mpris_player.py")


@pytest.fixture(scope="module")
def bus():
    """A bus that nobody else is on."""
    command = ["dbus-daemon", "--session", "--nofork", "--print-address=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        yield daemon.stdout.readline().strip()
        daemon.terminate()


class Programs:
    """Music players that were started on the bus."""

    def __init__(self) -> None:
        self.running: dict[str, subprocess.Popen[str]] = {}

    def start(self, name: str) -> None:
        command = [sys.executable, str(PROGRAM), name]
        begun = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.running[name] = begun
        assert begun.stdout.readline() == "there\n"

    def end(self, name: str) -> None:
        gone = self.running.pop(name)
        gone.kill()
        gone.wait()
        gone.stdout.close()


@pytest.fixture
def programs(bus, monkeypatch):
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus)
    monkeypatch.setattr(mpd, "SERVER", "mpris")
    made = Programs()
    yield made
    for name in [*made.running]:
        made.end(name)


@pytest.fixture
def player(programs):
    programs.start("finch")
    return mpris.player("")


def test_what_it_plays_is_shown_held_skipped_and_gone_on_with(ask, player):
    ask("what's playing").shows("Nothing is playing")
    ask("play music").shows("Night Train", "The Finches")
    ask("pause the music").shows("Paused", "Night Train")
    assert player.now().paused
    ask("resume the music").shows("Playing")
    ask("next song").shows("月亮代表我的心", "邓丽君")
    ask("上一首").shows("Night Train")
    ask("stop the music")
    assert player.now() is None


def test_volume_seek_shuffle_and_loop(ask, player):
    player.resume()
    ask("set the volume to 35")
    assert player.volume == 35
    ask("jump ahead 30 seconds").shows("0:3")
    assert player.now().position_s >= 30
    ask("rewind 20 seconds").shows("0:1")
    ask("shuffle the music")
    assert player._all()["Shuffle"] is True
    for words, status in (
        ("repeat one", "Track"),
        ("列表循环", "Playlist"),
        ("repeat off", "None"),
    ):
        ask(words)
        assert player._all()["LoopStatus"] == status


def test_a_song_of_the_wearers_own_is_opened_there(ask, player):
    ask("play ode to joy").shows("ode-to-joy")
    assert player._all()["Metadata"]["xesam:url"].value.endswith("/ode-to-joy.ogg")
    ask("play ode to joy next").shows("takes no songs for later")


def test_of_several_the_one_that_plays_is_meant_unless_one_is_named(programs, player):
    programs.start("lark")
    mpris.player("lark").resume()
    assert player.now() is not None
    player.pause()
    assert mpris.player("lark").now().paused
    assert mpris.player("finch").now() is None


def test_a_program_that_is_not_there_or_went_away_is_one_line(ask, programs, monkeypatch):
    ask("next song").shows("a player with MPRIS is not there: start it")
    programs.start("finch")
    ask("play music").shows("Night Train")
    programs.end("finch")
    ask("next song").shows("is not there")
    ask("what time is it").succeeds()
    programs.start("finch")
    ask("play music").shows("Night Train")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere/bus")
    ask("next song").shows("there is no session bus")


def test_a_command_is_with_it_at_once(player):
    player.resume()
    took = []
    for command in (player.pause, player.resume, lambda: player.move(1), player.now) * 5:
        began = time.perf_counter()
        command()
        took.append(time.perf_counter() - began)
    assert sorted(took)[len(took) // 2] < 0.1


@pytest.mark.parametrize("setting", ["mpris:", "mpris://a b", "mprisfinch"])
def test_a_setting_that_names_no_player_is_told(setting):
    with pytest.raises(DeviceError, match="write mpris or mpris://NAME"):
        mpris.named(setting)


def test_it_is_quieter_while_somebody_speaks(player):
    player.resume()
    player.volume = 80
    remote.BESIDE.quieter(True)
    assert player.volume == 24
    remote.BESIDE.quieter(True)
    assert player.volume == 24
    remote.BESIDE.quieter(False)
    assert player.volume == 80
    player.pause()
    remote.BESIDE.quieter(True)
    assert player.volume == 80


def test_a_volume_that_is_asked_for_meanwhile_counts_from_what_it_was(ask, player):
    player.resume()
    player.volume = 50
    remote.BESIDE.quieter(True)
    ask("make it louder").shows("Volume 60")
    remote.BESIDE.quieter(False)
    assert player.volume == 60
