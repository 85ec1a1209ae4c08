"""Skills are written and installed here as where `glasses test` is tested."""

from tests.agent.testing.check.conftest import install, write

__all__ = ["install", "write"]
