"""Pictures of the lens for people to look at."""
