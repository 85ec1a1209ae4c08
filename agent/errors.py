"""Errors a caller may want to catch. Each message is one line: what failed, on what, what to do."""

from __future__ import annotations


class GlassesError(Exception):
    """Base of every error this project raises on purpose; the CLI prints it as one line."""


class SentenceError(GlassesError):
    """A skill's sentences or slots are wrong; the message names the skill, file and sentence."""


class PluginError(GlassesError):
    """A plugin cannot be loaded or broke its contract; the message names it."""


class EngineError(GlassesError):
    """An engine (speech, model) is missing, corrupt, out of time or failed."""


class PromptError(GlassesError):
    """A prompt file is missing, or its variables do not fit."""


class ConfigError(GlassesError):
    """A setting has a value it cannot have; the message names the key and the value."""


class Refused(GlassesError):
    """A skill used something it did not declare a permission for."""


class NotCommitted(GlassesError):
    """Raised by a proposal's `commit` that is certain that nothing moved."""


class Cancelled(GlassesError):
    """The wearer or a time-out cancelled the action while it ran."""
