"""Bluetooth Low Energy: what is in reach, and one link to one of them. bleak does the work.

bleak speaks to BlueZ on Linux, and to the systems' own stacks elsewhere. Whatever fails is a
DeviceError of one line; nothing of bleak is loaded before it is used.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hardware.base import DeviceError

if TYPE_CHECKING:
    from bleak import BleakClient

CONNECT_S = 10.0
"""How long a link may take to come up; one within reach takes less than two seconds."""
CLOSE_S = 2.0
"""How long it may take to be closed."""
FEWEST_BYTES = 20
"""What a write always has room for, whatever was agreed on (Bluetooth Core, ATT_MTU of 23)."""


Listens = Mapping[str, Callable[[bytes], None]]
"""What is called with the bytes that a characteristic notifies, by its UUID in small letters."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that says over the air that it is there."""

    address: str
    """Its address, or what stands for it on this system."""
    name: str
    """What it calls itself, in what can be printed."""
    services: frozenset[str] = frozenset()
    """UUIDs that it says it has, in small letters."""
    makers: Mapping[int, bytes] = field(default_factory=dict)
    """What makers put into it, by their number at the Bluetooth SIG."""
    strength_dbm: int = 0
    """How strong it is received: -40 beside, -90 at the edge of reach."""


@dataclass(frozen=True, slots=True)
class Radio:
    """The Bluetooth of this machine; with backends of bleak's of one's own, another one."""

    client: type[Any] | None = None
    """A backend that connects; None is the system's."""
    scanner: type[Any] | None = None
    """A backend that looks; None is the system's."""
    connecting: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a link comes up: BlueZ refuses a second one meanwhile."""

    async def ready(self) -> None:
        """Say nothing where there is Bluetooth. Raises DeviceError where there is none."""
        await self.scan(0.0)

    async def scan(self, seconds: float) -> tuple[Seen, ...]:
        """Return what is in reach and has a name, the strongest first. Raises DeviceError."""
        bleak = _bleak()
        extra = {} if self.scanner is None else {"backend": self.scanner}
        try:
            found = await bleak.BleakScanner.discover(seconds, return_adv=True, **extra)
        except Exception as error:  # a system's stack raises what it likes
            raise DeviceError(f"cannot look for lenses: {why(error)}") from error
        seen = []
        for device, told in found.values():
            name = printable(told.local_name or device.name or "")
            if name:
                services = frozenset(uuid.lower() for uuid in told.service_uuids)
                makers = dict(told.manufacturer_data)
                seen.append(Seen(device.address, name, services, makers, told.rssi))
        return tuple(sorted(seen, key=lambda one: -one.strength_dbm))


class Link:
    """One connection, from `open` until it is lost or closed; then it is opened anew."""

    def __init__(self, radio: Radio, address: str) -> None:
        """Connect to nothing yet."""
        self.address = address
        self.lost = asyncio.Event()
        """Set while there is no connection."""
        self.lost.set()
        self._radio = radio
        self._client: BleakClient | None = None

    async def open(self, listens: Listens, also: Listens = MappingProxyType({})) -> None:
        """Connect, and call back with what each characteristic notifies. Raises DeviceError.

        A peripheral without one of them is none of the kind that is looked for, and refused; it may
        lack those of `also`.
        """
        bleak = _bleak()
        extra = {} if self._radio.client is None else {"backend": self._radio.client}
        client = bleak.BleakClient(
            self.address, disconnected_callback=self._dropped, timeout=CONNECT_S, **extra
        )
        self._client = client
        try:
            async with self._radio.connecting, asyncio.timeout(2 * CONNECT_S):
                await client.connect()
                self.lost.clear()
                there = client.services.get_characteristic
                found = {uuid: tell for uuid, tell in also.items() if there(uuid) is not None}
                for uuid, tell in (*listens.items(), *found.items()):
                    await client.start_notify(uuid, lambda _, data, tell=tell: tell(bytes(data)))
        except asyncio.CancelledError:
            await self.close()
            raise
        except Exception as error:
            await self.close()
            raise DeviceError(why(error)) from error

    def most_bytes(self, uuid: str) -> int:
        """Return how much one write to a characteristic may hold."""
        client = self._client
        known = client.services.get_characteristic(uuid) if client and client.is_connected else None
        return max(FEWEST_BYTES, known.max_write_without_response_size) if known else FEWEST_BYTES

    async def write(self, uuid: str, data: bytes, sure: bool = False) -> None:
        """Write to a characteristic; `sure` waits until it is there. Raises DeviceError."""
        client = self._client
        if client is None or self.lost.is_set():
            raise DeviceError("the link was lost")
        try:
            await client.write_gatt_char(uuid, data, response=sure)
        except Exception as error:
            raise DeviceError(why(error)) from error

    async def close(self) -> None:
        """Disconnect, and do not wait for long; nothing happens when nothing is connected."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(Exception):
                async with asyncio.timeout(CLOSE_S):
                    await client.disconnect()
        self.lost.set()

    def _dropped(self, client: BleakClient) -> None:
        if client is self._client:
            self.lost.set()


@cache
def loop() -> asyncio.AbstractEventLoop:
    """Return the loop of all links, on a thread of its own that keeps no process from ending."""
    made = asyncio.new_event_loop()
    threading.Thread(target=made.run_forever, name="glasses:bluetooth", daemon=True).start()
    return made


def printable(name: str) -> str:
    """Return a name that came over the air as one short line: it is written by whoever sends."""
    return " ".join("".join(c if c.isprintable() else " " for c in name).split())[:40]


def why(error: Exception) -> str:
    """Return in one line what went wrong, and what to do."""
    exc = _bleak().exc
    if isinstance(error, DeviceError):
        return str(error)
    if isinstance(error, exc.BleakBluetoothNotAvailableError):
        return f"no Bluetooth here ({_first(error.args[0])}): switch it on"
    if isinstance(error, exc.BleakDeviceNotFoundError | TimeoutError):
        return "it is out of reach, or connected elsewhere: switch it on and bring it near"
    if isinstance(error, exc.BleakCharacteristicNotFoundError):
        return "it is no such lens, or its firmware is another: it lacks what it is written to by"
    if isinstance(error, ConnectionError):
        return "the link was lost"
    if isinstance(error, OSError):  # no D-Bus, or no BlueZ behind it
        return f"no Bluetooth here ({_first(error.strerror or error)}): sudo apt install bluez"
    return _first(error) or type(error).__name__


def _first(thing: object) -> str:
    return next(iter(str(thing).splitlines()), "").strip()


def _bleak() -> Any:
    """Return the library. Raises DeviceError where it is not installed.

    It would log each byte that is written, and what is written is what the wearer reads.
    """
    try:
        import bleak
    except ImportError:
        raise DeviceError("Bluetooth needs bleak: pip install bleak") from None
    logging.getLogger("bleak").setLevel(logging.WARNING)
    return bleak
