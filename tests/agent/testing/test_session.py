"""Record and replay: what was recorded comes again, and what changed is named."""

import asyncio
import base64
import json
import re
from contextlib import suppress

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent import Context, Reply, hookimpl, skill
from agent.cli.commands import main
from agent.plugins.skills import Skills
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

pytestmark = pytest.mark.slow


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


# -- what a file may hold -------------------------------------------------------------------------

HEADER = {
    "glasses_session": 1,
    "notice": "",
    "recorded": "2030-01-01T12:00:00+01:00",
    "profile": "quark-s1",
    "language": "en",
    "plugins": [],
    "speaker": False,
    "place": None,
}
TYPED = {"at_ms": 1.0, "typed": {"text": "greet anna", "language": None}}
SOUND = {"at_ms": 2.0, "sound": base64.b64encode(bytes(640)).decode()}
TURN = {
    "at_ms": 3.0,
    "turn": {
        "source": "text",
        "transcript": "greet anna",
        "intent": None,
        "reply": None,
        "error": None,
    },
}
MODEL = {"at_ms": 4.0, "model": "a leaf"}


def written(path, *records, header=HEADER):
    lines = [
        record if isinstance(record, str) else json.dumps(record) for record in (header, *records)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"glasses_session": "1"}, "glasses_session cannot be '1'"),
        ({"glasses_session": True}, "glasses_session cannot be True"),
        ({"profile": "/etc/passwd.toml"}, "profile '/etc/passwd.toml' is not known"),
        ({"profile": 3}, "profile cannot be 3"),
        ({"language": "xx"}, "language cannot be 'xx'"),
        ({"language": ["en"]}, "language cannot be"),
        ({"plugins": "evil.py"}, "plugins cannot be 'evil.py'"),
        ({"plugins": [1]}, "plugins are not texts"),
        ({"speaker": "no"}, "speaker cannot be 'no'"),
        ({"place": [1]}, "place cannot be"),
        ({"place": [1, 2, "x"]}, "place cannot be"),
        ({"place": [1e300, 2, 3]}, "place cannot be"),
        ({"place": [True, 2, 3]}, "place cannot be"),
        ({"place": {"lat": 1}}, "place cannot be"),
        ({"recorded": "now"}, "recorded cannot be 'now'"),
        ({"recorded": 5}, "recorded cannot be 5"),
        ({"recorded": "0001-01-01T00:00:00+00:00"}, "in the year 1"),
    ],
    ids=str,
)
def test_a_header_that_cannot_be_is_named(tmp_path, changed, why):
    path = written(tmp_path / "s.jsonl", TYPED, header=HEADER | changed)
    with pytest.raises(SessionError, match=rf"s\.jsonl:1: .*{re.escape(why)}"):
        read(path)


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "3",
        "{",
        '{"typed": {"text": "hi", "language": null}}',
        json.dumps(TYPED | {"at_ms": -1}),
        json.dumps(TYPED | {"at_ms": 1e308}),
        json.dumps(TYPED | {"at_ms": 1e12}),
        json.dumps(TYPED | {"at_ms": "soon"}),
        json.dumps(TYPED | {"at_ms": True}),
        json.dumps(TYPED | {"at_ms": None}),
        '{"at_ms": NaN, "typed": {"text": "hi", "language": null}}',
        json.dumps(TYPED | {"typed": "hi"}),
        json.dumps(TYPED | {"typed": {"text": "hi"}}),
        json.dumps(TYPED | {"typed": {"text": 3, "language": None}}),
        json.dumps(TYPED | {"typed": {"text": "hi", "language": "klingon"}}),
        json.dumps(SOUND | {"sound": 3}),
        json.dumps(SOUND | {"sound": "é"}),
        json.dumps(SOUND | {"sound": "AAAA"}),
        json.dumps(TURN | {"turn": []}),
        json.dumps(TURN | {"turn": {}}),
        json.dumps(TURN | {"turn": TURN["turn"] | {"transcript": None}}),
        json.dumps(TURN | {"turn": TURN["turn"] | {"reply": 3}}),
        json.dumps(MODEL | {"model": None}),
        '{"at_ms": 1, "model": ' + "[" * 100_000,
        '{"at_ms": ' + "9" * 5_000 + ', "model": ""}',
    ],
)
def test_every_line_that_cannot_be_is_named_by_its_number(tmp_path, line):
    path = written(tmp_path / "s.jsonl", TYPED, line, TURN, line)
    with pytest.raises(SessionError, match=r"s\.jsonl:3: .*; line 5 too") as caught:
        read(path)
    assert len(str(caught.value)) < 500


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10)
inner = plain | st.lists(plain, max_size=3)
junk = inner | st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)


