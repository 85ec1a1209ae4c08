"""Being a bot that Pipecat's clients talk to: text and sound in, text out, in RTVI 2.2.

    client-ready            →  bot-ready
    send-text               →  user-input, bot-llm-started, llm-function-call-…, bot-llm-text,
                               bot-output, bot-transcription, bot-llm-stopped
    raw-audio, or a frame   →  user-started-speaking, user-transcription and user-input while it is
                               spoken, user-stopped-speaking, and what send-text gives
    disconnect-bot          →  the connection is closed
    what else there is      →  error-response

A client that begins with a binary frame is answered in such frames, one that begins with text in
text. The glasses have no voice: nothing is sent as sound. What a client says is answered after
what it said before, and is none of the wearer's words: it can propose a payment and never say yes.
Speech in which no words were understood is not answered.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from agent.loop.agent import Agent
from agent.serve.asking import Told, ask
from agent.serve.ears import DEAF, Ears
from agent.serve.rtvi import protobuf
from agent.serve.sockets import DONE, Client, Clients, Door, Nonsense, fields, text
from agent.serve.sound import Converter, Format
from agent.serve.spoken import Began, Event, Said, Stopped, Words
from agent.turn import intent_json
from agent.version import __version__

SOURCE = "rtvi"
"""Where turns come from that a client has begun."""
TOKEN = "rtvi-token"
"""The file that the token is kept in."""
LABEL = "rtvi-ai"
"""What marks a message of the protocol."""
VERSION = "2.2.0"
"""Of the protocol. Clients of 1.x are served as well, and told their own."""
PATHS = ("/", "/ws")
"""Where the bot is; Pipecat's own runner has it at `/ws`."""


def app(agent: Agent, ears: Ears | None, token: str | None = None) -> ASGIApp:
    """Return the server, for this machine alone or by token."""
    clients = Clients("RTVI", lambda socket: _Client(socket, agent, ears))
    return Door(Starlette(routes=[WebSocketRoute(path, clients.serve) for path in PATHS]), token)


