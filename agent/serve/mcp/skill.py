"""A server's tools behind the hook of a plugin: declared, asked about, called and shown.

Nothing here is trusted to the server. A tool that the wearer has not allowed yet asks first; one
that pays returns a proposal, and is called only when the gate commits it; what comes back is text
from the world.
"""

from __future__ import annotations

import inspect
import re
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from agent.errors import ConfigError, NotCommitted
from agent.language import controls, money
from agent.language.said import said_in
from agent.language.text import clean
from agent.language.world import WorldText, world_text
from agent.messages import CancelScope, Payment, Proposal, Receipt, Reply
from agent.plugins.hooks import hookimpl
from agent.serve.mcp import kept, schema, shown, wording
from agent.serve.mcp.call import Call, NotSent, NotSignedIn, Question, Result, ServerError
from agent.serve.mcp.kept import Server, Tool
from agent.serve.mcp.line import Line
from agent.serve.mcp.schema import Parameter
from agent.skill.context import Context
from agent.skill.declare import Risk, skill

if TYPE_CHECKING:
    from agent.serve.mcp.signin import SignIn

COMMIT_S = 25.0
"""Longest a payment may take, less than the agent waits for one."""
LATE_S = 0.3
"""How long before the agent's own time-out a call is ended, so that the reason can be told."""
PROGRESS_S = 0.3
"""Shortest time between two cards of progress."""

_KEY = re.compile(r"idempot|requestid|tradeno|transactionid|merchantorder")
_PAYEES = ("payee", "recipient", "receiver", "merchant", "to", "seller", "shop", "vendor")
_MINOR = ("minor", "cents", "smallest", "分为单位", "最小单位")


def load(settings: Path, data: Path, name: str, begin: bool = False) -> Plugin:
    """Return the plugin of a server, connected to in the background. Raises ConfigError."""
    server = kept.read(settings, name)
    where = settings, data, server
    line = Line(server, partial(kept.given, *where), partial(_sign_in, *where))
    if begin and server.tools:
        line.begin()
    return Plugin(server, line, kept.folder(settings, name), partial(kept.allow, settings, name))


def _sign_in(settings: Path, data: Path, server: Server) -> SignIn:
    """Return how a server is signed in to in a conversation, where no link is shown."""
    from agent.serve.mcp.signin import SignIn

    return SignIn(server.url, kept.login(settings, data, server.name))


