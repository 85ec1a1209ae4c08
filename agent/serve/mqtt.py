"""Notifications by MQTT: from a broker that the wearer names, under the rules of the push port.

    mqtt://USER:PASSWORD@HOST:1883/glasses/notify/#      (mqtts:// with TLS, port 8883)

What is published to the topic is a notification: an object as the push port takes it, or plain
text, whose source is the last level of its topic. What the wearer answers to one that takes answers
is published under `answers/` beside it: {"id": "n7", "text": "on my way"} to
`glasses/answers/mail`.
The broker knows who may publish; nothing is sent to it but answers, and what it has retained is
not taken: that would come again at every start.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from agent.act.inbox import MOST_SOURCES, Inbox, read
from agent.errors import ConfigError
from agent.skill.notices import Notice
from hardware import reading

if TYPE_CHECKING:
    from aiomqtt import Client, Message

TOPIC = "glasses/notify/#"
"""What is listened to where the address names nothing."""
MOST_BYTES = 64 << 10
"""Largest message that is read, as of the push port."""
AGAIN_S, LONGEST_S = 2.0, 60.0
"""How soon a broker that is gone is called again, and how long that is put off at most."""
ANSWERS_S = 1.0
"""How often it is looked whether the wearer has answered."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where notifications come from."""

    host: str
    """Its name or address."""
    port: int
    """Its port."""
    topic: str
    """What is listened to."""
    user: str | None = None
    """Whom it knows the glasses as."""
    password: str | None = None
    """And by which word."""
    tls: bool = False
    """Whether nobody else may read along."""

    def __str__(self) -> str:
        """Return it without its password."""
        return f"{self.host}:{self.port}"

    @classmethod
    def of(cls, address: str) -> Broker:
        """Read an address. Raises ConfigError, which does not repeat it: it may hold a password."""
        try:
            parts = urlsplit(address)
            tls = parts.scheme == "mqtts"
            if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
                raise ValueError
            marked = address.partition("#")[1] + parts.fragment  # a wildcard, not a fragment
            topic = unquote(parts.path.lstrip("/") + marked)
            given = [one and unquote(one) for one in (parts.username, parts.password)]
            port = parts.port or (8883 if tls else 1883)
            return cls(parts.hostname, port, topic or TOPIC, given[0], given[1], tls)
        except ValueError:
            raise ConfigError(
                "mqtt is no address of a broker: write mqtt://HOST, or mqtt://USER:PASSWORD@HOST/TOPIC"
            ) from None


class Subscription:
    """Takes what one broker hands on, for as long as `run` does."""

    def __init__(self, broker: Broker, inbox: Inbox, tell: Callable[[str], None]) -> None:
        """Be not connected; what goes wrong is told in a line, once until it is right again."""
        self._broker, self._inbox, self._tell = broker, inbox, tell
        self._sources: dict[str, None] = {}  # who takes answers
        self._fault = ""

    async def run(self) -> None:
        """Listen until cancelled; a broker that is gone is called again, less and less often."""
        try:
            from aiomqtt import Client, MqttError
        except ImportError:
            self._tell("mqtt: aiomqtt is not installed: pip install aiomqtt")
            return
        wait_s, broker = AGAIN_S, self._broker
        while True:
            more: dict[str, Any] = {}
            if broker.tls:
                import ssl

                more["tls_context"] = ssl.create_default_context()
            try:
                async with Client(
                    broker.host, broker.port, username=broker.user, password=broker.password, **more
                ) as client:
                    await client.subscribe(broker.topic, qos=1)
                    self._fault, wait_s = "", AGAIN_S
                    self._tell(f"notifications: {broker.topic} of {broker}")
                    await self._listen(client)
            except (MqttError, OSError) as error:
                self._told(f"mqtt: {broker} cannot be reached, trying again: {_why(error)}")
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, LONGEST_S)

    async def _listen(self, client: Client) -> None:
        answers = asyncio.create_task(self._answer(client))
        try:
            async for message in client.messages:
                self._take(message)
        finally:
            answers.cancel()
            with suppress(asyncio.CancelledError, Exception):  # the connection may be gone
                await answers

    def _take(self, message: Message) -> None:
        """Take one message; what is no notification is left out, and told."""
        topic = str(message.topic)
        if message.retain:
            return
        payload = message.payload if isinstance(message.payload, bytes) else b""
        try:
            notice = notice_of(topic, payload)
        except (ValueError, RecursionError) as error:
            self._told(f"mqtt: what came by {topic[:60]!r} is no notification: {_why(error)}")
            return
        if notice.answers:
            self._sources[notice.source] = None
            while len(self._sources) > MOST_SOURCES:
                del self._sources[next(iter(self._sources))]
        self._inbox.take(notice)

    async def _answer(self, client: Client) -> None:
        """Publish what the wearer answers."""
        while True:
            for source in [*self._sources]:
                for id, text in self._inbox.answers(source):
                    told = json.dumps({"id": id, "text": text}, ensure_ascii=False)
                    await client.publish(answers_topic(self._broker.topic, source), told, qos=1)
            await asyncio.sleep(ANSWERS_S)

    def _told(self, what: str) -> None:
        if what != self._fault:
            self._fault = what
            self._tell(what)


def notice_of(topic: str, payload: bytes) -> Notice:
    """Read a message. Raises ValueError that says what is wrong."""
    if len(payload) > MOST_BYTES:
        raise ValueError(f"{MOST_BYTES >> 10} KiB at most")
    text = reading.decode(payload)
    source = topic.rpartition("/")[2]
    if not text.lstrip().startswith("{"):
        return read({"source": source, "text": text})
    message = reading.from_json(text)
    if not isinstance(message, dict):
        raise ValueError("a notification is a JSON object, or plain text")
    return read({"source": source, **message})


def answers_topic(topic: str, source: str) -> str:
    """Return where answers to a source go: beside what is listened to, without wildcards."""
    fixed = topic.rstrip("/#+").rpartition("/")[0]
    name = "".join("_" if c in "/#+" else c for c in source)
    return "/".join(filter(None, (fixed, "answers", name)))


def _why(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
