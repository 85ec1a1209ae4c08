"""The streets of a real map: where on them one stands, and the shortest walk, all on arrays.

Shortest paths are SciPy's Dijkstra, bounded by a distance that grows until the goal is reached, so
that a walk across a quarter never looks at the whole country. Nearest streets come from a k-d
tree over points set close together along them, as chords through the earth: nothing is flattened.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.skill.incidents import Shape
from skills.navigate import incidents, osm
from skills.navigate.osm import DEGREE, MapError, Streets
from skills.navigate.streets import (
    EARTH_M,
    Point,
    Step,
    Turn,
    bearing_deg,
    distance_m,
    turn_between,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FILE = "streets.npz"
SPACING_M = 20.0
"""How far apart the points of the k-d tree are along a street."""
NEAREST = 24
"""Points of the tree whose pieces of street are measured exactly."""
JOINED_M = 150.0
"""A goal may be this much farther from a street that can be reached than from the nearest one."""
LOOK_M = 12.0
"""How far before and after a junction its turn is measured: maps draw corners in small pieces."""
SHORT_M = 12.0
"""A piece without a name that is shorter is no step of its own."""
FIRST_LIMIT_M = 500.0
"""Dijkstra first looks this much farther than twice the straight line."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Somewhere on the streets."""

    point: Point
    """Where it is."""
    street: str
    """Key of the street: `s12`, or `f4` for the form of one without a name."""
    offset_m: float
    """How far it is from where it was asked for."""
    edge: int
    """The edge it lies on."""
    before_m: float
    """Metres of the edge before it."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Streets that are not walked."""

    shapes: tuple[Shape, ...]
    """What is in the way."""
    edges: NDArray[np.int64]
    """The edges that lead through it."""


