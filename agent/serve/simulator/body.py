"""The body that a page moves: batteries, light, head and finger, and the link to them all."""

from __future__ import annotations

from agent.serve.simulator.from_page import Cell, Gesture, Light, Position, Temperature, Walk
from agent.serve.simulator.head import RestingImu
from agent.serve.simulator.to_page import State
from hardware.base import Place
from hardware.battery import VirtualBattery
from hardware.light import VirtualLight
from hardware.location import Told

FULL = 0.85
"""Charge of the cells at first."""


class Body:
    """The virtual devices of one pair; they outlive its agent, which may lose power."""

    def __init__(self) -> None:
        """Begin in a lit room, at rest, with two cells."""
        self.imu = RestingImu()
        self.battery = VirtualBattery(cells=(FULL, FULL))
        self.light = VirtualLight()
        self.location = Told()
        self.walking = False
        self.lost = False

    @property
    def powered(self) -> bool:
        """Whether there is a cell with any charge."""
        return any(self.battery.state().cells)

    def move(self, message: Cell | Light | Position | Temperature | Walk) -> None:
        """Do what the page's sliders and switches say."""
        match message:
            case Light(lux):
                self.light.lux = lux
            case Temperature(celsius):
                self.battery.temperature_c = celsius
            case Walk(on):
                self.walking = on
                self.imu.walk(on)
            case Position(lat, lon, heading, accuracy) if lat is not None and lon is not None:
                known = heading is not None
                place = Place(lat, lon, heading or 0.0, error_m=accuracy, has_heading=known)
                self.location.tell(place)
            case Position():
                self.location.tell(None)
            case Cell(index, None):
                self.battery.remove(index)
            case Cell(index, level) if level is not None:
                self.battery.insert(index, level)

    def gesture(self, message: Gesture) -> None:
        """Move the head."""
        match message.name:
            case "nod":
                self.imu.nod()
            case "shake":
                self.imu.shake()
            case "glance" | "lower":
                self.imu.glance(message.name == "glance")

    def state(self, on: bool, recording: bool) -> State:
        """Return how things are, for the page."""
        power = self.battery.state()
        return State(
            cells=list(power.cells),
            temperature_c=power.temperature_c or 0.0,
            lux=self.light.lux,
            walking=self.walking,
            lost=self.lost,
            on=on,
            recording=recording,
        )
