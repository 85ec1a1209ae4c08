"""Devices at the end of a radio link: what real lenses have in common.

`bluetooth` finds and connects, `display` shows on whatever is connected, `written` gives text to a
lens that sets its own. No Bluetooth library is loaded before a lens is asked for.
"""
