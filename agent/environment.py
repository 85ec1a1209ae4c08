"""The environment of the process, as it was when the agent was first imported.

That is before any plugin: what a plugin puts into `os.environ` later changes no setting of ours.

Some libraries report home, or keep an identifier of the machine, unless a variable tells them not
to; they look at it once, when they are imported. It is set here, before any of them can be:
`agent/__init__` imports this module first, and so does every way in, the commands, the pytest
plugin and a program that uses one module of ours.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType

SILENT: Mapping[str, str] = {
    "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime: a device id and events, sent to its maker
    "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub, which faster-whisper imports
    "DO_NOT_TRACK": "1",  # whatever else keeps to donottrack.sh
}
"""What keeps libraries silent. Nobody has to set it, and nobody can unset it by accident."""

os.environ.update(SILENT)

STARTED: Mapping[str, str] = MappingProxyType(dict(os.environ))
"""Every variable, as the process began with it."""
