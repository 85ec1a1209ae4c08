"""The desktop's notifications, on a real bus of the test's own."""

import asyncio
import shutil
import subprocess

import pytest

from agent.cli import push as cli_push
from agent.config import load
from agent.serve import desktop
from agent.testing import make_agent
from tests.pace import PATIENCE_S

real = pytest.mark.skipif(
    not shutil.which("dbus-daemon"), reason="dbus-daemon is not installed: sudo apt install dbus"
)


@pytest.fixture
def bus(tmp_path):
    asked = [
        "dbus-daemon",
        "--session",
        "--nofork",
        "--print-address",
        f"--address=unix:dir={tmp_path}",
    ]
    process = subprocess.Popen(asked, stdout=subprocess.PIPE, text=True)
    yield process.stdout.readline().strip(), process
    process.kill()
    process.wait()
    process.stdout.close()


async def notify(address, program, summary, body, member="Notify"):
    from dbus_fast import Message
    from dbus_fast.aio import MessageBus

    client = await MessageBus(bus_address=address).connect()
    body = [program, 0, "", summary, body, [], {}, -1]
    await client.call(
        Message(
            destination="org.freedesktop.Notifications", path="/org/freedesktop/Notifications",
            interface="org.freedesktop.Notifications", member=member,
            signature=desktop.SIGNATURE, body=body,
        )
    )  # fmt: skip
    client.disconnect()


async def until(holds):
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.02)


@real
async def test_what_programs_notify_of_is_shown_under_the_rules(tmp_path, bus, monkeypatch, capsys):
    address, _ = bus
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
    agent = make_agent(tmp_path)
    agent.lens.attach()
    settings = load({"HOME": str(tmp_path), "GLASSES_DESKTOP": "notifications"})
    inbox, told = agent.world.inbox, []
    inbox.rule("Noisy", "hush")
    async with cli_push.serving(agent, settings):
        await until(lambda: "desktop" in "".join(told) or told.append(capsys.readouterr().err))
        await notify(address, "Mail", "Anna", "<b>dinner</b> at 8 &amp; later <a href='x'>here</a>")
        await notify(address, "Noisy", "x", "y")
        await notify(address, "", "only a summary", "")
        await notify(address, "Empty", "", " ")
        await notify(address, "Mail", "", "a < b\x00\u202e"[:5])
        await until(lambda: inbox.waiting == 3)
        found = [(one.source, one.title, one.text) for one in inbox.unread()][::-1]
        assert found == [
            ("Mail", "Anna", "dinner at 8 & later here"),
            ("desktop", "", "only a summary"),
            ("Mail", "", "a < b"),
        ]
        assert not any(one.answers for one in inbox.unread())
    await agent.close()


@real
async def test_a_bus_that_goes_is_one_line_and_called_again(tmp_path, bus, monkeypatch):
    monkeypatch.setattr(desktop, "AGAIN_S", 0.05)
    monkeypatch.setattr(desktop, "LONGEST_S", 0.1)
    address, process = bus
    agent, told = make_agent(tmp_path), []
    task = asyncio.create_task(desktop.run(agent.world.inbox, told.append, address))
    await until(lambda: told)
    process.kill()
    await until(lambda: len(told) >= 2)
    assert told[1].startswith("desktop: its notifications cannot be seen, trying again")
    task.cancel()
    await asyncio.wait({task})
    await agent.close()
