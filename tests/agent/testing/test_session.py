"""Record and replay: what was recorded comes again, and what changed is named."""

import asyncio
import json

import pytest
from click.testing import CliRunner

from agent import Context, Reply, hookimpl, skill
from agent.cli import main
from agent.plugins import Skills
from agent.testing import (
    Conversation,
    Doubles,
    Recorder,
    ScriptedModel,
    ScriptedTranscriber,
    replay,
    voiced,
)
from agent.testing.session import SessionError, Setting, read
from hardware.microphone import FileMicrophone


class Plugin:
    __name__ = "demo"

    def __init__(self, greeting="Hello"):
        self.greeting = greeting

    @hookimpl
    def register_skills(self, register):
        @skill("greet {name}")
        def greet(name: str) -> Reply:
            """Greet."""
            return Reply(f"{self.greeting} {name}")

        @skill("think about {word}")
        def think(word: str, ctx: Context) -> Reply:
            """Think."""
            return Reply("".join(ctx.model.stream(word)))

        register(greet, think)


def skills(*greeting):
    made = Skills()
    made.load(Plugin(*greeting))
    return made


@pytest.fixture
def recorded(tmp_path):
    """A session of two typed lines and two spoken ones, on virtual time."""
    ears = ScriptedTranscriber(["greet anna", "greet bob"])
    talk = Conversation(
        skills(), tmp_path / "one", Doubles(model=ScriptedModel(["a leaf"]), transcriber=ears)
    )
    path = tmp_path / "session.jsonl"
    recorder = Recorder(path, Setting(), talk.clock.time)
    recorder.follow(talk.agent)

    async def main():
        for text in ("think about tea", "what now"):
            recorder.typed(text)
            recorder.turn(await talk.agent.hear(text))
            await asyncio.sleep(60)
        sound = FileMicrophone(voiced(1), voiced(1), clock=talk.clock.time)
        async for turn in talk.agent.listen(recorder.microphone(sound)):
            recorder.turn(turn)

    talk.clock.run(main())
    talk.close()
    recorder.close()
    return path


def test_the_header_says_what_the_file_holds(recorded):
    lines = [json.loads(line) for line in recorded.read_text(encoding="utf-8").splitlines()]
    assert "in the clear" in lines[0]["notice"]
    assert recorded.stat().st_mode & 0o077 == 0
    kinds = [(set(line) - {"at_ms"}).pop() for line in lines[1:]]
    # The frame between the turns is the lens when the first answer has gone.
    assert kinds[:7] == ["typed", "model", "frame", "turn", "frame", "typed", "frame"]
    assert {"sound", "frame"} <= set(kinds[6:])
    times = [line["at_ms"] for line in lines[1:]]
    assert times == sorted(times)
    assert times[-1] > 120_000, "virtual minutes"


def test_it_comes_again(recorded, tmp_path):
    again = replay(recorded, tmp_path / "two", skills=skills())
    assert again.differences == ()
    assert [turn["transcript"] for turn in again.turns] == [
        "think about tea",
        "what now",
        "greet anna",
        "greet bob",
    ]
    assert again.turns[0]["reply"]["text"] == "a leaf"


def test_what_changed_is_named(recorded, tmp_path):
    again = replay(recorded, tmp_path / "two", skills=skills("Hi"))
    assert [line.split(": {")[0] for line in again.differences] == [
        "turn 3: reply",
        "turn 4: reply",
    ]
    assert "Hello anna" in again.differences[0]
    assert "Hi anna" in again.differences[0]


def test_other_ears_may_hear_otherwise(recorded, tmp_path):
    ears = ScriptedTranscriber(["greet anna", "greet rob"])
    again = replay(recorded, tmp_path / "two", ears, skills())
    assert again.differences[0] == 'turn 4: transcript: "greet bob" → "greet rob"'


def test_a_turn_that_is_missing_is_named(recorded, tmp_path):
    lines = recorded.read_text(encoding="utf-8").splitlines(keepends=True)
    recorded.write_text("".join(line for line in lines if '"sound"' not in line), encoding="utf-8")
    again = replay(recorded, tmp_path / "two", skills=skills())
    assert again.differences == ("4 turns were recorded, 2 came now",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("hello\n", "s.jsonl:1: this is not a recorded session"),
        ("[1]\n", "s.jsonl:1"),
        ('{"glasses_session": 99}\n', "format 99, this version reads 1"),
        (b"\xff\xfe", "not text"),
    ],
)
def test_a_file_that_is_no_session_is_named(tmp_path, content, message):
    path = tmp_path / "s.jsonl"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SessionError, match=message):
        read(path)


def test_a_broken_line_is_named(recorded):
    with recorded.open("a", encoding="utf-8") as file:
        file.write('{"at_ms": 1, "sound": "*"}\n')
    with pytest.raises(SessionError, match=r"session\.jsonl:\d+: .*glasses repl --record"):
        read(recorded)


def test_where_nothing_can_be_written_is_named(tmp_path):
    with pytest.raises(SessionError, match="cannot record to"):
        Recorder(tmp_path / "no" / "such" / "folder", Setting())


def test_the_commands(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSES_DATA", str(tmp_path / "data"))
    path = str(tmp_path / "s.jsonl")
    run = CliRunner().invoke
    done = run(main, ["repl", "--record", path], input="pay 20 dollars to anna\nyes\nmake tea\n")
    assert done.exit_code == 0, done.output
    assert "in the clear" in done.stderr
    done = run(main, ["replay", path])
    assert (done.exit_code, done.stdout) == (0, ""), done.output
    assert "3 turns replayed, no differences" in done.stderr
    session = (tmp_path / "s.jsonl").read_text(encoding="utf-8")
    (tmp_path / "s.jsonl").write_text(session.replace("$20.00", "$21.00"), encoding="utf-8")
    done = run(main, ["replay", path])
    assert done.exit_code == 1
    assert done.stdout.startswith("turn 1: reply: ")
    done = run(main, ["replay", str(tmp_path / "none")])
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: cannot read the session")


def test_a_replay_can_be_filmed(recorded, tmp_path):
    from PIL import Image

    film = tmp_path / "film.gif"
    ears = ScriptedTranscriber(["greet anna", "greet bob"])
    assert not replay(recorded, tmp_path / "again", ears, skills(), film).differences
    with Image.open(film) as pictures:
        durations = []
        for number in range(pictures.n_frames):
            pictures.seek(number)
            durations.append(pictures.info["duration"])
    assert pictures.size == (640, 480)
    assert len(durations) >= 5
    assert 120_000 < sum(durations) < 140_000  # the times of the session, virtual as they were


def test_the_wall_clock_of_a_replay_is_the_session_s(recorded):
    header = json.loads(recorded.read_text(encoding="utf-8").splitlines()[0])
    assert read(recorded).began.isoformat(timespec="seconds") == header["recorded"][:19]
