"""Questions that no skill answers, and that a model can know."""

import asyncio
import threading

import pytest

from agent.act import chat
from agent.display.layout import lay_out
from agent.errors import EngineError
from agent.language.text import is_question
from agent.messages import Reply, Transcript
from agent.models.llm.model import Message, ScriptedModel
from agent.testing import lens, make_agent, voiced
from hardware.microphone import FileMicrophone


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("who wrote the odyssey", True),
        ("how high is the moon tonight", True),
        ("tell me about the romans", True),
        ("and in which year was he born", True),
        ("have you got the time", True),
        ("月亮有多少公里远", True),
        ("谁写了红楼梦", True),
        ("今天冷不冷", True),
        ("有没有人给我打电话", True),
        ("what", False),
        ("is it", False),
        ("the other day i went home", False),
        ("", False),
        ("今天天气真好", False),
    ],
)
def test_what_is_a_question(text, asks):
    assert is_question(text) is asks


# -- what the model is asked -----------------------------------------------------------------------


async def test_a_system_message_comes_first_and_the_question_bare_at_the_end(tmp_path):
    model = ScriptedModel(["Homer wrote it."])
    agent = make_agent(tmp_path, [], model=model)
    turn = await agent.hear("who wrote the odyssey please")
    assert turn.reply.text == "Homer wrote it."
    assert turn.model == "scripted"
    assert turn.error is None
    assert "Homer" in lens(agent)
    assert model.prompts[0].startswith("system: ")
    assert model.prompts[0].endswith("\nuser: who wrote the odyssey please")


async def test_what_was_said_goes_with_the_next_question_until_it_is_cleared(tmp_path):
    model = ScriptedModel(["Shakespeare wrote it.", "In 1564.", "Who?"])
    agent = make_agent(tmp_path, [], model=model)
    await agent.hear("who wrote hamlet")
    await agent.hear("when was he born")
    before = "user: who wrote hamlet\nassistant: Shakespeare wrote it.\nuser: when was he born"
    assert before in model.prompts[1]
    await agent.hear("clear")
    await agent.hear("who wrote faust")
    assert "hamlet" not in model.prompts[2]


@pytest.mark.parametrize(
    ("before", "then"),
    [
        ("who wrote hamlet", "what else did he write"),
        ("who wrote hamlet", "when was he born"),
        ("谁写了红楼梦", "他还写过什么"),
    ],
)
async def test_what_refers_to_the_conversation_is_asked_in_it_alone(tmp_path, before, then):
    model = ScriptedModel(["An answer.", "Another."])
    agent = make_agent(tmp_path, [], model=model)
    await agent.hear(then)
    assert model.prompts == []
    await agent.hear(before)
    assert (await agent.hear(then)).reply.text == "Another."


@pytest.mark.parametrize(
    "text",
    [
        "is it raining there now",
        "what did he say to me",
        "what does that sign say",
        "他给我打电话了吗",
    ],
)
async def test_a_conversation_is_no_way_round(tmp_path, text):
    model = ScriptedModel(["Shakespeare wrote it.", "Yes."])
    agent = make_agent(tmp_path, [], model=model)
    await agent.hear("who wrote hamlet")
    turn = await agent.hear(text, "en")
    assert turn.model is None
    assert len(model.prompts) == 1


def questions(talk, now_s, language="en"):
    return [one.question for one in talk.fresh(now_s, language)]


def test_a_conversation_is_kept_short_and_begins_alike_as_long_as_it_can():
    talk = chat.Talk()
    for number in range(chat.KEPT):
        talk.add(chat.Exchange(f"q{number}", "a", "en", float(number)))
        assert questions(talk, 6.0)[0] == "q0"
    talk.add(chat.Exchange("new", "b", "en", 6.0))
    assert questions(talk, 6.0) == ["new"]
    talk.add(chat.Exchange("long", "a" * (chat.MOST - 50), "en", 7.0))
    assert questions(talk, 8.0) == ["new", "long"]
    talk.add(chat.Exchange("longer", "a" * 100, "en", 8.0))
    assert questions(talk, 8.0) == ["longer"]


