"""Shop and travel: importing, searching, codes, packages, timetables; in processor time.

python -m tests.bench.market        # or `make bench ARGS="--only market"`

A hundred thousand products and a million stop times are made up by the seed. Times are of the
processor, all threads together: what one core takes, whatever else the machine does. Codes and
packages are measured on the shared photographs, and left out where those are not here.
"""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from rich.progress import track

from tests.shared import DATA

PRODUCTS, QUERIES = 100_000, 300
TRIPS, STOPS_OF_A_TRIP, STATIONS = 40_000, 25, 2_000
"""A million stop times."""
ASKED = 300
KINDS = ("tea", "coffee", "lamp", "pen", "cable", "shoes", "jacket", "umbrella", "soap", "rice",
         "noodles", "headphones", "bottle", "notebook", "towel", "battery")  # fmt: skip
KINDS_ZH = ("茶", "咖啡", "台灯", "钢笔", "数据线", "跑鞋", "外套", "雨伞", "肥皂", "大米",
            "面条", "耳机", "水杯", "笔记本", "毛巾", "电池")  # fmt: skip
WORDS = ("green", "black", "red", "large", "small", "organic", "premium", "travel", "winter",
         "light", "heavy", "classic", "sport", "family", "mini", "double")  # fmt: skip

Item = TypeVar("Item")


def figures() -> dict[str, float]:
    """Return every figure, in milliseconds, seconds or counts as its name says."""
    with tempfile.TemporaryDirectory() as folder:
        return {**_shop(Path(folder)), **_timetable(Path(folder)), **_codes(), **_packages()}


def _spent(work: Callable[[], object]) -> float:
    """Return the processor's seconds that something takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def _shown(items: Iterable[Item], total: int, what: str) -> Iterable[Item]:
    return track(items, f"{what} …", total=total, transient=True)


def _percentiles(name: str, taken_s: list[float]) -> dict[str, float]:
    taken_ms = sorted(1000 * one for one in taken_s)
    return {
        f"{name}_p50_ms": statistics.median(taken_ms),
        f"{name}_p95_ms": taken_ms[int(0.95 * len(taken_ms))],
        f"{name}_slowest_ms": taken_ms[-1],
    }


# -- shop -----------------------------------------------------------------------------------------


def _shop(folder: Path) -> dict[str, float]:
    from skills.shop.catalogue import Catalogue
    from skills.shop.importing import FILE, import_files

    chance = random.Random(7)
    path = folder / "products.csv"
    with path.open("w", encoding="utf-8") as out:
        out.write("code,name,name_zh,brand,category,price,currency,rating,ratings,stock\n")
        for at in range(PRODUCTS):
            kind = chance.randrange(len(KINDS))
            words = " ".join(chance.sample(WORDS, 2))
            zh = f"品牌{at % 977}{KINDS_ZH[kind]}" if at % 2 else ""
            out.write(
                f"{at:013},{words} {KINDS[kind]} {at % 500} g,{zh},Brand {at % 977},{KINDS[kind]},"
                f"{chance.randrange(100, 99_999) / 100},CNY,{chance.randrange(10, 50) / 10},{at % 900},{at % 7}\n"
            )
    began = time.perf_counter()
    cpu_s = _spent(lambda: import_files([path], folder))
    wall_s = time.perf_counter() - began
    found = Catalogue.at(folder / FILE)
    taken = []
    for _ in _shown(range(QUERIES), QUERIES, "searching"):
        kind = chance.randrange(len(KINDS))
        text = chance.choice(
            (KINDS[kind], f"{chance.choice(WORDS)} {KINDS[kind]}", KINDS_ZH[kind],
             f"brand {chance.randrange(977)} {KINDS[kind]}", KINDS[kind][:4], "nothing like it")
        )  # fmt: skip
        taken.append(_spent(lambda text=text: found.search(text)))
    return {
        "import_products_per_s": PRODUCTS / cpu_s,
        "import_products_per_s_of_the_clock": PRODUCTS / wall_s,
        **_percentiles("search", taken),
    }


# -- travel ---------------------------------------------------------------------------------------


def _timetable(folder: Path) -> dict[str, float]:
    from skills.travel import gtfs
    from skills.travel.timetable import Timetable

    path = folder / "city.zip"
    _feed(path)
    began = time.perf_counter()
    cpu_s = _spent(lambda: gtfs.add(path, folder))
    wall_s = time.perf_counter() - began
    table = Timetable(folder / "city.db")
    chance = random.Random(7)
    day = datetime(2026, 11, 25, tzinfo=UTC)
    everywhere, towards = [], []
    for _ in _shown(range(ASKED), ASKED, "asking for departures"):
        here, there = ([chance.randrange(STATIONS) + 1] for _ in range(2))
        at = day + timedelta(minutes=chance.randrange(1_440))
        everywhere.append(_spent(lambda here=here, at=at: table.next(here, at)))
        towards.append(_spent(lambda here=here, at=at, to=there: table.next(here, at, to=to)))
    called = [_spent(lambda n=n: table.called(f"Stop {n}")) for n in range(0, STATIONS, 40)]
    return {
        "gtfs_import_s": cpu_s,
        "gtfs_import_s_of_the_clock": wall_s,
        **_percentiles("departure", everywhere),
        **_percentiles("departure_towards", towards),
        **_percentiles("stop_by_name", called),
    }


def _feed(path: Path) -> None:
    """Write the feed of a city: lines of 25 stops in a row, from five in the morning to midnight."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        out.writestr("agency.txt", "agency_name,agency_url,agency_timezone\nA,http://a,UTC\n")
        out.writestr("routes.txt", "route_id,route_short_name,route_type\n" + "".join(
            f"r{line},{line},3\n" for line in range(200)))  # fmt: skip
        out.writestr("stops.txt", "stop_id,stop_name,stop_lat,stop_lon\n" + "".join(
            f"s{n},Stop {n},{48 + n / 10_000},{16 + n % 50 / 1_000}\n" for n in range(STATIONS)))  # fmt: skip
        days = "monday,tuesday,wednesday,thursday,friday,saturday,sunday"
        out.writestr("calendar.txt", f"service_id,{days},start_date,end_date\n"
                     "wk,1,1,1,1,1,0,0,20260101,20261231\nwe,0,0,0,0,0,1,1,20260101,20261231\n")  # fmt: skip
        out.writestr("trips.txt", "route_id,service_id,trip_id,trip_headsign\n" + "".join(
            f"r{n % 200},{'we' if n % 7 == 0 else 'wk'},t{n},Stop {(n % 200 * 10 + 24) % STATIONS}\n"
            for n in range(TRIPS)))  # fmt: skip
        with out.open("stop_times.txt", "w") as rows:
            rows.write(b"trip_id,arrival_time,departure_time,stop_id,stop_sequence\n")
            for n in _shown(range(TRIPS), TRIPS, "writing a feed"):
                first = 300 + n // 200 * 1_140 // (TRIPS // 200)
                lines = []
                for at in range(STOPS_OF_A_TRIP):
                    clock = f"{(first + 2 * at) // 60:02}:{(first + 2 * at) % 60:02}:00"
                    lines.append(f"t{n},{clock},{clock},s{(n % 200 * 10 + at) % STATIONS},{at}\n")
                rows.write("".join(lines).encode())


