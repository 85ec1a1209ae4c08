"""Head, light and power while the glasses are worn, and what outlives a swap of the cells."""

import asyncio
import json
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest

from agent import Context, Proposal, Receipt, Reply, hookimpl, skill
from agent.listen.transcriber import Transcriber
from agent.loop import resume
from agent.plugins.skills import Skills
from agent.testing import Conversation, VirtualClock
from agent.testing.conversation import Doubles
from agent.testing.doubles import ScriptedTranscriber
from hardware.base import AudioChunk, DeviceError
from hardware.battery import VirtualBattery
from hardware.imu import VirtualImu
from hardware.light import VirtualLight
from hardware.moves import ride
from hardware.speaker import VirtualSpeaker
from tests.pace import PATIENCE_S

LONG = "\n".join(f"line {n} of a long answer" for n in range(20))
paid = []


@skill("settle up with {payee}", risk="money", permissions={"money": "to pay"})
def settle(payee: str) -> Proposal:
    """Pay somebody four dollars."""
    return Proposal(
        amount=Decimal(4), payee=payee, commit=lambda key: paid.append(key) or Receipt("Paid.")
    )


@skill("recite")
def recite() -> Reply:
    """Say much."""
    return Reply(LONG)


@skill("take a picture", permissions={"camera": "to take it"})
def picture(ctx: Context) -> Reply:
    """Use the camera."""
    return Reply(ctx.device("camera"))


@skill("ponder")
def ponder(ctx: Context) -> Reply:
    """Ask the model."""
    return Reply(ctx.model.complete("think"))


class Plugin:
    @hookimpl
    def register_skills(self, register):
        register(settle, recite, picture, ponder)


class Quiet:
    """A microphone in a silent room, on the loop's clock."""

    name = "quiet"

    def __init__(self):
        self._began_s = None

    async def chunks(self):
        loop = asyncio.get_running_loop()
        self._began_s = loop.time()
        number = 0
        while True:
            await asyncio.sleep(self._began_s + (number + 1) * 0.02 - loop.time())
            yield AudioChunk(bytes(640), number * 20.0)
            number += 1

    def now_ms(self):
        return (asyncio.get_running_loop().time() - self._began_s) * 1000


class World:
    """An agent that is worn, with everything that can be felt."""

    def __init__(self, folder, **devices):
        self.folder = folder
        skills = Skills()
        skills.load(Plugin())
        self.imu, self.battery, self.light = VirtualImu(), VirtualBattery(), VirtualLight()
        self.talk = Conversation(
            skills, folder, Doubles(imu=self.imu, battery=self.battery, light=self.light, **devices)
        )
        self.agent, self.clock = self.talk.agent, self.talk.clock
        self.turns = []
        self.wearing = None

    def wear(self):
        async def begin():
            async def main():
                async for turn in self.agent.listen(Quiet()):
                    self.turns.append(turn)

            self.wearing = asyncio.create_task(main())
            await asyncio.sleep(0.5)

        self.clock.run(begin())
        return self

    def wait(self, seconds):
        self.clock.advance(seconds)

    def lose_power(self):
        """Leave on the disk what is there now, and end."""
        self.agent.cut()
        self.wearing.cancel()
        self.talk.clock.close()

    def close(self):
        if not self.clock.loop.is_closed():
            self.talk.close()


@pytest.fixture
def world(tmp_path):
    paid.clear()
    world = World(tmp_path).wear()
    yield world
    world.close()


def test_a_nod_of_the_head_pays_and_a_shake_does_not(world):
    world.wait(3)
    world.talk("settle up with anna")
    world.imu.shake()
    world.wait(4)
    assert paid == []
    assert "Nothing was paid" in world.talk.lens
    world.talk("settle up with anna")
    world.imu.nod()
    world.wait(4)
    assert len(paid) == 1
    assert [turn.source for turn in world.turns] == ["shake", "nod"]


def test_a_nod_amid_other_movement_is_seen_and_does_not_pay(world):
    world.wait(3)
    world.imu.do(ride(rms=0.4, degrees=0.8), 14)
    world.wait(4)
    world.talk("settle up with anna")
    world.imu.nod()
    world.wait(4)
    assert paid == []
    world.wait(10)
    world.talk("settle up with anna")
    world.imu.nod()  # the same, once the ride is over
    world.wait(4)
    assert len(paid) == 1


def test_walking_never_pays_and_leaves_two_rows(world):
    world.talk("recite")
    assert len(world.talk.display.frames[-1].lines) > 4
    world.imu.walk(True)
    world.wait(4)
    assert len(world.talk.display.frames[-1].lines) == 2
    world.talk("settle up with anna")
    world.wait(20)
    assert paid == []
    world.imu.walk(False)
    world.wait(5)
    world.talk("recite")
    assert len(world.talk.display.frames[-1].lines) > 4


