"""A Halo for tests: the maker's emulator behind a simulated Bluetooth link.

What its firmware does between the link and the Lua program is done here as the maker's library has it
from the other side: a first byte of 1 is data, 3 a break, 4 a reset, all else is Lua.
"""

from __future__ import annotations

import asyncio

from bumble.core import UUID, AdvertisingData
from bumble.gatt import Characteristic, CharacteristicValue
from halo_emulator import HaloEmulator

from tests.hardware.lenses.air import WRITABLE, Peripheral

BASE = "7A23000{}-5475-A6A4-654C-8431F6AD49C4"
SERVICE, WRITES, NOTIFIES, SOUNDS = (BASE.format(n) for n in (1, 2, 3, 5))
ADDRESS = "F0:F1:F2:F3:F4:21"
DATA, BREAK, RESET = b"\x01", b"\x03", b"\x04"


class Halo(Peripheral):
    """The emulator, within reach; its lens keeps what was drawn when its link is lost."""

    def __init__(self, air, name="Halo 08"):
        told = [
            (AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS, bytes(UUID(SERVICE)))
        ]
        sound = Characteristic(SOUNDS, WRITABLE, Characteristic.WRITEABLE, CharacteristicValue())
        super().__init__(air, name, ADDRESS, SERVICE, WRITES, [NOTIFIES], told, more=[sound])
        self._loop = asyncio.get_running_loop()
        self.lua = HaloEmulator(print_handler=self._printed)
        self.lua._bluetooth.add_send_listener(lambda data: self._soon(DATA + data))
        self.lua.connect()

    @property
    def pixels(self):
        return self.lua.get_framebuffer().convert("RGB").tobytes()

    def heard(self, data):
        if data[:1] == DATA:
            self.lua.inject_bluetooth_data(data[1:])
        elif data in (BREAK, RESET):
            self.lua.stop()
            self.lua._event_queue.drain()  # else the next program ends at once
            self.lua.connect()
        elif data.startswith(b"require('frame_app')"):
            self.lua.start("frame_app.lua")
        else:
            self.lua.execute_lua(data.decode())

    def _printed(self, line):
        self._soon(line.encode())

    def _soon(self, data):
        self._loop.call_soon_threadsafe(self.say, NOTIFIES, data)
