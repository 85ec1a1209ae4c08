"""Explain a word on the lens."""

from agent import Context, Reply, hookimpl, skill


@skill("define {word}", "what does {word} mean")
def define(word: str, ctx: Context) -> Reply:
    """Explain a word in one short line."""
    return Reply(title=word, text=ctx.model.complete(ctx.prompt("define", word=word)))


@hookimpl
def register_skills(register):
    register(define)
