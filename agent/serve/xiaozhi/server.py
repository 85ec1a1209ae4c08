"""Being a server for xiaozhi's devices: they are ears and a small screen, the agent answers.

    POST /xiaozhi/ota/      →  where the WebSocket is, and its token
    hello                   →  hello
    listen start, frames    →  stt, llm, tts start, sentence_start, stop
    listen stop             →  the same, where the device itself says when somebody speaks
    listen detect           →  the same for its text; a wake word alone is not answered
    abort                   →  tts stop

What is wrong is told as an alert, which a device shows. The glasses have no voice, so no sound is
sent: answers are read. A device's tools (`mcp`) are not used, and what else it sends is passed
over. What is said into it is none of the wearer's words: it can propose a payment and never say
yes.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from agent.errors import EngineError
from agent.language.text import clean
from agent.loop.agent import Agent
from agent.serve.asking import ask
from agent.serve.ears import DEAF, Ears
from agent.serve.sockets import Client, Clients, Door, Nonsense, fields, text
from agent.serve.sound import Converter, Format
from agent.serve.spoken import Event, Said
from agent.serve.xiaozhi import opus

SOURCE = "xiaozhi"
"""Where turns come from that a device has begun."""
TOKEN = "xiaozhi-token"
"""The file that the token is kept in."""
SOCKET = "/xiaozhi/v1/"
OTA = "/xiaozhi/ota/"
"""Where a device asks for the WebSocket; with a token, `/xiaozhi/ota/TOKEN/`."""
FRAME_MS = 60
"""How much sound is in a frame, as devices have it."""
WAKE = frozenset(
    {
        "你好小智", "你好小志", "小智小智", "小爱同学", "你好小鑫", "你好小新", "小美同学",
        "小龙小龙", "喵喵同学", "小滨小滨", "小冰小冰", "嘿你好呀", "嗨乐鑫", "hi乐鑫", "你好喵伴",
        "hiesp", "hilexin", "alexa", "jarvis", "computer", "sophia", "heywillow", "himfive",
    }
)  # fmt: skip
"""What devices wake up to, in small letters and without spaces or punctuation."""

_ALERT = {"en": "Glasses", "zh": "眼镜"}


def app(agent: Agent, ears: Ears | None, token: str | None = None) -> ASGIApp:
    """Return the server, for this machine alone or by token."""
    clients = Clients("xiaozhi", lambda socket: _Device(socket, agent, ears))

    async def found(request: Request) -> Response:
        """Tell a device where to go; it came in by the token, where there is one."""
        scheme = "wss" if request.url.scheme == "https" else "ws"
        url = f"{scheme}://{request.headers.get('host', '')}{SOCKET}"
        offset = datetime.now().astimezone().utcoffset()
        return JSONResponse(
            {
                "websocket": {"url": url, "token": token or ""},
                "server_time": {
                    "timestamp": int(time.time() * 1000),
                    "timezone_offset": int(offset.total_seconds() // 60) if offset else 0,
                },
            }
        )

    ota = [Route(path, found, methods=["GET", "POST"]) for path in (OTA, OTA + "{token}/")]
    return Door(Starlette(routes=[*ota, WebSocketRoute(SOCKET, clients.serve)]), token)


class _Device(Client):
    """One device."""

    def __init__(self, socket: WebSocket, agent: Agent, ears: Ears | None) -> None:
        super().__init__(socket, ears)
        self._agent = agent
        self._session = uuid.uuid4().hex
        self._version = 0  # until it has said hello
        self._mode = ""  # what it listens in; empty while it does not
        self._format: Format | None = None  # of its PCM; None for Opus
        self._decoder = opus.Decoder()
        self._converter = Converter()

    async def take(self, message: str | bytes) -> None:
        """Do what a message wants, or hear a frame."""
        if isinstance(message, bytes):
            await self._frame(message)
            return
        read = fields(message)
        kind = text(read, "type")
        if not self._version and kind != "hello":
            raise Nonsense("a device says hello first")
        match kind:
            case "hello":
                await self._hello(read)
            case "listen":
                await self._listen(text(read, "state"), read)
            case "abort":
                await self._tell("tts", state="stop")

    async def _hello(self, read: Mapping[str, Any]) -> None:
        version, sound = read.get("version", 1), read.get("audio_params", {})
        if type(version) is not int or version not in opus.VERSIONS:
            raise Nonsense(f"the glasses speak versions 1 to 3 of it, not {version!r:.20}")
        if not isinstance(sound, dict):
            raise Nonsense("audio_params are no object")
        match sound.get("format", "opus"):
            case "opus":
                self._format = None
            case "pcm":
                rate_hz, channels = sound.get("sample_rate"), sound.get("channels", 1)
                try:
                    self._format = Format(rate_hz, 2, channels)  # type: ignore[arg-type]  # checked there
                except ValueError as error:
                    raise Nonsense(str(error)) from None
            case other:
                raise Nonsense(f"the glasses hear opus and pcm, not {other!r:.20}")
        self._version = version
        await self._tell(
            "hello",
            version=version,
            transport="websocket",
            audio_params={
                "format": "opus",
                "sample_rate": 16_000,
                "channels": 1,
                "frame_duration": FRAME_MS,
            },
        )

    # -- hearing ----------------------------------------------------------------------------------

    async def _listen(self, state: str, read: Mapping[str, Any]) -> None:
        match state:
            case "start":
                await self._begin(str(read.get("mode") or "auto"))
            case "stop":
                self._mode = ""
                await self.quiet()
            case "detect":
                said = text(read, "text")
                if not self._wakes(said):
                    await self._answer(said, None)

    async def _begin(self, mode: str) -> None:
        if self.spoken is None:
            await self.wrong(DEAF, fatal=False)
            return
        self._mode = mode
        await self.spoken.leave()

    def _wakes(self, said: str) -> bool:
        """Whether a text is nothing but a wake word."""
        bare = "".join(one for one in clean(said).casefold() if one.isalnum())
        ours = ("".join(one.split()) for one in self._agent.listening.attention.phrases)
        return bare in WAKE or bare in ours

    async def _frame(self, frame: bytes) -> None:
        if not self._version:
            raise Nonsense("a device says hello first")
        try:
            coded = opus.sound(frame, self._version)
            if not self._mode or self.spoken is None:
                return  # what led to the wake word
            pcm = self._decoder.feed(coded) if self._format is None else None
        except ValueError as error:
            raise Nonsense(str(error)) from None
        if self._format is not None:
            pcm = self._converter.feed(coded, self._format)
        if self._mode == "manual":
            await self._held(pcm or b"")
        else:
            await self.hear(pcm or b"")

    async def _held(self, pcm: bytes) -> None:
        if self.spoken is not None:
            try:
                await self.spoken.held(pcm)
            except EngineError as error:
                await self.failed(error)

    async def heard(self, event: Event) -> None:
        """Answer what was said; in `auto` the device begins again once it has the answer."""
        if isinstance(event, Said):
            if self._mode == "auto":
                self._mode = ""
            await self._answer(event.transcript.text, event.transcript.language)

    # -- answering --------------------------------------------------------------------------------

    async def _answer(self, asked: str, language: str | None) -> None:
        """Answer; a device that heard nothing is told so too, for it waits."""
        await self._tell("stt", text=asked)
        await self._tell("tts", state="start")
        if asked.strip():
            told = await ask(self._agent, asked, language, SOURCE)
            face, emotion = ("😶", "neutral") if told.handled else ("🙄", "confused")
            await self._tell("llm", text=face, emotion=emotion)
            await self._tell("tts", state="sentence_start", text=told.text)
        await self._tell("tts", state="stop")

    async def wrong(self, why: str, fatal: bool) -> None:
        """Let the device show what failed."""
        status = _ALERT["zh" if self._agent.options.language == "zh" else "en"]
        await self._tell("alert", status=status, message=why, emotion="sad")

    async def _tell(self, kind: str, **more: Any) -> None:
        message = {"type": kind, "session_id": self._session, **more}
        await self.send(json.dumps(message, ensure_ascii=False))
