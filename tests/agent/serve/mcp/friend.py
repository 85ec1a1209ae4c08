"""A server as others write them, on the library: over the standard streams, or HTTP on a port."""

import asyncio
import sys
from typing import Annotated, Literal

from mcp.server.mcpserver import Context, Elicit, ElicitationResult, MCPServer, Resolve
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ToolAnnotations
from pydantic import BaseModel, Field

server = MCPServer("friend", version="1.0")
paid: list[str] = []


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
async def get_tide(city: str) -> str:
    """Tell the tide at a place."""
    return f"High at 12:05 in {city}"


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
async def tide_table(city: str) -> dict[str, object]:
    """查询指定城市的潮汐"""
    days = [
        {"date": "2026-12-01", "high": 3, "sky": "晴"},
        {"date": "2026-12-02", "high": 4, "sky": "雨"},
    ]
    return {"city": city, "days": days}


@server.tool()
async def set_lamp(
    level: Annotated[int, Field(ge=0, le=100)], room: Literal["hall", "kitchen"]
) -> str:
    """Set a lamp."""
    return f"{room} is at {level}"


@server.tool()
async def pay_bill(amount: float, recipient: str) -> str:
    """Pay a bill."""
    paid.append(f"{amount} to {recipient}")
    return f"Paid {amount} to {recipient}"


@server.tool()
async def send_money(
    amount: Annotated[int, Field(description="in minor units")],
    currency: str,
    to: str,
    request_id: str,
) -> str:
    """Send money; the amount is in minor units (cents)."""
    paid.append(f"{amount} {currency} to {to} under {len(request_id)}")
    return "Sent"


@server.tool()
async def count_paid() -> str:
    """Count what was paid."""
    return f"{len(paid)} paid: {', '.join(paid)}"


@server.tool()
async def checkout() -> str:
    """Check out the basket and charge the card on file."""
    paid.append("checkout")
    return "Charged"


@server.tool()
async def slow_work(seconds: float, ctx: Context) -> str:
    """Do slow work."""
    for step in range(4):
        await ctx.report_progress(step, 4, f"step {step}")
        await asyncio.sleep(seconds / 4)
    return "Done at last"


class Table(BaseModel):
    where: Literal["inside", "outside"]
    people: int


class Sure(BaseModel):
    sure: bool


class Secret(BaseModel):
    pin: str


async def which_table() -> Elicit[Table]:
    return Elicit("Which table do you want?", Table)


async def sure() -> Elicit[Sure]:
    return Elicit("Wipe everything?", Sure)


async def code() -> Elicit[Secret]:
    return Elicit("Please type your code", Secret)


@server.tool()
async def find_table(answer: Annotated[ElicitationResult[Table], Resolve(which_table)]) -> str:
    """Find a table."""
    if answer.action != "accept":
        return f"No table: {answer.action}"
    return f"A table {answer.data.where} for {answer.data.people}"


@server.tool()
async def wipe_disk(answer: Annotated[ElicitationResult[Sure], Resolve(sure)]) -> str:
    """Wipe the disk."""
    return f"{answer.action} {answer.data.sure if answer.action == 'accept' else ''}".strip()


@server.tool()
async def unlock_door(answer: Annotated[ElicitationResult[Secret], Resolve(code)]) -> str:
    """Unlock the door."""
    return f"told {answer.data.pin}" if answer.action == "accept" else f"not told: {answer.action}"


@server.tool()
async def break_down() -> str:
    """Break down."""
    raise ToolError("the pump is stuck")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server.run(transport="streamable-http", port=int(sys.argv[1]))
    else:
        server.run()
