"""Some hundred payments under the worst of luck; `make soak` makes ten thousand."""

import pytest

from tests.bench.payments import AGENTS, soak


@pytest.mark.slow
def test_whatever_fails_no_payment_is_lost_or_made_twice_and_no_cent_is_off():
    report = soak(200, seed=7)
    assert report.faults_found == 0, report
    assert report.payments >= 200
    assert report.kills > AGENTS, "processes were killed meanwhile"
    assert {"lost", "unanswered", "late", "twice"} <= set(report.faults)
