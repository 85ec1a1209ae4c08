"""Tides: when the water is high at a harbour, and what sailors' words mean."""

from typing import Annotated

from agent import Context, OneOf, Reply, hookimpl, skill
from agent.plugins.hooks import Register
from glasses_tides.moon import high_water

LAG_HOURS = {"dover": 11.2, "brest": 3.8, "dublin": 11.5}
"""About how long after the moon's passage the water is high; good enough for a demonstration."""

TERMS = ("spring tide", "neap tide", "slack water", "tidal bore")


@skill("when is high (tide|water) (in|at) {harbour}", "tides (in|at) {harbour}")
def high_tide(harbour: Annotated[str, OneOf(tuple(LAG_HOURS))], ctx: Context) -> Reply:
    """Tell when the water is next high at a harbour."""
    at = high_water(ctx.clock(), LAG_HOURS[harbour])
    name = ctx.say(harbour.capitalize())
    return Reply(title=name, text=ctx.say("High water at {time}.", time=f"{at:%H:%M}"))


@skill("explain the tide word {term}")
def explain(term: Annotated[str, OneOf(TERMS)], ctx: Context) -> Reply:
    """Explain a sailors' word for a tide."""
    prompt = ctx.prompt("tide-word", term=term)
    return Reply(title=term, text=ctx.model.complete(prompt, max_tokens=24, cancel=ctx.cancel))


@hookimpl
def register_skills(register: Register) -> None:
    """Give the agent this skill's actions."""
    register(high_tide, explain)
