"""The port, its clock, and the two models without weights."""

import pytest

from agent.errors import Cancelled, EngineError
from agent.models.llm import CancelScope, Model, NoModel, ScriptedModel

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}


def test_a_scope_ends_with_the_one_around_it() -> None:
    outer = CancelScope()
    inner = outer.within(60)
    inner.check("work")
    outer.cancel()
    with pytest.raises(Cancelled, match="work: cancelled"):
        inner.check("work")


def test_a_scope_never_outlives_the_one_around_it() -> None:
    assert CancelScope(1).within(60).remaining_s <= 1
    assert CancelScope(60).within(1).remaining_s <= 1
    assert CancelScope(-1).remaining_s == 0


def test_out_of_time_names_the_work_and_is_not_cancelled() -> None:
    scope = CancelScope(0)
    with pytest.raises(EngineError, match="Qwen3: no answer within 0 s"):
        scope.check("Qwen3")
    assert not scope.cancelled


@pytest.mark.parametrize("model", [NoModel(), ScriptedModel()])
def test_both_are_models(model: Model) -> None:
    assert isinstance(model, Model)


def test_no_model_says_what_is_missing_and_what_to_do() -> None:
    model = NoModel()
    for call in (model.complete, model.stream, lambda prompt: model.json(prompt, SCHEMA)):
        with pytest.raises(EngineError, match=r"no language model: put a Qwen3 GGUF in .*models"):
            call("hello")
    model.close()


def test_scripted_replies_come_in_order_and_prompts_are_kept() -> None:
    model = ScriptedModel([" one ", "two three", {"n": 3}, '{"n": 4}', EngineError("flat battery")])
    assert model.complete("a") == "one"
    assert list(model.stream("b")) == ["two", " three"]
    assert model.json("c", SCHEMA) == {"n": 3}
    assert model.json("d", SCHEMA) == {"n": 4}
    with pytest.raises(EngineError, match="flat battery"):
        model.complete("e")
    with pytest.raises(EngineError, match="no reply queued for prompt 6"):
        model.complete("f")
    assert model.prompts == ["a", "b", "c", "d", "e", "f"]


def test_scripted_json_must_fit() -> None:
    with pytest.raises(EngineError, match=r"\$\.n is not of type integer"):
        ScriptedModel([{"n": "three"}]).json("a", SCHEMA)


def test_scripted_obeys_the_scope_between_words() -> None:
    scope = CancelScope()
    pieces = ScriptedModel(["one two"]).stream("a", cancel=scope)
    assert next(pieces) == "one"
    scope.cancel()
    with pytest.raises(Cancelled):
        next(pieces)


def test_scripted_refuses_when_closed() -> None:
    model = ScriptedModel(["one"])
    model.close()
    with pytest.raises(EngineError, match="closed"):
        model.complete("a")
