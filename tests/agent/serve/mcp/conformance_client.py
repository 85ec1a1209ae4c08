"""Our client as the conformance suite starts it: `… URL`. An agent calls every tool and says yes."""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

from agent.serve.mcp import kept
from agent.serve.mcp.kept import Server
from tests.agent.serve.mcp.conftest import Worn, taken

VALUES = {"number": 2.0, "integer": 2, "string": "two", "boolean": True}


def again(folder: Path, url: str) -> None:
    """Sign in once more, as `glasses mcp login` does."""
    kept.login(folder, folder, "suite").sign_out()
    taken(folder, Server("suite", url=url))


async def main(url: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        told = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT", "{}"))
        client = (told["client_id"], told.get("client_secret", "")) if "client_id" in told else None
        worn = Worn(Path(folder), [Server("suite", url=url)], client=client)
        for name, action in [*worn.agent.skills.actions.items()]:
            if name == "suite.tell":
                continue
            parameters = action.schema()["parameters"]
            given = {
                slot: VALUES[parameters["properties"][slot]["type"]]
                for slot in parameters["required"]
            }
            turn = await worn.agent.call({"name": name, "arguments": given})
            print(name, turn.reply, turn.error)
            for _ in range(2):  # once more is enough, and for ever is too much
                if turn.reply is None or "glasses mcp login" not in turn.reply.text:
                    break
                await asyncio.to_thread(again, Path(folder), url)
                turn = await worn.agent.call({"name": name, "arguments": given})
                print(name, turn.reply, turn.error)
            while worn.agent.gate.open is not None:
                print((await worn("yes")).reply)
        await worn.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
