"""The words that stop everything at once, heard beside whatever the agent says, plays or does."""

from __future__ import annotations
