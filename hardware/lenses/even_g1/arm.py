"""One arm of an Even G1: its link, what it is asked, and how a frame gets into it whole.

Text goes to the left arm first and to the right one when that has taken it; pictures go to both at
once (EvenDemoApp). Packets are acknowledged late, or never: MentraOS's reports name 320 ms. So each
is waited for three times as long and sent again, and a picture whose checksum is refused is sent
again from its first byte, the second time with every write confirmed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from hardware import raster
from hardware.base import DeviceError, Frame
from hardware.lenses.even_g1 import codec
from hardware.wireless import written
from hardware.wireless.bluetooth import Link, Radio
from hardware.wireless.sound import Sound

WRITES = "6e400002-b5a3-f393-e0a9-e50e24dcca9e"
"""Nordic's UART service: what is written to an arm."""
NOTIFIES = "6e400003-b5a3-f393-e0a9-e50e24dcca9e"
"""And what it says."""

LONGEST = 2 + len(codec.ADDRESS) + codec.PICTURE_BYTES
"""Bytes of the longest packet."""
ANSWER_S = 1.0
"""How long an answer is waited for; the maker's app waits one to three seconds."""
LATE_S = 0.4
"""After a second try, how long for the answer to the first: it must not be taken for another."""
TRIES = 4
"""How often a packet is sent in vain before the link counts as lost."""
PICTURES = 8
"""How often a picture is."""
GAP_S = 0.008
"""Between two packets of a picture, as the maker's app waits on iOS."""
BEAT_S = 8.0
"""Between two heartbeats."""
BUSY_S = 4.0
"""Longest that the right arm waits for the left one."""


class Arm:
    """A side of the glasses. Everything runs on the loop of the links."""

    def __init__(self, radio: Radio, address: str, name: str, after: Arm | None = None) -> None:
        """Connect to nothing yet; text comes `after` another arm has taken it."""
        self.name = name
        self.on_sound: Callable[[Sound], None] = lambda sound: None
        """Called with what the microphone hears, on the loop of the links."""
        self.on_event: Callable[[codec.Event], None] = lambda event: None
        """Called with what the wearer does, on the loop of the links."""
        self._link = Link(radio, address)
        self._after = after
        self._answers: asyncio.Queue[codec.Answer] = asyncio.Queue()
        self._asking = asyncio.Lock()
        self._idle = asyncio.Event()
        self._idle.set()
        self._pages = 0
        self._beats = 0
        self._silent = False
        self._beating: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect, and keep the link alive. Raises DeviceError."""
        self._silent = False
        await self._link.open({NOTIFIES: self._heard})
        if (most := self._link.most_bytes(WRITES)) < LONGEST:
            raise DeviceError(
                f"the link carries packets of {most} bytes, and pictures need {LONGEST}:"
                " update BlueZ to 5.62"
            )
        await self._link.write(WRITES, codec.hello(), sure=True)
        self._beating = asyncio.get_running_loop().create_task(self._beat())

    async def lost(self) -> None:
        """Wait until the link is gone. Raises DeviceError when the arm fell silent before."""
        await self._link.lost.wait()
        if self._silent:
            raise DeviceError("it does not answer")

    async def close(self) -> None:
        """Disconnect."""
        if self._beating is not None:
            self._beating.cancel()
        await self._link.close()

    async def show(self, frame: Frame | None) -> None:
        """Light a frame, as text where that says all of it. Raises DeviceError."""
        rows = None if frame is None else written.rows(frame, codec.sets)
        if rows is not None and self._after is not None:
            await self._after.idle()
        self._idle.clear()
        try:
            async with self._asking:
                if frame is None:
                    await self._sure((codec.leave(),))
                elif rows is None:
                    await self._picture(codec.bmp(raster.render(frame)))
                else:
                    above = ("",) * (frame.profile.lines - len(rows))  # rows stand at the bottom
                    page = codec.page(above + rows, self._pages, frame.page, frame.pages)
                    self._pages += 1
                    await self._sure(page)
        finally:
            self._idle.set()

    async def idle(self) -> None:
        """Wait until nothing is being sent, but not for an arm that hangs."""
        try:
            async with asyncio.timeout(BUSY_S):
                await self._idle.wait()
        except TimeoutError:
            pass

    async def listen(self, is_on: bool) -> bool:
        """Open or close the microphone, and say whether that was taken. Raises DeviceError."""
        async with self._asking:
            return bool(await self._ask(codec.microphone(is_on)))

    # -- frames ---------------------------------------------------------------------------------

    async def _picture(self, file: bytes) -> None:
        for attempt in range(PICTURES):
            for packet in codec.picture(file):
                await self._link.write(WRITES, packet, sure=attempt > 0)
                await asyncio.sleep(GAP_S)
            if await self._ask(codec.end()) and await self._ask(codec.check(file)):
                return
        raise DeviceError(f"a picture arrived broken {PICTURES} times")

    async def _sure(self, packets: tuple[bytes, ...]) -> None:
        """Send packets that must each be taken. Raises DeviceError."""
        for packet in packets:
            for _ in range(TRIES):
                taken = await self._ask(packet)
                if taken:
                    break
                if taken is None:
                    raise DeviceError("it does not answer")
                await asyncio.sleep(LATE_S)  # refused: it is busy
            else:
                raise DeviceError("it refuses what it is sent")

    # -- questions and answers ------------------------------------------------------------------

    async def _ask(self, packet: bytes) -> bool | None:
        """Send a packet until it is answered: whether it was taken, or None without an answer."""
        while not self._answers.empty():
            self._answers.get_nowait()
        for attempt in range(TRIES):
            await self._link.write(WRITES, packet, sure=True)
            answer = await self._answer(packet[0], ANSWER_S)
            if answer is not None:
                if attempt:
                    await self._answer(packet[0], LATE_S)
                return answer.taken
        return None

    async def _answer(self, command: int, seconds: float) -> codec.Answer | None:
        try:
            async with asyncio.timeout(seconds):
                while (answer := await self._answers.get()).command != command:
                    continue
                return answer
        except TimeoutError:
            return None

    async def _beat(self) -> None:
        """Keep the link alive; one that no longer answers is closed, to be opened anew."""
        while True:
            try:
                async with self._asking:
                    self._silent = not await self._ask(codec.beat(self._beats))
            except DeviceError:
                return  # whoever waits for the link knows
            self._beats += 1
            if self._silent:
                await self._link.close()
                return
            await asyncio.sleep(BEAT_S)

    def _heard(self, data: bytes) -> None:
        match codec.heard(data):
            case codec.Answer() as answer:
                self._answers.put_nowait(answer)
            case Sound() as sound:
                self.on_sound(sound)
            case codec.Event() as event:
                self.on_event(event)
