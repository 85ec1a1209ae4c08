"""The process of a plugin that runs apart: `python -m agent.plugins.child FD PLUGIN`.

It loads the plugin as the agent would, says what it declares, and then does what it is told, one
call after another, over the socket FD. While a call runs it may ask for what the Context gives.
Nothing here is trusted by the other side (`agent.plugins.apart`).
"""

from __future__ import annotations

import inspect
import itertools
import resource
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from agent.errors import NotCommitted, PluginError
from agent.messages import CancelScope, Payment, Proposal, Receipt, Reply
from agent.models.llm.model import Prompt, as_text
from agent.plugins import offences, wire
from agent.plugins.hooks import KINDS
from agent.plugins.skills import Skills
from agent.skill.context import Context
from agent.skill.declare import Action
from agent.skill.slots import Choice
from hardware.base import DeviceError, Place

MOST_MEMORY = 8 << 30
"""Bytes of address space: what takes more ends here, and not the glasses."""
KEPT = 64
"""How many commits and undos of earlier replies are kept."""
NO_END_S = 1e6
"""Nothing is timed out on this side: whoever waits ends the process."""


class _Over(BaseException):
    """Raised into an action that nobody waits for any more."""


class _Shown:
    """Stands for a ticket: what became of a card is not told apart."""

    outcome = None

    def wait(self, timeout_s: float | None = None) -> None:
        """Return None at once."""


class _Asked:
    """The model and all else of the Context that is on the other side."""

    name = "apart"

    def __init__(self, want: Callable[..., Any]) -> None:
        self._want = want

    def complete(self, prompt: Prompt, *, cancel: object = None, **limits: Any) -> str:
        return str(self._want("complete", as_text(prompt), limits))

    def stream(self, prompt: Prompt, *, cancel: object = None, **limits: Any) -> Iterator[str]:
        return iter([self.complete(prompt, **limits)])  # in one piece

    def json(
        self, prompt: Prompt, schema: Mapping[str, Any], *, cancel: object = None, **limits: Any
    ) -> dict[str, Any]:
        return dict(self._want("json", as_text(prompt), dict(schema), limits))

    def close(self) -> None:
        """Nothing to free."""

    def prompt(self, name: str, language: str, **variables: Any) -> str:
        return str(self._want("prompt", name, variables))

    def locate(self) -> Place:
        return Place(**self._want("location"))

    def show(self, card: Reply | str, key: str, stays_s: float | None, over: bool) -> _Shown:
        reply = Reply(card) if isinstance(card, str) else card
        if not isinstance(reply, Reply) or isinstance(reply, Proposal):
            raise PluginError("what is shown is a Reply or text, and no Proposal")
        self._want("show", wire.reply(reply), key, stays_s)
        return _Shown()


def _unavailable(kind: str) -> NoReturn:
    raise DeviceError(f"a {kind} is not available to a plugin that runs apart")