def test_looking_up_lights_the_dashboard(world):
    world.wait(3)
    world.imu.glance(True)
    world.wait(2)
    assert "100 %" in world.talk.lens
    world.imu.glance(False)
    world.wait(2)
    assert world.talk.lens == ""


def test_the_lens_follows_the_light(world):
    world.wait(5)
    world.talk("recite")
    indoors = world.talk.display.frames[-1].light
    world.light.lux = 1.0
    world.wait(10)
    assert world.talk.display.frames[-1].light < indoors / 2
    world.light.lux = 100_000.0
    world.wait(10)
    assert world.talk.display.frames[-1].light > 0.95


@pytest.mark.slow
def test_each_step_of_the_ladder_is_taken_and_told(world):
    world.agent.devices = replace(world.agent.devices, others={"camera": lambda: "photo"})
    seen = []
    for level in (0.14, 0.11, 0.07, 0.04):
        for cell in (0, 1):
            world.battery.charge(cell, level)
        world.wait(6)
        seen.append((world.agent.senses.step.name, world.talk.lens.splitlines()[0]))
        world.wait(30)
    assert [name for name, _ in seen] == ["dimmer", "slower", "smaller", "text"]
    assert seen[0][1] == "! Battery 14 %: dimmer now."
    assert not world.talk.display.listening
    assert "low" in world.talk("ponder").error
    assert "low" in world.talk("take a picture").error
    for cell in (0, 1):
        world.battery.insert(cell, 1.0)
    world.wait(30)
    assert world.agent.senses.step.name == "normal"
    assert world.agent.senses.step.listening


def test_heat_is_a_reason_as_well(world):
    world.battery.temperature_c = 42.0
    world.wait(8)
    assert world.agent.senses.step.name == "smaller"
    assert "42 °C" in world.talk.lens


def test_small_engines_take_over_while_power_is_low(tmp_path):
    class Small(ScriptedTranscriber):
        name = "small"

    world = World(tmp_path)
    world.agent.listening = replace(world.agent.listening, small=Small)
    world.wear()
    ears = world.agent._ears

    def engine(transcriber: Transcriber) -> str:
        return transcriber.name

    assert world.clock.run(ears.call(engine)) == "scripted"
    for cell in (0, 1):
        world.battery.charge(cell, 0.07)
    world.wait(6)
    assert world.clock.run(ears.call(engine)) == "small"
    for cell in (0, 1):
        world.battery.charge(cell, 0.9)
    world.wait(20)
    assert world.clock.run(ears.call(engine)) == "scripted"
    world.close()


class Dead:
    name = "dead"

    async def readings(self):
        raise ZeroDivisionError
        yield

    def state(self):
        raise DeviceError("no cells: put one in")

    @property
    def lux(self):
        raise DeviceError("no sensor")


def test_senses_that_fail_are_told_and_the_agent_lives(tmp_path, caplog):
    world = World(tmp_path)
    dead = Dead()
    devices = world.agent.devices
    world.agent.devices = type(devices)(devices.display, imu=dead, battery=dead, light=dead)
    world.wear()
    told = []
    for _ in range(30):
        world.wait(1)
        told.append(" ".join(world.talk.lens.split()))
    assert world.talk("recite").error is None
    for line in ("The battery cannot be read. Trying again.", "The motion sensor", "The light"):
        assert (
            sum(line in lens and line not in before for before, lens in pairwise(["", *told])) == 1
        )
    messages = [record.getMessage() for record in caplog.records]
    for what, reason in (
        ("head", "ZeroDivisionError"),
        ("battery", "no cells: put one in"),
        ("light", "no sensor"),
    ):
        tried = messages.count(f"the {what} is tried again: {reason}")
        assert 3 <= tried <= 20, "again and again, and less and less often"
    world.close()


def test_a_reading_that_fails_once_is_told_and_heals(tmp_path):
    world = World(tmp_path).wear()
    state, failing = world.battery.state, iter([True])

    def swapped():
        if next(failing, False):
            raise DeviceError("the cell is being swapped")
        return state()

    world.battery.state = swapped
    world.wait(6)
    assert "The battery cannot be read" in world.talk.lens
    for cell in (0, 1):
        world.battery.charge(cell, 0.07)
    world.wait(30)
    assert world.agent.senses.step.name == "smaller", "it is watched all the same"
    world.close()


def test_a_head_that_is_lost_for_a_moment_is_felt_again(tmp_path):
    paid.clear()
    world = World(tmp_path)
    readings, lost = world.imu.readings, iter([True])

    async def once():
        if next(lost, False):
            raise DeviceError("the cable is loose")
        async for motion in readings():
            yield motion

    world.imu.readings = once
    world.wear()
    world.wait(8)
    world.talk("settle up with anna")
    world.imu.nod()
    world.wait(4)
    assert len(paid) == 1
    world.close()


