"""Translation: phrase book and matching, the model behind it, honest refusals."""

import unicodedata
from functools import partial

import pytest

import skills.translate as translate
from agent import Context
from agent.errors import Cancelled, EngineError
from agent.messages import CancelScope, Intent, Transcript
from agent.models.llm.model import NoModel, ScriptedModel
from agent.models.llm.prompts import render
from agent.plugins.skills import Skills
from agent.testing import make_agent
from agent.understand.router import Router
from skills.translate import languages
from skills.translate.phrasebook import SPOKEN, book, is_chinese, normal, toneless

TONES = {"\u0300", "\u0301", "\u0304", "\u030c"}


@pytest.fixture(scope="module")
def installed():
    skills = Skills()
    skills.load(translate)
    return skills


@pytest.fixture
def context(tmp_path, installed):
    def make(language="en", model=None, prompts=render):
        responses = installed.actions["translate.again"].languages[language].responses
        return Context(
            "translate", language, tmp_path, {}, responses, engine=model, prompts=prompts
        )

    return make


# --- data


def test_phrases_are_complete_and_in_the_right_script():
    assert len(book().phrases) >= 150
    for phrase in book().phrases:
        assert phrase.en
        assert phrase.zh
        assert not any(map(is_chinese, phrase.en)), phrase
        assert all(map(is_chinese, phrase.zh)), phrase
        assert all(text == text.strip().lower() for text in phrase.en), phrase


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_text_belongs_to_two_phrases(language):
    owners = {}
    for phrase in book().phrases:
        for text in getattr(phrase, language):
            assert owners.setdefault(normal(text), phrase) is phrase, text


def test_pinyin_has_tones_and_a_syllable_for_each_character():
    for phrase in book().phrases:
        vowels = "aeiouü"
        groups, inside = 0, False
        plain = "".join(
            c for c in unicodedata.normalize("NFD", phrase.pinyin.lower()) if c not in TONES
        )
        for char in unicodedata.normalize("NFC", plain):
            if char in vowels and not inside:
                groups += 1
            inside = char in vowels
        characters = sum(map(is_chinese, phrase.zh[0]))
        # Two syllables whose vowels touch (`xiàoài`) count once, so at most one may be short.
        assert characters - 1 <= groups <= characters, phrase
        assert any(c in TONES for c in unicodedata.normalize("NFD", phrase.pinyin)), phrase


def test_pinyin_without_tones_names_one_phrase():
    found = [toneless(p.pinyin) for p in book().phrases]
    assert len(found) == len(set(found))
    for phrase in book().phrases:
        assert not phrase.heard or toneless(phrase.heard) == toneless(phrase.pinyin)


def test_speech_listens_for_some_of_the_phrases(installed):
    for name in ("translate.to_chinese", "translate.to_english"):
        assert 0 < len(installed.actions[name].values("text", "en")) <= SPOKEN


# --- the phrase book


@pytest.mark.parametrize(
    ("text", "chinese", "pinyin"),
    [
        ("hello", "你好", "nǐ hǎo"),
        ("Good Morning!", "早上好", "zǎoshang hǎo"),
        ("where's the toilet", "洗手间在哪里", "xǐshǒujiān zài nǎlǐ"),
        ("Where is the toilet?", "洗手间在哪里", "xǐshǒujiān zài nǎlǐ"),
        ("i am a vegetarian", "我吃素", "wǒ chī sù"),
        ("I’m a vegetarian.", "我吃素", "wǒ chī sù"),
        ("I do not understand", "我听不懂", "wǒ tīng bu dǒng"),
        ("I cannot speak Chinese", "我不会说中文", "wǒ bú huì shuō Zhōngwén"),
        ("water, please", "请给我水", "qǐng gěi wǒ shuǐ"),
        ("please wait a moment please", "请等一下", "qǐng děng yíxià"),
    ],
)
def test_english_to_chinese(text, chinese, pinyin, context):
    reply = translate.to_chinese(text, context())
    assert reply.kind == "translation"
    assert reply.title == text
    assert reply.text == f"{chinese}\n{pinyin}"


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("你好", "hello"),
        ("你好！", "hello"),
        ("厕所在哪儿？", "where is the toilet"),
        ("请问，洗手间在哪里", "where is the toilet"),
        ("谢谢", "thank you"),
        ("xiè xie", "thank you"),
        ("ni3 hao3", "hello"),
        ("Duo shao qian?", "how much is it"),
    ],
)
def test_chinese_to_english(text, english, context):
    reply = translate.to_english(context("zh"), text)
    assert (reply.title, reply.text, reply.kind) == (text, english, "translation")


