"""Plugins that run apart: each in a process of its own, which is killed when it does not answer.

A thread cannot be ended: a regular expression or a number that takes for ever holds the whole
interpreter, and `os._exit` or a crash in native code ends it. A plugin that runs apart holds, ends
or crashes its own process only. Here it has the same actions, with functions that pass the call on;
the same time-outs, offences and gate apply. The process is begun with few environment variables and
without our standard output. It is no sandbox: files and the network stay within its reach.

Slots, replies, the memory, prompts, the model, cards, the place and a line of the dashboard go
across; devices, engines and `turn_ended` do not. A card's ticket tells nothing, a stream comes in
one piece, and what an action starts cannot outlive a time-out.
"""

from __future__ import annotations

import inspect
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from agent.environment import SILENT, STARTED
from agent.errors import NotCommitted, PluginError
from agent.language.repeats import Repeat
from agent.messages import CancelScope, Payment, Receipt, Reply
from agent.plugins import modules, wire
from agent.plugins.hooks import hookimpl
from agent.plugins.offences import LISTS_S, MAX_TEXT, Elsewhere
from agent.skill.context import Context
from agent.skill.declare import skill
from agent.skill.slots import OneOf, Range, Values

PASSED_ON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH")
"""Environment variables that the process is given; keys and tokens are in others."""
POLL_S = 0.05
"""How often it is looked whether the time is over."""
LATE_S = 0.5
"""How long after its time a call is ended: first whoever waits for it says that it is late."""
GRACE_S = 1.0
"""How long a call that was called off may take to end by itself."""
COMMIT_S, UNDO_S, LOAD_S, LINE_S = 30.0, 10.0, 60.0, 0.5

_TYPES: dict[str, Any] = {
    "text": str, "money": Decimal, "duration": timedelta, "time": datetime, "bool": bool,
    "again": Repeat,
}  # fmt: skip
_BASES: dict[Any, Any] = {"int": int, "float": float}


def load(wanted: str) -> Plugin:
    """Begin a plugin's process and return what stands for it. Raises PluginError, SentenceError."""
    path = Path(wanted).expanduser()
    process = _Process(str(path.resolve()) if path.exists() else wanted)
    try:
        declared = process.declared(CancelScope(LOAD_S))
        if "refused" in declared:
            raise PluginError(str(declared["refused"])[:1000])
        return (PluginWithLine if declared["dashboard"] else Plugin)(process, declared)
    except (KeyError, TypeError, ValueError, AttributeError, OSError) as error:
        process.close()
        raise PluginError(f"what it declares cannot be read ({type(error).__name__})") from None
    except Elsewhere as error:
        process.close()
        raise PluginError(f"while it was loaded it {error}") from None
    except BaseException:
        process.close()
        raise


