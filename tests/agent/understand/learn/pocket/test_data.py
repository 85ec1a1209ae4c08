import random
from dataclasses import replace
from itertools import islice

import pytest

from agent.errors import SentenceError
from agent.plugins.skills import Skills
from agent.understand.learn.pocket import words
from agent.understand.learn.pocket.data import MAX_WORDS, Sampler, shared_shapes
from agent.understand.learn.pocket.noise import Noise
from agent.understand.learn.pocket.recipe import collect
from agent.understand.pocket.reading import spelled, words_of

pytestmark = pytest.mark.slow


def said(sample):
    return spelled([word for word, _ in sample.words]).strip()


def test_a_recipe_has_the_sentences_the_paraphrases_and_what_is_nobodys(recipe):
    found = {(p.intent, p.language, p.template) for p in recipe.patterns}
    assert ("garden.water", "en", "give the {plant} some water") in found
    assert ("garden.water", "en", "don't let the {plant} dry out") in found
    assert ("garden.water", "zh", "给{plant}浇[点]水") in found
    assert ("none", "en", "(good|nice) weather today") in found
    assert len(found) == 9


def test_one_seed_gives_one_set_of_samples(recipe):
    first = list(islice(Sampler(recipe, recipe.patterns, "1"), 50))
    assert first == list(islice(Sampler(recipe, recipe.patterns, "1"), 50))
    assert first != list(islice(Sampler(recipe, recipe.patterns, "2"), 50))


def test_slots_are_pieces_of_the_sentence_and_sentences_are_bounded(recipe):
    for sample in islice(Sampler(recipe, recipe.patterns, "1"), 500):
        for found in sample.slots.values():
            assert spelled(found).strip() in said(sample)
        assert 0 < len(sample.words) <= MAX_WORDS
        assert sample.intent in recipe.slots


def test_known_words_of_a_slot_are_used_in_their_language(recipe):
    samples = list(islice(Sampler(recipe, recipe.patterns, "1"), 600))
    english = {said(s) for s in samples if s.language == "en"}
    assert any("rose bush" in text for text in english)
    assert not any("兰花" in text for text in english)


def test_words_for_the_evaluation_are_never_trained_on(recipe):
    def unknown(unseen):
        drawn = islice(Sampler(recipe, recipe.patterns, "1", unseen, noisy=False), 500)
        listed = {"fern", "rose", "bush", "cactus"}
        return {w for s in drawn for w in s.slots.get("plant", ()) if w.isascii()} - listed

    trained = {word for word in unknown(False) if word in words.dictionary()}
    kept = {word for word in unknown(True) if word in words.dictionary()}
    assert trained
    assert kept - words.SMALL
    assert not (trained & kept) - words.SMALL


def test_the_split_does_not_move_when_templates_are_added(recipe, garden):
    learnt, held = recipe.split(3)
    assert not set(held) & set(learnt)
    assert {p.intent for p in recipe.patterns} == {p.intent for p in learnt}
    more = garden / "paraphrases" / "en.yaml"
    more.write_text(more.read_text() + '  - "the {plant} wants a drink"\n')
    skills = Skills()
    skills.add(str(garden))
    again = collect(skills.actions.values())
    kept = {(p.intent, p.template) for p in again.split(3)[1]}
    assert {(p.intent, p.template) for p in held if p.intent != "none"} <= kept
    assert again.fingerprint != recipe.fingerprint


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('water: ["soak the {plants}"]', "no parameter of that name"),
        ('water: "soak the {plant}"', "is a list of texts"),
        ("- water", "is a mapping of lists"),
        ("water: [", "not YAML"),
    ],
)
def test_a_broken_paraphrase_file_is_named(garden, text, reason):
    (garden / "paraphrases" / "en.yaml").write_text(text)
    skills = Skills()
    skills.add(str(garden))
    with pytest.raises(SentenceError, match=rf"en\.yaml.*{reason}"):
        collect(skills.actions.values())


def test_noise_leaves_slots_alone():
    noise = Noise("en", words_of)
    plain = [("find", ""), ("the", ""), ("red", "x"), ("rose", "x"), ("for", ""), ("me", "")]
    seen = set()
    for seed in range(300):
        blurred = noise.blur(plain, random.Random(seed))
        assert [word for word, slot in blurred if slot] == ["red", "rose"]
        at = [number for number, (_, slot) in enumerate(blurred) if slot]
        assert at[1] == at[0] + 1
        seen.add(" ".join(word for word, _ in blurred))
    assert len(seen) > 100


def test_a_language_without_expressions_still_works():
    noise = Noise("eo", words_of)
    assert noise.blur([("a", ""), ("b", "x")], random.Random(1))


def test_shapes_that_actions_share_are_said_only_with_words_that_tell_them_apart(recipe):
    water = next(p for p in recipe.patterns if p.template == "give the {plant} some water")
    other = replace(water, intent="garden.count")
    apart = replace(recipe, patterns=[water])
    alike = replace(recipe, patterns=[water, other])
    assert not shared_shapes((water,))
    assert shared_shapes((water, other)) == {"give the {} some water"}

    def plants(some):
        drawn = islice(Sampler(some, [water], "1", noisy=False), 100)
        return {" ".join(s.slots["plant"]) for s in drawn}

    assert plants(alike) == {"fern", "rose bush", "cactus"}
    assert len(plants(apart)) > 20


def test_beside_another_slot_no_small_words_join_the_words_of_one():
    rng = random.Random(1)
    joined = {words.phrase(rng, "en", True) for _ in range(300)}
    apart = {words.phrase(rng, "en", True, joined=False) for _ in range(300)}
    assert any(" of " in text for text in joined)
    assert not any({"of", "and", "by"} & set(text.split()) for text in apart)
