"""Calls sys.exit while it is imported."""

import sys

REFUSED = "called sys.exit"


sys.exit(3)
