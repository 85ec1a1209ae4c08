"""Meetings: what is kept, that it is shown, and that the summary is of the transcript alone."""

import json
import stat

import pytest

import skills.meeting as skill_meeting
from agent.messages import Transcript
from agent.plugins.skills import Skills
from agent.testing.clock import VirtualClock
from agent.testing.conversation import Conversation, Doubles
from skills.meeting import minutes, summary
from skills.meeting.minutes import read
from tests.pace import PATIENCE_S

SAID = (
    "let us begin with the budget",
    "the budget is forty thousand dollars and Maria will send the offer by Friday",
    "nineteen sensors were lost in the flood",
    "we decided to move the bridge meeting to the second of April",
)


@pytest.fixture
def ask(tmp_path):
    from datetime import datetime

    skills = Skills()
    skills.load(skill_meeting)
    clock = VirtualClock(begins=datetime(2026, 11, 30, 15, 0))
    made = Conversation(skills, tmp_path, Doubles(clock=clock))
    yield made
    made.close()


def hold(ask, lines=SAID, model=None):
    """Record a meeting; return its file once it is summed up."""
    import threading

    ask("record this meeting").shows("What is said is written down.")
    listener = ask.agent.world.floor.held.listener
    for line in lines:
        listener.heard(None, Transcript(line), False)
    if model is not None:
        ask.model.replies.append(json.dumps({"points": model}))
    ask("stop recording").shows(f"Saved: {len(lines)} lines")
    for thread in threading.enumerate():
        if thread.name == "meeting":
            thread.join(PATIENCE_S)
    ask.advance(1)
    return next((ask.agent.world.folder / "meeting").glob("*.md"))


def test_what_is_said_is_kept_as_markdown_and_the_lens_says_so(ask):
    ask("record this meeting")
    floor = ask.agent.world.floor
    listener = floor.held.listener
    floor.partly(Transcript("let us"))
    listener.heard(None, Transcript("let us begin"), False)
    listener.heard(None, Transcript("let us begin with the budget"), True)  # it went on
    ask.advance(75)
    listener.heard(None, Transcript("and then\n# the rest"), False)
    ask.advance(1)
    assert "● Recording 1:15" in ask.lens
    assert "let us begin with the budget" in ask.lens
    assert ask.display.frames[-1].recording
    path = next((ask.agent.world.folder / "meeting").glob("*.md"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().splitlines() == [
        "# Meeting of 2026-11-30 15:00",
        "",
        "## Transcript",
        "",
        "- 15:00:00 let us begin with the budget",
        "- 15:01:15 and then # the rest",
    ]
    ask("stop").shows("Stopped.")
    assert floor.held is not None  # only what is meant for it ends it
    ask("会议结束了")
    assert floor.held is None
    ask.advance(1)
    assert not ask.display.frames[-1].recording


def test_nothing_is_kept_of_a_meeting_in_which_nothing_was_said(ask):
    ask("record this meeting")
    ask("stop recording").shows("nothing is saved")
    assert list((ask.agent.world.folder / "meeting").glob("*.md")) == []
    ask("stop recording").shows("No meeting is being recorded.")
    ask("sum up the meeting").shows("No meeting is saved.")


def test_the_summary_is_the_models_where_the_transcript_bears_it_out(ask):
    points = [
        "The budget is 40,000 dollars.",
        "Maria sends the offer by Friday.",
        "Peter will rent 300 boats.",
    ]
    path = hold(ask, model=points)
    assert read(path).points == tuple(points[:2])
    assert "## Summary" in path.read_text()
    ask("sum up the last meeting").shows("Maria sends the offer by Friday.")
    ask("where is the transcript").shows(path.name)


def test_without_a_point_that_holds_lines_are_quoted(ask):
    path = hold(ask, model=["Peter bought 12 horses."])
    assert set(read(path).points) <= {f"“{line}”" for line in SAID}
    assert "## Quoted" in path.read_text()


@pytest.mark.parametrize(
    ("point", "foreign"),
    [
        ("The budget is 40,000 dollars", []),
        ("The budget is 50,000 dollars", ["50,000"]),
        ("Nineteen sensors were lost", []),
        ("Ninety sensors were lost", ["Ninety"]),
        ("Maria will send it", []),
        ("It is sent by Mario", ["Mario"]),
        ("Mario will send it", ["Mario"]),
        ("On Friday the offer comes", []),
        ("On Monday the offer comes", ["Monday"]),
    ],
)
def test_numbers_and_names_that_were_not_said_are_found(point, foreign):
    assert summary.foreign(point, "\n".join(SAID)) == foreign


@pytest.mark.parametrize(
    ("point", "foreign"),
    [
        ("预算是四万元", []),
        ("预算是40000元", []),
        ("预算是五万元", ["五万"]),
        ("王经理负责桥梁", []),
        ("李经理负责桥梁", ["李"]),
    ],
)
def test_in_chinese_too(point, foreign):
    assert summary.foreign(point, "预算是四万元，由王经理负责桥梁") == foreign


def test_a_meeting_is_bounded(ask, monkeypatch):
    monkeypatch.setattr(minutes, "MOST", 2)
    path = hold(ask, SAID[:2], model=[])
    assert len(read(path).lines) == 2


def test_a_long_one_is_asked_about_in_parts(ask):
    lines = ["we talked about the river for a while"] * 5000
    parts = [*summary._parts(lines)]
    assert 1 < len(parts) <= summary.MOST_PARTS + 1
    assert all(len(part) <= summary.PART + 10 for part in parts)
