"""What the conformance suite wants to find, as a skill: `test_simple_text` and the like."""

import time

from agent import Context, Reply, hookimpl, skill
from hardware.base import DeviceError


@skill("conformance simple text")
def simple_text() -> Reply:
    """Answer with a text."""
    return Reply("This is a simple text response for testing.", title="Test")


@skill("conformance error handling")
def error_handling() -> Reply:
    """Fail."""
    raise DeviceError("This tool intentionally returns an error for testing")


@skill("conformance tool with progress")
def tool_with_progress(ctx: Context) -> Reply:
    """Show how far it is."""
    for step in range(3):
        ctx.show(Reply(f"step {step}", kind="progress"), key="step")
        time.sleep(0.4)
    return Reply("done")


@hookimpl
def register_skills(register):
    register(simple_text, error_handling, tool_with_progress)
