"""Bluetooth without a radio: bleak on one side, bumble's whole stack on both, and no BlueZ.

Every write of a test goes through bleak, ATT, L2CAP and HCI as bumble has them. Peripherals lose and
delay what they are told to lose and delay, with a seed.
"""

from __future__ import annotations

import asyncio
import random

from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.scanner import AdvertisementData, BaseBleakScanner
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bleak.exc import BleakDeviceNotFoundError, BleakError
from bumble.controller import Controller
from bumble.core import AdvertisingData
from bumble.device import Device, Peer
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.hci import Address
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport.common import AsyncPipeSink

from hardware.wireless.bluetooth import Radio

ADDRESS = "F6:F7:F8:F9:FA:FB"
"""Of whoever connects."""
_NAMES = {
    "read": Characteristic.Properties.READ,
    "write": Characteristic.Properties.WRITE,
    "write-without-response": Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
    "notify": Characteristic.Properties.NOTIFY,
}
WRITABLE = _NAMES["write"] | _NAMES["write-without-response"]


class Air:
    """What two devices share. `radio` is what the code under test connects with."""

    def __init__(self):
        self._link = LocalLink()
        self._central = None
        self.present = {}
        """Peripherals within reach, by address."""
        self.mtu = 251
        air = self

        class Client(_Client):
            the_air = air

        class Scanner(_Scanner):
            the_air = air

        self.radio = Radio(Client, Scanner)

    def device(self, name, address):
        controller = Controller(name, link=self._link)
        return Device(
            name=name, address=Address(address), host=Host(controller, AsyncPipeSink(controller))
        )

    async def central(self):
        if self._central is None:
            self._central = self.device("hub", ADDRESS)
            await self._central.power_on()
        return self._central


class Peripheral:
    """A device that is written to and notifies, within reach until it goes away."""

    def __init__(
        self, air, name, address, service, writes, notifies, advertised=(), seed=1, more=()
    ):
        self.air, self.name, self.address = air, name, address
        self.got = []
        """Each write that was not lost, in order."""
        self.lose, self.late_s = 0.0, 0.0
        self.cut_before = lambda data: False
        """Whether the link breaks when this comes; then it is as it was."""
        self._random = random.Random(seed)
        self._device = air.device(name, address)
        self._notifies = {
            uuid: Characteristic(uuid, Characteristic.Properties.NOTIFY, 0, b"")
            for uuid in notifies
        }
        value = CharacteristicValue(write=lambda _, data: self._written(bytes(data)))
        wrote = Characteristic(writes, WRITABLE, Characteristic.WRITEABLE, value)
        self._device.add_service(Service(service, [wrote, *self._notifies.values(), *more]))
        self._advertised = bytes(
            AdvertisingData([(AdvertisingData.COMPLETE_LOCAL_NAME, name.encode()), *advertised])
        )
        self._on = False

    async def come(self):
        """Be within reach."""
        if not self._on:
            await self._device.power_on()
            self._on = True
        if not self._device.is_advertising:
            await self._device.start_advertising(
                auto_restart=False, advertising_data=self._advertised
            )
        self.air.present[self.address] = self

    async def drop(self, stay=True):
        """Lose the connection; with `stay`, be within reach of the next."""
        if not stay:
            self.air.present.pop(self.address, None)
        for connection in list(self._device.connections.values()):
            await connection.disconnect(0x13)
        if stay:
            await self.come()

    @property
    def connected(self):
        return bool(self._device.connections)

    def say(self, uuid, data):
        """Notify, unless it gets lost."""
        if self._random.random() >= self.lose:
            asyncio.get_running_loop().create_task(self._say(uuid, data))

    async def _say(self, uuid, data):
        if self.late_s:
            await asyncio.sleep(self.late_s)
        if self.connected:
            await self._device.notify_subscribers(self._notifies[uuid], data)

    def _written(self, data):
        if self.cut_before(data):
            self.cut_before = lambda data: False
            self._cutting = asyncio.get_running_loop().create_task(self.drop())
        elif self._random.random() >= self.lose:
            self.got.append(data)
            self.heard(data)

    def heard(self, data):
        """Do what a write asks for."""


