"""Raises while it is imported."""

REFUSED = "ZeroDivisionError"


1 / 0  # noqa: B018