class _Process:
    """A plugin's process, begun anew whenever it had to be ended."""

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted
        self._lock = threading.Lock()
        self._closed = False
        self._ends_s: float | None = None  # when the call is ended that is over
        self.born = 0
        """How many times it was begun: what an earlier one promised is void."""
        self._begin()

    def _begin(self) -> None:
        """Begin it in a thread of its own.

        A call that is late is interrupted wherever it is: between the fork and here, the process
        would have no owner.
        """
        beginning = ThreadPoolExecutor(max_workers=1)
        begun = beginning.submit(self._begun)
        beginning.shutdown(wait=False)
        begun.result()

    def _begun(self) -> None:
        ours, theirs = socket.socketpair()
        kept = {name: STARTED[name] for name in PASSED_ON if name in STARTED}
        path = os.pathsep.join(filter(None, (str(Path(p).resolve()) for p in sys.path)))
        with theirs:
            running = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "agent.plugins.child",
                    str(theirs.fileno()),
                    self._wanted,
                ],
                env={**kept, **SILENT, "PYTHONPATH": path, "PYTHONUTF8": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        # Ended when the agent goes, too; and this very one, whoever else begins one meanwhile.
        self._end = weakref.finalize(self, _kill, running, ours)
        self._running, self._socket, self._read, self._loaded = running, ours, b"", False
        self.born += 1

    def close(self) -> None:
        """End it for good."""
        self._closed = True
        self._end()

    def _anew(self) -> None:
        """End it, and begin the next at once, so that it is there when it is called."""
        self._end()
        if not self._closed:
            self._begin()

    def declared(self, scope: CancelScope) -> dict[str, Any]:
        """Return what it says first. Raises Elsewhere."""
        declared = self._receive(scope)
        self._loaded = "refused" not in declared
        return declared

    def call(
        self, asked: Mapping[str, Any], scope: CancelScope, ctx: Context | None = None
    ) -> dict[str, Any]:
        """Ask for something and return the answer, serving it meanwhile from the Context.

        Raises what it raised, where that is an error of ours, else Elsewhere. Whatever else goes
        wrong ends the process.
        """
        line = wire.packed(asked)
        if not self._lock.acquire(timeout=min(scope.remaining_s, COMMIT_S) + LATE_S):
            raise Elsewhere("is busy with an earlier call")
        self._ends_s = None
        try:
            if not self._loaded and "refused" in self.declared(scope):
                raise Elsewhere("could not be loaded again")
            said, stopped = self._conversation(line, scope, ctx)
        except BaseException:
            self._anew()
            raise
        finally:
            self._lock.release()
        if stopped is not None:
            raise stopped
        if "elsewhere" in said:
            raise Elsewhere(" ".join(str(said["elsewhere"]).split())[:200])
        if "raised" in said:
            with suppress(TypeError, ValueError):
                raise wire.again(said["raised"])
            raise Elsewhere("raised what cannot be read")
        return said

    def _conversation(
        self, line: bytes, scope: CancelScope, ctx: Context | None
    ) -> tuple[dict[str, Any], BaseException | None]:
        stopped: BaseException | None = None
        while True:
            self._send(line)
            said = self._receive(scope)
            if "want" not in said:
                return said, stopped
            try:
                if stopped is not None or ctx is None:
                    raise PluginError("there is nothing to be had now")
                answer = {"have": _given(ctx, said["want"], said["given"])}
            except Exception as error:  # the plugin boundary: it may ask for anything
                answer = {"raised": wire.raised(error) or ["PluginError", "it cannot be asked so"]}
            except BaseException as error:  # a plan that has to be made again, in earnest
                stopped, answer = error, {"raised": None}
            line = wire.packed(answer)

    def _send(self, line: bytes) -> None:
        self._socket.settimeout(GRACE_S)
        try:
            self._socket.sendall(line)
        except OSError:
            raise Elsewhere(self._ended()) from None

    def _receive(self, scope: CancelScope) -> dict[str, Any]:
        self._socket.settimeout(POLL_S)
        self._hurry(scope)
        while b"\n" not in self._read:
            if len(self._read) > wire.MOST_BYTES:
                raise Elsewhere(f"said more than {wire.MOST_BYTES:,} bytes at once")
            self._hurry(scope)
            try:
                piece = self._socket.recv(1 << 18)
            except TimeoutError:
                continue
            except OSError:
                piece = b""
            if not piece:
                raise Elsewhere(self._ended())
            self._read += piece
        line, _, self._read = self._read.partition(b"\n")
        try:
            return wire.unpacked(line)
        except ValueError:
            raise Elsewhere("said what is no message") from None

    def _hurry(self, scope: CancelScope) -> None:
        """Raise Elsewhere when the call goes on for too long after it was over."""
        if self._ends_s is None and (scope.cancelled or not scope.remaining_s):
            self._ends_s = time.monotonic() + (GRACE_S if scope.cancelled else LATE_S)
        if self._ends_s is not None and time.monotonic() > self._ends_s:
            raise Elsewhere("did not end in time")

    def _ended(self) -> str:
        """Say how the process ended."""
        try:
            status = self._running.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            return "hung up"
        if status >= 0:
            return f"ended its process with exit status {status}"
        return f"ended its process by {signal.Signals(-status).name}"


def _kill(running: subprocess.Popen[bytes], connection: socket.socket) -> None:
    """End a process with all that it began."""
    connection.close()
    with suppress(OSError):
        os.killpg(running.pid, signal.SIGKILL)
    running.kill()  # it may not lead its group yet
    running.wait()


def _given(ctx: Context, what: str, given: list[Any]) -> Any:
    """Return what an action that runs apart asks the Context for."""
    match what, given:
        case "complete", [str(prompt), dict(limits)]:
            return ctx.model.complete(prompt, cancel=ctx.cancel, **limits)
        case "json", [str(prompt), dict(schema), dict(limits)]:
            return ctx.model.json(prompt, schema, cancel=ctx.cancel, **limits)
        case "prompt", [str(name), dict(variables)]:
            return ctx.prompt(name, **variables)
        case "location", []:
            return asdict(ctx.location)
        case "show", [card, str(key), (None | int() | float()) as stays_s]:
            ctx.show(wire.replied(card), key, stays_s)
            return None
    raise PluginError("it asked for what is not there")


class Plugin:
    """Stands for a plugin that runs apart: the same hooks, the same declarations."""

    def __init__(self, process: _Process, declared: Mapping[str, Any]) -> None:
        """Make the actions. Raises ValueError and the like where they cannot be read."""
        self.process = process
        self.__name__ = modules.PREFIX + str(declared["name"])
        self._actions = [
            _action(process, str(declared["name"]), one) for one in declared["actions"]
        ]

    @hookimpl
    def register_skills(self, register: Callable[..., None]) -> None:
        """Register functions that pass the call on."""
        if self._actions:
            register(*self._actions)

    def close(self) -> None:
        """End its process."""
        self.process.close()


class PluginWithLine(Plugin):
    """One that has a line for the dashboard."""

    @hookimpl
    def dashboard(self, ctx: Context) -> str | None:
        """Ask for the line."""
        said = self.process.call({"do": "dashboard", "ctx": _told(ctx)}, CancelScope(LINE_S), ctx)
        return said["line"] if isinstance(said.get("line"), str) else None


def _action(process: _Process, plugin: str, told: Mapping[str, Any]) -> Callable[..., Any]:
    """Return a function that is declared as the plugin's own and passes the call on."""
    name = f"{plugin}.{told['name']}"

    def act(ctx: Context, **slots: Any) -> Reply:
        values = {slot: wire.value(value) for slot, value in slots.items()}
        asked = {"do": "act", "action": name, "slots": values, "ctx": _told(ctx)}
        said = process.call(asked, ctx.cancel or CancelScope(UNDO_S), ctx)
        try:
            reply, memory = _replied(process, said["reply"]), dict(said["memory"].items())
        except (KeyError, TypeError, ValueError, AttributeError):
            raise PluginError(f"{name} answered with what is no reply") from None
        ctx.memory.clear()
        ctx.memory.update(memory)
        return reply

    file, _, line = str(told["where"]).rpartition(":")
    if not file.endswith(".py") or not Path(file).is_file() or not told["name"].isidentifier():
        raise ValueError("it is declared nowhere")
    act.__name__, act.__doc__ = told["name"], f"{told['summary']}\n\n{told['help']}"
    act.__code__ = act.__code__.replace(co_filename=file, co_firstlineno=int(line))
    kinds = {str(one["name"]): _type(process, name, one) for one in told["slots"]}
    act.__annotations__ = {"ctx": Context, **kinds}
    keyword, optional = inspect.Parameter.KEYWORD_ONLY, {True: inspect.Parameter.empty, False: None}
    parameters = [
        inspect.Parameter(
            one["name"], keyword, default=optional[one["required"]], annotation=kinds[one["name"]]
        )
        for one in told["slots"]
    ]
    ctx = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Context)
    act.__signature__ = inspect.Signature([ctx, *parameters])  # type: ignore[attr-defined]
    sentences = [str(sentence) for sentence in told["sentences"]]
    return skill(
        *sentences, risk=told["risk"], permissions=told["permissions"], knows=told["knows"]
    )(act)


