"""How often a nod is seen that was none, and missed that was one: simulated heads, seeded.

    python -m tests.bench.gestures --hours 10

Everything is made by `hardware.moves`. The detector was fitted on `--seed 0 --fitted`, where every
size and rate is drawn from the middle of its range; what is reported comes from other seeds and the
whole range. No recording of a person is in it, so real heads will do worse.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from agent.body import Body, Movement
from hardware import moves
from hardware.base import Motion
from hardware.moves import BMI270, Move, Sensor

PIECE_S = 60.0
"""Length of one piece of what is no gesture; the first seconds of each find nobody walking yet."""


@dataclass(frozen=True, slots=True)
class Range:
    """Draws values; from the middle half of each range where `fitted`."""

    rng: random.Random
    """What draws them."""
    fitted: bool
    """See the module."""

    def of(self, low: float, high: float) -> float:
        """Draw from low … high."""
        if self.fitted:
            low, high = low + (high - low) / 4, high - (high - low) / 4
        return self.rng.uniform(low, high)

    @property
    def seed(self) -> int:
        """Draw a seed."""
        return self.rng.randrange(1 << 30)

    def sensor(self) -> Sensor:
        """Draw a sensor somewhere on a pair of glasses, on a longer or a shorter neck."""
        side = self.rng.choice((-1, 1))
        arm_m = (0.07 * side, self.of(0.05, 0.17), -self.of(0.0, 0.13))
        return replace(BMI270, arm_m=arm_m)


Kind = Callable[[Range], list[Move]]


def _walking(r: Range) -> list[Move]:
    pace = r.of(1.4, 2.3)
    return [
        moves.walk(hz=pace, bounce_m=r.of(0.012, 0.03), degrees=r.of(0.6, 3.0), seed=r.seed),
        moves.still(seed=r.seed),
    ]


def _steps(r: Range) -> list[Move]:
    """Walk a few steps, stand, and walk again: in a shop, in a kitchen."""
    parts, at_s = [moves.still(seed=r.seed)], 1.0
    while at_s < PIECE_S:
        walk = moves.walk(
            hz=r.of(1.3, 2.1), bounce_m=r.of(0.012, 0.03), degrees=r.of(0.6, 3.2), seed=r.seed
        )
        long_s = r.of(1.2, 6.0)
        parts.append(moves.during(at_s, at_s + long_s, walk, r.of(0.15, 0.6)))
        at_s += long_s + r.of(0.6, 5.0)
    return parts


def _running(r: Range) -> list[Move]:
    run = moves.run(
        hz=r.of(2.3, 3.1), bounce_m=r.of(0.025, 0.05), degrees=r.of(1.5, 6.0), seed=r.seed
    )
    return [moves.during(r.of(0, 5), PIECE_S - r.of(0, 10), run, 1.0), moves.still(seed=r.seed)]


def _stairs(r: Range) -> list[Move]:
    at_s, parts = r.of(1, 5), [moves.still(seed=r.seed)]
    while at_s < PIECE_S:
        long_s = r.of(3, 12)
        step = moves.stairs(hz=r.of(1.2, 2.2), down=r.rng.random() < 0.5, seed=r.seed)
        parts.append(moves.during(at_s, at_s + long_s, step, r.of(0.3, 0.8)))
        at_s += long_s + r.of(1, 6)
    return parts


def _riding(r: Range) -> list[Move]:
    ride = moves.ride(
        rms=r.of(0.2, 1.0),
        degrees=r.of(0.3, 1.8),
        bumps_s=r.of(4, 15),
        seconds=PIECE_S,
        seed=r.seed,
    )
    return [ride, moves.still(seed=r.seed)]


def _talking(r: Range) -> list[Move]:
    return [moves.talk(degrees=r.of(0.6, 2.2), seed=r.seed), moves.still(seed=r.seed)]


def _listening(r: Range) -> list[Move]:
    """Listen to somebody: small nods, one to three cycles, the size that says "go on"."""
    parts, at_s = [moves.still(seed=r.seed)], 1.0
    while at_s < PIECE_S:
        cycles = r.rng.choice((1, 1, 2, 3))
        parts.append(moves.nod(at_s, degrees=r.of(1, 5), hz=r.of(1.2, 3.0), cycles=cycles))
        at_s += r.of(2, 8)
    return parts


def _laughing(r: Range) -> list[Move]:
    """Laugh now and then, which shakes the head four or five times a second, and talk."""
    parts, at_s = _talking(r), 1.0
    while at_s < PIECE_S:
        shaking = moves.walk(
            hz=r.of(3.5, 5.5), bounce_m=r.of(0.0005, 0.003), degrees=r.of(0.3, 2.0), seed=r.seed
        )
        long_s = r.of(0.8, 5.0)
        parts.append(moves.during(at_s, at_s + long_s, shaking, 0.2))
        at_s += long_s + r.of(1, 8)
    return parts


def _chewing(r: Range) -> list[Move]:
    return [
        moves.chew(degrees=r.of(0.2, 1.2), hz=r.of(1.0, 2.0), seed=r.seed),
        *_fidgeting(r),
    ]


def _fidgeting(r: Range) -> list[Move]:
    return [moves.fidget(PIECE_S, each_s=r.of(1.0, 5.0), seed=r.seed), moves.still(seed=r.seed)]


def _phone(r: Range) -> list[Move]:
    """Look down at a phone and up, again and again, once in a while twice at once."""
    parts, at_s = [moves.still(seed=r.seed)], 1.0
    while at_s < PIECE_S:
        move_s, hold_s = r.of(0.3, 0.8), r.of(0.2, 8.0)
        parts.append(moves.look_down(at_s, degrees=r.of(15, 45), hold_s=hold_s, move_s=move_s))
        at_s += 2 * move_s + hold_s + r.of(0.3, 6.0)
    return parts


def _crossing(r: Range) -> list[Move]:
    """Walk up to a street, look to both sides, and cross it."""
    parts, at_s = _steps(r), 2.0
    while at_s < PIECE_S:
        side, move_s = r.rng.choice((-1, 1)), r.of(0.3, 0.6)
        for way in (side, -side):
            hold_s = r.of(0.1, 1.0)
            parts.append(moves.turn(at_s, degrees=way * r.of(25, 75), hold_s=hold_s, move_s=move_s))
            at_s += 2 * move_s + hold_s - r.of(0, move_s)
        at_s += r.of(2, 10)
    return parts


def _music(r: Range) -> list[Move]:
    parts, at_s = [moves.still(seed=r.seed)], 2.0
    while at_s < PIECE_S:
        long_s = r.of(5, 20)
        parts.append(moves.bob(at_s, degrees=r.of(3, 14), hz=r.of(1.0, 2.4), seconds=long_s))
        at_s += long_s + r.of(2, 8)
    return parts


def _walking_busily(r: Range) -> list[Move]:
    return [*_walking(r), *r.rng.choice((_fidgeting, _talking, _phone))(r)]


def _riding_busily(r: Range) -> list[Move]:
    return [*_riding(r), *r.rng.choice((_fidgeting, _talking, _phone))(r)]


NEGATIVES: dict[str, tuple[Kind, bool | None]] = {
    "standing": (lambda r: [moves.still(degrees=r.of(0.2, 1.2), seed=r.seed)], False),
    "walking": (_walking, True),
    "a few steps": (_steps, None),
    "running": (_running, None),
    "stairs": (_stairs, None),
    "riding": (_riding, False),
    "talking": (_talking, False),
    "listening": (_listening, False),
    "laughing": (_laughing, False),
    "chewing": (_chewing, False),
    "fidgeting": (_fidgeting, False),
    "phone": (_phone, False),
    "crossing": (_crossing, None),
    "music": (_music, False),
    "walking, busy": (_walking_busily, True),
    "riding, busy": (_riding_busily, False),
}
"""What is no gesture, and whether it is walking; None where it is now and then."""


Seen = Movement | Literal["paying nod"]
"""A nod pays only from rest, and while nobody walks (`agent.loop.gestures`)."""


def seen(motions: Sequence[Motion]) -> Iterator[tuple[float, Seen]]:
    """Yield what a body is seen to do, and when."""
    body = Body()
    for motion in motions:
        for movement in body.feel(motion):
            yield motion.at_ms, movement
            if movement == "nod" and body.rested and not body.walking:
                yield motion.at_ms, "paying nod"


@dataclass(frozen=True, slots=True)
class Mistakes:
    """What was seen in hours of what is no gesture."""

    hours: float
    """How long."""
    counts: Counter[str]
    """How often each gesture was seen."""
    wrong_gait: float
    """Share of the time in which walking was taken for standing, or the other way round."""


def negatives(hours: float, seed: int, fitted: bool) -> dict[str, Mistakes]:
    """Look at `hours` of each kind of what is no gesture."""
    return {
        kind: _mistakes(make, walks, hours, Range(random.Random(f"{seed} {kind}"), fitted))
        for kind, (make, walks) in NEGATIVES.items()
    }


def _mistakes(make: Kind, walks: bool | None, hours: float, r: Range) -> Mistakes:
    counts: Counter[str] = Counter()
    wrong_ms = 0.0
    pieces = max(1, round(hours * 3600 / PIECE_S))
    for _ in range(pieces):
        found = list(seen(_record(make(r), PIECE_S, r)))
        counts.update(movement for _, movement in found)
        walking, since_ms = False, 0.0
        for at_ms, movement in [*found, (PIECE_S * 1000, "standing")]:
            if movement in ("walking", "standing"):
                if walks is not None and walking != walks:
                    wrong_ms += at_ms - since_ms
                walking, since_ms = movement == "walking", at_ms
    length_s = pieces * PIECE_S
    return Mistakes(length_s / 3600, counts, wrong_ms / 1000 / length_s)


def _record(parts: list[Move], seconds: float, r: Range) -> list[Motion]:
    rate_hz = 100 if r.fitted else r.rng.choice((50, 100, 200))
    return moves.record(parts, seconds, rate_hz=rate_hz, seed=r.seed, sensor=r.sensor())


CONTEXTS: dict[str, Callable[[Range], list[Move]]] = {
    "still": lambda r: [moves.still(degrees=r.of(0.2, 1.2), seed=r.seed)],
    "riding": _riding,
    "walking": _walking,
}


def nod_of(r: Range, at_s: float) -> tuple[Move, float]:
    """Draw a nod; return it and its length in seconds."""
    cycles = r.rng.choice((2, 2, 2, 3, 3, 4))
    hz = r.of(0.8, 3.0)
    nod = moves.nod(
        at_s,
        degrees=r.of(8, 25),
        hz=hz,
        cycles=cycles,
        decline=r.of(0.75, 1.0),
        skew=r.of(0.35, 0.65),
        stray=r.of(-0.2, 0.2),
    )
    return nod, cycles / hz


def shake_of(r: Range, at_s: float) -> tuple[Move, float]:
    """Draw a shake; return it and its length in seconds."""
    cycles = r.rng.choice((2, 2, 2, 3, 3, 4))
    hz = r.of(1.0, 3.0)
    shake = moves.shake(
        at_s,
        degrees=r.of(8, 30),
        hz=hz,
        cycles=cycles,
        decline=r.of(0.75, 1.0),
        stray=r.of(-0.2, 0.2),
    )
    return shake, cycles / hz


def glance_of(r: Range, at_s: float) -> tuple[Move, float]:
    """Draw a glance; return it and when it is held."""
    move_s = r.of(0.2, 0.6)
    glance = moves.glance(at_s, degrees=r.of(18, 35), hold_s=r.of(0.8, 5), move_s=move_s)
    return glance, move_s


POSITIVES = {"nod": nod_of, "paying nod": nod_of, "shake": shake_of, "glance": glance_of}


Found = dict[tuple[str, str], tuple[float, list[float]]]


def positives(count: int, seed: int, fitted: bool) -> Found:
    """Return for each gesture and context the share seen, and how long after its end, in ms."""
    found: Found = {}
    for gesture, draw in POSITIVES.items():
        for context, around in CONTEXTS.items():
            r = Range(random.Random(f"{seed} {gesture} {context}"), fitted)
            waits: list[float] = []
            for _ in range(count):
                at_s = r.of(5.0, 9.0)
                move, long_s = draw(r, at_s)
                motions = _record([*around(r), move], at_s + long_s + 2, r)
                hits = [at for at, what in seen(motions) if what == gesture and at > at_s * 1000]
                waits += [at - (at_s + long_s) * 1000 for at in hits[:1]]
            found[gesture, context] = len(waits) / count, sorted(waits)
    return found


def gaits(count: int, seed: int, fitted: bool) -> dict[str, list[float]]:
    """Return how long after the first step walking is seen, and standing after the last."""
    r = Range(random.Random(f"{seed} gait"), fitted)
    waits: dict[str, list[float]] = defaultdict(list)
    for _ in range(count):
        walk, *_ = _walking(r)
        begin_s, end_s = r.of(3, 6), r.of(16, 20)
        parts = [moves.during(begin_s, end_s, walk, 0.5), moves.still(seed=r.seed)]
        motions = moves.record(parts, end_s + 6, seed=r.seed, sensor=r.sensor())
        at = dict.fromkeys(("walking", "standing"), float("inf"))
        for at_ms, movement in seen(motions):
            if movement in at:
                at[movement] = min(at[movement], at_ms)
        waits["walking"].append(at["walking"] - begin_s * 1000)
        waits["standing"].append(at["standing"] - end_s * 1000)
    return {gait: sorted(values) for gait, values in waits.items()}


def part(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of the sorted values are not above."""
    return values[min(int(share * len(values)), len(values) - 1)] if values else float("nan")