# -- pictures -------------------------------------------------------------------------------------


def _codes() -> dict[str, float]:
    from agent.look import codes

    folder = DATA / "images" / "zxing-barcodes"
    if not folder.is_dir():
        return {}
    labels = [json.loads(line) for line in (folder / "labels.jsonl").read_text().splitlines()]
    codes.read((folder / labels[0]["file"]).read_bytes())  # decoders load with the first
    right = misread = readable = 0
    taken, none = [], []
    for label in _shown(labels, len(labels), "reading codes"):
        picture = (folder / label["file"]).read_bytes()
        said: list[str] = []
        spent = _spent(lambda p=picture, s=said: s.extend(c.text for c in codes.read(p)))
        (taken if said else none).append(spent)
        wanted = label.get("text")
        known = {wanted, (wanted or "").zfill(13)}
        readable += bool(wanted)
        right += bool(wanted) and bool(known & set(said))
        misread += bool(set(said) - known)
    return {
        "codes_right_percent": 100 * right / readable,
        "codes_misread": float(misread),
        **_percentiles("code", taken),
        **_percentiles("no_code", none),
    }


def _packages() -> dict[str, float]:
    from agent.look import words

    folder = DATA / "images"
    if not folder.is_dir():
        return {}
    pictures = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix in (".jpg", ".png") and "zxing" not in str(path)
    )
    taken = []
    for path in _shown(pictures, len(pictures), "reading words"):
        picture = path.read_bytes()
        taken.append(_spent(lambda p=picture: words.read(p)))
    return _percentiles("words", taken[1:])  # the networks load with the first


if __name__ == "__main__":
    for name, value in figures().items():
        print(f"{name:38} {value:12,.2f}")