def _type(process: _Process, action: str, told: Mapping[str, Any]) -> Any:
    """Return the annotation of a slot's parameter."""
    if told["is"] in _TYPES:
        return _TYPES[told["is"]]
    if told["is"] == "number":
        kind: Any = int if told["whole"] else float
        return Annotated[kind, Range(int(told["low"]), int(told["high"]))]
    listed: Values | Callable[[str], Values] = told["values"]
    if listed is None:
        listed = partial(_listed, process, action, str(told["name"]))
    elif not isinstance(listed, list | dict):
        raise ValueError("its values are no list")
    base: Any = _BASES.get(told["base"], str)
    return Annotated[base, OneOf(listed, bool(told["open"]))]


def _listed(process: _Process, action: str, slot: str, language: str) -> Values:
    asked = {"do": "list", "action": action, "slot": slot, "language": language}
    listed: Values = process.call(asked, CancelScope(LISTS_S))["values"]
    if not isinstance(listed, list | dict):
        raise Elsewhere("answered with what is no list")
    return listed


def _told(ctx: Context) -> dict[str, Any]:
    """Return what of the Context goes across at once."""
    return {
        "skill": ctx.skill,
        "language": ctx.language,
        "folder": str(ctx.folder.resolve()),
        "memory": dict(ctx.memory),
        "responses": dict(ctx.responses),
        "permissions": dict(ctx.permissions),
        "now": ctx.clock().replace(tzinfo=None).isoformat(),
        "left_s": min(UNDO_S, ctx.cancel.remaining_s) if ctx.cancel else UNDO_S,
    }


def _replied(process: _Process, told: Mapping[str, Any]) -> Reply:
    """Return a reply whose effects are carried out by the process that it came from."""
    born, more = process.born, dict[str, Any]()

    def undo(effect: int) -> Reply | None:
        if process.born != born:
            raise Elsewhere("was begun anew since")
        said = process.call({"do": "undo", "effect": effect}, CancelScope(UNDO_S))["reply"]
        return wire.replied(said) if said is not None else None

    def commit(effect: int, key: str, shown: Payment) -> Receipt:
        if process.born != born:
            raise NotCommitted("the plugin was begun anew since: ask again")
        asked = {"do": "commit", "effect": effect, "key": key, "payment": wire.payment(shown)}
        said = process.call(asked, CancelScope(COMMIT_S))
        paid = said.get("paid")
        text, reference = str(said.get("text"))[:MAX_TEXT], str(said.get("reference", ""))[:200]
        return Receipt(text, reference, None if paid is None else wire.paying(paid))

    if "undo" in told:
        more["undo"] = partial(undo, int(told["undo"]))
    if "commit" in told:
        more["commit"] = partial(commit, int(told["commit"]))
    return wire.replied(told, **more)
