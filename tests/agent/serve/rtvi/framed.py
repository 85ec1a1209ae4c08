"""A client of Pipecat's own, with the frames of browsers: run by its Python, `framed.py URL WAV`.

Prints the type and the text of each message that comes, up to the end of an answer to WAV.
"""

import asyncio
import json
import sys
import wave

from pipecat.frames.frames import OutputAudioRawFrame, OutputTransportMessageUrgentFrame
from pipecat.processors.frameworks.rtvi import models as rtvi
from pipecat.serializers.protobuf import ProtobufFrameSerializer
from websockets.asyncio.client import connect


async def main(url, path):
    serializer = ProtobufFrameSerializer()
    with wave.open(path) as sound:
        pcm = sound.readframes(sound.getnframes())
    about = rtvi.AboutClientData(library="test")
    data = rtvi.ClientReadyData(version=rtvi.PROTOCOL_VERSION, about=about).model_dump()
    ready = rtvi.Message(type="client-ready", id="1", data=data).model_dump()
    async with connect(url) as socket:
        await socket.send(await serializer.serialize(OutputTransportMessageUrgentFrame(ready)))
        for at in range(0, len(pcm), 640):
            frame = OutputAudioRawFrame(pcm[at : at + 640], 16_000, 1)
            await socket.send(await serializer.serialize(frame))
        kind = ""
        while kind != "bot-llm-stopped":
            message = (await serializer.deserialize(await socket.recv())).message
            kind = message["type"]
            if kind == "bot-ready":
                rtvi.BotReady.model_validate(message)
            if kind == "bot-output":
                rtvi.BotOutputMessage.model_validate(message)
            if kind == "user-input":
                rtvi.UserInputMessage.model_validate(message)
            print(json.dumps([kind, (message.get("data") or {}).get("text", "")]))


asyncio.run(asyncio.wait_for(main(*sys.argv[1:]), 60))
