"""Where the wearer is: recorded walks, a receiver through gpsd, and what is no place at all."""

import json
import socket
import threading
from datetime import UTC, datetime, timedelta

import pytest

from hardware.base import DeviceError, Location, Place
from hardware.location import FixedLocation, Gpsd, Replay, Steady, find, nmea

NMEA = """\
$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47
$GPGGA,123520,4807.000,N,01131.100,E,1,08,0.9,545.4,M,46.9,M,,*00
$GPRMC,123521,A,4807.238,N,01131.000,E,022.4,084.4,230394,003.1,W*63
nonsense $GPGGA,,,*
$GPRMC,123522,V,,,,,,,230394,,*3B
"""


def gpx(*points, times=True):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    inside = "".join(
        f"<trkpt lat='{lat}' lon='{lon}'>"
        + (f"<time>{start + timedelta(seconds=10 * n):%Y-%m-%dT%H:%M:%SZ}</time>" if times else "")
        + "</trkpt>"
        for n, (lat, lon) in enumerate(points)
    )
    return f"<gpx version='1.1' creator='test'><trk><trkseg>{inside}</trkseg></trk></gpx>"


def test_a_recorded_walk_is_walked_again_in_its_own_time(tmp_path):
    path = tmp_path / "walk.gpx"
    path.write_text(gpx((48.0, 15.0), (48.001, 15.0), (48.001, 15.002)))
    walk = find(str(path))
    assert isinstance(walk, Location)
    now = [100.0]
    walk = Replay(walk._fixes, lambda: now[0])
    assert (walk.where().lat, walk.where().heading_deg) == (48.0, 0.0)
    now[0] += 5
    assert walk.where().lat == pytest.approx(48.0005)
    now[0] += 10
    assert walk.where().lon == pytest.approx(15.001)
    assert walk.where().heading_deg == pytest.approx(90)
    now[0] += 1000
    assert (walk.where().lat, walk.where().lon) == (48.001, 15.002)
    assert walk.where().simulated


def test_nmea_is_read_and_what_fails_its_checksum_is_not():
    one, other = nmea(NMEA)
    assert (one.lat, one.lon) == (pytest.approx(48.1173), pytest.approx(11.516667))
    assert one.error_m == pytest.approx(4.5)
    assert other.at_s == 2.0


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.gpx", "<gpx", "cannot be read as GPX"),
        ("a.gpx", gpx(), "no position"),
        ("a.nmea", "hello", "no position"),
        ("gone.gpx", None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_walk_is_told(tmp_path, name, text, says):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(DeviceError, match=says) as told:
        find(str(tmp_path / name))
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("text", ["gpsd://", "gpsd://a b", "gpsd:/x", "paris", "91,0"])
def test_what_is_no_place_is_told(text):
    with pytest.raises(DeviceError):
        find(text)


def test_a_jump_of_ten_kilometres_is_believed_the_third_time():
    fixed = {"at": FixedLocation(Place(48.0, 15.0))}

    class Jumps:
        def where(self):
            return fixed["at"].where()

    now = [0.0]
    steady = Steady(Jumps(), lambda: now[0])
    assert steady.where().lat == 48.0
    now[0] += 1
    fixed["at"] = FixedLocation(Place(48.1, 15.0))
    assert [steady.where().lat for _ in range(3)] == [48.0, 48.0, 48.1]


@pytest.fixture
def gpsd():
    """A gpsd on loopback that tells what it is given."""
    server = socket.create_server(("127.0.0.1", 0))
    lines = []

    def serve():
        link, _ = server.accept()
        with link:
            assert b"WATCH" in link.recv(200)
            for line in lines:
                link.sendall(line)
            link.recv(1)

    threading.Thread(target=serve, daemon=True).start()
    yield server.getsockname()[1], lines
    server.close()


def test_what_a_receiver_tells_through_gpsd(gpsd):
    port, lines = gpsd
    lines += [
        b'{"class":"VERSION"}\n', b"not json\n", b'{"class":"TPV","mode":1}\n',
        json.dumps({"class": "TPV", "mode": 3, "lat": 48.4, "lon": 15.6, "track": 90, "eph": 3})
        .encode() + b"\n",
    ]  # fmt: skip
    assert Gpsd("127.0.0.1", port).where() == Place(48.4, 15.6, 90.0, error_m=3.0)


def test_without_gpsd_it_says_so():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(DeviceError, match="is it running"):
        find(f"gpsd://127.0.0.1:{port}").where()
