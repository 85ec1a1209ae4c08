"""Sound from elsewhere, cut into utterances."""

import pytest

from agent.serve.cutting import KEPT, Cut, Cutter, Paused, Spoke, WentOn
from hardware.audio import read
from hardware.spoken import clips
from tests.agent.serve.hub.test_session import SPOKEN
from tests.agent.serve.hub.wearer import QUIET, chunks


def events(cutter, pcm, first=0):
    found = []
    for number, piece in enumerate(chunks(pcm), first):
        found += cutter.push(number, piece)
    return found


@pytest.mark.parametrize("path", clips(), ids=lambda path: path.stem)
def test_each_command_is_one_utterance_that_is_heard_ahead(path):
    found = events(Cutter(-1), QUIET + read(path) + QUIET)
    assert [type(one) for one in found] == [Spoke, Paused, Cut]
    _, paused, cut = found
    assert cut.clip.pcm.startswith(paused.clip.pcm)
    assert len(cut.clip.ambient) > 0


def test_who_goes_on_is_not_heard_ahead():
    middle = len(SPOKEN) // 2 // 640 * 640
    pcm = QUIET + SPOKEN[:middle] + QUIET[:12_800] + SPOKEN[middle:] + QUIET
    kinds = [type(one) for one in events(Cutter(-1), pcm)]
    assert kinds == [Spoke, Paused, WentOn, Paused, Cut]


def test_what_an_utterance_may_need_is_kept():
    cutter, pcm = Cutter(-1), QUIET + SPOKEN + QUIET
    (cut,) = (one for one in events(cutter, pcm) if isinstance(one, Cut))
    again = Cutter(cut.first - KEPT)
    (same,) = (
        one
        for number, piece in [*enumerate(chunks(pcm))][max(0, cut.first - KEPT + 1) :]
        for one in again.push(number, piece)
        if isinstance(one, Cut)
    )
    assert same.clip.pcm == cut.clip.pcm
    assert same.last == cut.last


def test_what_was_there_before_is_passed_over_and_what_is_missing_is_counted():
    cutter = Cutter(100)
    assert not [*cutter.push(100, bytes(640))]
    assert cutter.twice == 1
    for number in (500, 501, 504, 700):  # the first may be any: what is before it was done with
        assert not [*cutter.push(number, bytes(640))]
    assert (cutter.missing, cutter.last) == (2 + 195, 700)