def test_every_phrase_goes_both_ways(context):
    for phrase in book().phrases:
        for text in phrase.en:
            assert translate.to_chinese(text, context()).text.startswith(phrase.zh[0] + "\n")
        for text in phrase.zh:
            assert translate.to_english(context(), text).text == phrase.en[0]


@pytest.mark.parametrize(
    "text",
    [
        "good",
        "hello hello",
        "i am not lost",
        "i lost my",
        "where is the toilets brush",
        "lost",
        "he",
    ],
)
def test_a_near_miss_is_a_miss(text):
    assert book().from_english(text) is None


@pytest.mark.parametrize("text", ["", "shi", "我 ni hao", "Привет ni hao", "不好", "你"])
def test_chinese_is_not_guessed(text):
    assert book().from_chinese(text) is None


def test_direction_follows_the_script(context):
    assert translate.to_chinese("谢谢", context()).text == "thank you"
    assert translate.to_english(context(), "hello").text == "That doesn't look like Chinese."
    assert translate.to_english(context("zh"), "hello").text == "这不像是中文。"


def test_again_shows_the_last_one(context):
    ctx = context()
    assert translate.again(ctx).text == "Nothing translated yet."
    shown = translate.to_chinese("cheers", ctx)
    translate.to_chinese("no such phrase at all", ctx)
    assert translate.again(ctx) == shown
    assert translate.again(context()).text == "Nothing translated yet."


# --- other languages


def test_another_language_is_asked_of_the_model(context):
    model = ScriptedModel(["“Bonjour”\n(informal: salut)"])
    ctx = context(model=model)
    reply = translate.into("french", ctx, "hello")
    assert (reply.title, reply.text) == ("hello", "Bonjour\n(by the model)")
    assert reply.kind == "translation"
    assert "French" in model.prompts[0]
    assert translate.again(ctx) == reply


def test_the_language_is_called_as_the_wearer_calls_it(context):
    model = ScriptedModel(["Hallo"])
    assert translate.into("german", context("zh", model), "你好").text.startswith("Hallo\n")
    assert "德语" in model.prompts[0]


def test_without_a_model_another_language_is_out_of_reach(context):
    reply = translate.into("french", context(model=NoModel("no language model: get one")), "hello")
    assert reply.text == (
        "On my own I only know English and Chinese.\nModel: no language model: get one"
    )
    assert reply.kind == "answer"
    zh = translate.into("french", context("zh", NoModel("none")), "你好")
    assert zh.text.startswith("我自己只懂中文和英文。\n模型：")


def test_it_in_another_language_is_what_was_translated_last(context):
    model = ScriptedModel(["Merci"])
    ctx = context(model=model)
    assert translate.into("french", ctx).text == "What should I say in French?"
    translate.to_chinese("thank you", ctx)
    assert translate.into("french", ctx, "that").title == "thank you"
    assert model.prompts[0].count("thank you") == 1


@pytest.mark.parametrize(
    ("answer", "kept"),
    [("", False), ("???", False), ("Three sheep!", False), ("Drei Schafe", True)],
)
def test_an_echo_is_no_translation(answer, kept, context):
    reply = translate.into("german", context(model=ScriptedModel([answer])), "three sheep")
    assert (reply.text == "I can't translate that.") != kept


def test_one_word_may_be_the_same(context):
    reply = translate.into("german", context(model=ScriptedModel(["Hotel"])), "hotel")
    assert reply.text.startswith("Hotel\n")


def test_a_language_has_one_meaning_in_either_language():
    chinese = [name for names in languages.names().values() for name in names]
    assert len(set(chinese)) == len(chinese)
    assert not {"english", "chinese", "mandarin"} & set(languages.names())
    assert all(map(is_chinese, chinese))
    assert languages.shown("french", "zh") == "法语"
    assert languages.shown("mexican", "zh") == "Mexican"


@pytest.mark.parametrize(
    ("text", "action", "slots"),
    [
        ("how do you say hello in french", "into", {"language": "french", "text": "hello"}),
        ("translate good night to spanish", "into", {"language": "spanish", "text": "good night"}),
        ("what is three sheep in german", "into", {"language": "german", "text": "three sheep"}),
        ("how do you say that in italian", "into", {"language": "italian"}),
        ("how do you say hello in chinese", "to_chinese", {"text": "hello"}),
        ("translate i want to go to bed", "to_chinese", {"text": "i want to go to bed"}),
        ("法语怎么说你好", "into", {"language": "french", "text": "你好"}),
        ("把三只羊翻译成日语", "into", {"language": "japanese", "text": "三只羊"}),
        ("你好用韩语怎么说", "into", {"language": "korean", "text": "你好"}),
        ("你好用英语怎么说", "to_english", {"text": "你好"}),
    ],
)
def test_which_language_is_meant(installed, text, action, slots):
    intent = Router(installed.actions).exactly(Transcript(text, language=""))
    assert isinstance(intent, Intent), text
    got = {name: str(value).casefold() for name, value in intent.slots.items()}
    assert (intent.action, got) == (action, slots)


