"""Imports what is not installed."""

REFUSED = "No module named 'nowhere_to_be_found'"


import nowhere_to_be_found  # noqa: E402, F401
