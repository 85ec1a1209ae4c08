"""Our client as the conformance suite starts it: `… URL`. An agent calls every tool and says yes."""

import asyncio
import sys
import tempfile
from pathlib import Path

from agent.serve.mcp.kept import Server
from tests.agent.serve.mcp.conftest import Worn

VALUES = {"number": 2.0, "integer": 2, "string": "two", "boolean": True}


async def main(url: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        worn = Worn(Path(folder), [Server("suite", url=url)])
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
            while worn.agent.gate.open is not None:
                print((await worn("yes")).reply)
        await worn.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
