"""Captions and conversation mode: what is heard is shown, and only commands of theirs are obeyed."""

from __future__ import annotations

import pytest

from agent import Context, Reply, hookimpl, skill
from agent.messages import Transcript
from agent.plugins.skills import Skills
from agent.skill.context import Listener
from agent.testing.conversation import Conversation, Doubles
from agent.testing.doubles import ScriptedTranscriber
from tests.pace import PATIENCE_S

pytestmark = [pytest.mark.slow, pytest.mark.glasses(patience_s=PATIENCE_S)]


def heard(ask, *texts):
    """Let these be heard, and return the lens after each."""
    ask.aloud(*texts)
    return ask.lens


def test_what_others_say_is_shown_and_opens_no_turn(ask):
    ask("show captions").calls("translate.captions").shows("Captions on")
    heard(ask, "the train to vienna is late today")
    ask.last.shows("the train to vienna is late today")
    assert ask.last.turn.source == "floor"
    assert ask.last.intent is None
    heard(ask, "play music")
    ask.last.shows("play music")
    assert ask.speaker.playing is None


def test_more_scrolls_back_and_back_returns(ask):
    ask("show captions")
    for n in range(1, 15):
        heard(ask, f"this is sentence number {n} of what they say")
    ask.last.shows("number 14").hides("number 8")
    shown = [heard(ask, "more") for _ in range(3)]
    assert any("number 8" in " ".join(lens.split()) for lens in shown)
    heard(ask, "clear")
    assert ask.lens == ""


def test_they_end_and_then_commands_are_commands_again(ask):
    ask("show captions")
    heard(ask, "stop captions")
    ask.last.shows("Captions off.")
    heard(ask, "what time is it")
    assert ask.last.intent is not None
    assert ask.last.turn.source != "floor"
    ask("关闭字幕").shows("现在没有字幕")


def test_both_sides_are_shown_with_their_translation(ask):
    ask("start conversation mode").calls("translate.conversation")
    heard(ask, "谢谢")
    ask.last.shows("They: 谢谢", "Thank you")
    heard(ask, "good morning")
    ask.last.shows("You: good morning", "早上好")
    assert ask.last.reply.text.splitlines()[-1].startswith("They: 谢谢 → ")
    heard(ask, "stop conversation")
    ask.last.shows("Captions off.")


def test_what_no_engine_knows_is_marked(ask):
    ask("帮我们翻译").calls("translate.conversation")
    heard(ask, "the quick brown fox jumps over my lazy dog")
    ask.last.shows("对方: the quick brown fox", "?")
    assert ask.last.reply.speech == ""


def test_the_model_translates_what_the_books_do_not_know(ask, model):
    ask("start conversation mode")
    model.replies.append("敏捷的狐狸")
    heard(ask, "the quick fox")
    ask.last.shows("You: the quick fox", "敏捷的狐狸", "(by the model, unchecked)")
    assert ask.last.reply.speech == "敏捷的狐狸"


def test_an_open_question_comes_first(ask):
    ask("show captions")
    ask("pay twenty dollars to anna").asks()
    wants = ask.agent._turns._taking.wants
    assert not wants(Transcript("no"))
    assert not wants(Transcript("hello there"))
    ask("no").asks_nothing()
    assert wants(Transcript("hello there"))


def test_typed_lines_are_the_wearers(ask):
    ask("show captions")
    ask("play music").calls("music.play")


@pytest.mark.parametrize(("sure", "plays"), [(0.95, True), (0.1, False), (None, False)])
def test_only_a_wearer_whose_voice_is_known_commands_meanwhile(ask, sure, plays):
    ask("show captions")
    wants = ask.agent._turns._taking.wants(Transcript("play music", wearer=sure))
    assert wants is not plays


def test_one_that_fails_is_held_against_its_skill_and_ends(tmp_path):
    class Breaks(Listener):
        def heard(self, ctx, said, continues):
            return 1 / 0

    class Parrot:
        __name__ = "parrot"

        @skill("parrot", risk="change", permissions={"listen": "to repeat it"})
        def parrot(self, ctx: Context) -> Reply:
            """Repeat, badly."""
            ctx.listen(Breaks())
            return Reply("parroting")

        @skill("parrot secretly", risk="change")
        def secretly(self, ctx: Context) -> Reply:
            """Listen without a permission."""
            ctx.listen(Breaks())
            return Reply("parroting")

        @hookimpl
        def register_skills(self, register):
            register(self.parrot, self.secretly)

    skills = Skills()
    skills.load(Parrot())
    talk = Conversation(skills, tmp_path, Doubles(transcriber=ScriptedTranscriber()))
    try:
        talk("parrot").shows("parroting")
        talk.aloud("hello there")
        talk.last.shows("parrot failed and is not listening any more")
        assert talk.last.reply.kind == "alert"
        assert len(talk.agent.skills.offences["parrot"]) == 1
        assert talk.agent.world.floor.held is None
        talk("parrot secretly").shows("never declared it")
    finally:
        talk.close()