class Plugin:
    """One server, as a plugin whose actions are its tools."""

    def __init__(
        self, server: Server, line: Line, folder: Path, allow: Callable[[str], None]
    ) -> None:
        """Declare the tools that can be said; `allow` keeps the wearer's yes to one."""
        self.__name__ = server.name
        self.line = line
        weakref.finalize(self, line.let_go)  # with the agent that it belongs to
        self._server = server
        self._file = folder / kept.FILE
        self._allow = allow
        self._allowed = {tool.name for tool in server.tools if tool.allowed}
        self._asking: tuple[Call, Question, dict[str, Any]] | None = None
        self._lock = threading.Lock()
        self._actions = [
            self._action(name, tool)
            for name, tool in named(server.tools).items()
            if not tool.unsaid and tool.risk != "off"
        ]

    @hookimpl
    def register_skills(self, register: Callable[..., None]) -> None:
        """Register the tools, and what answers a server that asks back."""
        if self._actions:
            register(*self._actions, self._teller())

    # -- declaring ----------------------------------------------------------------------------

    def _action(self, name: str, tool: Tool) -> Callable[..., Any]:
        """Return a function that is declared as the tool is, and calls it."""
        found = said_parameters(tool)

        def act(ctx: Context, **slots: Any) -> Reply:
            return self._act(tool, found, slots, ctx)

        empty = inspect.Parameter.empty
        parameters = [
            inspect.Parameter(
                one.slot, inspect.Parameter.KEYWORD_ONLY, annotation=one.annotation,
                default=empty if one.required else None,
            )
            for one in found
        ]  # fmt: skip
        # No word of the server's description: it would stand in prompts unmarked.
        about = f"{' '.join(schema.words_of(tool.name))[:80] or name} (MCP server"
        return self._declared(
            act, name, f"{about} {self._server.name})", parameters, _declared_risk(tool)
        )

    def _declared(
        self, act: Any, name: str, about: str, parameters: list[inspect.Parameter], risk: Risk
    ) -> Callable[..., Any]:
        act.__name__, act.__doc__ = name, about
        act.__code__ = act.__code__.replace(co_filename=str(self._file), co_firstlineno=1)
        act.__annotations__ = {"ctx": Context, **{p.name: p.annotation for p in parameters}}
        ctx = inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Context)
        act.__signature__ = inspect.Signature([ctx, *parameters])
        permissions = {"network": f"to ask the MCP server {self._server.name}"}
        if risk == "money":
            permissions["money"] = f"to pay through the MCP server {self._server.name}"
        sentences = [f"tell {self._server.name} {{answer}}"] if name == TELL else []
        declared: Callable[..., Any] = skill(*sentences, risk=risk, permissions=permissions)(act)
        return declared

    def _teller(self) -> Callable[..., Any]:
        def tell(ctx: Context, answer: str) -> Reply:
            return self._answered(answer, ctx)

        about = f"Answer what {self._server.name} asks"
        slot = inspect.Parameter("answer", inspect.Parameter.KEYWORD_ONLY, annotation=str)
        return self._declared(tell, TELL, about, [slot], "change")

    # -- calling ------------------------------------------------------------------------------

    def _act(
        self, tool: Tool, found: tuple[Parameter, ...], slots: Mapping[str, Any], ctx: Context
    ) -> Reply:
        """Do what an action is for, or ask first."""
        try:
            sent = schema.arguments(found, slots)
        except ValueError as error:
            return self._alert(ctx, "failed", why=str(error))
        if tool.risk == "money":
            return self._proposed(tool, found, slots, ctx)
        if tool.name not in self._allowed:
            return self._first(tool, sent, ctx)
        return self._called(tool, sent, ctx)

    def _called(self, tool: Tool, sent: Mapping[str, Any], ctx: Context) -> Reply:
        self._drop()
        scope = ctx.cancel or CancelScope(self._server.timeout_s)
        call = self.line.call(tool, sent, self._progress(tool, ctx))
        return self._came(call, scope.within(scope.remaining_s - LATE_S), ctx)

    def _came(self, call: Call, scope: CancelScope, ctx: Context) -> Reply:
        """Return what comes next of a call: its result, or a question."""
        try:
            came = call.wait(scope)
        except NotSignedIn:
            return self._alert(ctx, "sign in")
        except ServerError as error:
            return self._alert(ctx, call.refused) if call.refused else _failed(error, self._server)
        if isinstance(came, Question):
            with self._lock:
                self._asking = call, came, {}
            return self._question(ctx)
        return self._told(call, came, ctx)

    def _told(self, call: Call, came: Result, ctx: Context) -> Reply:
        lines = shown.lines(came)
        title = world_text(call.tool.title, 40) or self._server.name
        if call.refused:
            return self._alert(ctx, call.refused)
        if came.failed:
            return self._alert(ctx, "failed", why=lines[0] if lines else "…")
        if not lines:
            return Reply(self._say(ctx, "nothing"), title=title)
        return Reply(
            WorldText("\n".join(lines)), title=title, kind="answer" if len(lines) < 4 else "list"
        )

    def _progress(self, tool: Tool, ctx: Context) -> Callable[[float, float | None, str], None]:
        last = [0.0]

        def told(done: float, of: float | None, words: str) -> None:
            now = time.monotonic()
            if now - last[0] < PROGRESS_S or ctx.over or ctx.shows is None:
                return
            last[0] = now
            share = f"{100 * done / of:.0f} %" if of and 0 <= done <= of else ""
            text = " ".join(filter(None, [world_text(words, 80), share]))
            ctx.show(Reply(text or self._say(ctx, "working"), title=self._server.name,
                           kind="progress"), key="mcp")  # fmt: skip

        return told

    # -- asking first -----------------------------------------------------------------------------

    def _first(self, tool: Tool, sent: Mapping[str, Any], ctx: Context) -> Reply:
        """Ask whether a tool may be used at all, and for these values."""
        about = world_text(tool.description.split("\n")[0], 120) or tool.name
        why = self._say(ctx, "why", tool=world_text(tool.name, 40), about=about)
        values = ", ".join(world_text(value, 40) for value in sent.values())
        language, memory = ctx.language, ctx.memory

        def yes(key: str) -> Receipt:
            self._allow(tool.name)
            self._allowed.add(tool.name)
            later = Context(ctx.skill, language, ctx.folder, memory, cancel=CancelScope(COMMIT_S))
            reply = self._called(tool, sent, later)
            return Receipt(reply.text)

        first = self._say(ctx, "first")
        return Proposal(
            "\n".join(filter(None, [first, why, values])), title=self._server.name,
            kind="proposal", commit=yes, asks=True,
        )  # fmt: skip

    def _proposed(
        self, tool: Tool, found: tuple[Parameter, ...], slots: Mapping[str, Any], ctx: Context
    ) -> Reply:
        """Propose a payment: amount and payee are for the gate to show, and the yes is to it."""
        by_form = {one.form: one for one in found}
        name = world_text(tool.title or tool.name, 40)
        amount_of = by_form.get("amount")
        amount = slots.get(amount_of.slot) if amount_of else None
        if amount_of is None or amount is None:
            return self._alert(ctx, "no amount", tool=name)
        currency = getattr(amount, "currency", None) or money.currency(ctx.language)
        try:
            sent = schema.arguments(found, slots)
            sent[amount_of.key] = _amount(amount_of, tool, Decimal(amount), currency)
        except (ValueError, ConfigError):
            return self._alert(ctx, "parts")
        coin = next((k for k in tool.schema.get("properties", {}) if _is_currency(k)), None)
        if coin is not None:
            sent[coin] = currency
        payee = next(
            (str(sent[one.key]) for one in found
             if one.key in sent and {*schema.words_of(one.key)} & {*_PAYEES}), "",
        )  # fmt: skip
        payee = world_text(payee, 60) or self._server.name

        names = [k for k in tool.schema.get("properties", {}) if _is_key(k)]

        def commit(key: str, payment: Payment) -> Receipt:
            return self._paid(tool, sent | dict.fromkeys(names, key), ctx.language)

        return Proposal(
            self._say(ctx, "may pay"), title=name, kind="proposal",
            amount=Decimal(amount), currency=currency, payee=payee,
            account=f"{self._server.name}:{payee}", commit=commit,
        )  # fmt: skip

    def _paid(self, tool: Tool, sent: Mapping[str, Any], language: str) -> Receipt:
        """Pay by a tool, after the gate's yes; what the server asks meanwhile is declined.

        Raises NotCommitted where it certainly was not called, ServerError where nobody knows.
        """
        try:
            call = self.line.call(tool, sent, lambda *_: None, asks=False, limit_s=COMMIT_S)
            came = call.wait(CancelScope(COMMIT_S + 1.0))
        except NotSent as error:
            raise NotCommitted(str(error)) from None
        lines = shown.lines(came) if isinstance(came, Result) else ()
        if not isinstance(came, Result) or came.failed:
            raise ServerError(f"{self._server.name}: {lines[0] if lines else 'no answer'}")
        return Receipt(lines[0] if lines else wording.said_in(language)["done"])

    # -- being asked back -------------------------------------------------------------------------

    def _drop(self) -> None:
        """Let go of a question that nobody has answered: the wearer went on to something else."""
        with self._lock:
            asking, self._asking = self._asking, None
        if asking is not None:
            asking[0].answer(None)
            asking[0].cancel()

    def _question(self, ctx: Context, fits: bool = True) -> Reply:
        """Return the card of the open question, of its first value that is not answered yet."""
        assert self._asking is not None
        call, question, have = self._asking
        message = world_text(question.message, 200)
        lines = [self._say(ctx, "asks" if fits else "not that", message=message)]
        wanted = [one for one in _fields(question) if one.key not in have]
        if wanted:
            name = world_text(wanted[0].about or wanted[0].key, 80)
            lines.append(self._values(wanted[0], name, ctx))
        lines.append(self._say(ctx, "how"))
        if question_is_yes(question) and ctx.shows is not None:
            return Proposal(
                lines[0], title=self._server.name, kind="proposal",
                commit=partial(self._agreed, call, question, ctx), asks=True,
            )  # fmt: skip
        return Reply("\n".join(filter(None, lines)), title=self._server.name)

    def _values(self, one: Parameter, name: str, ctx: Context) -> str:
        from agent.skill.slots import Choice

        kind = _slot(one)
        if not isinstance(kind, Choice):
            return name
        values = [world_text(said, 30) for said in [*kind.values(ctx.language)][:6]]
        told = wording.said_in(ctx.language)["or"].join(values)
        return self._say(ctx, "values", name=name, values=told)

    def _agreed(self, call: Call, question: Question, ctx: Context, key: str) -> Receipt:
        """Answer a question of yes or no with the yes that the wearer gave."""
        answered = call.answer(_yes(question))
        with self._lock:
            self._asking = None
        if not answered:
            raise NotCommitted(f"{self._server.name}: …")
        language = ctx.language
        later = Context(ctx.skill, language, ctx.folder, {}, cancel=CancelScope(COMMIT_S))
        return Receipt(self._came(call, CancelScope(COMMIT_S), later).text)

    def _answered(self, answer: str, ctx: Context) -> Reply:
        """Take an answer for the open question."""
        asking = self._asking
        if asking is None or not asking[0].asking:
            return Reply(self._say(ctx, "nothing asked"))
        call, question, have = asking
        wanted = [one for one in _fields(question) if one.key not in have]
        own = controls.own(answer, asked=True)
        if not wanted and own is not None and own.answer == "no":
            self._drop()
            return Reply(said_in(ctx.language)["stopped"])
        if wanted:
            try:
                value = _slot(wanted[0]).parse(clean(answer), ctx.language)
                have |= schema.arguments([wanted[0]], {wanted[0].slot: value})
            except ValueError:
                return self._question(ctx, fits=False)
        if any(one.required and one.key not in have for one in wanted[1:]):
            return self._question(ctx)
        with self._lock:
            self._asking = None
        call.answer(_yes(question) | have)
        scope = ctx.cancel or CancelScope(self._server.timeout_s)
        return self._came(call, scope.within(scope.remaining_s - LATE_S), ctx)

    # -- saying -----------------------------------------------------------------------------------

    def _say(self, ctx: Context, key: str, **values: str) -> str:
        return wording.said_in(ctx.language)[key].format(server=self._server.name, **values)

    def _alert(self, ctx: Context, key: str, **values: str) -> Reply:
        return Reply(self._say(ctx, key, **values), title=self._server.name, kind="alert")


