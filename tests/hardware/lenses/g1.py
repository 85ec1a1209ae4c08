"""An Even G1 for tests: two arms that read the protocol as the maker's document has it."""

from __future__ import annotations

import io
import zlib

from PIL import Image

from tests.hardware.lenses.air import Peripheral

SERVICE = "6E400001-B5A3-F393-E0A9-E50E24DCCA9E"
WRITES = "6E400002-B5A3-F393-E0A9-E50E24DCCA9E"
NOTIFIES = "6E400003-B5A3-F393-E0A9-E50E24DCCA9E"
LEFT, RIGHT = "F0:F1:F2:F3:F4:01", "F0:F1:F2:F3:F4:02"
YES, NO = 0xC9, 0xCA


class Arm(Peripheral):
    """What an arm shows, and how it came to that."""

    def __init__(self, air, side, address, seed=1, channel="45"):
        name = f"Even G1_{channel}_{side}_9233F1"
        super().__init__(air, name, address, SERVICE, WRITES, [NOTIFIES], seed=seed)
        self.picture, self.text = None, None
        self.refuses, self.mute, self.microphone = 0, False, False
        self.pictures = 0
        """How often a whole picture was lit."""
        self._parts, self._file, self._pieces = {}, None, {}

    def answer(self, *data):
        if not self.mute:
            self.say(NOTIFIES, bytes(data))

    def heard(self, data):
        command = data[0]
        if command == 0x15:
            if data[1] == 0:
                assert data[2:6] == bytes((0x00, 0x1C, 0x00, 0x00))
                self._parts = {}
            self._parts[data[1]] = data[6:] if data[1] == 0 else data[2:]
            assert len(self._parts[data[1]]) <= 194
        elif command == 0x20:
            self._file = b"".join(self._parts.get(n, b"") for n in range(256))
            self.answer(0x20, YES)
        elif command == 0x16:
            whole = zlib.crc32(b"\x00\x1c\x00\x00" + (self._file or b"")) == int.from_bytes(
                data[1:5]
            )
            if whole:
                self.picture, self.text = Image.open(io.BytesIO(self._file)).convert("L"), None
                self.pictures += 1
            self.answer(0x16, *data[1:5], YES if whole else NO)
        elif command == 0x4E:
            if self.refuses:
                self.refuses -= 1
                return self.answer(0x4E, NO)
            self._paged(data)
            self.answer(0x4E, YES)
        elif command == 0x0E:
            self.microphone = bool(data[1])
            self.answer(0x0E, YES, data[1])
        elif command == 0x18:
            self.picture = self.text = None
            self.answer(0x18, YES)
        elif command == 0x4D:
            assert data == b"\x4d\x01"
            assert self.got == [data] or self.got[-2:] != [data, data], (
                "once a link, before all else"
            )
            self.answer(0x4D, YES)
        elif command == 0x25:
            assert data == bytes((0x25, 6, 0, data[3], 4, data[3]))
            self.answer(*data)
        else:
            raise AssertionError(f"no such command: {data.hex(' ')}")
        return None

    def _paged(self, data):
        _, number, pieces, at, status, *position, page, pages = data[:9]
        assert (status, position) == (0x71, [0, 0])
        assert 1 <= page <= pages
        assert at < pieces
        assert len(data) - 9 <= 191
        if self._pieces.get("number") != number:
            self._pieces = {"number": number}
        self._pieces[at] = data[9:]
        if all(n in self._pieces for n in range(pieces)):
            text = b"".join(self._pieces[n] for n in range(pieces)).decode()
            self.text, self.picture = text.split("\n")[:-1], None


async def glasses(air, lose=0.0, late_s=0.0, seed=2):
    """Return the two arms, within reach."""
    arms = Arm(air, "L", LEFT, seed=seed), Arm(air, "R", RIGHT, seed=seed + 1)
    for arm in arms:
        arm.lose, arm.late_s = lose, late_s
        await arm.come()
    return arms
