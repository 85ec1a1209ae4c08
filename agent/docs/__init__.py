"""The documentation site: its pages, what of it is made of the code, and how it is built.

`make docs` runs `python -m agent.docs`. None of it is in the wheel.
"""
