"""What outlives a swap of the batteries: a small file that is always whole.

It holds what was on the lens, what played and where, and, of a proposal that waited for its yes,
the call that made it: that is planned again and asked again, and never taken as answered. It is
written beside, forced to the disk and put in the place of the old one, so that power may go at any
instruction; a file that is damaged all the same is one warning and nothing more. The keeper writes
on one thread, so that two savings never meet in one file; one that fails is told, and tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import time
import typing
import zlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from agent import private
from agent.act.world import World
from agent.derive import tools
from agent.display.arbiter import Ticket
from agent.display.request import Priority
from agent.language.said import said_in
from agent.language.text import language_of
from agent.messages import CardKind, Intent, NotRecognized, Proposal, Reply
from agent.skill.declare import Action
from hardware import reading
from hardware.base import sounds

log = logging.getLogger(__name__)

VERSION = 1
"""Of the file; another is ignored."""
KEEPS_S = 600.0
"""Older things are not resumed: nobody remembers what they were about."""
ASKS_S = 120.0
"""The same for a proposal: money is asked for while it is still meant."""
EARLY_S = 5.0
"""What is from further in the future than this is of unknown age, and not resumed either: a clock
that lost its power starts anywhere."""
KEEP_S = 5.0
"""How often the position in the music is written down, or what could not be written before."""
CARDS = 3
"""Most cards that are kept."""
MOST_BYTES = 1_000_000
"""A longer file is not ours."""

KINDS = frozenset(typing.get_args(CardKind)) - {"proposal"}
"""Cards that may come back. One of a proposal may not: nothing would stand behind its question."""


@dataclass(frozen=True, slots=True)
class KeptCard:
    """A reply that was on the lens."""

    text: str
    """As in `Reply`."""
    title: str = ""
    """As in `Reply`."""
    kind: CardKind = "answer"
    """As in `Reply`, never `proposal`."""
    at_s: float = 0.0
    """When it was shown, in seconds since 1970."""

    @classmethod
    def of(cls, reply: Reply, at_s: float) -> KeptCard | None:
        """Keep a reply; None for a proposal, of which only the call is kept."""
        if isinstance(reply, Proposal) or reply.kind not in KINDS:
            return None
        return cls(reply.text, reply.title, reply.kind, at_s)

    @property
    def reply(self) -> Reply:
        """The card, to be shown again; it can no longer be undone."""
        return Reply(self.text, self.title, self.kind)


@dataclass(frozen=True, slots=True)
class KeptCall:
    """The call that led to an open proposal: to be planned and asked again, never confirmed."""

    skill: str
    """Skill name."""
    action: str
    """Action name within the skill."""
    slots: Mapping[str, Any] = field(default_factory=dict)
    """Values by slot name, as JSON."""
    language: str = "en"
    """Language it was said in."""
    at_s: float = 0.0
    """When it was proposed, in seconds since 1970."""

    @classmethod
    def of(cls, intent: Intent, actions: Mapping[str, Action], at_s: float) -> KeptCall | None:
        """Keep an intent; None where its slots would not come back as they are."""
        made = tools.made(intent, actions)
        if made is None:  # a list of a plugin's own objects
            return None
        return cls(intent.skill, intent.action, made["arguments"], intent.language, at_s)

    @property
    def made(self) -> dict[str, Any]:
        """The same as a tool call, for `Agent.call`."""
        return {"name": f"{self.skill}.{self.action}", "arguments": dict(self.slots)}

    def intent(self, actions: Mapping[str, Action]) -> Intent | None:
        """Return what was meant; None where no installed action takes it any more."""
        meant = tools.call(actions, self.made, self.language)
        return None if isinstance(meant, NotRecognized) else meant


@dataclass(frozen=True, slots=True)
class Playing:
    """What the player played."""

    path: str
    """The file."""
    position_s: float
    """Seconds into it."""
    volume: int
    """0 … 100."""
    at_s: float = 0.0
    """When that was so, in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class State:
    """All that outlives a loss of power."""

    cards: tuple[KeptCard, ...] = ()
    """What was on the lens, the latest last."""
    call: KeptCall | None = None
    """What an open proposal was about."""
    playing: Playing | None = None
    """What played."""


Again = Callable[[Mapping[str, Any], str], Awaitable[object]]
"""Plans a call once more, in a language, and asks again where it asks."""