class Roads:
    """The walkable streets of one map."""

    def __init__(self, streets: Streets) -> None:
        """Get ready; the tree and the matrix are made when they are first needed."""
        self.streets = streets

    @classmethod
    def load(cls, folder: Path) -> Roads:
        """Read what `save` wrote. Raises MapError."""
        import numpy as np

        path = folder / FILE
        try:
            with np.load(path, allow_pickle=False) as read:
                return cls(Streets(**{field.name: read[field.name] for field in fields(Streets)}))
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise MapError(
                f"the map in {folder} is damaged ({type(error).__name__}): "
                "`glasses maps add` its file again"
            ) from None

    def save(self, path: Path) -> None:
        """Write the arrays. Raises OSError."""
        import numpy as np

        with path.open("wb") as out:
            np.savez(out, **{f.name: getattr(self.streets, f.name) for f in fields(Streets)})

    # -- names ------------------------------------------------------------------------------------

    def key(self, edge: int) -> str:
        """Return the key of the street that an edge belongs to."""
        name = int(self.streets.name[edge])
        return f"s{name}" if name else f"f{int(self.streets.form[edge])}"

    def names(self, key: str) -> dict[str, str]:
        """Return the names of a street by language; empty for one without a name."""
        if not key.startswith("s"):
            return {}
        found: dict[str, str] = json.loads(str(self.streets.names[int(key[1:])]))
        return found

    # -- where one is -----------------------------------------------------------------------------

    def snap(self, point: Point, piece: int | None = None) -> Spot:
        """Return the nearest spot on a street, of a connected piece of the map if one is given."""
        import numpy as np

        tree, starts = self._tree
        many = min(len(starts), NEAREST if piece is None else 8 * NEAREST)
        near = np.unique(starts[tree.query(_unit(*point), k=many)[1]])
        edges = self._edge_of[near]
        if piece is not None:
            inside = self.pieces[self.streets.a[edges]] == piece
            near, edges = (near[inside], edges[inside]) if inside.any() else (near, edges)
        s = self.streets
        spots, offsets, shares = _onto(point, s.lat, s.lon, near)
        best = int(np.argmin(offsets))
        at, edge = int(near[best]), int(edges[best])
        first = int(s.first[edge])
        pieces = osm.distances_m(s.lat[first : at + 2], s.lon[first : at + 2])
        before = float(pieces[:-1].sum() + shares[best] * pieces[-1])
        return Spot(
            (float(spots[best, 0]), float(spots[best, 1])),
            self.key(edge),
            float(offsets[best]),
            edge,
            before,
        )

    def snap_goal(self, point: Point, start: Spot) -> Spot:
        """Return the spot nearest to a goal, on a street that can be reached if one is near."""
        nearest = self.snap(point)
        piece = int(self.pieces[self.streets.a[start.edge]])
        if self.pieces[self.streets.a[nearest.edge]] == piece:
            return nearest
        joined = self.snap(point, piece)
        return joined if joined.offset_m <= nearest.offset_m + JOINED_M else nearest

    @cached_property
    def _edge_of(self) -> NDArray[np.int32]:
        """The edge of each point, of which it is not the last."""
        import numpy as np

        s = self.streets
        owner = np.full(len(s.lat), -1, dtype=np.int32)
        owner[s.first] = np.arange(len(s.first))
        return np.maximum.accumulate(owner)

    @cached_property
    def _tree(self) -> tuple[Any, NDArray[np.int64]]:
        """A k-d tree of points along all streets, and the point of the street before each."""
        import numpy as np
        from scipy.spatial import cKDTree

        s = self.streets
        inside = np.ones(len(s.lat), dtype=bool)
        inside[s.last] = np.isin(s.last, s.first)  # the last point of a way begins no piece
        starts = np.flatnonzero(inside[:-1])
        lengths = osm.distances_m(s.lat, s.lon)[starts]
        counts = 1 + np.maximum(1, np.ceil(lengths / SPACING_M)).astype(np.int64)
        owner = np.repeat(starts, counts)
        order = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
        share = order / (np.repeat(counts, counts) - 1)
        lat = s.lat[owner] + share * (s.lat[owner + 1] - s.lat[owner])
        lon = s.lon[owner] + share * (s.lon[owner + 1] - s.lon[owner])
        return cKDTree(_unit(lat / DEGREE, lon / DEGREE)), owner

    # -- the way ----------------------------------------------------------------------------------

    @cached_property
    def pieces(self) -> NDArray[np.int32]:
        """The connected piece of the map that each junction is in."""
        from scipy.sparse.csgraph import connected_components

        labels: NDArray[np.int32] = connected_components(self._matrix[0], directed=False)[1]
        return labels

    @cached_property
    def _matrix(self) -> tuple[Any, NDArray[np.int64]]:
        """Lengths between junctions as a sparse matrix, and the edge behind each of its values."""
        import numpy as np
        from scipy.sparse import csr_array

        s = self.streets
        count = int(max(s.a.max(), s.b.max())) + 1
        rows, columns = np.concatenate([s.a, s.b]), np.concatenate([s.b, s.a])
        lengths, edges = np.tile(s.metres, 2), np.tile(np.arange(len(s.a)), 2)
        order = np.lexsort((lengths, columns, rows))
        order = order[rows[order] != columns[order]]  # a loop is on no shortest way
        rows, columns = rows[order], columns[order]
        shortest = np.ones(len(order), dtype=bool)
        shortest[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
        rows, columns, order = rows[shortest], columns[shortest], order[shortest]
        starts = np.searchsorted(rows, np.arange(count + 1))
        values = np.maximum(lengths[order], 1e-6)  # a zero would be no edge
        return csr_array((values, columns, starts), shape=(count, count)), edges[order]

    def closed(self, shapes: Sequence[Shape]) -> Closed | None:
        """Return the edges that lead through what is in the way; None where nothing is."""
        import numpy as np

        if not shapes:
            return None
        tree, starts = self._tree
        found = [np.empty(0, dtype=np.int64)]
        for shape in shapes:
            middle, reach_m = incidents.circle(shape)
            near = tree.query_ball_point(_unit(*middle), reach_m + SPACING_M + incidents.NEAR_M)
            edges = np.unique(self._edge_of[starts[near]])
            lines = (self._points(int(edge), True) for edge in edges)
            hit = [incidents.crosses(shape, line) for line in lines]
            found.append(edges[np.array(hit, dtype=bool)])
        return Closed(tuple(shapes), np.unique(np.concatenate(found)))

    def _part(self, edge: int, low_m: float, high_m: float, closed: Closed | None) -> float:
        """Return the length of a part of an edge; infinity where it leads through a closed one."""
        if closed is not None and edge in closed.edges:
            line = between(self._points(edge, True), low_m, high_m)
            if any(incidents.crosses(shape, line) for shape in closed.shapes):
                return float("inf")
        return high_m - low_m

    def path(
        self, start: Spot, goal: Spot, closed: Closed | None = None
    ) -> tuple[float, list[tuple[int, bool]]] | None:
        """Return metres and edges, each with whether it is walked forwards; None without a way."""
        s = self.streets
        if self.pieces[s.a[start.edge]] != self.pieces[s.a[goal.edge]]:
            return None
        direct = None
        if start.edge == goal.edge:
            low, high = sorted((start.before_m, goal.before_m))
            metres = self._part(start.edge, low, high, closed)
            if metres < float("inf"):
                direct = metres, [(start.edge, goal.before_m >= start.before_m)]
        around = self._around(start, goal, direct[0] if direct else None, closed)
        return around if direct is None or (around and around[0] < direct[0]) else direct

    def _around(
        self,
        start: Spot,
        goal: Spot,
        most_m: float | None,
        closed: Closed | None = None,
    ) -> tuple[float, list[tuple[int, bool]]] | None:
        """Return the shortest way by junctions that is not longer than `most_m`."""
        import numpy as np
        from scipy.sparse.csgraph import dijkstra

        s, (matrix, edge_of) = self.streets, self._matrix
        if closed is not None:
            matrix = matrix.copy()
            matrix.data[np.isin(edge_of, closed.edges)] = np.inf
        ends = [int(s.a[start.edge]), int(s.b[start.edge])]
        to_ends, from_goals = (
            [
                self._part(spot.edge, 0.0, spot.before_m, closed),
                self._part(spot.edge, spot.before_m, float(s.metres[spot.edge]), closed),
            ]
            for spot in (start, goal)
        )
        goals = [int(s.a[goal.edge]), int(s.b[goal.edge])]
        limit = FIRST_LIMIT_M + 2 * distance_m(start.point, goal.point)
        if most_m is not None:
            limit = most_m
        while True:
            far, came = dijkstra(matrix, indices=ends, return_predecessors=True, limit=limit)
            total = np.array(
                [
                    [far[i, g] + to_ends[i] + from_goals[k] for k, g in enumerate(goals)]
                    for i in range(2)
                ]
            )
            i, k = divmod(int(np.argmin(total)), 2)
            # A way that is longer than the limit allowed may have been missed on one side.
            if total[i, k] <= limit or most_m is not None or limit > 4 * EARTH_M:
                break
            limit *= 2
        if not np.isfinite(total[i, k]):
            return None
        nodes = _back(came[i], ends[i], goals[k])
        edges = [(start.edge, i == 1), *self._edges(nodes), (goal.edge, k == 0)]
        return float(total[i, k]), edges

    def _edges(self, nodes: list[int]) -> list[tuple[int, bool]]:
        """Return the edges between junctions that follow one another."""
        import numpy as np

        matrix, edge_of = self._matrix
        found = []
        for one, other in pairwise(nodes):
            low, high = matrix.indptr[one], matrix.indptr[one + 1]
            edge = int(edge_of[low + np.searchsorted(matrix.indices[low:high], other)])
            found.append((edge, int(self.streets.a[edge]) == one))
        return found

    def line(self, start: Spot, goal: Spot, edges: list[tuple[int, bool]]) -> list[list[Point]]:
        """Return the points of each edge of a path, cut at its start and goal."""
        lines = [self._points(edge, forwards) for edge, forwards in edges]
        ends = [
            before if forwards else float(self.streets.metres[edge]) - before
            for (edge, forwards), before in (
                (edges[0], start.before_m),
                (edges[-1], goal.before_m),
            )
        ]
        if len(edges) == 1:
            return [between(lines[0], *ends)]
        return [between(lines[0], ends[0], None), *lines[1:-1], between(lines[-1], 0.0, ends[1])]

    def _points(self, edge: int, forwards: bool) -> list[Point]:
        s = self.streets
        part = slice(int(s.first[edge]), int(s.last[edge]) + 1)
        lat, lon = s.lat[part] / DEGREE, s.lon[part] / DEGREE
        points = list(zip(lat.tolist(), lon.tolist(), strict=True))
        return points if forwards else points[::-1]

    def arms(self, point: Point) -> list[float]:
        """Return the bearings of the streets that leave the junction at a point; none without."""
        import numpy as np

        s, spot = self.streets, self.snap(point)
        at_a = spot.before_m < float(s.metres[spot.edge]) / 2
        node = int((s.a if at_a else s.b)[spot.edge])
        away = [(int(edge), True) for edge in np.flatnonzero(s.a == node)]
        away += [(int(edge), False) for edge in np.flatnonzero(s.b == node)]
        lines = [self._points(edge, forwards) for edge, forwards in away]
        if distance_m(lines[0][0], point) > LOOK_M:
            return []
        return [bearing_deg(line[0], _ahead(line, LOOK_M)) for line in lines]

    @cached_property
    def _branches(self) -> NDArray[np.int64]:
        """How many edges meet at each junction."""
        import numpy as np

        count = self._matrix[0].shape[0]
        return np.bincount(self.streets.a, minlength=count) + np.bincount(
            self.streets.b, minlength=count
        )

    def steps(
        self, start: Spot, goal: Spot, closed: Closed | None = None
    ) -> tuple[list[Step], list[Point]] | None:
        """Return what is walked, with an instruction at each turn, and its line; None: no way."""
        found = self.path(start, goal, closed)
        if found is None:
            return None
        edges = found[1]
        lines = self.line(start, goal, edges)
        walked = [
            (line, edge, forwards)
            for line, (edge, forwards) in zip(lines, edges, strict=True)
            if len(line) > 1
        ]
        made: list[Step] = []
        before: list[Point] = []
        for line, edge, forwards in walked:
            metres = sum(map(distance_m, line, line[1:]))
            if metres < 0.5:
                continue
            choices = int(self._branches[(self.streets.a if forwards else self.streets.b)[edge]])
            step = self._step(line, edge, metres, before)
            made = _appended(made, step, choices > 2)
            before = (before + line)[-40:]
        return _tidied(made), [point for line in lines for point in line]

    def _step(self, line: list[Point], edge: int, metres: float, before: list[Point]) -> Step:
        bearing = bearing_deg(line[0], _ahead(line, LOOK_M))
        turn = Turn.START
        if before:
            turn = turn_between(bearing_deg(_ahead(before[::-1], LOOK_M), before[-1]), bearing)
        s = self.streets
        notes: tuple[str, ...] = ("steps",) if s.form[edge] == osm.STEPS else ()
        notes += ("crossing",) if s.crossed[edge] else ()
        return Step(turn, self.key(edge), metres, bearing, notes)


def _appended(made: list[Step], step: Step, chosen: bool) -> list[Step]:
    """Return steps with one more piece: a step of its own where something is to be decided."""
    if not made:
        return [step]
    last = made[-1]
    bends = step.turn in (Turn.STRAIGHT, Turn.SLIGHT_LEFT, Turn.SLIGHT_RIGHT)
    same = step.street == last.street
    if same and (bends or not chosen):
        return [*made[:-1], _joined(last, step)]
    return [*made, step]


def _joined(one: Step, other: Step) -> Step:
    notes = tuple(dict.fromkeys((*one.notes, *other.notes)))
    return Step(one.turn, one.street, one.metres + other.metres, one.bearing_deg, notes)


def _tidied(made: list[Step]) -> list[Step]:
    """Return steps without the short nameless pieces in which maps draw crossings and corners."""
    kept: list[Step] = []
    for at, step in enumerate(made):
        short = step.metres < SHORT_M and step.street.startswith("f") and not step.notes
        goes_on = step.turn is Turn.STRAIGHT and kept and step.street == kept[-1].street
        if kept and ((short and at + 1 < len(made)) or goes_on):
            kept[-1] = _joined(kept[-1], step)
        else:
            kept.append(step)
    return kept


def _ahead(line: list[Point], metres: float) -> Point:
    """Return the point so far along a line, or its end."""
    for one, other in pairwise(line):
        piece = distance_m(one, other)
        if piece >= metres:
            share = metres / (piece or 1.0)  # a line may have a point twice
            return one[0] + share * (other[0] - one[0]), one[1] + share * (other[1] - one[1])
        metres -= piece
    return line[-1]


def between(line: list[Point], low: float, high: float | None) -> list[Point]:
    """Return the part of a line between two distances along it."""
    made = [_ahead(line, low)]
    along = 0.0
    for one, other in pairwise(line):
        along += distance_m(one, other)
        if high is not None and along >= high:
            break
        if along > low:
            made.append(other)
    if high is not None:
        made.append(_ahead(line, high))
    return made


def _back(came: Any, start: int, goal: int) -> list[int]:
    nodes = [goal]
    while nodes[-1] != start:
        nodes.append(int(came[nodes[-1]]))
    return nodes[::-1]


def _unit(lat: Any, lon: Any) -> NDArray[np.float64]:
    """Return points of the sphere in metres from its middle, (…, 3)."""
    import numpy as np

    north, east = np.radians(lat), np.radians(lon)
    return EARTH_M * np.stack(
        [np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=-1
    )


def _onto(
    point: Point, lat: Any, lon: Any, starts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Project a point onto pieces of street; over a few hundred metres the earth is flat.

    Returns the spots (N, 2) in degrees, how far away each is in metres (N,), and its share (N,).
    """
    import numpy as np

    a = np.stack([lat[starts], lon[starts]], axis=1) / DEGREE
    b = np.stack([lat[starts + 1], lon[starts + 1]], axis=1) / DEGREE
    shrink = np.array([1.0, np.cos(np.radians(point[0]))])
    way, there = (b - a) * shrink, (np.array(point) - a) * shrink
    share = np.clip((way * there).sum(1) / np.maximum((way * way).sum(1), 1e-18), 0.0, 1.0)
    spots = a + share[:, None] * (b - a)
    away = np.radians((np.array(point) - spots) * shrink)
    return spots, EARTH_M * np.hypot(away[:, 0], away[:, 1]), share
