"""What is asked of a model for as long as one can wait."""

import time

from agent.models.llm.model import NoModel, ScriptedModel
from agent.models.llm.soon import soon


def test_an_answer_in_time():
    assert soon(ScriptedModel(["yes"]), "is it?", 5.0) == "yes"


def test_no_model_is_no_answer():
    assert soon(NoModel("none here"), "is it?", 5.0) is None


def test_one_that_has_to_load_is_not_waited_for():
    class Slow(ScriptedModel):
        def complete(self, prompt, **limits):
            time.sleep(1.0)
            return "late"

    began = time.monotonic()
    assert soon(Slow(), "is it?", 0.05) is None
    assert time.monotonic() - began < 0.9