@st.composite
def damaged(draw):
    """Return a session in which values, keys or bytes were changed."""
    records = json.loads(json.dumps([HEADER, TYPED, SOUND, TURN, MODEL, TYPED, TURN]))
    for _ in range(draw(st.integers(0, 2))):
        record = draw(st.sampled_from(records))
        if not isinstance(record, dict) or not record:
            continue
        key = draw(st.sampled_from(sorted(record)))
        if isinstance(record[key], dict) and record[key] and draw(st.booleans()):
            record, key = record[key], draw(st.sampled_from(sorted(record[key])))
        record[key] = draw(junk | st.sampled_from([1e308, -5, 2**70, 1e9, "", "zh", [], {}]))
        if draw(st.integers(0, 5)) == 0:
            del record[key]
    raw = "\n".join(map(json.dumps, records)).encode() + b"\n"
    if draw(st.booleans()):
        raw = raw[: draw(st.integers(0, len(raw)))]
    if raw and draw(st.booleans()):
        at = draw(st.integers(0, len(raw) - 1))
        raw = raw[:at] + draw(st.binary(max_size=2)) + raw[at + 1 :]
    return raw


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(damaged())
def test_a_damaged_session_is_replayed_or_refused(tmp_path, raw):
    path = tmp_path / "s.jsonl"
    path.write_bytes(raw)
    with suppress(SessionError):
        session = read(path)
        assert len(replay(path, tmp_path / "data", skills=skills()).turns) <= len(session.inputs)


@pytest.mark.parametrize("lost", [1, 30, 200])
def test_a_recording_that_power_cut_short_is_replayed_as_far_as_it_is_whole(
    recorded, tmp_path, lost
):
    whole = recorded.read_bytes()
    assert read(recorded).cut == 0
    recorded.write_bytes(whole[:-lost])
    lines = whole.count(b"\n")
    cut = read(recorded).cut
    assert cut in ((0,) if lost == 1 else range(lines - 3, lines + 1))
    ears = ScriptedTranscriber(["greet anna", "greet bob"])
    assert replay(recorded, tmp_path / "two", ears, skills()).differences == ()
    recorded.write_bytes(whole[:-lost] + bytes(512))  # as some disks leave it
    assert read(recorded).cut == cut


def test_an_input_whose_turn_was_cut_off_is_no_difference(tmp_path):
    answered = {**TURN["turn"], "reply": None}
    path = written(tmp_path / "s.jsonl", TYPED, {"at_ms": 2, "turn": answered}, TYPED)
    with path.open("ab") as file:
        file.write(b'{"at_ms": 3, "turn": {"sour')
    assert read(path).cut == 5
    again = replay(path, tmp_path / "data", skills=skills())
    assert len(again.turns) == 2
    assert all(difference.startswith("turn 1: ") for difference in again.differences)


def test_the_command_says_where_a_recording_is_cut(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSES_DATA", str(tmp_path / "data"))
    path = tmp_path / "s.jsonl"
    assert (
        CliRunner()
        .invoke(main, ["repl", "--record", str(path)], input="make tea\nwhat now\n")
        .exit_code
        == 0
    )
    path.write_bytes(path.read_bytes()[:-10])
    done = CliRunner().invoke(main, ["replay", str(path)])
    assert done.exit_code == 0, done.output
    assert f"{path}: the end is cut: line " in done.stderr


def test_what_windows_and_unicode_do_to_lines_is_no_fault(tmp_path):
    path = written(
        tmp_path / "s.jsonl", TYPED | {"typed": {"text": "a\u2028b\x85", "language": None}}
    )
    text = path.read_text(encoding="utf-8").replace("\\u2028", "\u2028").replace("\\u0085", "\x85")
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() + b"\r\n")
    assert read(path).inputs[0][1]["text"] == "a\u2028b\x85"


# -- what a file may not do -----------------------------------------------------------------------


def test_a_recording_loads_no_code(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSES_DATA", str(tmp_path / "data"))
    evil = tmp_path / "evil.py"
    evil.write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n", encoding="utf-8")
    for named in (str(evil), "\x1b[2Jevil.py", "os.path"):
        path = written(tmp_path / "s.jsonl", TYPED, header=HEADER | {"plugins": [named]})
        done = CliRunner().invoke(main, ["replay", str(path)])
        (told,) = (line for line in done.stderr.splitlines() if "recorded with the plugin" in line)
        assert "which is not loaded" in told
        assert "\x1b" not in told
        replay(path, tmp_path / "again")
        assert not (tmp_path / "ran").exists()


def test_nothing_is_written_over(recorded, tmp_path):
    before = recorded.read_bytes()
    with pytest.raises(SessionError, match=r"session\.jsonl: it holds something already"):
        Recorder(recorded, Setting())
    done = CliRunner().invoke(main, ["repl", "--record", str(recorded)], input="hi\n")
    assert done.exit_code == 1
    assert done.stderr.count("\n") == 1
    assert recorded.read_bytes() == before
    empty = tmp_path / "empty.jsonl"
    empty.touch(mode=0o644)
    Recorder(empty, Setting()).close()
    assert empty.stat().st_size
    assert empty.stat().st_mode & 0o077 == 0


@pytest.mark.timeout(30)
@pytest.mark.parametrize("speaker", [True, False])
@pytest.mark.parametrize("at_ms", [0.1, 10_000, 86_400_000.3, 30 * 86_400_000])
def test_inputs_that_lie_far_apart_do_not_hang_a_replay(tmp_path, at_ms, speaker):
    path = written(
        tmp_path / "s.jsonl", TYPED, TYPED | {"at_ms": at_ms}, header=HEADER | {"speaker": speaker}
    )
    assert len(replay(path, tmp_path / "data", skills=skills()).turns) == 2