class Child:
    """The plugin's side of the socket."""

    def __init__(self, connection: socket.socket, wanted: str) -> None:
        """Load the plugin."""
        self._connection = connection
        self._lines = connection.makefile("rb")
        self._talking = threading.Lock()
        self._in_call = False
        self._effects: dict[int, Callable[..., Any]] = {}
        self._numbers = itertools.count()
        self._skills = Skills(NO_END_S)
        self._skills.refuse_clashes = False  # the other side knows what else is installed
        problem = self._skills.add(wanted)
        self._refused = problem.reason if problem else self._lacks()

    def _lacks(self) -> str:
        if self._skills.observers():
            return "its turn_ended cannot run apart: run it as the others"
        if any(map(self._skills.providers, KINDS)):
            return "its register_devices cannot run apart: run it as the others"
        return ""

    def declared(self) -> dict[str, Any]:
        """Return what the plugin declares, or why it cannot be used."""
        if self._refused:
            return {"refused": self._refused}
        (name,) = self._skills.plugins
        actions = [_declared(action) for action in self._skills.actions.values()]
        line = bool(self._skills.contributors())
        return {"name": name, "actions": actions, "dashboard": line}

    def serve(self) -> None:
        """Do what is asked until there is nobody any more."""
        self._send(self.declared())
        while line := self._lines.readline(wire.MOST_BYTES):
            told = self._answer(wire.unpacked(line))
            with self._talking:
                self._in_call = False
                self._connection.sendall(told)

    def _send(self, message: Mapping[str, Any]) -> None:
        self._connection.sendall(wire.packed(message))

    def _want(self, what: str, *given: Any) -> Any:
        """Ask the other side for something of the Context, on any thread of the plugin's."""
        with self._talking:
            if not self._in_call:
                raise DeviceError("apart, the agent can be asked only while the action runs")
            self._send({"want": what, "given": given})
            had = wire.unpacked(self._lines.readline(wire.MOST_BYTES))
        if "raised" in had:
            raise _Over if had["raised"] is None else wire.again(had["raised"])
        return had["have"]

    def _answer(self, asked: Mapping[str, Any]) -> bytes:
        """Make a call and return what came of it, as a message."""
        self._in_call = True
        work: Callable[[], dict[str, Any]] = partial(getattr(self, f"_{asked['do']}"), asked)
        outcome = self._skills.runner.wait("apart", work, NO_END_S)
        error = outcome.error
        try:
            if error is None:
                return wire.packed(outcome.value)
        except PluginError as wrong:
            error = wrong
        ours = wire.raised(error)
        action = self._skills.actions.get(str(asked.get("action")))
        said = offences.raised(error, action.function if action else None)
        return wire.packed({"raised": ours} if ours else {"elsewhere": said})

    # -- what can be asked ------------------------------------------------------------------------

    def _act(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        action, ctx = self._skills.actions[asked["action"]], self._context(asked["ctx"])
        slots = {
            name: wire.valued(action.kind(name), said, ctx.language)
            for name, said in asked["slots"].items()
        }
        if action.declaration.context is not None:
            slots[action.declaration.context] = ctx
        reply = self._result(action.function(**slots))
        if ctx.watching is not None:
            raise PluginError(f"{action.name} watches something, which it cannot do apart")
        offences.checked(action, reply)
        told = wire.reply(reply if isinstance(reply, Reply) else Reply(reply))
        if isinstance(reply, Reply) and reply.undo is not None:
            told["undo"] = self._kept(reply.undo)
        if isinstance(reply, Proposal) and reply.commit is not None:
            told["commit"] = self._kept(reply.commit)
        return {"reply": told, "memory": ctx.memory}

    def _list(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        kind = self._skills.actions[asked["action"]].kind(asked["slot"])
        if not isinstance(kind, Choice) or not callable(kind.source):
            raise PluginError("there is no such list")
        listed = wire.values(kind.source(asked["language"]))
        faults = self._skills.offences.pop(asked["action"].partition(".")[0], None)
        what = f"the list of {asked['action']}'s {asked['slot']} "  # which the other side adds too
        return {"elsewhere": faults[-1].removeprefix(what)} if faults else {"values": listed}

    def _dashboard(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        ((_, line),) = self._skills.contributors()
        return {"line": self._result(line(self._context(asked["ctx"])))}

    def _undo(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        reply = self._result(self._effect(asked["effect"])())
        return {"reply": wire.reply(reply) if isinstance(reply, Reply) else None}

    def _commit(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        commit, shown = self._effect(asked["effect"]), wire.paying(asked["payment"])
        takes = inspect.signature(commit).parameters.values()
        needed = [p for p in takes if p.default is p.empty and p.kind <= p.POSITIONAL_OR_KEYWORD]
        receipt = self._result(commit(*(asked["key"], shown)[: max(1, len(needed))]))
        if not isinstance(receipt, Receipt):
            kind = type(receipt).__name__
            raise PluginError(f"returned {kind}: a commit returns a Receipt")
        paid = wire.payment(receipt.paid) if isinstance(receipt.paid, Payment) else None
        return {"text": receipt.text, "reference": receipt.reference, "paid": paid}

    def _result(self, value: Any) -> Any:
        """Return a value, and what a coroutine returns."""
        if not inspect.isawaitable(value):
            return value
        outcome = self._skills.runner.wait("apart", lambda: value, NO_END_S)
        if outcome.error is not None:
            raise outcome.error
        return outcome.value

    def _kept(self, effect: Callable[..., Any]) -> int:
        number = next(self._numbers)
        self._effects[number] = effect
        self._effects.pop(number - KEPT, None)
        return number

    def _effect(self, number: int) -> Callable[..., Any]:
        if number not in self._effects:
            raise NotCommitted("it is too long ago: ask again")
        return self._effects.pop(number)

    def _context(self, told: Mapping[str, Any]) -> Context:
        ask, now, began = _Asked(self._want), datetime.fromisoformat(told["now"]), datetime.now()
        return Context(
            skill=told["skill"],
            language=told["language"],
            folder=Path(told["folder"]),
            memory=told["memory"],
            responses=told["responses"],
            permissions=told["permissions"],
            engine=ask,
            prompts=ask.prompt,
            locate=ask.locate,
            devices={kind: partial(_unavailable, kind) for kind in KINDS},
            clock=lambda: now + (datetime.now() - began),
            shows=ask.show,  # type: ignore[arg-type]  # a ticket that tells nothing
            cancel=CancelScope(told["left_s"]),
        )


def _declared(action: Action) -> dict[str, Any]:
    told = action.declaration
    kept = ("name", "sentences", "risk", "summary", "help", "where", "knows")
    return {
        **{name: getattr(told, name) for name in kept},
        "permissions": dict(told.permissions),
        "slots": [wire.slot(slot) for slot in told.slots],
    }


def main() -> None:
    """Serve one plugin until the agent goes."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    Child(socket.socket(fileno=int(sys.argv[1])), sys.argv[2]).serve()


if __name__ == "__main__":
    main()
