"""The map's own ways beside those of a real router: how long both take, and how long they are.

    python -m tests.bench.routers FILE.osm.gz valhalla+http://127.0.0.1:8002

A server is started by hand, on the same extract: Valhalla's, as `pip install pyvalhalla-weekly`
brings it, with `valhalla_build_tiles` and `valhalla_service`; or OSRM's `osrm-routed`.
"""

from __future__ import annotations

import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from skills.navigate import maps, routers
from skills.navigate.osm import DEGREE
from skills.navigate.roads import Roads

ROUTES = 200


def main(file: str, setting: str) -> None:
    """Compare `ROUTES` random walks."""
    router = routers._read(setting)
    assert router is not None, "name a router"
    with tempfile.TemporaryDirectory() as folder:
        about = maps.add(Path(file), Path(folder))
        roads = Roads.load(Path(folder) / about.name)
    dice, s = random.Random(3), roads.streets
    ratios, took, own_took, turns = [], [], [], []
    for _ in range(ROUTES):
        a, b = (dice.randrange(len(s.lat)) for _ in range(2))
        ends = [(float(s.lat[n]) / DEGREE, float(s.lon[n]) / DEGREE) for n in (a, b)]
        began = time.perf_counter()
        own = roads.steps(*map(roads.snap, ends))
        own_took.append(time.perf_counter() - began)
        began = time.perf_counter()
        asked = router.walk(*ends)
        took.append(time.perf_counter() - began)
        if own and asked and (metres := sum(step.metres for step in asked[0])) > 100:
            ratios.append(sum(step.metres for step in own[0]) / metres)
            turns.append((len(own[0]), len(asked[0])))
    low, mid, high = (statistics.quantiles(ratios, n=20)[n] for n in (0, 9, 18))
    print(f"{len(ratios)} of {ROUTES} routes in both")
    print(f"own length / {router.name}'s: p5 {low:.3f}, p50 {mid:.3f}, p95 {high:.3f}")
    print(f"within 5 %: {sum(abs(ratio - 1) < 0.05 for ratio in ratios) / len(ratios):.0%}")
    for name, times in (("own", own_took), (router.name, took)):
        print(f"{name}: p50 {1000 * statistics.median(times):.1f} ms")
    print("steps, own and theirs, mean:", *(f"{statistics.mean(n):.1f}" for n in zip(*turns)))  # noqa: B905


if __name__ == "__main__":
    main(*sys.argv[1:])
