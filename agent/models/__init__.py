"""Models: the language model (`llm/`), and the store that all weights are found in."""
