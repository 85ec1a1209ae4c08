"""The agent: from a sound to an answer on the lens, turn by turn."""

from agent.loop.agent import Agent, AgentOptions

__all__ = ["Agent", "AgentOptions"]
