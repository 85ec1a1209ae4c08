"""Being an MCP server: every skill is a tool, under the same rules as if it had been said.

A call goes through `Agent.call`, the lane and the gate: what would pay is proposed to the wearer,
and no client can say the yes. The lens is a resource; `show_on_the_lens` puts a card there in the
background, and `ask_the_wearer` waits for what they say. Over HTTP this machine alone may come, by
its own names; bound elsewhere, whoever has the token.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

import mcp_types as types
from mcp.server.lowlevel.server import Server
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from starlette.middleware import Middleware
from starlette.types import ASGIApp

from agent.display.layout import lay_out
from agent.display.request import Priority
from agent.language.world import WorldText, world_text
from agent.loop.agent import Agent
from agent.messages import Proposal, Reply
from agent.serve import key
from agent.serve.mcp import asked, risk
from agent.serve.mcp.skill import TELL
from agent.skill.declare import Action
from agent.turn import Turn
from agent.version import __version__

LENS = "lens://now"
"""Address of what is on the lens."""
SHOW, ASK = "show_on_the_lens", "ask_the_wearer"
LONGEST = 600
"""Characters of a card that another agent shows."""
ANSWER_S = 60.0
"""How long the wearer may take to answer."""
SHOWN_S = 12.0
"""How long a card may wait to be lit."""
PROGRESS_S = 0.05
"""How often it is looked for progress while a tool runs."""
MOST_BYTES = 256 << 10
"""Largest request."""
TOKEN = "mcp-token"
"""The file that the token is kept in."""
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")

_TEXT = {"type": "string"}
_OWN = (
    types.Tool(
        name=SHOW,
        title="Show on the lens",
        description="Show a short text on the wearer's lens, as soon as nothing else needs it."
        " Tells what became of it.",
        input_schema={
            "type": "object",
            "properties": {"text": _TEXT, "title": _TEXT},
            "required": ["text"],
            "additionalProperties": False,
        },
        annotations=types.ToolAnnotations(read_only_hint=False, destructive_hint=False),
    ),
    types.Tool(
        name=ASK,
        title="Ask the wearer",
        description="Ask the wearer a question and return what they say: yes, no, or words of"
        " their own. No secrets. Returns nothing where they do not answer within a minute.",
        input_schema={
            "type": "object",
            "properties": {"question": _TEXT},
            "required": ["question"],
            "additionalProperties": False,
        },
        annotations=types.ToolAnnotations(read_only_hint=True),
    ),
)


class Glasses:
    """One pair of glasses, as a server."""

    def __init__(self, agent: Agent) -> None:
        """Serve an agent; the question that another agent asks becomes one of its skills."""
        logging.getLogger("mcp").setLevel(logging.ERROR)  # it would log what clients say
        self.agent = agent
        self._asked = asked.Asked()
        self._asking = asyncio.Lock()
        agent.skills.load(self._asked, "glasses")
        self.server: Server[Any] = Server(
            "glasses",
            version=__version__,
            instructions="The wearer of these glasses sees what tools answer. What would pay is"
            " proposed to them and happens only after their own yes.",
            on_list_tools=self._list_tools,
            on_call_tool=self._call_tool,
            on_list_resources=self._list_resources,
            on_read_resource=self._read_resource,
        )

    # -- tools ------------------------------------------------------------------------------------

    def actions(self) -> Mapping[str, Action]:
        """Return what can be called now, by the name of its tool."""
        found: dict[str, Action] = {}
        for name, action in self.agent.skills.actions.items():
            answers = action.skill == asked.NAME or action.declaration.name == TELL
            if not answers:  # only the wearer answers
                plain = name.replace(".", "_")
                found[name if plain in found or plain in (SHOW, ASK) else plain] = action
        return found

    async def _list_tools(self, ctx: Any, params: Any) -> types.ListToolsResult:
        tools = [_tool(name, action) for name, action in self.actions().items()]
        return types.ListToolsResult(tools=[*tools, *_OWN])

    async def _call_tool(self, ctx: Any, params: types.CallToolRequestParams) -> Any:
        given = params.arguments or {}
        if params.name == SHOW:
            return await self._show(given)
        if params.name == ASK:
            return await self._ask(given)
        action = self.actions().get(params.name)
        if action is None:
            raise MCPError(types.INVALID_PARAMS, f"there is no tool {params.name[:80]!r}")
        language = "zh" if self.agent.options.language == "zh" else "en"
        told = asyncio.create_task(self._progress(ctx.session))
        try:
            return _answer(
                await self.agent.call({"name": action.name, "arguments": given}, language)
            )
        finally:
            told.cancel()

    async def _progress(self, session: Any) -> None:
        """Tell the client each card of progress; it may not want to know."""
        last, count = None, 0
        while True:
            cards = (one.reply for one in self.agent.lens.standing())
            card = next((reply for reply in cards if reply.kind == "progress"), None)
            if card is not None and card is not last:
                last, count = card, count + 1
                await session.report_progress(count, None, card.text or card.title)
            await asyncio.sleep(PROGRESS_S)

    async def _show(self, given: Mapping[str, Any]) -> types.CallToolResult:
        text = _lines(given.get("text"))
        if not text:
            return _said("text is what to show, and not empty", failed=True)
        lens = self.agent.lens
        lens.attach()
        card = Reply(text, title=world_text(given.get("title") or "", 40))
        ticket = lens.offer(card, Priority.BACKGROUND, "mcp", key="mcp")
        outcome = await asyncio.to_thread(ticket.wait, SHOWN_S)
        return _said(outcome.kind if outcome is not None else "queued")

    async def _ask(self, given: Mapping[str, Any]) -> types.CallToolResult:
        text = _lines(given.get("question"))
        if not text:
            return _said("question is what to ask, and not empty", failed=True)
        if risk.secret(text, {}):
            return _said("the wearer is not asked for secrets", failed=True)
        if self._asking.locked():
            return _said("another question is open: ask later", failed=True)
        async with self._asking:
            question = asked.Question(text, asyncio.get_running_loop().create_future())
            self._asked.question = question
            try:
                turn = await self.agent.call({"name": f"{asked.NAME}.ask", "arguments": {}})
                if not isinstance(turn.reply, Proposal):
                    return _said(turn.error or "the question could not be shown", failed=True)
                return await self._answered(question, turn.reply)
            finally:
                self._asked.question = None
                question.answer.cancel()

    async def _answered(self, question: asked.Question, shown: Proposal) -> types.CallToolResult:
        """Wait for the wearer's words, or for the question to be gone."""
        gone = 0
        async with asyncio.timeout(ANSWER_S) as limit:
            while not limit.expired():
                done, _ = await asyncio.wait([question.answer], timeout=0.2)
                if done:
                    return _said(question.answer.result())
                self.agent.gate.expire()
                opened = self.agent.gate.open
                gone = 0 if opened is not None and opened.proposal is shown else gone + 1
                if gone > 2:  # a yes would have been noted by now
                    return _said("no")
        return _said("no answer")

    # -- resources --------------------------------------------------------------------------------

    async def _list_resources(self, ctx: Any, params: Any) -> types.ListResourcesResult:
        lens = types.Resource(
            uri=LENS, name="lens", title="The lens", mime_type="text/plain",
            description="What the wearer sees now, a line for each row; empty when it is clear.",
        )  # fmt: skip
        return types.ListResourcesResult(resources=[lens])

    async def _read_resource(
        self, ctx: Any, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        if str(params.uri) != LENS:
            raise MCPError(types.INVALID_PARAMS, f"there is no resource {str(params.uri)[:80]!r}")
        content = types.TextResourceContents(uri=LENS, mime_type="text/plain", text=self.lens())
        return types.ReadResourceResult(contents=[content])

    def lens(self) -> str:
        """Return what the wearer sees, with the pages of it that they have not turned to."""
        lit = self.agent.lens.lit
        if lit is None:
            return ""
        pages = lay_out(lit.reply, self.agent.lens.profile, lit.language)
        return "\n".join(line.text for page in pages for line in page.lines)

    # -- transports -------------------------------------------------------------------------------

    async def stdio(self) -> None:
        """Serve one client on the standard streams, which are the protocol's alone meanwhile."""
        async with stdio_server() as (incoming, outgoing):
            await self.server.run(incoming, outgoing, self.server.create_initialization_options())

    def app(self, token: str | None = None) -> ASGIApp:
        """Return the server over streamable HTTP, at `/mcp`, for this machine alone or by token."""
        if token is None:
            hosts = [f"{name}:*" for name in LOOPBACK]
            pages = [f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts]
            security = TransportSecuritySettings(
                enable_dns_rebinding_protection=True,
                allowed_hosts=hosts,
                allowed_origins=pages,
            )
        else:
            security = TransportSecuritySettings(enable_dns_rebinding_protection=False)
        app = self.server.streamable_http_app(
            transport_security=security, max_request_body_size=MOST_BYTES, max_sessions=32
        )
        if token is not None:
            app.user_middleware.insert(0, Middleware(key.Key, token=token))
        return app


def _tool(name: str, action: Action) -> types.Tool:
    schema = action.schema()
    harmless = action.declaration.risk == "none"
    return types.Tool(
        name=name,
        title=action.name,
        description=schema["description"],
        input_schema=schema["parameters"],
        annotations=types.ToolAnnotations(
            read_only_hint=harmless, destructive_hint=None if harmless else False
        ),
    )


def _answer(turn: Turn) -> types.CallToolResult:
    """Return what a turn came to: the wearer's card as text, and as data."""
    reply = turn.reply
    if reply is None:
        return _said(turn.error or "nothing came of it", failed=True)
    text = reply.text or reply.title or turn.error or ""
    if isinstance(reply, Proposal):
        text = f"Proposed to the wearer, and not done before they say yes: {text}"
    told = turn.as_json()
    data = {key: told[key] for key in ("intent", "reply", "error")}
    return types.CallToolResult(
        content=[types.TextContent(text=text)],
        structured_content=data,
        is_error=turn.error is not None,
    )


def _said(text: str, failed: bool = False) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=failed)


def _lines(text: object) -> WorldText:
    """Return what another agent wrote: text from the world, as short as a card is."""
    if not isinstance(text, str):
        return WorldText("")
    rows = [world_text(row, 200) for row in text[: 2 * LONGEST].splitlines()]
    return WorldText("\n".join(filter(None, rows))[:LONGEST].strip())
