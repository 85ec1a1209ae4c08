"""The counters in words, and in a file that another process reads."""

import json
from dataclasses import asdict, fields, replace

import pytest

from agent.listen.health import FILE, SAVE_EVERY_S, Health, HealthLog

TROUBLES = [
    f.name for f in fields(Health) if f.name not in ("device", "began_s", "heard_ms", "filled_ms", "lost_ms", "absent_ms")
]  # fmt: skip


def test_nothing_to_tell():
    assert Health(heard_ms=1e6).well
    assert Health(heard_ms=1e6).words() == "nothing lost, nothing mended"
    assert Health().advice() == ""


@pytest.mark.parametrize("name", TROUBLES)
def test_every_counter_is_told(name):
    health = replace(Health(), **{name: 7})
    assert not health.well
    assert "7" in health.words()


def test_several_are_told_on_one_line():
    health = Health(heard_ms=60_000, dropouts=3, filled_ms=60, clipped=12)
    assert health.words() == "dropouts 3 (60 ms filled), clipped chunks 12"


@pytest.mark.parametrize(
    ("health", "word"),
    [
        (Health(heard_ms=6e4, zeros_ms=9000), "muted"),
        (Health(heard_ms=6e4, absences=1, absent_ms=3000), "plug"),
        (Health(heard_ms=6e4, clipped=100), "level"),
        (Health(heard_ms=6e4, gaps=2, lost_ms=3000), "busy"),
        (Health(heard_ms=6e4, quiet_ms=3000), "level up"),
        (Health(heard_ms=6e4, narrow_ms=3000), "wide-band"),
    ],
)
def test_what_the_wearer_can_do(health, word):
    assert word in health.advice()
    assert "\n" not in health.advice()


def test_a_single_hiccup_needs_no_advice():
    assert Health(heard_ms=6e4, clipped=2, dropouts=1, filled_ms=20, stalls=1).advice() == ""


def test_what_is_saved_is_loaded_elsewhere(tmp_path):
    health = Health("mic", 1234.5, 60_000.0, clipped=3, lost_ms=1.5)
    HealthLog(tmp_path / "new folder").save(health)
    assert HealthLog(tmp_path / "new folder").load() == health
    (file,) = (tmp_path / "new folder").iterdir()  # nothing half-written stays
    assert file.name == FILE


def test_writes_are_rare_and_only_for_news(tmp_path):
    now_s = 100.0
    log = HealthLog(tmp_path, lambda: now_s)

    def kept():
        return HealthLog(tmp_path).load().dropouts

    log.note(Health(heard_ms=20))
    log.note(Health(dropouts=1))
    assert kept() == 0  # the last write was just now
    now_s += SAVE_EVERY_S
    log.note(Health(dropouts=1))
    assert kept() == 1
    before = (tmp_path / FILE).stat().st_mtime_ns
    now_s += SAVE_EVERY_S
    log.note(Health(heard_ms=40, dropouts=1))
    assert (tmp_path / FILE).stat().st_mtime_ns == before
    log.save(Health(heard_ms=60, dropouts=1))
    assert HealthLog(tmp_path).load().heard_ms == 60


@pytest.mark.parametrize(
    "content",
    ["", "null", "[]", "{", "7", "{}", '{"device": 1}', json.dumps(asdict(Health()) | {"late": "x"})],
)  # fmt: skip
def test_a_file_that_is_no_record_is_none(tmp_path, content):
    (tmp_path / FILE).write_text(content)
    assert HealthLog(tmp_path).load() is None
    assert HealthLog(tmp_path / "nowhere").load() is None


def test_a_folder_that_cannot_be_written_does_not_stop_listening(tmp_path):
    (tmp_path / "file").write_text("")
    log = HealthLog(tmp_path / "file")
    log.save(Health(dropouts=1))
    assert log.load() is None
