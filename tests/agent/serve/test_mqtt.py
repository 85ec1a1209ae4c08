"""Notifications by MQTT, from a real broker on loopback."""

import asyncio
import json
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from agent.cli import push as cli_push
from agent.config import load
from agent.errors import ConfigError
from agent.serve import mqtt
from agent.serve.mqtt import Broker, Subscription, answers_topic, notice_of
from agent.testing import make_agent
from tests.pace import PATIENCE_S

MOSQUITTO = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
real = pytest.mark.skipif(
    MOSQUITTO is None, reason="mosquitto is not installed: sudo apt install mosquitto"
)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return bound.getsockname()[1]


class Mosquitto:
    """A broker that knows one user."""

    def __init__(self, folder: Path):
        self.port, self._folder, self._process = free_port(), folder, None
        words = folder / "passwords"
        subprocess.run(
            ["mosquitto_passwd", "-c", "-b", words, "glasses", "s:cret"],
            check=True,
            capture_output=True,
        )
        words.chmod(0o644)
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {words}\nuser root\n"
        )

    async def start(self):
        self._process = subprocess.Popen(
            [MOSQUITTO, "-c", self._config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    return

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @property
    def address(self):
        return f"mqtt://glasses:s%3Acret@127.0.0.1:{self.port}/glasses/notify/#"

    def client(self):
        from aiomqtt import Client

        return Client("127.0.0.1", self.port, username="glasses", password="s:cret")


@pytest.fixture
def broker(tmp_path):
    folder = tmp_path / "broker"
    folder.mkdir()
    made = Mosquitto(folder)
    yield made
    made.stop()


async def until(holds):
    async with asyncio.timeout(PATIENCE_S):
        while not holds():
            await asyncio.sleep(0.02)


@real
async def test_what_a_broker_hands_on_is_a_notification_and_answers_go_back(
    tmp_path, broker, capsys
):
    await broker.start()
    agent = make_agent(tmp_path)
    agent.lens.attach()
    settings = load({"HOME": str(tmp_path), "GLASSES_MQTT": broker.address})
    told = []
    inbox = agent.world.inbox
    async with cli_push.serving(agent, settings), broker.client() as client:
        await until(
            lambda: "glasses/notify/#" in "".join(told) or told.append(capsys.readouterr().err)
        )
        assert "s:cret" not in "".join(told)
        await client.subscribe("glasses/answers/#")
        await client.publish("glasses/notify/door", "somebody is at the door")
        message = {"source": "chat", "title": "Anna", "text": "dinner?", "answers": True}
        await client.publish("glasses/notify/x", json.dumps(message))
        for wrong in (b"", b"\xff\xfe", b"{" * 9000, b'{"text": 1}', b"x" * 100_000):
            await client.publish("glasses/notify/wrong", wrong)
        await client.publish("glasses/notify/old", "yesterday's", retain=True)
        await client.publish("glasses/notify/last", "the last")
        await until(lambda: inbox.waiting == 4)
        found = {one.source: one for one in inbox.unread()}
        assert {name: one.text for name, one in found.items()} == {
            "door": "somebody is at the door", "chat": "dinner?", "last": "the last", "old": "yesterday's",
        }  # fmt: skip
        inbox.answer(found["chat"], "at eight")
        async with asyncio.timeout(PATIENCE_S):
            answer = await anext(aiter(client.messages))
        assert str(answer.topic) == "glasses/answers/chat"
        assert json.loads(answer.payload) == {"id": found["chat"].id, "text": "at eight"}
    await agent.close()


@real
async def test_what_was_kept_by_the_broker_does_not_come_again(tmp_path, broker):
    await broker.start()
    agent, told = make_agent(tmp_path), []
    async with broker.client() as client:
        await client.publish("glasses/notify/old", "yesterday's", retain=True, qos=1)
        task = asyncio.create_task(
            Subscription(Broker.of(broker.address), agent.world.inbox, told.append).run()
        )
        await until(lambda: told)
        await client.publish("glasses/notify/new", "today's", qos=1)
        await until(lambda: agent.world.inbox.waiting)
        assert [one.text for one in agent.world.inbox.unread()] == ["today's"]
    task.cancel()
    await asyncio.wait({task})
    await agent.close()


@real
async def test_a_broker_that_is_gone_is_one_line_and_called_again(tmp_path, broker, monkeypatch):
    monkeypatch.setattr(mqtt, "AGAIN_S", 0.05)
    monkeypatch.setattr(mqtt, "LONGEST_S", 0.1)
    agent, told = make_agent(tmp_path), []
    task = asyncio.create_task(
        Subscription(Broker.of(broker.address), agent.world.inbox, told.append).run()
    )
    await until(lambda: told)
    assert told[0].startswith(f"mqtt: 127.0.0.1:{broker.port} cannot be reached, trying again")
    await asyncio.sleep(0.3)
    assert len(told) == 1
    await broker.start()
    await until(lambda: len(told) == 2)
    broker.stop()
    await until(lambda: len(told) == 3)
    await broker.start()
    async with broker.client() as client:
        await until(lambda: len(told) == 4)
        await client.publish("glasses/notify/door", "open", qos=1)
        await until(lambda: agent.world.inbox.waiting)
    task.cancel()
    await asyncio.wait({task})
    await agent.close()


@real
async def test_a_wrong_password_is_said_and_not_repeated(tmp_path, broker):
    await broker.start()
    agent, told = make_agent(tmp_path), []
    wrong = broker.address.replace("s%3Acret", "wr0ng")
    task = asyncio.create_task(Subscription(Broker.of(wrong), agent.world.inbox, told.append).run())
    await until(lambda: told)
    assert "cannot be reached" in told[0]
    assert "wr0ng" not in told[0]
    task.cancel()
    await asyncio.wait({task})
    await agent.close()


@pytest.mark.parametrize(
    ("address", "broker"),
    [
        ("mqtt://nas", Broker("nas", 1883, "glasses/notify/#")),
        ("mqtts://nas", Broker("nas", 8883, "glasses/notify/#", tls=True)),
        ("mqtt://u:p%40s@nas:99/home/+/say", Broker("nas", 99, "home/+/say", "u", "p@s")),
        ("mqtt://nas/home/#", Broker("nas", 1883, "home/#")),
    ],
)
def test_an_address_is_read(address, broker):
    assert Broker.of(address) == broker


@pytest.mark.parametrize("address", ["nas", "http://nas", "mqtt://", "mqtt://u:geheim@nas:x", ""])
def test_what_is_no_address_is_said_without_its_password(address):
    with pytest.raises(ConfigError, match="mqtt is no address") as error:
        Broker.of(address)
    assert "geheim" not in str(error.value)


def test_plain_text_is_of_the_last_level_of_its_topic():
    assert notice_of("home/door", b"open").source == "door"
    assert notice_of("home/door", b'{"text": "open"}').source == "door"
    assert notice_of("home/door", b'{"source": "bell", "text": "open"}').source == "bell"
    with pytest.raises(ValueError, match="64 KiB"):
        notice_of("home/door", b"x" * 70_000)


def test_answers_go_beside_what_is_listened_to_and_nowhere_else():
    assert answers_topic("glasses/notify/#", "chat") == "glasses/answers/chat"
    assert answers_topic("#", "a/+/#b") == "answers/a____b"