class _Client(Client):
    """One client."""

    def __init__(self, socket: WebSocket, agent: Agent, ears: Ears | None) -> None:
        super().__init__(socket, ears)
        self._agent = agent
        self._converter = Converter()
        self._framed: bool | None = None  # whether it wraps messages in frames
        self._deaf = False  # whether it was told that nothing is heard
        self._calls = 0

    async def take(self, message: str | bytes) -> None:
        """Do what a message, or a frame with sound or a message in it, wants."""
        if self._framed is None:
            self._framed = isinstance(message, bytes)
        if isinstance(message, bytes):
            try:
                found = protobuf.read(message)
            except ValueError as error:
                raise Nonsense(f"this is no frame of Pipecat's: {error}") from None
            if isinstance(found, protobuf.Audio):
                await self._sound([found.pcm], found.rate_hz, found.channels)
            if not isinstance(found, bytes):
                return
            message = found.decode(errors="replace")
        read = fields(message)
        if read.get("label") != LABEL:
            raise Nonsense(f"this is no message of RTVI: its label is not {LABEL}")
        given = read.get("data")
        data = given if isinstance(given, dict) else {}
        await self._do(text(read, "type"), str(read.get("id") or ""), data)

    async def _do(self, kind: str, id: str, data: Mapping[str, Any]) -> None:
        match kind:
            case "client-ready":
                await self._ready(id, data.get("version"))
            case "send-text":
                await self._typed(id, data)
            case "raw-audio" | "raw-audio-batch":
                await self._raw(data)
            case "client-message":
                await self._custom(id, data.get("t"))
            case "disconnect-bot":
                await self.leave(DONE, "")
            case _:
                await self._refuse(id, f"these glasses do nothing with {kind[:40]!r}")

    # -- what it wants ----------------------------------------------------------------------------

    async def _ready(self, id: str, version: object) -> None:
        major = version.partition(".")[0] if isinstance(version, str) else ""
        if major not in ("1", "2"):
            named = f"RTVI {version[:20]}" if isinstance(version, str) else "your version of RTVI"
            ours = f"these glasses speak RTVI {VERSION}, not {named}"
            await self._refuse(id, f"{ours}: use a client of 1.x or 2.x")
        await self._tell(
            "bot-ready",
            {
                "version": version if major == "1" else VERSION,
                "about": {"library": "glasses", "library_version": __version__},
                "capabilities": {
                    "audio_in": self.spoken is not None,
                    "audio_out": False,
                    "video_in": False,
                    "screen_in": False,
                    "video_out": False,
                    "metrics": False,
                },
            },
            id,
        )

    async def _typed(self, id: str, data: Mapping[str, Any]) -> None:
        content, options = text(data, "content"), data.get("options")
        if isinstance(options, dict) and options.get("run_immediately") is False:
            await self._refuse(id, "text that is to wait for an answer is not kept: send it again")
            return
        await self._input(content, "chat", msg_id=id)
        await self._answer(content, None)

    async def _raw(self, data: Mapping[str, Any]) -> None:
        batch = data.get("base64AudioBatch")
        given: list[Any] = batch if isinstance(batch, list) else [data.get("base64Audio")]
        try:
            pieces = [base64.b64decode(one.encode(), validate=True) for one in given]
        except (AttributeError, ValueError):
            raise Nonsense("sound is no base64") from None
        await self._sound(pieces, data.get("sampleRate"), data.get("numChannels", 1))

    async def _sound(self, pieces: list[bytes], rate_hz: object, channels: object) -> None:
        try:
            format = Format(rate_hz, 2, channels)  # type: ignore[arg-type]  # checked there
        except ValueError as error:
            raise Nonsense(str(error)) from None
        if self.spoken is None and not self._deaf:
            self._deaf = True
            await self.wrong(DEAF, fatal=False)
        if self.spoken is not None:
            for pcm in pieces:
                await self.hear(self._converter.feed(pcm, format))

    async def _custom(self, id: str, kind: object) -> None:
        """Do what `pipecat eval` asks for besides; no other message of an app's is known."""
        match kind:
            case "eval-connect" | "eval-configure":
                pass  # no voice to be silenced, and calls are always told with their names
            case "eval-cancel":
                await self.leave(DONE, "")
            case _:
                await self._refuse(id, f"these glasses know no message {str(kind)[:40]!r}")

    # -- what it gets -----------------------------------------------------------------------------

    async def heard(self, event: Event) -> None:
        """Tell what is heard while it is spoken, and answer it when it is over."""
        match event:
            case Began():
                await self._tell("user-started-speaking")
            case Words(text=so_far):
                await self._transcribed(so_far, final=False)
            case Stopped():
                await self._tell("user-stopped-speaking")
            case Said(transcript=transcript) if transcript.text:
                await self._transcribed(transcript.text, final=True)
                await self._answer(transcript.text, transcript.language)

    async def _transcribed(self, words: str, final: bool) -> None:
        said = {"text": words, "user_id": "", "timestamp": _now(), "final": final}
        await self._tell("user-transcription", said)
        await self._input(words, "transcription", final)

    async def _input(self, words: str, kind: str, final: bool = True, **more: str) -> None:
        said = {"text": words, "input_type": kind, "timestamp": _now(), "final": final, **more}
        await self._tell("user-input", said)

    async def _answer(self, asked: str, language: str | None) -> None:
        await self._tell("user-llm-text", {"text": asked})
        await self._tell("bot-llm-started")
        told = await ask(self._agent, asked, language, SOURCE)
        await self._called(told)
        await self._tell("bot-llm-text", {"text": told.text})
        await self._tell("bot-transcription", {"text": told.text})
        await self._tell(
            "bot-output",
            {
                "text": told.text,
                **dict.fromkeys(("output_type", "text_type", "aggregated_by"), "sentence"),
                "spoken": False,  # as 1.x has it
                "will_be_spoken": False,
                "spoken_status": "new",
            },
        )
        await self._tell("bot-llm-stopped")

    async def _called(self, told: Told) -> None:
        for intent in told.intents:
            self._calls += 1
            name, id = {"function_name": intent.name}, {"tool_call_id": str(self._calls)}
            slots = intent_json(intent)["slots"]
            await self._tell("llm-function-call-started", name)
            await self._tell("llm-function-call-in-progress", {**id, **name, "arguments": slots})
            over = {"cancelled": not told.handled, "result": told.text}
            await self._tell("llm-function-call-stopped", {**id, **name, **over})

    async def wrong(self, why: str, fatal: bool) -> None:
        """Tell it that something failed."""
        await self._tell("error", {"error": why, "fatal": fatal})

    async def _refuse(self, id: str, why: str) -> None:
        await self._tell("error-response", {"error": why}, id)

    async def _tell(self, kind: str, data: Mapping[str, Any] | None = None, id: str = "") -> None:
        message: dict[str, Any] = {"label": LABEL, "type": kind, "id": id or uuid.uuid4().hex[:8]}
        if data is not None:
            message["data"] = data
        written = json.dumps(message, ensure_ascii=False)
        await self.send(protobuf.written(written) if self._framed else written)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
