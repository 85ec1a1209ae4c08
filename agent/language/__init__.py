"""What is said, in either language: text, numbers, times, yes and no, the agent's own words."""
