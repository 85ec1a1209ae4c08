"""Real lenses over Bluetooth: a folder a kind, and what they have in common beside it.

`bluetooth` finds and connects, `wireless` is the display of any of them, `written` gives text to a
lens that sets its own, `kinds` says which there are. Nothing here is imported, and no Bluetooth
library loaded, before a lens is asked for.
"""
