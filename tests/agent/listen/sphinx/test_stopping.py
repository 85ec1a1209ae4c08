"""The words that stop: said alone, over music, inside a sentence, and by people who order coffee."""

from __future__ import annotations

import shutil

import pytest

from hardware.audio import read
from tests.shared import MISSING, orders

pytest.importorskip("pocketsphinx")

from agent.listen.sphinx.spotter import Spotter, sounds
from agent.listen.sphinx.stopping import stop_spotter, words
from tests.bench import wake as bench

needs_flite = pytest.mark.skipif(not shutil.which("flite"), reason="flite is not installed")
needs_mandarin = pytest.mark.skipif(
    not shutil.which("espeak-ng"), reason="espeak-ng is not installed"
)


@pytest.fixture
def spotter() -> Spotter:
    return stop_spotter()


def test_every_word_that_stops_the_agent_is_listened_for() -> None:
    assert {"stop", "cancel", "停", "停止", "取消", "算了"} <= set(words())
    assert all(sounds(word) for word in words())


@needs_flite
@pytest.mark.parametrize("word", ["stop", "cancel", "never mind"])
@pytest.mark.slow
def test_natural_voices_stop_it_in_a_room_in_time(spotter: Spotter, word: str) -> None:
    waits = []
    for seed, pcm in enumerate(bench.said(word)):
        mixed, end_ms = bench.over(pcm, None, 0, seed)
        waits += [report - end_ms for report in bench.listen(spotter, mixed).reports_ms[:1]]
    assert len(waits) >= 0.4 * len(bench.said(word))
    assert sorted(waits)[len(waits) // 2] <= 300


@needs_mandarin
def test_mandarin_voices_stop_it(spotter: Spotter) -> None:
    alarms = [
        bench.listen(spotter, bench.over(pcm, None, 0, seed)[0])
        for seed, pcm in enumerate(bench.said("算了"))
    ]
    assert sum(bool(alarm.found) for alarm in alarms) >= 0.5 * len(alarms) > 0


@pytest.mark.slow
def test_the_tunes_that_ship_do_not_stop_themselves(spotter: Spotter) -> None:
    assert sum(len(bench.listen(spotter, pcm).found) for pcm in bench.tunes()) == 0


@pytest.mark.skipif(not orders(), reason=MISSING)
@pytest.mark.slow
def test_coffee_orders_stop_it_rarely(spotter: Spotter) -> None:
    clips = [read(order.path) for order in orders()[:20]]
    assert sum(len(bench.listen(spotter, pcm).found) for pcm in clips) <= 2