TELL = "tell"
"""Name of the action that answers a server."""


def _declared_risk(tool: Tool) -> Risk:
    return "change" if tool.risk == "off" else tool.risk


def named(tools: tuple[Tool, ...]) -> Mapping[str, Tool]:
    """Return the tools by the names of their actions; of two that come to the same, the first."""
    found: dict[str, Tool] = {}
    for at, tool in enumerate(tools):
        name = schema.identifier(tool.name)[:60] or f"tool_{at}"
        found.setdefault(f"{name}_" if name == TELL else name, tool)
    return MappingProxyType(found)


def said_parameters(tool: Tool) -> tuple[Parameter, ...]:
    """Return what of a tool's arguments is said, the amount of a payment first. Raises Unsaid."""
    found = schema.parameters(tool.schema, tool.risk == "money")
    if tool.risk == "money":
        found = tuple(one for one in found if not (_is_currency(one.key) or _is_key(one.key)))
    return tuple(sorted(found, key=lambda one: (not one.required, one.form != "amount")))


def question_is_yes(question: Question) -> bool:
    """Whether a question is answered by a yes alone."""
    return all(one.key in _yes(question) for one in _fields(question) if one.required)


def _yes(question: Question) -> dict[str, Any]:
    """Return what a yes alone says: what the server has as defaults, and yes to its one choice."""
    properties = question.schema.get("properties")
    found = {
        key: told["default"]
        for key, told in (properties.items() if isinstance(properties, Mapping) else ())
        if isinstance(told, Mapping) and isinstance(told.get("default"), str | int | float | list)
    }
    fields = _fields(question)
    if len(fields) == 1 and fields[0].form == "yes":
        found.setdefault(fields[0].key, True)
    return found


