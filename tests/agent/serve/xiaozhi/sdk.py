"""A device of xiaozhi-sdk's: run by its Python, `sdk.py URL OTA_URL WAV`, where URL may be empty.

Prints each message that comes, up to the end of an answer to WAV, and of another to a text.
"""

import asyncio
import json
import sys
import wave

from xiaozhi_sdk import XiaoZhiWebsocket


async def main(url, ota_url, path):
    ended = asyncio.Event()

    async def came(message):
        print(json.dumps(message), flush=True)
        if message["type"] == "tts" and message["state"] == "stop":
            ended.set()

    device = XiaoZhiWebsocket(
        came, url=url or None, ota_url=ota_url or None, audio_sample_rate=16_000
    )
    assert await device.init_connection("00:22:44:66:88:00")
    with wave.open(path) as sound:
        while len(pcm := sound.readframes(960)) == 1_920:
            await device.send_audio(pcm)
    await ended.wait()
    ended.clear()
    await device.send_text("translate good morning to chinese")
    await ended.wait()
    await device.close()


asyncio.run(asyncio.wait_for(main(*sys.argv[1:]), 60))
