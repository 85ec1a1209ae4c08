"""Bytes in any portions become the same text."""

from collections.abc import Generator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.models.llm.visible import visible

CASES = {
    "plain answer": "plain answer",
    "  spaced  out \n": "spaced  out",
    "<think>\n\n</think>\n\n你好，世界": "你好，世界",
    "<think>let me <b>see</b></think>so": "so",
    "<think>no end": "",
    "<think></think>": "",
    "<thin ice": "<thin ice",
    "<": "<",
    "a <think>b</think>": "a <think>b</think>",
    "": "",
}


@pytest.mark.parametrize("said", CASES)
@given(cuts=st.sets(st.integers(0, 60)))
def test_portions_do_not_matter(said: str, cuts: set[int]) -> None:
    raw = said.encode()
    edges = [0, *sorted(cut for cut in cuts if cut < len(raw)), len(raw)]
    portions = (raw[a:b] for a, b in pairwise(edges))
    assert "".join(visible(portions)) == CASES[said]


def test_bytes_that_are_no_text_are_dropped() -> None:
    assert list(visible(iter_of(b"a\xff\xe4", b"b"))) == ["a", "b"]


def test_dropping_it_closes_its_source() -> None:
    source = iter_of(b"a", b"b")
    pieces = visible(source)
    assert next(pieces) == "a"
    del pieces
    assert list(source) == []


def iter_of(*portions: bytes) -> Generator[bytes]:
    """Yield the portions."""
    yield from portions
