"""The public conformance suite against our server and our client.

`npm install -g node@22 @modelcontextprotocol/conformance@0.1.16`, or MCP_CONFORMANCE names a folder
that they were installed into. What does not apply stands in `conformance.yaml`, with the reason.
"""

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from agent.cli import push
from agent.serve.mcp.server import Glasses
from agent.testing import make_agent
from tests.agent.serve.mcp import test as fixture
from tests.agent.serve.mcp.conftest import free_port

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
NOT_OURS = HERE / "conformance.yaml"
GET = (
    "npm install node@22 @modelcontextprotocol/conformance@0.1.16, MCP_CONFORMANCE names the folder"
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def found() -> tuple[str, str]:
    """Return Node and the suite; a test that asks is not run where one is missing."""
    folder = os.environ.get("MCP_CONFORMANCE")
    path = f"{folder}/node_modules/.bin{os.pathsep}{os.environ['PATH']}" if folder else None
    node, suite = shutil.which("node", path=path), shutil.which("conformance", path=path)
    if node is None or suite is None:
        pytest.skip(f"not run: no {'Node' if node is None else 'conformance suite'}: {GET}")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip("v\n").split(".")[0]) < 22:
        pytest.skip(f"not run: Node {version.strip()} is too old for the suite: {GET}")
    return node, str(Path(suite).resolve())


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    return subprocess.run(
        [*found(), *arguments],
        capture_output=True,
        text=True,
        env=environment,
        cwd=ROOT,
        timeout=250,
    )


def listed(kind: str) -> list[str]:
    """Return the names of the suite's scenarios of a kind."""
    text = run("list").stdout
    part = text.partition(f"{kind.capitalize()} scenarios")[2].partition("scenarios")[0]
    return re.findall(r"^  - (\S+)", part, re.M)


async def test_the_server_passes_all_that_applies(tmp_path):
    found()
    agent = make_agent(tmp_path, [fixture])
    bound = push.listening(str(free_port()), "mcp")
    async with push.running(Glasses(agent).app(), bound):
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/mcp"
        done = await asyncio.to_thread(
            run, "server", "--url", url, "--expected-failures", str(NOT_OURS)
        )
    await agent.close()
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    assert "server-initialize: 1 passed" in done.stdout


CLIENT = (
    "initialize", "tools_call", "elicitation-sep1034-client-defaults", "sse-retry",
    "auth/metadata-default", "auth/metadata-var1", "auth/metadata-var2", "auth/metadata-var3",
    "auth/scope-from-www-authenticate", "auth/scope-from-scopes-supported",
    "auth/scope-omitted-when-undefined", "auth/scope-step-up", "auth/scope-retry-limit",
    "auth/token-endpoint-auth-basic", "auth/token-endpoint-auth-post",
    "auth/token-endpoint-auth-none", "auth/pre-registration",
    "auth/2025-03-26-oauth-endpoint-fallback", "auth/resource-mismatch",
    "auth/offline-access-scope", "auth/offline-access-not-supported",
)  # fmt: skip
"""What applies to our client; where it has to sign in, the wearer says yes to every link."""


@pytest.mark.parametrize("scenario", CLIENT)
def test_the_client_passes_what_applies(scenario):
    client = f"{sys.executable} -m tests.agent.serve.mcp.conformance_client"
    done = run("client", "--command", client, "--scenario", scenario)
    assert "OVERALL: PASSED" in done.stdout + done.stderr, done.stderr[-3000:]


def test_what_does_not_apply_is_all_that_is_left_out():
    left = set(yaml.safe_load(NOT_OURS.read_text())["client"])
    assert set(listed("client")) == left | {*CLIENT}
