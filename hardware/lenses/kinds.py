"""Which lenses there are: how each is known over the air, and how it is worn.

A name that comes over the air is whatever its sender says. So a lens is paired once, by the wearer,
and from then on connected to by its address.
"""

from __future__ import annotations

import asyncio
import atexit
import re
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from dataclasses import dataclass

from hardware import profiles, raster
from hardware.base import DeviceError, Display, Microphone
from hardware.lenses.even_g1.codec import Event
from hardware.wireless import bluetooth
from hardware.wireless.bluetooth import Radio, Seen
from hardware.wireless.display import Side, Touch, WirelessDisplay
from hardware.wireless.sound import LinkMicrophone

KINDS = ("even-g1", "halo", "activelook")
"""What can be paired; each is the name of its profile."""

REACH_S = 6.0
"""How long a lens is waited for at the start; it is tried for ever after."""
LEAVE_S = 4.0
"""How long it may take to go dark when the process ends."""

_G1_ARM = re.compile(r"(?:Even )?G1_(\w+)_([LR])_\w+")
"""As EvenDemoApp has it: `Even G1_45_L_9233F1`, 45 being the number of the pair."""
_HALO_SERVICE = "7a230001-5475-a6a4-654c-8431f6ad49c4"
_ACTIVELOOK_MAKER = b"\x08\xf2"
"""What the data of every maker of ActiveLook glasses ends with (its document, 2.2)."""


@dataclass(frozen=True, slots=True)
class Paired:
    """A lens that the wearer has chosen."""

    kind: str
    """One of `KINDS`."""
    name: str
    """What it is called, as `Even G1 45`."""
    addresses: tuple[str, ...]
    """Where it is reached; the left arm of an Even G1 and then the right one."""


def recognised(seen: Iterable[Seen]) -> tuple[Paired, ...]:
    """Return the lenses among what was seen, the strongest first; arms only as a pair."""
    arms: dict[str, dict[str, str]] = {}
    found = []
    for one in seen:
        if arm := _G1_ARM.fullmatch(one.name):
            pair = arms.setdefault(arm[1], {})
            pair.setdefault(arm[2], one.address)  # the first is the strongest
            if len(pair) == 2:
                found.append(Paired("even-g1", f"Even G1 {arm[1]}", (pair["L"], pair["R"])))
                arms[arm[1]] = {}
        elif _HALO_SERVICE in one.services and one.name.startswith("Halo"):
            found.append(Paired("halo", one.name, (one.address,)))
        elif any(told.endswith(_ACTIVELOOK_MAKER) for told in one.makers.values()):
            found.append(Paired("activelook", one.name, (one.address,)))
    return tuple({lens.name: lens for lens in reversed(found)}.values())[::-1]


def lacking(seen: Iterable[Seen]) -> tuple[str, ...]:
    """Return a line for each lens of which only a part was seen."""
    seen = tuple(seen)
    whole = {lens.name for lens in recognised(seen)}
    arms = (arm for one in seen if (arm := _G1_ARM.fullmatch(one.name)))
    sides = {f"Even G1 {arm[1]}": "left" if arm[2] == "L" else "right" for arm in arms}
    return tuple(
        f"{name}: only its {side} arm is in reach; open it beside this machine"
        for name, side in sides.items()
        if name not in whole
    )


_G1_TOUCHES: dict[int, Touch] = {0: "double_tap", 1: "tap", 23: "down", 24: "up"}
"""What the events of an Even G1 are: a long press of its left arm holds a key down."""


class Lens:
    """A paired lens: its display, and its microphone where it has one, over the same links."""

    def __init__(
        self,
        paired: Paired,
        tell: Callable[[str], None],
        radio: Radio | None = None,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Connect to nothing yet; `tell` is given each line that the wearer should know.

        Raises DeviceError for a kind that is not known.
        """
        self._radio = Radio() if radio is None else radio
        self._loop = bluetooth.loop() if loop is None else loop
        self._begun = False
        self._hears: Microphone | None = None
        self._display: WirelessDisplay
        sides = self._sides(paired)
        profile = raster.in_type(profiles.load(paired.kind))
        self._display = WirelessDisplay(paired.name, profile, sides, self._loop, tell)

    @property
    def hears(self) -> bool:
        """Whether it has a microphone that can be listened to."""
        return self._hears is not None

    def display(self) -> Display:
        """Connect, wait a moment for the lens, and return it. Raises DeviceError without Bluetooth.

        One that is out of reach is shown on as soon as it is there. Not for the links' own thread.
        """
        if not self._begun:
            self._call(self._radio.ready())
            self._call(self._begin())
            self._begun = True
            atexit.register(self.close)
        self._display.wait(REACH_S)
        return self._display

    def microphone(self) -> Microphone:
        """Connect as `display` does, and return the microphone. Raises DeviceError."""
        if self._hears is None:
            raise DeviceError(f"{self._display.name} has no microphone that can be listened to")
        self.display()
        return self._hears

    def close(self) -> None:
        """Make the lens dark and let go of it."""
        atexit.unregister(self.close)
        with suppress(Exception):
            self._call(self._display.close(), LEAVE_S)

    def _g1_touched(self, event: Event) -> None:
        if touch := _G1_TOUCHES.get(event.code):
            self._display.on_touch(touch)

    async def _begin(self) -> None:
        self._display.start()

    def _call(self, work: Coroutine[None, None, None], seconds: float = REACH_S) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def _sides(self, paired: Paired) -> list[Side]:
        name, addresses = paired.name, paired.addresses
        match paired.kind:
            case "even-g1" if len(addresses) == 2:
                from hardware.lenses.even_g1.arm import Arm

                left = Arm(self._radio, addresses[0], f"the left arm of {name}")
                right = Arm(self._radio, addresses[1], f"the right arm of {name}", after=left)
                self._hears = LinkMicrophone(right, self._loop, name)
                for arm in (left, right):
                    arm.on_event = self._g1_touched
                return [left, right]
            case "halo":
                from hardware.lenses.halo.glasses import Glasses as Halo

                worn = Halo(name, name)
                self._hears = LinkMicrophone(worn, self._loop, name)
                return [worn]
            case "activelook" if len(addresses) == 1:
                from hardware.lenses.activelook.glasses import Glasses as ActiveLook

                glasses = ActiveLook(self._radio, addresses[0], name)
                glasses.on_touch = lambda: self._display.on_touch("tap")
                return [glasses]
        raise DeviceError(f"{name} is of no kind that is known, {paired.kind!r}: pair it again")