def _fields(question: Question) -> tuple[Parameter, ...]:
    try:
        return schema.parameters(question.schema)
    except schema.Unsaid:
        return ()


def _slot(one: Parameter) -> Any:
    from agent.skill.slots import slot_of

    parameter = inspect.Parameter(one.slot, inspect.Parameter.KEYWORD_ONLY)
    return slot_of(parameter, one.annotation).kind


def _failed(error: ServerError, server: Server) -> Reply:
    return Reply(" ".join(str(error).split()), title=server.name, kind="alert")


def _is_currency(key: str) -> bool:
    return "currency" in schema.words_of(key) or key == "币种"


def _is_key(key: str) -> bool:
    """Whether an argument keeps a payment from being made twice: the gate's own key is given."""
    return bool(_KEY.search("".join(schema.words_of(key))))


def _amount(one: Parameter, tool: Tool, amount: Decimal, currency: str) -> Any:
    """Return an amount as the tool takes it. Raises ValueError where it cannot be."""
    minor = money.to_minor(amount, currency)
    told = tool.schema.get("properties", {}).get(one.key)
    kind = told.get("type") if isinstance(told, Mapping) else None
    if any(word in f"{one.key} {one.about}".lower() for word in _MINOR):
        return str(minor) if kind == "string" else minor
    exact = money.from_minor(minor, currency)
    if kind == "string":
        return f"{exact:f}"
    if kind == "integer":
        if exact != int(exact):
            raise ValueError("the tool takes whole amounts")
        return int(exact)
    return float(exact)
