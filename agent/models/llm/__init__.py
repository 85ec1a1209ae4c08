"""Language models: the port, the llama.cpp engine behind it, and where model files are found.

Nothing native is loaded until a `LlamaModel` is used.
"""

from agent.messages import CancelScope
from agent.models.llm.model import Model, NoModel, ScriptedModel

__all__ = ["CancelScope", "Model", "NoModel", "ScriptedModel"]
