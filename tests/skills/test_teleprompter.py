"""The teleprompter: which text, how it is cut, what is lit, and what ends it."""

import threading

import pytest

import skills.notes as skill_notes
import skills.teleprompter as skill_teleprompter
from agent.plugins.skills import Skills
from agent.testing.conversation import Conversation, Doubles
from skills.teleprompter.reading import SHOWN, WAITING, WIDE, Reading, _cells, as_lines
from tests.pace import PATIENCE_S

SPEECH = (
    "Good evening. Tonight I want to talk about *rivers*.\n\nMy grandfather had a boat, and every"
    " morning before school we rowed across the water together. He is gone. 谢谢大家，现在请提问。"
)


@pytest.fixture
def ask(tmp_path):
    pytest.importorskip("pocketsphinx")
    skills = Skills()
    skills.load(skill_teleprompter)
    skills.load(skill_notes)
    made = Conversation(skills, tmp_path, Doubles())
    folder = tmp_path / "teleprompter"
    folder.mkdir()
    (folder / "wedding-speech.md").write_text(SPEECH, encoding="utf-8")
    yield made
    made.close()


def test_lines_are_whole_sentences_where_they_fit_and_never_too_wide():
    lines = as_lines(SPEECH)
    assert lines[:2] == ["Good evening.", "Tonight I want to talk about"]
    assert lines[-1] == "谢谢大家，现在请提问。"
    assert all(0 < _cells(line) <= WIDE for line in lines)
    assert "".join("".join(lines).split()) == "".join(SPEECH.replace("*", "").split())
    assert as_lines("— … —\n\n") == []


def test_a_file_is_opened_by_its_name_and_the_newest_without(ask):
    ask("start the teleprompter").succeeds().shows("Good evening.")
    assert ask.agent.world.floor.held is not None
    ask("stop the teleprompter").shows("The text is gone.")
    assert ask.agent.world.floor.held is None
    ask("put my wedding speech on the teleprompter").shows("1 / ")
    ask("stop").shows("Stopped.")
    assert ask.agent.world.floor.held is None
    ask("打开提词器").shows("Good evening.")
    ask("关闭提词器").shows("提词器已关闭。")


def test_a_note_is_found_by_what_it_is_about(ask):
    ask("take a note that welcome to the summer fair of our street")
    ask("prompt me with the summer fair").shows("welcome to the summer fair")


def test_what_is_not_there_is_said(ask, tmp_path):
    ask("prompt me with my speech about elephants").shows("I have no text or note")
    (tmp_path / "teleprompter" / "wedding-speech.md").unlink()
    ask("start the teleprompter").shows("There is no text yet")
    ask("go back a line").shows("No text is open.")
    (tmp_path / "teleprompter" / "empty.txt").write_text("…")
    ask("start the teleprompter").shows("a text to follow has")


def test_lines_are_moved_by_word(ask):
    ask("start the teleprompter")
    ask("skip a line").shows("2 / ")
    ask("skip a line").shows("3 / ")
    ask("go back one line").shows("2 / ")
    ask("start from the top").shows("1 / ")
    ask("go back one line").shows("1 / ")


class Paced:
    """Follows a voice that reads a line in every chunk."""

    def __init__(self, lines):
        self.line, self._last = 0, len(lines) - 1

    def feed(self, pcm):
        self.line = min(self._last, self.line + 1)
        return self.line

    def move(self, line):
        self.line = line


def test_the_line_that_is_read_is_the_first_and_the_text_ends_with_its_last():
    lines = [f"line {n}" for n in range(10)]
    shown = []
    reading = Reading(lines, shown.append, Paced)
    assert reading.card().text.split("\n") == lines[:SHOWN]
    for _ in range(12):
        reading.samples(bytes(6400))
    reading.over()
    reading.wait(PATIENCE_S)
    reading.samples(bytes(6400))  # what still comes is not heard
    texts = [card.text.split("\n") for card in shown]
    assert all(one == lines[n + 1 : n + 1 + SHOWN] for n, one in enumerate(texts))


def test_a_machine_that_is_too_slow_drops_sound_and_never_grows():
    going, fed = threading.Event(), []

    class Stuck(Paced):
        def feed(self, pcm):
            going.wait(PATIENCE_S)
            fed.append(len(pcm))
            return 0

    reading = Reading(["one", "two"], print, Stuck)
    for _ in range(5000):
        reading.samples(bytes(640))
    going.set()
    reading.over()
    reading.wait(PATIENCE_S)
    assert sum(fed) <= (WAITING + 20) * 640
