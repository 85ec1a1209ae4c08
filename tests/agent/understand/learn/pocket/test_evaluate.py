from itertools import islice

from agent.understand.learn.pocket.data import Sample
from agent.understand.learn.pocket.evaluate import Score, Unseen, carrier_of, known_shapes, report
from agent.understand.pocket.router import Guess


def call(intent, slots, copied=True):
    return Guess({intent: 0.9, "none": 0.1}, slots, copied, 1.0)


def test_a_call_is_exact_only_with_every_slot_and_none_too_many():
    score = Score("test")
    words = (("water", ""), ("the", ""), ("rose", "plant"), ("bush", "plant"))
    sample = Sample(words, "garden.water", "en")
    score.add(sample, call("garden.water", {"plant": "Rose Bush"}), 1.0)
    score.add(sample, call("garden.water", {"plant": "rose"}), 1.0)
    score.add(sample, call("garden.water", {}, copied=False), 1.0)
    score.add(sample, call("garden.count", {}), 3.0)
    score.add(sample, call("none", {}), 3.0)
    assert (score.total, score.skill, score.action, score.exact) == (5, 4, 3, 1)
    assert (score.copied, score.copied_exact, len(score.wrong)) == (4, 1, 4)
    assert "20.0" in report([score])


def test_shapes_of_the_evaluation_are_held_out_and_cannot_be_learnt(recipe):
    for seed in range(20):
        _, held = recipe.split(seed)
        if not held:
            continue
        wordings = {carrier_of(s.words) for s in islice(known_shapes(recipe, seed), 200)}
        asked = list(islice(Unseen(recipe, seed), 5))
        assert asked
        assert not {carrier_of(s.words) for s in asked} & wordings
        return
    raise AssertionError("no seed holds anything out")


def test_a_wording_is_as_far_from_what_was_learnt_as_words_must_change(recipe):
    unseen = Unseen(recipe, 3)
    learnt = next(iter(unseen._producible))
    assert unseen.distance(learnt) == 0
    assert unseen.distance(f"{learnt} or so") == 2
    assert unseen.distance("nothing else") == 2
