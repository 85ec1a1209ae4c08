import pytest

from agent.listen.patience import Patience, Standing

PATIENCE = Patience(
    answer_ms=1, complete_ms=2, per_bit_ms=10, open_ms=60, dangling_ms=400, plain_ms=200, sure=0.5
)


@pytest.mark.parametrize(
    ("standing", "wait_ms"),
    [
        (Standing("answer"), 1),
        (Standing("answer", bits=3), 30),
        (Standing("complete"), 2),
        (Standing("complete", bits=0.1), 2),
        (Standing("complete", bits=3), 30),
        (Standing("complete", bits=40), 60),
        (Standing("open"), 60),
        (Standing("dangling"), 400),
        (Standing("unparsed"), 200),
        (None, 200),
    ],
)
def test_each_standing_has_its_wait(standing, wait_ms):
    assert PATIENCE.wait_ms(standing) == wait_ms


@pytest.mark.parametrize("kind", ["answer", "complete", "open", "dangling"])
def test_an_unsure_engine_is_not_believed(kind):
    assert PATIENCE.wait_ms(Standing(kind), confidence=0.49) == 200
    assert PATIENCE.wait_ms(Standing(kind), confidence=0.5) != 200


def test_the_more_is_missing_the_longer_it_waits():
    shipped = Patience()
    kinds = [Standing("answer"), Standing("complete", 4.2), Standing("complete", 10.4)]
    waits = [shipped.wait_ms(s) for s in (*kinds, Standing("open"), Standing("dangling"))]
    assert waits == sorted(waits)
    assert waits[0] < 100
    assert waits[-1] > 1200


def test_scaled_waits_and_nothing_else():
    twice = PATIENCE.scaled(2)
    assert (twice.answer_ms, twice.per_bit_ms, twice.dangling_ms) == (2, 20, 800)
    assert (twice.sure, twice.reopen_ms) == (PATIENCE.sure, PATIENCE.reopen_ms)