def figures() -> dict[str, float]:
    """Return some figures for `make bench`, from little."""
    made = negatives(0.05, seed=1, fitted=False).values()
    hours = sum(mistakes.hours for mistakes in made)
    found = {
        f"{gesture}s an hour of none": sum(m.counts[gesture] for m in made) / hours
        for gesture in ("nod", "paying nod", "shake")
    }
    for (gesture, context), (share, waits) in positives(50, seed=1, fitted=False).items():
        found[f"{gesture} seen, {context}"] = share
        found[f"{gesture} p95 ms, {context}"] = part(waits, 0.95)
    for gait, waits in gaits(20, seed=1, fitted=False).items():
        found[f"{gait} most ms"] = waits[-1]
    return found


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=0.2, help="of each kind of no gesture")
    parser.add_argument("--count", type=int, default=200, help="gestures of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fitted", action="store_true", help="the ranges it was fitted to")
    asked = parser.parse_args()
    print(
        f"{'no gesture':16}{'hours':>7}{'nods':>7}{'pay':>6}{'shakes':>8}{'glances':>9}{'gait wrong':>12}"
    )
    total: Counter[str] = Counter()
    hours = 0.0
    for kind, found in negatives(asked.hours, asked.seed, asked.fitted).items():
        c = found.counts
        print(
            f"{kind:16}{found.hours:7.1f}{c['nod']:7}{c['paying nod']:6}{c['shake']:8}"
            f"{c['glance']:9}{found.wrong_gait:12.1%}"
        )
        total += c
        hours += found.hours
    print(
        f"{'all':16}{hours:7.1f}{total['nod']:7}{total['paying nod']:6}"
        f"{total['shake']:8}{total['glance']:9}"
    )
    print(f"\n{'gesture':16}{'while':10}{'seen':>7}{'p50 ms':>9}{'p95 ms':>9}  after its end")
    for (gesture, context), (share, waits) in positives(
        asked.count, asked.seed, asked.fitted
    ).items():
        print(
            f"{gesture:16}{context:10}{share:7.1%}{part(waits, 0.5):9.0f}{part(waits, 0.95):9.0f}"
        )
    print(f"\n{'gait':10}{'p50 ms':>9}{'p95 ms':>9}{'most':>9}  after its first or last step")
    for gait, waits in gaits(asked.count, asked.seed, asked.fitted).items():
        print(f"{gait:10}{part(waits, 0.5):9.0f}{part(waits, 0.95):9.0f}{waits[-1]:9.0f}")


if __name__ == "__main__":
    main()
