"""Looking: a picture of what the wearer sees becomes codes and words, as `listen` does for sound.

Whatever is read was written by strangers. It is data: shown as what it is, and never followed.
"""