def test_a_conversation_is_forgotten_and_is_in_one_language():
    talk = chat.Talk()
    talk.add(chat.Exchange("q", "a", "en", 0.0))
    assert questions(talk, chat.KEPT_S + 1) == []
    assert questions(talk, 1.0, "zh") == []
    talk.add(chat.Exchange("问", "答", "zh", 2.0))
    assert questions(talk, 3.0, "zh") == ["问"]
    assert questions(talk, 3.0) == []
    talk.add(chat.Exchange("late", "b", "zh", chat.KEPT_S * 2))
    assert questions(talk, chat.KEPT_S * 2, "zh") == ["late"]


def test_what_is_too_long_to_fit_is_not_remembered():
    talk = chat.Talk()
    talk.add(chat.Exchange("q", "a" * chat.MOST, "en", 0.0))
    assert questions(talk, 1.0) == []


async def test_chinese_is_asked_in_chinese(tmp_path):
    model = ScriptedModel(["曹雪芹写了红楼梦。"])
    await make_agent(tmp_path, [], model=model).hear("谁写了红楼梦")
    assert "中文" in model.prompts[0]


# -- how it is shown -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("Will", ""),
        ("William ", "William"),
        ("William Shake", "William"),
        ("He wrote it.", "He wrote"),
        ("He wrote it. ", "He wrote it."),
        ("红楼", "红楼"),
        ("红楼梦。", "红楼梦。"),
        ("他是 Shake", "他是"),
    ],
)
def test_half_a_word_is_not_shown(text, shown):
    assert chat.readable(text) == shown


class Slow(ScriptedModel):
    """Says a word whenever it is let."""

    def __init__(self, words):
        super().__init__([])
        self.words, self.let, self.ended = words, threading.Semaphore(0), threading.Event()

    def stream(self, prompt, *, max_tokens=128, timeout_s=8.0, cancel=None):
        self.prompts.append(str(prompt))
        try:
            for word in self.words:
                while not self.let.acquire(timeout=0.005):
                    cancel.check("slow")
                cancel.check("slow")
                yield word
        finally:
            self.ended.set()


async def grown(answer, shown, words):
    """Wait until so many words were shown."""
    async with asyncio.timeout(5):
        while not shown or len(shown[-1].split()) < words:
            await asyncio.sleep(0.001)


async def test_each_word_is_shown_as_it_comes():
    model = Slow(["William ", "Shakespeare ", "wrote ", "it."])
    answer, shown = chat.Answer(model, (Message("user", "who"),)), []
    whole = asyncio.create_task(answer.keep(shown.append))
    for words in (1, 2):
        model.let.release()
        await grown(answer, shown, words)
    assert shown == ["William", "William Shakespeare"]
    model.let.release(2)
    assert await whole == "William Shakespeare wrote it."
    assert answer.whole


GROWN = {
    "en": ["The", "Roman", "Empire", "was", "one", "of", "the", "largest", "of", "the", "world."],
    "zh": list("罗马帝国是古代世界最大的帝国之一，它在东方延续了一千多年，而西方灭亡了。"),
}


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_card_grows_and_what_is_read_stays_where_it_is(tmp_path, language):
    """The last word may go to the next row, with a mark that ends one; nothing else moves."""
    agent = make_agent(tmp_path, [])
    gap, said = (" ", GROWN["en"] * 4) if language == "en" else ("", GROWN["zh"] * 4)
    before: list[str] = []
    for count in range(1, len(said)):
        reply = Reply(gap.join(said[:count]))
        if not agent.lens.fits(reply, language):
            break
        (page,) = lay_out(reply, agent.lens.profile, language)
        rows = [line.text for line in page.lines]
        if before:
            assert rows[: len(before) - 1] == before[:-1]
            assert before[-1].startswith(rows[len(before) - 1][: len(before[-1]) - 1])
        before = rows
    assert len(before) > 2


async def test_a_long_answer_is_lit_page_by_page_when_it_is_whole(tmp_path):
    long = " ".join(GROWN["en"] * 6)
    agent = make_agent(tmp_path, [], model=ScriptedModel([long]))
    turn = await agent.hear("tell me about the romans")
    assert len(turn.frames) > 1
    assert agent.lens.more


async def test_called_off_the_model_is_free_at_once():
    model = Slow(["one ", "two"])
    answer = chat.Answer(model, (Message("user", "count"),))
    whole = asyncio.create_task(answer.keep(lambda _: None))
    await asyncio.sleep(0.01)
    whole.cancel()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.timeout(0.05):
            await whole
    assert await asyncio.to_thread(model.ended.wait, 0.05)


