"""The row of `glasses doctor` that tells how the sound came in."""

from dataclasses import replace

import pytest

from agent import config
from agent.cli import doctor
from agent.listen import voiceprint
from agent.listen.health import Health, HealthLog
from hardware import icons, raster


@pytest.fixture
def settings(tmp_path):
    return config.load({"HOME": str(tmp_path), "GLASSES_DATA": str(tmp_path / "data")})


def row(settings):
    (found,) = (f for f in doctor.findings(settings, ()) if f.part == "last listening")
    return found


def test_before_the_first_time(settings):
    assert row(settings).state == "ok"
    assert row(settings).used == "not yet"


def test_the_counters_of_another_process(settings):
    health = Health("USB mic", 1_800_000_000, 90_000, dropouts=3, filled_ms=60, clipped=12)
    HealthLog(settings.data).save(health)
    found = row(settings)
    assert found.state == "ok"
    assert "1.5 min from USB mic: dropouts 3 (60 ms filled), clipped chunks 12" in found.used
    assert "2027-01-1" in found.used


def test_what_the_wearer_should_do_is_a_problem(settings):
    HealthLog(settings.data).save(Health("USB mic", 1_800_000_000, 9e4, zeros_ms=8e4))
    found = row(settings)
    assert found.state == "problem"
    assert "muted" in found.note


def test_a_broken_record_is_none(settings):
    settings.data.mkdir()
    (settings.data / "listening.json").write_text('{"device": ')
    assert row(settings).used == "not yet"


def voice_row(settings):
    (found,) = (f for f in doctor.findings(settings, ()) if f.part == "voice")
    return found


def test_whose_voice_may_pay(settings):
    assert voice_row(settings).state == "ok"
    assert "glasses enroll --voice" in voice_row(settings).note
    path = voiceprint.keep(settings.data, voiceprint.Profile("gaussians", b"voice"))
    assert voice_row(settings).used == "payments want your voice (gaussians)"
    private = replace(settings, private="pay.history")
    assert voice_row(private).used == "payments and pay.history want your voice (gaussians)"
    path.write_bytes(b"damaged")
    assert voice_row(settings).state == "problem"
    assert "glasses enroll --voice again" in voice_row(settings).note


def test_type_that_falls_short_is_one_line_that_says_what_to_install(monkeypatch):
    monkeypatch.setattr(icons, "find", lambda: None)
    monkeypatch.setattr(raster, "set_in", lambda: "Serif")
    found = doctor._type()
    assert (found.state, found.used) == ("missing", "Serif, no icons")
    assert "pip install fonticon-materialdesignicons7" in found.note
    monkeypatch.setattr(raster, "set_in", lambda: None)
    assert "fonts-noto-cjk" in doctor._type().note