# --- the model


def test_the_model_is_asked_what_the_book_does_not_know(context):
    model = ScriptedModel(["“河边有三只羊。”\nThree sheep."])
    reply = translate.to_chinese("three sheep stand by the river", context(model=model))
    assert reply.text == "河边有三只羊。\n(by the model)"
    assert reply.kind == "translation"
    assert "three sheep stand by the river" in model.prompts[0]
    assert "Chinese" in model.prompts[0]


def test_the_prompt_is_in_the_language_of_the_turn(context):
    model = ScriptedModel(["Three sheep."])
    reply = translate.to_english(context("zh", model), "三只羊")
    assert reply.text == "Three sheep.\n（模型翻译）"
    assert "英文" in model.prompts[0]


def test_the_model_is_not_asked_what_the_book_knows(context):
    model = ScriptedModel()
    assert translate.to_chinese("thank you", context(model=model)).text.startswith("谢谢")
    assert model.prompts == []


@pytest.mark.parametrize("answer", ["", "\n\n", "three sheep", "???", "🐑"])
def test_an_answer_that_is_not_chinese_is_refused(answer, context):
    reply = translate.to_chinese("three sheep", context(model=ScriptedModel([answer])))
    assert reply.text == "I can't translate that."
    assert reply.kind == "answer"


@pytest.mark.parametrize("answer", ["三只羊", "three 羊", "123"])
def test_an_answer_that_is_not_english_is_refused(answer, context):
    reply = translate.to_english(context(model=ScriptedModel([answer])), "三只羊")
    assert reply.text == "I can't translate that."


def no_prompts(name, language, /, **variables):
    raise EngineError("no prompts")


@pytest.mark.parametrize(
    ("model", "prompts", "why"),
    [
        (NoModel("no language model: get one"), render, "no language model: get one"),
        (NoModel(), render, NoModel().reason),
        (ScriptedModel([EngineError("no answer within 8 s")]), render, "no answer within 8 s"),
        (ScriptedModel(), no_prompts, "no prompts"),
    ],
)
def test_without_a_model_it_says_so_and_what_to_do(model, prompts, why, context):
    make = partial(context, model=model, prompts=prompts)
    reply = translate.to_chinese("three sheep", make())
    assert reply.text == f"Not in the phrase book.\nModel: {why}"
    assert reply.kind == "answer"
    assert translate.to_chinese("three sheep", make("zh")).text.startswith("短语集里没有。\n")


@pytest.mark.parametrize(
    "text", ["", " ", "🐑", "\x00", "{text}", "{{ text }}", "%s", "\ud800", "'", "a" * 10_000]
)
def test_any_text_is_safe(text, context):
    ctx = context(model=NoModel("none"))
    for action in (translate.to_chinese, translate.to_english, partial(translate.into, "french")):
        reply = action(ctx=ctx, text=text)
        assert reply.text
        assert len(reply.title) <= 32
        assert len(reply.text) < 100


def test_calling_it_off_reaches_the_model(context):
    ctx = context(model=ScriptedModel(["羊"]))
    ctx.cancel = CancelScope()
    ctx.cancel.cancel()
    with pytest.raises(Cancelled):
        translate.to_chinese("three sheep", ctx)


def test_a_long_text_never_reaches_the_model(context):
    model = ScriptedModel(["羊"])
    assert (
        translate.to_chinese("sheep " * 60, context(model=model)).text
        == "Too long: 300 characters at most."
    )
    assert model.prompts == []


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("what does 你好 mean", "hello"),
        ("what does ni hao mean", "hello"),
        ("what is the meaning of 谢谢", "thank you"),
        ("你好是什么意思", "hello"),
        ("hello是什么意思", "你好"),
        ("翻译good morning", "早上好"),
        ("翻译你好", "hello"),
    ],
)
async def test_a_meaning_is_asked_for_in_either_language(tmp_path, said, shown):
    agent = make_agent(tmp_path, [translate])
    turn = await agent.hear(said)
    assert turn.reply is not None
    assert turn.reply.text.splitlines()[0] == shown
    await agent.close()


def test_what_is_in_no_phrase_book_is_not_asked_the_meaning_of(installed):
    assert Router(installed.actions).exactly(Transcript("what does photosynthesis mean")) is None


def test_without_words_it_asks_which(context):
    assert translate.to_english(context()).text == "What should I translate?"
