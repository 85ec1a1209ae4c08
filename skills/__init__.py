"""The skills that ship with the agent: one folder each, written with the public contract alone."""