async def test_stop_ends_a_long_answer(tmp_path):
    model = Slow(["one ", "two ", "three"])
    agent = make_agent(tmp_path, [], model=model)
    turn = asyncio.create_task(agent.hear("tell me about the romans"))
    model.let.release()
    async with asyncio.timeout(5):
        while "one" not in lens(agent):
            await asyncio.sleep(0.001)
    stopped = await agent.hear("stop")
    assert (await turn).error.startswith("called off")
    assert "Stopped" in lens(agent)
    assert stopped.error is None
    assert await asyncio.to_thread(model.ended.wait, 1)


async def test_more_goes_on_where_a_cut_answer_stopped(tmp_path):
    long = " ".join(f"word{n}" for n in range(chat.MAX_TOKENS))
    model = ScriptedModel([long, "and the end."])
    agent = make_agent(tmp_path, [], model=model)
    await agent.hear("tell me about the romans")
    pages = 0
    while agent.lens.more:
        await agent.hear("more")
        pages += 1
    assert pages
    turn = await agent.hear("more")
    assert turn.reply.text == "and the end."
    assert model.prompts[1].endswith(f"assistant: {long}")
    turn = await agent.hear("more")
    assert turn.reply.text == "That's all."


async def test_nothing_goes_on_after_something_else(tmp_path):
    long = " ".join(f"word{n}" for n in range(chat.MAX_TOKENS))
    model = ScriptedModel([long])
    agent = make_agent(tmp_path, [], model=model)
    await agent.hear("tell me about the romans")
    await agent.hear("will it rain tomorrow")
    turn = await agent.hear("more")
    assert turn.reply.text == "That's all."
    assert len(model.prompts) == 1


# -- ahead of the end of a turn --------------------------------------------------------------------


def sound():
    return FileMicrophone(bytes(32_000) + voiced(1.0) + bytes(32_000), pace="fast")


async def test_an_answer_that_began_in_the_silence_is_kept(tmp_path):
    model = ScriptedModel(["Homer wrote it."])  # asked twice, it would have no second one
    agent = make_agent(tmp_path, [], model=model, texts=["who wrote the odyssey"])
    turns = [turn async for turn in agent.listen(sound())]
    assert [turn.reply.text for turn in turns] == ["Homer wrote it."]
    assert len(model.prompts) == 1


async def test_the_wearer_goes_on_and_it_is_called_off(tmp_path):
    model = Slow(["Homer"])
    agent = make_agent(tmp_path, [], model=model)
    begun = agent._turns.plan(Transcript("who wrote the odyssey", "en"))
    assert isinstance(begun, chat.Answer)
    while not model.prompts:
        await asyncio.sleep(0.001)
    begun.drop()
    assert await asyncio.to_thread(model.ended.wait, 0.05)
    assert lens(agent).strip() == ""


@pytest.mark.parametrize("text", ["will it rain tomorrow", "the other day", "what is my balance"])
async def test_nothing_begins_that_a_model_cannot_know(tmp_path, text):
    model = ScriptedModel(["Yes."])
    agent = make_agent(tmp_path, [], model=model)
    assert agent._turns.plan(Transcript(text, "en")) is None
    assert model.prompts == []


# -- what goes wrong -------------------------------------------------------------------------------


async def test_an_agent_without_one_says_what_to_get(tmp_path):
    agent = make_agent(tmp_path, [])
    turn = await agent.hear("who wrote the odyssey please")
    assert "language model" in turn.reply.text
    assert "glasses models pull" in turn.reply.text
    turn = await agent.hear("谁写了红楼梦")
    assert "glasses models pull" in turn.reply.text


async def test_a_model_that_fails_is_told_in_one_line(tmp_path):
    agent = make_agent(tmp_path, [], model=ScriptedModel([EngineError("out of memory")]))
    turn = await agent.hear("who wrote the odyssey please")
    assert turn.error == "out of memory"
    assert "out of memory" in lens(agent)


async def test_what_is_no_question_is_not_put_to_the_model(tmp_path):
    model = ScriptedModel(["nonsense"])
    agent = make_agent(tmp_path, [], model=model)
    turn = await agent.hear("the other day i went home")
    assert model.prompts == []
    assert turn.model is None
