"""What the conformance suite wants to find, as a skill: `test_simple_text` and the like."""

from agent import Reply, hookimpl, skill
from hardware.base import DeviceError


@skill("conformance simple text")
def simple_text() -> Reply:
    """Answer with a text."""
    return Reply("This is a simple text response for testing.", title="Test")


@skill("conformance error handling")
def error_handling() -> Reply:
    """Fail."""
    raise DeviceError("This tool intentionally returns an error for testing")


@hookimpl
def register_skills(register):
    register(simple_text, error_handling)
