"""Real lenses: a folder a kind, and `kinds`, which says which there are and how each is worn."""
