"""Prompt files by language; `agent.llm.prompts` finds and fills them."""
