"""Frames: whatever the library writes is read the same, in any pieces."""

import io

import pytest
import wyoming.asr
import wyoming.audio
import wyoming.handle
import wyoming.info
import wyoming.tts
from wyoming.event import read_event

from agent.listen.wyoming.frames import MOST_HEADER, Frames, Malformed, written

EVENTS = [
    wyoming.info.Describe(),
    wyoming.audio.AudioStart(16_000, 2, 1),
    wyoming.audio.AudioChunk(16_000, 2, 1, b'{"type": "\n'),
    wyoming.audio.AudioStop(),
    wyoming.asr.Transcribe(language="zh"),
    wyoming.asr.Transcript("你好\n", language="zh"),
    wyoming.asr.TranscriptStop(),
    wyoming.handle.NotHandled("no"),
    wyoming.tts.Synthesize("hello"),
    wyoming.info.Info(),
]


@pytest.mark.parametrize("piece", [1, 2, 7, 4_096])
def test_what_the_library_writes_is_read_the_same(piece):
    raw = b"".join(map(written, EVENTS))
    frames, found = Frames(), []
    for at in range(0, len(raw), piece):
        found += frames.feed(raw[at : at + piece])
    stream = io.BytesIO(raw)
    assert found == [read_event(stream) for _ in EVENTS]
    assert not frames.inside


def test_a_header_of_full_length_is_read_and_a_longer_one_is_not():
    header = b'{"type": "x"' + b" " * (MOST_HEADER - 13) + b"}"
    assert len(header) == MOST_HEADER
    assert [event.type for event in Frames().feed(header + b"\n")] == ["x"]
    frames = Frames()
    assert [*frames.feed(header[:-1] + b" ")] == []
    with pytest.raises(Malformed, match="longer"):
        [*frames.feed(b"}")]
