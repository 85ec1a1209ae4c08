"""The schedule: one SQLite file of what is to happen later, and of each time that it did.

That an entry is due is decided and written in one transaction, under a name that no second row can
have: so it comes once, whenever power goes. What was written and not shown yet is shown at the next
start. Wall times are compared with what clocks here show, so that an alarm is at seven wherever the
wearer is; lengths of time with the moment, which moves along when a clock is set.
"""

from __future__ import annotations

import json
import math
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

from agent import private
from agent.act.schedule.clock import FAR_S, Clock
from agent.language import repeats, times
from agent.skill.later import Entry, Fired, Kind, Spot

LATE_S = 60.0
"""What is due longer ago than this was missed: it is told, and does not ring."""
KEPT_S = 30 * 86_400.0
"""How long it is remembered that something was due."""
RINGS_ON_S = 120.0
"""What rang so shortly before power went rings on after it."""
EARLY_S = 5.0
"""A clock that is further behind than when it was last looked at has been set, or lost power."""

FAR, _NONE = timedelta(seconds=FAR_S), timedelta(0)

_TABLES = """
CREATE TABLE IF NOT EXISTS entries (
    id TEXT PRIMARY KEY, skill TEXT, kind TEXT, text TEXT, language TEXT, wall TEXT, instant REAL,
    rule TEXT, place TEXT, call TEXT, armed INTEGER DEFAULT 0,
    came INTEGER DEFAULT 0, held REAL);
CREATE TABLE IF NOT EXISTS fired (
    entry TEXT, occurrence INTEGER, kept TEXT, due TEXT, at REAL, late INTEGER, times INTEGER,
    told INTEGER DEFAULT 0, over INTEGER DEFAULT 0, PRIMARY KEY (entry, occurrence));
CREATE TABLE IF NOT EXISTS seen (one INTEGER PRIMARY KEY CHECK (one = 1), at REAL);
CREATE INDEX IF NOT EXISTS open ON fired (over, told);
CREATE INDEX IF NOT EXISTS walls ON entries (wall) WHERE wall NOT NULL;
CREATE INDEX IF NOT EXISTS instants ON entries (instant) WHERE instant NOT NULL;
"""


@dataclass(frozen=True, slots=True)
class Woken:
    """How it stands after a time without power."""

    ringing: tuple[Fired, ...] = ()
    """What rang shortly before, and rings on."""
    behind_s: float = 0.0
    """By how much the clock is behind the time when it was last looked at."""


