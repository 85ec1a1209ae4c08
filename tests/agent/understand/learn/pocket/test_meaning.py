import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")

from agent.understand.learn.pocket import meaning  # noqa: E402 - after the skip
from agent.understand.minilm import LAST  # noqa: E402


def minilm(text):
    """A double: what a word means is its first letter."""
    rows = np.zeros((LAST + 1, 30), np.float32)
    rows[LAST, ord(text[0]) - ord("a")] = 1
    return rows


def test_whole_words_begin_where_their_meaning_is_and_the_rest_at_random():
    texts = ["<|im_start|>", "Ġbuy", "Ġbring", "Ġplay", "Ġqzx", "buy", "Ġ", "Ġstop", "Ġtake"]
    table = meaning.start(texts, 4, minilm)
    assert table.shape == (9, 4)
    random = [n for n in range(9) if table[n].isnan().all()]
    assert random == [0, 4, 5, 6]
    assert torch.equal(table[1], table[2])
    assert not torch.allclose(table[1], table[3])
    assert table[~table.isnan()].std().item() == pytest.approx(meaning.SPREAD, rel=0.2)


def test_too_few_words_to_tell_apart_all_begin_at_random():
    assert meaning.start(["Ġbuy", "Ġplay"], 4, minilm).isnan().all()