class Keeper:
    """Keeps one agent's state."""

    def __init__(self, world: World, wall: Callable[[], float] = time.time) -> None:
        """Keep it in the world's folder; `wall` gives seconds since 1970, as the ledger's does."""
        self._world = world
        self._wall = wall
        self._path = world.folder / "resume.json"
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="keeper")
        self._kept: State | None = None
        self.resumed = False
        """Whether what a loss of power broke off is done with, so that it may be written over."""
        self.owes = False
        """Whether the last saving failed."""
        self._told: Ticket | None = None  # that it did
        self._tasks: set[asyncio.Task[None]] = set()
        self._going: asyncio.Task[None] | None = None

    def keep_soon(self) -> None:
        """Have what has changed written down, and wait for nothing."""
        if self.resumed:
            self._start(self.keep())

    async def keep(self) -> None:
        """Write down what must outlive a loss of power, where it has changed."""
        if not self.resumed:
            return  # what is to be resumed is still there
        state = self._state()
        if state == self._kept and not self.owes:
            return
        try:
            await self._alone(save, self._path, state)
        except OSError as error:
            if not self.owes:
                log.warning("%s cannot be written (%s)", self._path, error.strerror)
            self.owes = True
            self._tell()
        else:
            self._kept, self.owes, self._told = state, False, None

    def cut(self) -> None:
        """Be without power, as a simulator is: what was written stays, and nothing more is."""
        self.resumed = False

    def begin(self, again: Again) -> None:
        """Go on with what a loss of power broke off; from then on, keep."""
        self._going = self._start(self._go_on(again))
        self._start(self._every())

    async def went_on(self) -> None:
        """Return once that is done with; at once where it was never begun."""
        if self._going is not None:
            await asyncio.wait({self._going})

    async def end(self) -> None:
        """Leave nothing to go on with: the end is meant."""
        for task in self._tasks:
            task.cancel()
        ended = asyncio.gather(*self._tasks, return_exceptions=True)
        resumed, self.resumed, self._kept, self.owes = self.resumed, False, None, False
        if resumed:  # behind whatever is being written, even if nobody waits for it
            with contextlib.suppress(OSError):
                await self._alone(forget, self._path)
        await ended

    async def close(self) -> None:
        """Leave nothing to go on with, and end the thread once what it was given is done."""
        await self.end()
        ended = partial(self._thread.shutdown, wait=True)
        await asyncio.get_running_loop().run_in_executor(None, ended)

    async def _every(self) -> None:
        while True:
            if sounds(self._world.devices.speaker) or self.owes:
                await self.keep()
            await asyncio.sleep(KEEP_S)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _go_on(self, again: Again) -> None:
        try:
            await self._went_on(again)
        finally:
            self.resumed = True
        await self.keep()

    async def _went_on(self, again: Again) -> None:
        world = self._world
        state = await self._alone(load, self._path, self._wall())
        try:  # before anything of it is done: what breaks the agent must not do so for ever
            await self._alone(forget, self._path)
        except OSError as error:
            log.warning("%s cannot be removed (%s): nothing is resumed", self._path, error.strerror)
            return
        if state is None:
            return
        for card in state.cards[-1:]:
            world.lens.light(card.reply, language_of(f"{card.title} {card.text}"))
        speaker, playing = world.devices.speaker, state.playing
        if playing is not None and speaker is not None and speaker.available:
            try:
                speaker.volume = playing.volume
                speaker.play(Path(playing.path), playing.position_s)
            except Exception as error:  # the plugin boundary
                log.warning("the music does not go on: %s", type(error).__name__)
        # Whoever has said yes has paid, or has not but may have: that is never asked again.
        if state.call is not None and not world.gate.begun_since(state.call.at_s):
            await again(state.call.made, state.call.language)

    def _state(self) -> State:
        world, now_s = self._world, self._wall()
        answers = [r for r in world.lens.standing() if r.priority is Priority.FOREGROUND]
        cards = [KeptCard.of(request.reply, now_s) for request in answers]
        call = None
        if (opened := world.gate.open) is not None:
            call = KeptCall.of(opened.intent, world.skills.actions, now_s)
        shown = tuple(card for card in cards if card is not None)
        return State(shown, call, self._playing(now_s))

    def _playing(self, now_s: float) -> Playing | None:
        speaker = self._world.devices.speaker
        try:
            if speaker is None or (path := speaker.playing) is None:
                return None
            return Playing(str(path), speaker.position_s, speaker.volume, now_s)
        except Exception:  # the plugin boundary
            return None

    def _tell(self) -> None:
        """Tell the wearer once; what had no room on the lens was not told."""
        told = None if self._told is None else self._told.outcome
        if self._told is not None and (told is None or told.kind in ("shown", "replaced")):
            return
        language = self._world.spoken
        card = Reply(said_in(language)["unsaved"])
        self._told = self._world.lens.offer(
            card, Priority.BACKGROUND, language=language, key="unsaved"
        )

    async def _alone(self, work: Callable[..., Any], *given: Any) -> Any:
        """Do it on the one thread; one that was begun is done, even if nobody waits any more."""
        working = asyncio.get_running_loop().run_in_executor(self._thread, work, *given)
        return await asyncio.shield(working)


