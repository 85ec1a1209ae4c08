"""Raises KeyboardInterrupt while it is imported."""

REFUSED = "raised KeyboardInterrupt"


raise KeyboardInterrupt
