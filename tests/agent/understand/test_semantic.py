"""The semantic stage as it ships, and with skills it never learned."""

import dataclasses
import json
import math

import numpy as np
import pytest

from agent import config
from agent.errors import EngineError
from agent.plugins.skills import Skills
from agent.understand import learned, minilm
from agent.understand.learn.corpus import meant
from agent.understand.learned import Learned, Pool
from agent.understand.semantic import Semantic
from tests.pace import effort, spending
from tests.shared import DATA, PLUGIN

pytestmark = pytest.mark.slow

DEV = DATA / "nlu" / "dev.jsonl"
MODELS = config.load().models
needs_minilm = pytest.mark.skipif(
    not (MODELS / minilm.NAME).is_file(), reason=f"not fetched: {minilm.COMMAND}"
)


@pytest.fixture(scope="module")
def skills():
    return Skills.discover()


@pytest.fixture(scope="module")
def stage(skills):
    """On words alone, as where nothing was fetched."""
    return Semantic(skills.actions)


def fresh(*plugins):
    found = Skills.discover()
    for plugin in plugins:
        assert found.add(str(plugin)) is None
    return found


@pytest.mark.parametrize(
    ("text", "skill"),
    [
        ("could you put on something by the beatles", "music"),
        ("i'd like to hear some reggae", "music"),
        ("how far away is the airport", "navigate"),
        ("is there a lot of traffic downtown", "navigate"),
        ("put two dozen eggs on my shopping list", "shop"),
        ("move fifty bucks from savings to checking", "pay"),
        ("how would i say good evening in italian", "translate"),
        ("what will the weather be like on sunday", "weather"),
        ("set an alarm for six in the morning", "reminders"),
        ("turn off the lights in the kitchen", None),
        ("who was the first president", None),
        ("我想听周杰伦的歌", "music"),
        ("把牛奶加到购物清单", "shop"),
        ("明天会下雨吗", None),
        ("will i need a coat in boston tonight", None),
        ("i need to be woken at six tomorrow", "reminders"),
        ("what is 15 divided by 4", "convert"),
        ("把客厅的灯关掉", None),
    ],
)
def test_words_that_no_sentence_foresaw(stage, text, skill):
    language = "en" if text.isascii() else "zh"
    assert stage.rank(text, language).skill == skill


def test_a_ranking_is_a_distribution_best_first(stage, skills):
    ranking = stage.rank("how far away is the airport", "en")
    assert set(ranking.actions) <= set(skills.actions)
    assert sum(ranking.actions.values()) + ranking.none == pytest.approx(1, abs=1e-5)
    assert list(ranking.actions.values()) == sorted(ranking.actions.values(), reverse=True)
    assert sum(ranking.skills.values()) == pytest.approx(1, abs=1e-5)
    within = ranking.within("navigate")
    assert next(iter(within)) == "navigate.how_long"
    assert sum(within.values()) == pytest.approx(1)
    assert set(ranking.evidence) == {"words"}


def test_every_action_that_ships_was_learned(stage, skills):
    """Else `python -m agent.understand.learn.semantic` has to be run."""
    assert set(skills.actions) <= set(stage.learned.labels)


def test_it_is_small_and_fast(stage):
    assert learned.DATA.stat().st_size < 3_200_000
    said = "how long does it take to get to the train station by bus"
    assert effort(lambda: stage.rank(said, "en"), rounds=20) < 10


def test_a_skill_that_is_gone_is_none():
    found = fresh()
    stage = Semantic(found.actions)
    assert stage.rank("i'd like to hear some reggae", "en").skill == "music"
    found.unload("music")
    stage.update(found.actions)
    ranking = stage.rank("i'd like to hear some reggae", "en")
    assert ranking.skill is None
    assert "music" not in ranking.skills


@pytest.mark.parametrize("models", [None, pytest.param(MODELS, marks=needs_minilm)])
def test_a_skill_installed_a_second_ago_is_matched_by_its_sentences(tmp_path, models):
    (tmp_path / "garden.py").write_text(
        '''
from agent import Reply, hookimpl, skill


@skill("water the {plant}", "give the {plant} some water", "the {plant} needs water")
def water(plant: str) -> Reply:
    """Water a plant."""
    return Reply(text=plant)


@skill("when did i last water the {plant}", "has the {plant} been watered")
def watered(plant: str) -> Reply:
    """Tell when a plant was watered."""
    return Reply(text=plant)


@hookimpl
def register_skills(register):
    register(water, watered)
''',
        "utf-8",
    )
    found = fresh()
    stage = Semantic(found.actions, models)
    text, question = "please give my roses some water", "when did i last water my roses"
    assert "garden" not in stage.rank(text, "en").skills
    assert found.add(str(tmp_path / "garden.py")) is None
    with spending() as spent:
        stage.update(found.actions)
    assert spent.yards < 2000
    ranking = stage.rank(text, "en")
    assert ranking.skill == "garden"
    assert next(iter(ranking.within("garden"))) == "garden.water"
    asked = stage.rank(question, "en")
    assert next(iter(asked.within("garden"))) == "garden.watered"
    assert sum(ranking.skills.values()) == pytest.approx(1, abs=1e-5)
    for other in ("i'd like to hear some reggae", "what will the weather be like on sunday"):
        assert stage.rank(other, "en").skill != "garden"
    found.unload("garden")
    stage.update(found.actions)
    assert "garden" not in stage.rank(text, "en").skills


