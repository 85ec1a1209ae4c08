"""Telephone quality: recognised, counted, and made up for."""

import random

import numpy as np
import pytest

from agent.language.saying import Saying
from agent.listen.band import is_narrow
from agent.listen.health import HealthLog
from agent.listen.intake import Intake
from agent.listen.sphinx.engine import PocketSphinx, SphinxOptions
from agent.listen.sphinx.narrow import extended
from agent.messages import Transcript
from hardware.audio import Resampler, read
from hardware.base import AudioChunk
from hardware.spoken import clips
from tests.shared import MISSING, orders

pytestmark = pytest.mark.slow

LEAD = bytes(32_000)


def telephone(pcm):
    """16 kHz int16 as a telephone lets it through: 8 kHz, 8 bits of µ-law."""
    down, up = Resampler(8_000), Resampler()
    narrow = np.frombuffer(down.feed(pcm, 16_000) + down.flush(), "<i2") / 32768
    law = np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)
    coded = np.rint(law * 127) / 127
    back = np.sign(coded) * (256 ** np.abs(coded) - 1) / 255
    sound = np.rint(back * 32767).astype("<i2").tobytes()
    return up.feed(sound, 8_000) + up.flush()


def test_telephone_speech_is_told_from_other_speech():
    said = [read(path) for path in clips()]
    assert len(said) > 5
    assert [is_narrow(pcm) for pcm in said] == [False] * len(said)
    assert [is_narrow(telephone(pcm)) for pcm in said] == [True] * len(said)


@pytest.mark.parametrize("pcm", [b"", b"\x01", bytes(640), bytes(64_001)])
def test_silence_and_nothing_are_not_narrow(pcm):
    assert not is_narrow(pcm)


@pytest.mark.skipif(not orders(), reason=MISSING)
def test_real_orders_are_told_apart_too():
    said = [read(order.path) for order in orders()[::20]]
    assert not any(map(is_narrow, said))
    assert all(is_narrow(telephone(pcm)) for pcm in said)


def counted(pcm, folder):
    made = Intake(health_log=HealthLog(folder))
    for at in range(0, len(pcm) - 639, 640):
        assert made.mend(AudioChunk(pcm[at : at + 640], at / 32))
    made.close()
    health = HealthLog(folder).load()
    assert health == made.health
    return health


def test_it_is_counted_and_told_what_to_do(tmp_path):
    sound = b"".join(LEAD + read(path) for path in clips())
    assert counted(sound, tmp_path).well
    health = counted(telephone(sound), tmp_path)
    assert health.narrow_ms > 2000
    assert f"telephone quality {health.narrow_ms:.0f} ms" in health.words()
    assert "Bluetooth" in health.advice()


def test_sound_that_is_wide_again_is_no_trouble(tmp_path):
    sound = b"".join(LEAD + read(path) for path in clips())
    assert counted(telephone(sound) + sound, tmp_path).narrow_ms == 0


@pytest.mark.parametrize("gain_db", [-45, -40, -36])
def test_speech_that_is_too_quiet_is_counted(tmp_path, gain_db):
    sound = np.frombuffer(b"".join(LEAD + read(path) for path in clips()), "<i2")
    quiet = np.rint(sound / np.abs(sound).max() * 32_000 * 10 ** (gain_db / 20)).astype("<i2")
    health = counted(quiet.tobytes(), tmp_path)
    assert health.quiet_ms > 500
    assert "too quiet" in health.words()
    assert "input level up" in health.advice()
    loud = (quiet * 10).astype("<i2").tobytes()
    assert counted(quiet.tobytes() + loud, tmp_path).quiet_ms == 0, "it was only far away"


def test_a_room_in_which_nobody_speaks_is_not_too_quiet(tmp_path):
    noise = np.random.default_rng(1).normal(0, 40, 16_000 * 20).astype("<i2").tobytes()
    assert counted(noise, tmp_path).well


def test_what_was_taken_away_is_put_back():
    """Nearer to the cepstra of the whole than what the telephone left."""
    from agent.listen.sphinx.features import NoiseRemoval, cepstra, powers

    def plain(pcm):
        return cepstra(NoiseRemoval().clean(powers(np.frombuffer(pcm, "<i2").astype(float))))

    def spread(frames):  # the decoder takes the mean off
        return frames - frames.mean(axis=0)

    for path in clips()[:4]:
        whole, narrow = read(path), telephone(read(path))
        filled, channel = extended(b"", narrow)
        wanted, left = spread(plain(whole)), spread(plain(narrow))
        count = min(map(len, (wanted, left, filled)))
        loud = np.argsort(plain(whole)[:count, 0])[count // 2 :]
        error = np.abs(spread(filled)[:count] - wanted[:count])[loud].mean()
        assert error < 0.9 * np.abs(left[:count] - wanted[:count])[loud].mean()
        assert channel.shape == (13,)


def test_what_is_too_short_or_silent_is_no_trouble():
    for before, speech in ((b"", b""), (b"\x01", b"\x01"), (LEAD, bytes(1000)), (LEAD, LEAD)):
        cepstra, channel = extended(before, speech)
        assert np.isfinite(cepstra).all()
        assert np.isfinite(channel).all()


WANTED = {
    "search": "search for running shoes",
    "price": "how much is the desk lamp",
    "navigate": "navigate to the pharmacy",
    "translate": "translate good morning into chinese",
    "pay": "pay twenty dollars to anna",
}


def hear(engine, pcm) -> Transcript:
    engine.ambient(LEAD)
    engine.start()
    for at in range(0, len(pcm), 640):
        engine.feed(pcm[at : at + 640])
    return engine.finish()


def test_a_telephone_is_understood_nearly_as_well_as_a_microphone():
    """The shipped commands, and sentences that sound like them."""
    near = ("search for winning shows", "how much is the best lamp", "pay thirty dollars to hannah")
    engine = PocketSphinx(SphinxOptions())
    engine.expect([Saying("a.b", text, {}) for text in (*WANTED.values(), *near)])
    confidence = {False: 0.0, True: 0.0}
    for path in clips():
        if (word := next((w for w in WANTED if w in path.name), None)) is None:
            continue
        for narrow in confidence:
            heard = hear(engine, LEAD[:9600] + (telephone if narrow else bytes)(read(path)))
            assert heard.text == WANTED[word]
            confidence[narrow] += heard.confidence
    engine.close()
    assert confidence[True] > 0.85 * confidence[False]


@pytest.mark.skipif(not orders(), reason=MISSING)
def test_real_orders_by_telephone_are_accepted(tmp_path):
    """Action and every slot right: 39 of 41 as through a microphone, 38 and less without."""
    from agent.messages import Intent
    from agent.turn import intent_json
    from tests.bench.listening import make_agent
    from tests.bench.mix import mixed
    from tests.shared import PLUGIN

    agent = make_agent([str(PLUGIN)], tmp_path)
    engine = PocketSphinx()
    engine.expect(agent.sayings("en"))
    said = random.Random(1).sample(orders(), 15)
    right = 0
    for order in said:
        sound = mixed(order.path.name, read(order.path), None, 0)
        _, meaning = agent.route(hear(engine, telephone(sound[len(LEAD) :])).text, "en")
        call = intent_json(meaning) if isinstance(meaning, Intent) else {}
        right += (call.get("action"), call.get("slots")) == (order.action, order.slots)
    assert right / len(said) >= 0.8
