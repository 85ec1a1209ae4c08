"""Prompt files by language; `agent.prompts` finds and fills them."""
