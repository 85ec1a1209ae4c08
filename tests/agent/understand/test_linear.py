"""Hashed features and what is learned from them."""

import numpy as np
import pytest

from agent.understand import linear
from agent.understand.learn.fit import FitOptions, dense, fit, fit_pool, softmax, sparse
from tests.pace import effort

TEXTS = {
    "play some jazz": 0, "play the next song": 0, "turn the music up": 0, "放一首歌": 0, "播放音乐": 0,
    "what is the weather": 1, "will it rain today": 1, "is it cold outside": 1, "今天天气怎么样": 1,
    "明天会下雨吗": 1,
}  # fmt: skip


def learned(**options):
    places = [linear.features(text) for text in TEXTS]
    counts = linear.idf(places)
    allowed = np.eye(2, dtype=bool)[list(TEXTS.values())]
    weights, bias = fit(
        sparse(places, counts), linear.PLACES, allowed, np.ones(len(places), np.float32),
        FitOptions(rate=0.05, epochs=20, batch=4, **options),
    )  # fmt: skip
    return linear.Linear.of(weights, bias, counts)


def test_case_and_marks_do_not_matter():
    assert np.array_equal(linear.features("Play: Some JAZZ!"), linear.features("play some jazz"))


def test_chinese_is_read_by_character():
    shared = np.intersect1d(linear.features("播放音乐"), linear.features("播放新闻"))
    assert len(shared) >= 4  # both characters, their pair, and the beginning


def test_it_learns_both_languages_and_is_seeded():
    model = learned()
    for text, label in {"play a tune": 0, "is it raining": 1, "下雨": 1, "放音乐": 0}.items():
        assert int(np.argmax(model(text))) == label, text
    assert np.array_equal(model.weights, learned().weights)
    assert not np.array_equal(model.weights, learned(seed=1).weights)


def test_rounding_to_a_byte_changes_little():
    model = learned()
    assert np.abs(model.weights).max() == 127
    assert model.weights.nbytes == 2 * linear.PLACES


def test_a_partly_known_label_leaves_the_rest_to_the_others():
    """Rows 0 and 1 say label 0 or 1; rows 2 and 3 say which of the two goes with the second column."""
    x = np.array([[1, 0], [1, 0], [0, 1], [-1, 0]], np.float32)
    allowed = np.array([[1, 1, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1]], bool)
    options = FitOptions(rate=0.1, epochs=200, batch=4)
    weights, bias = fit(dense(x), 2, allowed, np.ones(4, np.float32), options)
    p = softmax(x @ weights + bias)
    assert p[0, :2].sum() > 0.9
    assert p[2].argmax() == 1
    assert p[3].argmax() == 2


def test_an_opinion_that_knows_nothing_weighs_nothing():
    rng = np.random.default_rng(0)
    label = rng.integers(0, 3, 500)
    good = np.full((500, 3), 0.1, np.float32)
    good[np.arange(500), np.where(rng.random(500) < 0.9, label, (label + 1) % 3)] = 0.8
    noise = rng.dirichlet([1, 1, 1], 500).astype(np.float32)
    weights, _ = fit_pool([np.log(good), np.log(noise)], 2, np.eye(3, dtype=bool)[label])
    assert weights[0] > 0.8
    assert weights[1] < 0.1


@pytest.mark.parametrize("text", ["", "…", "a" * 10_000, "\u200b\u202e", "🙂" * 50, "4 8 15 16"])
def test_any_text_has_a_score(text):
    assert np.isfinite(learned()(text)).all()


def test_it_is_fast():
    model = learned()
    assert effort(lambda: model("how long does it take to get to the train station by bus")) < 3