class _Client(BaseBleakClient):
    the_air = None
    _connection = None

    @property
    def mtu_size(self):
        return self._mtu

    @property
    def name(self):
        return "bumble"

    @property
    def is_connected(self):
        return self._connection is not None

    async def connect(self, pair=False, **extra):
        peripheral = self.the_air.present.get(self.address)
        if peripheral is None or peripheral.connected:
            raise BleakDeviceNotFoundError(self.address, "not found")
        central = await self.the_air.central()
        connection = await central.connect(Address(self.address))
        connection.on("disconnection", self._gone)
        peer = Peer(connection)
        self._mtu = await peer.request_mtu(self.the_air.mtu)
        await peer.discover_services()
        await peer.discover_characteristics()
        self.services = BleakGATTServiceCollection()
        for service in peer.services:
            uuid = str(service.uuid.to_hex_str("-")).lower()
            known = BleakGATTService(service, service.handle, uuid)
            self.services.add_service(known)
            for found in service.characteristics:
                can = [name for name, flag in _NAMES.items() if found.properties & flag]
                uuid = str(found.uuid.to_hex_str("-")).lower()
                self.services.add_characteristic(
                    BleakGATTCharacteristic(
                        found, found.handle, uuid, can, lambda: self._mtu - 3, known
                    )
                )
        self._connection = connection

    def _gone(self, reason):
        was, self._connection = self._connection, None
        if was is not None and self._disconnected_callback:
            self._disconnected_callback()

    async def disconnect(self):
        if self._connection is not None:
            await self._connection.disconnect()
            self._gone(0)
            if peripheral := self.the_air.present.get(self.address):
                await peripheral.come()

    async def write_gatt_char(self, characteristic, data, response):
        if self._connection is None:
            raise BleakError("Not connected")
        if len(data) > self._mtu - 3:
            raise BleakError("longer than the MTU allows")
        await characteristic.obj.write_value(bytes(data), with_response=response)

    async def start_notify(self, characteristic, callback, **extra):
        await characteristic.obj.subscribe(lambda value: callback(bytearray(value)))

    async def stop_notify(self, characteristic):
        await characteristic.obj.unsubscribe()

    async def pair(self, *given, **extra):
        """Nothing is paired."""

    async def unpair(self):
        """Nothing is paired."""

    async def read_gatt_char(self, characteristic, **extra):
        return bytearray(await characteristic.obj.read_value())

    async def read_gatt_descriptor(self, descriptor, **extra):
        raise NotImplementedError

    async def write_gatt_descriptor(self, descriptor, data):
        raise NotImplementedError


class _Scanner(BaseBleakScanner):
    the_air = None

    def __init__(self, detection_callback, service_uuids, scanning_mode, **extra):
        super().__init__(detection_callback, service_uuids)

    async def start(self):
        self.seen_devices = {}
        central = await self.the_air.central()
        central.on("advertisement", self._seen)
        await central.start_scanning(filter_duplicates=True)

    async def stop(self):
        await (await self.the_air.central()).stop_scanning()

    def _seen(self, advertisement):
        data = advertisement.data
        name = data.get(AdvertisingData.COMPLETE_LOCAL_NAME)
        makers = dict(
            [made] if (made := data.get(AdvertisingData.MANUFACTURER_SPECIFIC_DATA)) else ()
        )
        kinds = (
            AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
            AdvertisingData.INCOMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
        )
        uuids = [str(u.to_hex_str("-")).lower() for kind in kinds for u in data.get(kind) or ()]
        if not self.is_allowed_uuid(uuids):
            return
        told = AdvertisementData(name, makers, {}, uuids, None, -50, ())
        address = str(advertisement.address).split("/")[0]
        device = self.create_or_update_device(address, address, name, None, told)
        self.call_detection_callbacks(device, told)
