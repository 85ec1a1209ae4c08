"""What a skill's author writes: sentences with slots, and functions that answer them."""

from agent.skill.declare import Action, declarations

__all__ = ["Action", "declarations"]
