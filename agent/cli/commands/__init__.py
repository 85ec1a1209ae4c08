"""The commands themselves, in groups: options and help here, what they do in `agent.cli`."""