class Schedule:
    """Everything that is to happen later, for one wearer. Safe across threads.

    All methods raise OSError where the file can be neither read nor written.
    """

    def __init__(
        self,
        folder: Path,
        zone: tzinfo | None = None,
        clocks: Callable[[], tuple[float, float]] | None = None,
    ) -> None:
        """Keep it in `folder`, in a file that the first entry makes; no `zone` is the system's.

        `clocks` tells the wall's time, in seconds since 1970, and that of a clock nobody sets.
        """
        self._clocks, self._clock = clocks, Clock()
        self._path = folder / "later.sqlite"
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self.zone = zone
        """What clocks here show."""
        self.changed: Callable[[], None] = lambda: None
        """Told, on any thread, that something else may be due next."""

    @property
    def exists(self) -> bool:
        """Whether anything was ever planned."""
        return self._db is not None or self._path.exists()

    # -- planning -------------------------------------------------------------------------------

    def add(self, *entries: Entry) -> list[Entry]:
        """Keep entries, all or none, each under a name of its own; return them with that.

        Moments are by the clock of the wall, even while that is doubted.
        """
        apart = timedelta(0)
        if self._clocks is not None:
            apart = self.now() - datetime.fromtimestamp(self._clocks()[0], UTC)
        kept = [
            replace(
                entry,
                id=entry.id or uuid.uuid4().hex,
                instant=entry.instant and entry.instant + (apart if abs(apart) > FAR else _NONE),
            )
            for entry in entries
        ]
        with self._transaction() as db:
            db.executemany(
                f"INSERT INTO entries ({_COLUMNS}) VALUES ({_MARKS})",
                map(_row, kept),
            )
        self.changed()
        return kept

    def remove(self, ids: Sequence[str], skill: str | None = None) -> int:
        """Let go of entries, of one skill where it is named; return how many there were."""
        if not self.exists:
            return 0
        with self._transaction() as db:
            asked = ((id, skill, skill) for id in ids)
            removed = db.executemany(
                "DELETE FROM entries WHERE id = ? AND (? IS NULL OR skill = ?)", asked
            )
            count = removed.rowcount
        self.changed()
        return max(0, count)

    def move(self, id: str, instant: datetime) -> None:
        """Make an entry due at another moment."""
        with self._transaction() as db:
            db.execute(
                "UPDATE entries SET instant = ?, wall = NULL WHERE id = ?",
                (instant.timestamp(), id),
            )
        self.changed()

    def hold(self, id: str) -> bool:
        """Let an entry keep the time that is left until its moment; return whether it had one."""
        return self._changed(
            "UPDATE entries SET held = max(0, instant - ?), instant = NULL"
            " WHERE id = ? AND instant NOT NULL AND rule = ''",
            id,
        )

    def go_on(self, id: str) -> bool:
        """Make an entry that was held due after the time that was left; return whether it was."""
        return self._changed(
            "UPDATE entries SET instant = ? + held, held = NULL WHERE id = ? AND held NOT NULL", id
        )

    def _changed(self, update: str, id: str) -> bool:
        if not self.exists:
            return False
        with self._transaction() as db:
            done = db.execute(update, (self.now().timestamp(), id)).rowcount > 0
        self.changed()
        return done

    def waiting(self, skill: str | None = None, kinds: Sequence[Kind] = ()) -> list[Entry]:
        """Return what is still to come, the next first."""
        if not self.exists:
            return []
        with self._reading() as db:
            rows = db.execute(f"SELECT {_COLUMNS} FROM entries").fetchall()
        entries = [_entry(row) for row in rows]
        wanted = (
            one
            for one in entries
            if (skill is None or one.skill == skill) and (not kinds or one.kind in kinds)
        )
        return sorted(wanted, key=self.due)

    def due(self, entry: Entry) -> float:
        """Return when an entry is due, in seconds since 1970.

        Infinity for one at a place, and one that is held.
        """
        if entry.instant is not None:
            return entry.instant.timestamp()
        return times.instant(entry.wall, self.zone).timestamp() if entry.wall else math.inf

    # -- what is due ----------------------------------------------------------------------------

    def take(self, now: datetime) -> list[Fired]:
        """Return what is due at a moment and was not taken before, and never return it again.

        What was taken before power went and not `told` is returned once more, by `untold`.
        """
        if not self.exists:
            return []
        here = times.shown(now, self.zone)
        with self._transaction() as db:
            rows = db.execute(
                f"SELECT {_COLUMNS} {_OF} wall NOT NULL AND wall <= ?"
                f" UNION ALL SELECT {_COLUMNS} {_OF} instant NOT NULL AND instant <= ?",
                (here.isoformat(), now.timestamp()),
            ).fetchall()
            taken = [self._took(db, _entry(row), now, here) for row in rows]
            db.execute("INSERT OR REPLACE INTO seen VALUES (1, ?)", (now.timestamp(),))
        return sorted(taken, key=lambda one: one.due)

    def arrive(self, entry: Entry, now: datetime) -> Fired | None:
        """Take an entry that is due at a place; None where it was taken before."""
        with self._transaction() as db:
            there = db.execute("SELECT 1 FROM entries WHERE id = ?", (entry.id,)).fetchone()
            if there is None:
                return None
            return self._took(db, entry, now, times.shown(now, self.zone))

    def _took(self, db: sqlite3.Connection, entry: Entry, now: datetime, here: datetime) -> Fired:
        """Write down that an entry is due, and when it comes again.

        Wall times are counted out as clocks here show them, moments as UTC.
        """
        clock, due = (here, here) if entry.instant is None else (_utc(now), _utc(entry.instant))
        due = entry.wall or due
        count, following = 1, None
        (number,) = db.execute("SELECT came FROM entries WHERE id = ?", (entry.id,)).fetchone()
        if entry.rule:
            begun, last = repeats.count(entry.rule, due, clock)
            count, due = max(1, begun), last if begun else due
            following = repeats.after(entry.rule, due, clock)
        if entry.wall is None and following is not None:
            moment = following.replace(tzinfo=UTC).timestamp()
            db.execute("UPDATE entries SET instant = ? WHERE id = ?", (moment, entry.id))
        elif following is not None:
            new = following.isoformat(), entry.id
            db.execute("UPDATE entries SET wall = ? WHERE id = ?", new)
        else:
            db.execute("DELETE FROM entries WHERE id = ?", (entry.id,))
        at = times.instant(due, UTC if entry.instant is not None else self.zone)
        late = entry.place is None and (now - at).total_seconds() > LATE_S
        shown = times.shown(at, self.zone) if entry.instant is not None else due
        db.execute("UPDATE entries SET came = came + ? WHERE id = ?", (count, entry.id))
        db.execute(
            "INSERT INTO fired (entry, occurrence, kept, due, at, late, times)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (entry.id, number, json.dumps(_row(entry)), shown.isoformat(), now.timestamp(), late,
             count),
        )  # fmt: skip
        return Fired(entry, number, shown, late, count)

    def untold(self) -> list[Fired]:
        """Return what was taken and never told, since power went: it is told late."""
        return [replace(one, late=True) for one in self._fired("told = 0")]

    def told(self, fired: Sequence[Fired], over: bool = False) -> None:
        """Note that the wearer has been told; `over` where nothing of it goes on."""
        with self._transaction() as db:
            db.executemany(
                "UPDATE fired SET told = 1, over = max(over, ?) WHERE entry = ? AND occurrence = ?",
                [(over, one.entry.id, one.occurrence) for one in fired],
            )

    def _fired(self, where: str) -> list[Fired]:
        if not self.exists:
            return []
        with self._reading() as db:
            rows = db.execute(
                f"SELECT kept, occurrence, due, late, times FROM fired WHERE {where} ORDER BY at"
            ).fetchall()
        return [
            Fired(_entry(json.loads(kept)), name, datetime.fromisoformat(due), bool(late), count)
            for kept, name, due, late, count in rows
        ]

    def next_due(self) -> float:
        """Return when something is due next, in seconds since 1970; infinity for never."""
        if not self.exists:
            return math.inf
        with self._reading() as db:
            (wall,) = db.execute(f"SELECT min(wall) {_OF} wall NOT NULL").fetchone()
            (instant,) = db.execute(f"SELECT min(instant) {_OF} instant NOT NULL").fetchone()
        moments = [] if instant is None else [float(instant)]
        if wall is not None:
            moments.append(times.instant(datetime.fromisoformat(wall), self.zone).timestamp())
        return min(moments, default=math.inf)

    # -- clocks ---------------------------------------------------------------------------------

    def now(self) -> datetime:
        """Return the time to go by, and move along what a clock that was set has to move.

        Raises ValueError for a schedule that was given no clocks.
        """
        if self._clocks is None:
            raise ValueError("this schedule has no clocks")
        with self._lock:
            looked = self._clock.look(*self._clocks())
            now = datetime.fromtimestamp(looked.now_s, UTC)
            if looked.set_by_s:
                self.shift(looked.set_by_s)
            if looked.far_back:
                self.rewind(now)
        return now

    def wake(self, now: datetime) -> Woken:
        """Begin after a time without power.

        A clock that shows an earlier time than before has lost its own power: what was said as a
        length goes on from where it was.
        """
        if not self.exists:
            return Woken()
        with self._reading() as db:
            row = db.execute("SELECT at FROM seen").fetchone()
        if not self._clock.begun:
            self._clock = Clock(0.0 if row is None else row[0] - now.timestamp())
        behind_s = 0.0 if row is None else max(0.0, row[0] - now.timestamp())
        if behind_s > EARLY_S:
            self.shift(-behind_s)
        with self._transaction() as db:
            old = now.timestamp() - KEPT_S
            db.execute("DELETE FROM fired WHERE over = 1 AND told = 1 AND at < ?", (old,))
            stale = now.timestamp() - RINGS_ON_S
            db.execute("UPDATE fired SET over = 1 WHERE told = 1 AND at < ?", (stale,))
        return Woken(tuple(self._fired("told = 1 AND over = 0")), behind_s)

    def shift(self, by_s: float) -> None:
        """Move what was said as a length along with a clock that was set by so many seconds."""
        if not self.exists:
            return
        with self._transaction() as db:
            db.execute("UPDATE entries SET instant = instant + ? WHERE instant NOT NULL", (by_s,))
            db.execute("UPDATE seen SET at = at + ?", (by_s,))

    def rewind(self, now: datetime) -> None:
        """Let what comes again come next after a moment: a clock was far ahead, and was set back.

        What came once by that clock has been told, and does not come again.
        """
        if not self.exists:
            return
        here = times.shown(now, self.zone)
        with self._transaction() as db:
            rows = db.execute(
                "SELECT kept FROM fired WHERE late = 1 AND due > ?", (here.isoformat(),)
            )
            for (kept,) in rows.fetchall():
                entry = _entry(json.loads(kept))
                if not entry.rule or entry.wall is None:
                    continue
                following = repeats.after(entry.rule, entry.wall, here)
                if following is not None:
                    new = following.isoformat(), entry.id, following.isoformat()
                    db.execute("UPDATE entries SET wall = ? WHERE id = ? AND wall > ?", new)

    # -- places ---------------------------------------------------------------------------------

    def near(self, lat: float, lon: float) -> list[Entry]:
        """Return what is due where the wearer is now, having been elsewhere before."""
        if not self.exists:
            return []
        with self._reading() as db:
            rows = db.execute(
                f"SELECT {_COLUMNS}, armed FROM entries WHERE place NOT NULL"
            ).fetchall()
        due, armed = [], []
        for *row, was_armed in rows:
            entry = _entry(row)
            spot = entry.place
            assert spot is not None
            inside = distance_m(lat, lon, spot.lat, spot.lon) <= spot.radius_m
            if inside != spot.leaving:
                due += [entry] if was_armed else []
            elif not was_armed:
                armed.append((entry.id,))
        if armed:
            with self._transaction() as db:
                db.executemany("UPDATE entries SET armed = 1 WHERE id = ?", armed)
        return due

    # -- the file -------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._db is not None:
                self._db.close()
            self._db = None

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Give the database. Raises OSError in the place of SQLite's own errors."""
        with self._lock:
            try:
                yield self._opened()
            except sqlite3.Error as error:
                raise OSError(f"{self._path} cannot be used ({error})") from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Do all or nothing, durably."""
        with self._reading() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def _opened(self) -> sqlite3.Connection:
        if self._db is None:
            db = sqlite3.connect(
                private.file(self._path), timeout=5.0, isolation_level=None, check_same_thread=False
            )
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA journal_mode = WAL")
            with closing(db.cursor()) as cursor:
                cursor.executescript(_TABLES)
                columns = {row[1] for row in cursor.execute("PRAGMA table_info(entries)")}
                if "held" not in columns:  # made by a version that could hold nothing
                    cursor.execute("ALTER TABLE entries ADD COLUMN held REAL")
            self._db = db
        return self._db


_OF = "FROM entries WHERE"
_COLUMNS = "id, skill, kind, text, language, wall, instant, rule, place, call, held"
_MARKS = ", ".join("?" for _ in _COLUMNS.split(","))


def _row(entry: Entry) -> tuple[Any, ...]:
    """Return an entry as it is written."""
    return (
        entry.id, entry.skill, entry.kind, entry.text, entry.language,
        entry.wall and entry.wall.isoformat(), entry.instant and entry.instant.timestamp(),
        entry.rule, entry.place and json.dumps(asdict(entry.place)),
        entry.call and json.dumps(dict(entry.call)), entry.held_s,
    )  # fmt: skip


def _entry(row: Sequence[Any]) -> Entry:
    """Read an entry."""
    name, skill, kind, text, language, wall, instant, rule, place, call, *held = row
    return Entry(
        kind=kind,
        text=text,
        wall=datetime.fromisoformat(wall) if wall else None,
        instant=datetime.fromtimestamp(instant, UTC) if instant is not None else None,
        rule=rule,
        place=Spot(**json.loads(place)) if place else None,
        held_s=held[0] if held else None,
        call=json.loads(call) if call else None,
        language=language,
        skill=skill,
        id=name,
    )


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def distance_m(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Return how far two places are apart, in metres (haversine; Earth a sphere of 6,371 km)."""
    a, b = math.radians(lat), math.radians(other_lat)
    half = (
        math.sin((b - a) / 2) ** 2
        + math.cos(a) * math.cos(b) * math.sin(math.radians(other_lon - lon) / 2) ** 2
    )
    return 2 * 6_371_000 * math.asin(min(1.0, math.sqrt(half)))
