"""Prompt files by language; `agent.models.llm.prompts` finds and fills them."""
