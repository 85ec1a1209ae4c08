"""A music player with MPRIS 2.2 on the session bus, in a process of its own, as a desktop has one.

Run as `python mpris_player.py NAME`; it prints a line once it can be asked.
"""

import asyncio
import sys
import time
from typing import Annotated

from dbus_fast import PropertyAccess, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import DBusSignature
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property

QUEUE = [("Night Train", "The Finches"), ("月亮代表我的心", "邓丽君"), ("Storm", "Iron Larks")]


class Player(ServiceInterface):
    def __init__(self):
        super().__init__("org.mpris.MediaPlayer2.Player")
        self.state, self.at, self.opened = "Stopped", 0, ""
        self.loop, self.mixed, self.level = "None", False, 0.7
        self.held, self.since = 0.0, 0.0

    def position(self):
        return self.held + (time.monotonic() - self.since if self.state == "Playing" else 0.0)

    def become(self, state, held):
        self.state, self.held, self.since = state, held, time.monotonic()

    @dbus_method()
    def Next(self) -> None:
        self.at, self.opened = (self.at + 1) % len(QUEUE), ""
        self.become("Playing", 0.0)

    @dbus_method()
    def Previous(self) -> None:
        self.at, self.opened = (self.at - 1) % len(QUEUE), ""
        self.become("Playing", 0.0)

    @dbus_method()
    def Pause(self) -> None:
        self.become("Paused", self.position())

    @dbus_method()
    def Play(self) -> None:
        self.become("Playing", self.position())

    @dbus_method()
    def Stop(self) -> None:
        self.become("Stopped", 0.0)

    @dbus_method()
    def Seek(self, offset: Annotated[int, DBusSignature("x")]) -> None:
        self.become(self.state, max(0.0, self.position() + offset / 1e6))

    @dbus_method()
    def OpenUri(self, uri: Annotated[str, DBusSignature("s")]) -> None:
        self.opened = uri
        self.become("Playing", 0.0)

    @dbus_property(PropertyAccess.READ)
    def PlaybackStatus(self) -> Annotated[str, DBusSignature("s")]:
        return self.state

    @dbus_property()
    def LoopStatus(self) -> Annotated[str, DBusSignature("s")]:
        return self.loop

    @LoopStatus.setter
    def LoopStatus(self, value: Annotated[str, DBusSignature("s")]):
        self.loop = value

    @dbus_property()
    def Shuffle(self) -> Annotated[bool, DBusSignature("b")]:
        return self.mixed

    @Shuffle.setter
    def Shuffle(self, value: Annotated[bool, DBusSignature("b")]):
        self.mixed = value

    @dbus_property()
    def Volume(self) -> Annotated[float, DBusSignature("d")]:
        return self.level

    @Volume.setter
    def Volume(self, value: Annotated[float, DBusSignature("d")]):
        self.level = min(1.0, max(0.0, value))

    @dbus_property(PropertyAccess.READ)
    def Position(self) -> Annotated[int, DBusSignature("x")]:
        return round(self.position() * 1e6)

    @dbus_property(PropertyAccess.READ)
    def Metadata(self) -> Annotated[dict, DBusSignature("a{sv}")]:
        if self.opened:
            return {"xesam:url": Variant("s", self.opened)}
        title, artist = QUEUE[self.at]
        return {
            "mpris:trackid": Variant("o", f"/track/{self.at}"),
            "mpris:length": Variant("x", 180_000_000),
            "xesam:title": Variant("s", title),
            "xesam:artist": Variant("as", [artist]),
        }


async def main(name):
    bus = await MessageBus().connect()
    bus.export("/org/mpris/MediaPlayer2", Player())
    await bus.request_name(f"org.mpris.MediaPlayer2.{name}")
    print("there", flush=True)
    await bus.wait_for_disconnect()


asyncio.run(main(sys.argv[1]))