@pytest.mark.slow
def test_a_save_that_fails_is_told_once_tried_again_and_heals(tmp_path, monkeypatch):
    world = World(tmp_path).wear()
    world.wait(1)
    save, full = resume.save, [True]

    def refuse(path, state):
        if full:
            raise OSError(28, "No space left on device")
        save(path, state)

    monkeypatch.setattr(resume, "save", refuse)
    (tmp_path / "resume.json").unlink()
    world.talk("recite")
    told = []
    for _ in range(180):
        world.wait(1)
        told.append("can't be saved" in " ".join(world.talk.lens.split()))
    assert sum(now and not before for before, now in pairwise([False, *told])) == 1
    assert not (tmp_path / "resume.json").exists()
    full.clear()
    world.wait(6)
    assert (tmp_path / "resume.json").exists(), "though nobody has said anything since"
    world.close()


def test_two_savings_at_once_never_meet_in_one_file(tmp_path, caplog):
    world = World(tmp_path).wear()
    world.wait(1)

    async def all_at_once():
        await asyncio.gather(*(world.agent.hear("recite") for _ in range(20)))

    world.clock.run(all_at_once())
    world.wait(1)
    assert "cannot be written" not in caplog.text
    assert "line 0 of a long answer" in (tmp_path / "resume.json").read_text()
    world.close()


# -- a swap of the cells --------------------------------------------------------------------------


def test_the_last_card_comes_back_within_two_seconds(tmp_path):
    world = World(tmp_path).wear()
    world.talk("recite")
    world.wait(1)
    world.lose_power()
    again = World(tmp_path).wear()
    again.wait(1.5)
    assert "line 0 of a long answer" in again.talk.lens
    again.close()


def test_a_question_is_asked_again_and_never_taken_as_answered(tmp_path):
    paid.clear()
    world = World(tmp_path).wear()
    world.talk("settle up with anna")
    world.wait(1)
    world.lose_power()
    again = World(tmp_path).wear()
    again.wait(1.5)
    assert "anna" in again.talk.lens.lower()
    assert again.agent.gate.open is not None
    assert paid == []
    again.talk("yes")
    assert len(paid) == 1
    assert [turn.source for turn in again.turns] == ["tool call"]
    again.close()


@pytest.mark.parametrize("answer", ["yes", "no", "recite"])
def test_a_question_that_was_answered_is_not_asked_again(tmp_path, answer):
    paid.clear()
    world = World(tmp_path).wear()
    world.talk("settle up with anna")
    world.wait(1)
    world.talk(answer)
    world.wait(1)
    world.lose_power()
    paid.clear()
    again = World(tmp_path).wear()
    again.wait(1.5)
    assert again.agent.gate.open is None
    assert again.turns == []
    again.close()


def test_what_the_ledger_knows_is_not_asked_again_whatever_the_file_says(tmp_path):
    paid.clear()
    world = World(tmp_path).wear()
    world.talk("settle up with anna")
    world.wait(1)
    whole = (tmp_path / "resume.json").read_bytes()
    world.talk("yes")
    world.wait(1)
    world.lose_power()
    (tmp_path / "resume.json").write_bytes(whole)  # as if the power had gone amid the payment
    paid.clear()
    again = World(tmp_path).wear()
    again.wait(1.5)
    assert again.agent.gate.open is None
    again.close()


def test_an_end_that_is_meant_leaves_nothing_to_go_on_with(world):
    world.talk("settle up with anna")
    world.wait(1)
    assert (world.folder / "resume.json").exists()
    world.wearing.cancel()
    world.close()
    assert not (world.folder / "resume.json").exists()


def test_the_music_goes_on_where_it_was(tmp_path):
    def world():
        clock = VirtualClock(PATIENCE_S)
        speaker = VirtualSpeaker(clock=clock.time, length_s=300.0)
        return World(tmp_path, clock=clock, speaker=speaker)

    tune = tmp_path / "tune.wav"
    before = world().wear()
    before.talk.speaker.play(tune)
    before.talk.speaker.volume = 35
    before.wait(62)
    before.lose_power()
    again = world().wear()
    again.wait(1.0)
    assert (again.talk.speaker.playing, again.talk.speaker.volume) == (tune, 35)
    assert 55 < again.talk.speaker.position_s < 66
    again.close()


def test_what_is_kept_is_read_by_nobody_else_and_damage_is_survived(tmp_path):
    world = World(tmp_path).wear()
    world.talk("recite")
    world.wait(1)
    path = tmp_path / "resume.json"
    assert path.stat().st_mode & 0o077 == 0
    assert json.loads(path.read_text())
    world.lose_power()
    path.write_bytes(path.read_bytes()[:-20])
    again = World(tmp_path).wear()
    again.wait(1)
    assert again.talk.lens == ""
    assert again.talk("recite").error is None
    again.close()