def test_a_plugin_of_the_tests_does_not_take_what_is_not_its_own():
    stage = Semantic(fresh(PLUGIN).actions)
    for text, skill in {"turn the volume down a bit": "music", "how old are you": None}.items():
        assert stage.rank(text, "en").skill == skill


def test_one_more_opinion_is_heard(stage):
    text = "what do you make of this"
    sure = {label: math.log(1e-4) for label in stage.learned.labels}
    sure["translate.to_english"] = math.log(0.99)
    before, after = stage.rank(text, "en"), stage.rank(text, "en", sure)
    assert after.actions["translate.to_english"] > 3 * before.actions["translate.to_english"]
    assert after.evidence["other"]["translate"] == pytest.approx(0.99, abs=0.01)
    assert sum(after.skills.values()) == pytest.approx(1, abs=1e-5)


def test_an_opinion_that_was_weighed_has_its_weight(stage):
    pools = {**stage.learned.pools, "words+other": Pool({"words": 0.0, "other": 1.0}, 0.0, 0.9)}
    weighed = Semantic({a.name: a for a in stage._actions})
    weighed.learned = dataclasses.replace(stage.learned, pools=pools)
    ranking = weighed.rank("anything", "en", {"music.play": 0.0})
    assert ranking.skills["music"] > 0.95  # what was not taught has a little of it
    assert ranking.accept == 0.9


@pytest.mark.parametrize(
    "text",
    [
        "", "um uh er", "yes", "no", "the the the", "4 8 15 16 23 42", "。。。", "\u200b\u200d", "🙂🙂",
        "wo ist der nächste bahnhof bitte sehr", "où sont les toilettes", "привет как дела",
        "a" * 10_000, "blah " * 2_000, "hmm let me think",
    ],
)  # fmt: skip
def test_nonsense_is_no_money(stage, text):
    ranking = stage.rank(text, "en")
    assert sum(ranking.skills.values()) == pytest.approx(1, abs=1e-4)
    assert ranking.actions["pay.pay"] < ranking.accept


def test_what_was_learned_survives_a_file(tmp_path, stage):
    path = tmp_path / "again.npz"
    stage.learned.save(path)
    again = Learned.load(path)
    assert again.labels == stage.learned.labels
    assert again.pools == stage.learned.pools
    assert np.array_equal(again.words.weights, stage.learned.words.weights)
    assert np.allclose(again.head[0], stage.learned.head[0], atol=1e-6)


@pytest.mark.parametrize("data", [None, b"", b"PK\x03\x04 not really", b"\x93NUMPY"])
def test_a_damaged_file_is_one_clear_line(tmp_path, skills, data):
    path = tmp_path / "semantic.npz"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(EngineError, match="agent.understand.learn.semantic"):
        Semantic(skills.actions, data=path)


def test_a_damaged_minilm_is_done_without(tmp_path, skills):
    (tmp_path / minilm.NAME).write_bytes(b"nothing")
    stage = Semantic(skills.actions, tmp_path)
    assert stage.rank("i'd like to hear some reggae", "en").skill == "music"


@needs_minilm
def test_with_minilm_it_is_still_fast(skills):
    stage = Semantic(skills.actions, MODELS)
    said = "how long does it take to get to the train station by bus"
    assert set(stage.rank(said, "en").evidence) == {"words", "meaning"}
    assert effort(lambda: stage.rank(said, "en"), rounds=20) < 20  # of all its threads


@pytest.mark.skipif(not DEV.is_file(), reason=f"not here: {DEV}")
def test_real_text_is_accepted_and_refused(skills):
    """The text that it was taught with: no measure of quality, but a file gone stale shows."""
    stage = Semantic(skills.actions, MODELS)
    rows = [json.loads(line) for line in DEV.read_text("utf-8").splitlines()][::8]
    found = [
        stage.rank(row["text"], "zh" if row["lang"].startswith("zh") else "en").skill
        for row in rows
    ]
    right = [{name.partition(".")[0] for name in meant(row)} for row in rows]
    inside = [skill in own for own, skill in zip(right, found, strict=True) if "none" not in own]
    outside = [
        skill is not None for own, skill in zip(right, found, strict=True) if own == {"none"}
    ]
    assert sum(inside) / len(inside) > 0.95
    assert sum(outside) / len(outside) < 0.02