# -- the file: whole, or not at all ----------------------------------------------------------------


def save(path: Path, state: State) -> None:
    """Write the state whole or not at all, readable by nobody else (mode 0600).

    Of the cards the last three are kept, fewer where they are huge. Raises OSError where it cannot
    be written; what was there before is still there then.
    """
    cards = state.cards[-CARDS:]
    while len(whole := _written(replace(state, cards=cards))) > MOST_BYTES and cards:
        cards = cards[1:]
    private.write(path, whole)


def forget(path: Path) -> None:
    """Remove what was saved: it has been resumed, or must not be. Raises OSError."""
    path.unlink(missing_ok=True)


def load(path: Path, now_s: float) -> State | None:
    """Read what may still be resumed at `now_s`, in seconds since 1970; None where that is nothing.

    A file that cannot be read or is damaged is one warning, and nothing of it is used.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        log.warning("%s cannot be read (%s): nothing is resumed", path, error.strerror)
        return None
    try:
        state = _read(raw)
    except (ValueError, TypeError, KeyError, RecursionError):
        log.warning("%s is damaged: nothing is resumed", path)
        return None
    cards = tuple(card for card in state.cards if _is_fresh(card.at_s, now_s, KEEPS_S))
    call, playing = state.call, state.playing
    if call is not None and not _is_fresh(call.at_s, now_s, ASKS_S):
        call = None
    if playing is not None and not _is_fresh(playing.at_s, now_s, KEEPS_S):
        playing = None
    fresh = State(cards, call, playing)
    return None if fresh == State() else fresh


def _is_fresh(at_s: float, now_s: float, most_s: float) -> bool:
    return -EARLY_S <= now_s - at_s <= most_s


# -- the file -------------------------------------------------------------------------------------


def _written(state: State) -> bytes:
    body = json.dumps(asdict(state), allow_nan=False)
    return json.dumps({"version": VERSION, "sum": _sum(body), "state": body}).encode("ascii")


def _sum(body: str) -> int:
    """Return the checksum: a digit of an amount may not change unseen."""
    return zlib.crc32(body.encode("ascii"))


def _read(raw: bytes) -> State:
    """Return what a file holds. Raises ValueError, TypeError, KeyError or RecursionError."""
    if len(raw) > MOST_BYTES:
        raise ValueError("it is too long")
    whole = reading.from_json(reading.decode(raw))
    body = _text(whole["state"])
    if whole["version"] != VERSION or whole["sum"] != _sum(body):
        raise ValueError("it is not what was written")
    state = reading.from_json(body)
    return State(
        tuple(_card(card) for card in state["cards"][:CARDS]),
        None if state["call"] is None else _call(state["call"]),
        None if state["playing"] is None else _playing(state["playing"]),
    )


def _card(read: Any) -> KeptCard:
    if read["kind"] not in KINDS:
        raise ValueError("no such card")
    return KeptCard(_text(read["text"]), _text(read["title"]), read["kind"], _number(read["at_s"]))


def _call(read: Any) -> KeptCall:
    slots = read["slots"]
    if not isinstance(slots, dict):
        raise TypeError("slots are an object")
    skill, action, language = (_text(read[key]) for key in ("skill", "action", "language"))
    return KeptCall(skill, action, slots, language, _number(read["at_s"]))


def _playing(read: Any) -> Playing:
    volume = read["volume"]
    if type(volume) is not int or not 0 <= volume <= 100:
        raise ValueError("a volume is 0 … 100")
    position_s, at_s = _number(read["position_s"]), _number(read["at_s"])
    if position_s < 0:
        raise ValueError("a position is not below 0")
    return Playing(_text(read["path"]), position_s, volume, at_s)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("is not text")
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError("is not a number")
    return float(value)
