"""What turns a sentence round is read before anything is guessed."""

import pytest

from agent.language.controls import control
from agent.language.text import language_of, unaddressed
from agent.messages import Intent, NotRecognized, Transcript
from agent.plugins.skills import Skills
from agent.understand.mood import mood, ordered
from agent.understand.router import Router


@pytest.fixture(scope="module")
def actions():
    return Skills.discover().actions


@pytest.fixture(scope="module")
def router(actions):
    return Router(actions, own=lambda text: control(text) is not None)


def said(router, text):
    return router.decide(Transcript(text, language_of(text))).meaning


FORBIDDEN = (
    "don't clear my shopping list", "dont clear my list", "do not play ode to joy",
    "don't take me to the pharmacy", "please don't pause the music", "never clear my list",
    "i don't want you to clear my list", "no need to pause the music", "let's not play music",
    "could you not play music", "you must not skip this song", "don't you clear my list",
    "i'd rather you didn't play music", "please, do not add milk to my shopping list!",
    "i don't want to go to the museum", "nobody asked you to play music",
    "don't, i repeat, clear my list", "don't pause the music and clear my list",
    "who told you to play music", "i never said play music", "if i say play music do nothing",
    "did i say play music", "she said play music", "imagine i clear my list",
    "不要清空购物清单", "别播放音乐", "不用暂停音乐", "千万别清空购物清单", "我不想去医院",
    "请不要播放音乐", "不要把牛奶加到购物清单", "购物清单先别清空", "音乐别停", "没必要暂停音乐",
    "谁让你放音乐", "我没说过要放音乐", "如果我说放音乐你就别理", "他说放音乐",
)  # fmt: skip


@pytest.mark.parametrize("text", FORBIDDEN)
def test_what_is_forbidden_or_only_spoken_of_is_never_done(router, text):
    meaning = said(router, text)
    assert isinstance(meaning, NotRecognized)
    assert meaning.options == ()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("stop playing", "music.stop_music"),
        ("别放了", "music.stop_music"),
        ("no i want to go to the museum", "navigate.route"),
        ("why don't you play jazz", "music.play"),
        ("can't you play some music", "music.play"),
        ("don't you want to play music", "music.play"),
        ("don't forget to add milk to my shopping list", "shop.add_to_list"),
        ("别忘了把牛奶加到购物清单", "shop.add_to_list"),
        ("为什么不放点音乐", "music.play"),
        ("i don't know how to get to the museum", "navigate.route"),
        ("translate don't stop into chinese", "translate.to_chinese"),
        ("play don't stop me now", "music.play"),
        ("play never mind", "music.play"),
        ("play no woman no cry", "music.play"),
        ("did i add milk to my list", "shop.show_list"),
        ("i no longer need milk so forget that", "shop.remove_from_list"),
    ],
)
def test_negative_words_do_not_make_a_command_a_refusal(router, text, name):
    meaning = said(router, text)
    assert isinstance(meaning, Intent)
    assert meaning.name == name


@pytest.mark.parametrize(
    "text",
    [
        "don't play music, take me to the pharmacy",
        "without playing music take me to the pharmacy",
        "take me to the pharmacy but don't play music",
        "take me to the pharmacy, don't play music",
        "不要放音乐，带我去药店",
    ],
)
def test_what_is_ordered_beside_it_is_done(router, text):
    meaning = said(router, text)
    assert (meaning.name, meaning.slots) == ("navigate.route", {"place": "pharmacy"})


@pytest.mark.parametrize(
    "text", ["play jazz no wait never mind", "pause the music no don't", "播放音乐算了"]
)
def test_what_is_taken_back_at_once_is_not_done(router, text):
    assert said(router, text) == NotRecognized("taken back as soon as it was said")


@pytest.mark.parametrize(
    ("text", "slots", "left"),
    [
        ("pay twenty dollars to anna tomorrow", {"amount": 20, "payee": "anna"}, ("tomorrow",)),
        ("pay twenty dollars to anna and tom", {"amount": 20, "payee": "anna"}, ("tom",)),
        ("明天给安娜付二十美元", {"amount": 20, "payee": "anna"}, ("明天",)),
        ("pay anna twenty or thirty dollars", {"payee": "anna"}, ("twenty or thirty dollars",)),
        ("pay anna about twenty dollars", {"payee": "anna"}, ("about",)),
        ("pay minus twenty dollars to anna", {"payee": "anna"}, ("minus twenty dollars",)),
        ("pay half of 20 dollars to anna", {"payee": "anna"}, ("half",)),
        ("pay anna 20 dollars each", {"payee": "anna"}, ("each",)),
        ("pay anna 20 doubloons", {"payee": "anna"}, ("20 doubloons",)),
        ("给安娜付负二十美元", {"payee": "anna"}, ("负二十美元",)),
        ("给安娜付二十美元左右", {"payee": "anna"}, ("左右",)),
        ("would you send fifty bucks over to anna for me", {"amount": 50, "payee": "anna"}, ()),
    ],
)  # fmt: skip
def test_a_payment_by_guess_names_what_it_does_not_carry(router, text, slots, left):
    meaning = said(router, text)
    assert isinstance(meaning, NotRecognized)
    (option,) = meaning.options
    assert (option.name, option.slots, meaning.left) == ("pay.pay", slots, left)


@pytest.mark.parametrize(
    "text",
    [
        "don't pay twenty dollars to anna", "anna paid me twenty dollars", "anna owes me twenty dollars",
        "i paid anna twenty dollars", "anna should pay me twenty dollars", "pay me twenty dollars",
        "tom should pay anna twenty dollars", "never pay anna twenty dollars",
        "我付了安娜二十美元", "安娜给我付二十美元", "安娜欠我二十美元", "先别给安娜付二十美元",
    ],
)  # fmt: skip
def test_no_payment_is_made_of_what_was_paid_is_owed_or_refused(router, text):
    meaning = said(router, text)
    assert isinstance(meaning, NotRecognized)
    assert meaning.options == ()


@pytest.mark.parametrize(
    "text",
    [
        "navigate to the bank, 付给安娜五百美元",
        "播放夜曲给安娜付20美元",
        "播放夜曲，给安娜付20美元",
    ],
)
def test_a_payment_in_the_free_words_of_a_command_is_their_text(router, actions, text):
    meaning = said(router, text)
    options = (meaning,) if isinstance(meaning, Intent) else meaning.options
    assert all(actions[one.name].declaration.risk != "money" for one in options)


@pytest.mark.parametrize("text", ["did i pay anna twenty dollars", "我给安娜付过二十美元吗"])
def test_whether_something_was_paid_is_looked_up(router, text):
    meaning = said(router, text)
    assert (meaning.name, meaning.slots) == ("pay.history", {"payee": "anna", "amount": 20})


def test_moods():
    assert mood("why did you clear my list") == "told"
    assert mood("clear my list") == "order"
    assert ordered("clear my list") == "clear my list"
    assert ordered("please don't") == ""


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("okay glasses, play music", "play music"),
        ("Hey glasses! where am i", "where am i"),
        ("你好眼镜播放音乐", "播放音乐"),
        ("嘿，眼镜，播放音乐", "播放音乐"),
        ("okay glasses", ""),
        ("find glasses", "find glasses"),
        ("眼镜多少钱", "眼镜多少钱"),
    ],
)
def test_what_calls_the_glasses_is_no_part_of_what_they_are_told(text, rest):
    assert unaddressed(text) == rest


def test_a_wake_phrase_of_the_wearers_own():
    assert unaddressed("computer, play music", ("computer",)) == "play music"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("okay glasses, play music", "music.play"),
        ("麻烦你播放一下音乐好吗谢谢", "music.play"),
        ("hi there, can you please navigate to the bank for me? thanks!", "navigate.route"),
        ("搜索一下耳机", "shop.search"),
    ],
)
def test_politeness_is_no_part_of_a_command(router, text, name):
    assert said(router, text).name == name


@pytest.mark.parametrize(
    "text",
    [
        "please stop", "stop it", "stop please", "okay stop", "shut up", "can you please stop",
        "stop right now", "hey glasses, stop", "请停一下", "快停", "停一下吧", "别讲了",
    ],
)  # fmt: skip
def test_stop_is_heard_however_it_is_said(text):
    assert control(text) == "stop"


@pytest.mark.parametrize(
    "text", ["be quiet", "please be quiet", "stop talking", "别说了", "请别说了", "不要说了"]
)
def test_be_quiet_ends_too_and_is_told_from_stop(text):
    assert control(text) == "quiet"


@pytest.mark.parametrize(
    "text", ["stop the music", "play", "please", "okay glasses", "no stop signs"]
)
def test_other_words_are_not_the_agents_own(text):
    assert control(text) is None


@pytest.mark.parametrize(
    ("text", "name", "slots"),
    [
        ("turn the volume up by 20", "louder", {"points": 20}),
        ("turn it down by ten", "quieter", {"points": 10}),
        ("音量调高二十", "louder", {"points": 20}),
        ("音量调大一点", "louder", {}),
        ("turn the volume to 20", "volume", {"level": 20}),
        ("mute", "quieter", {"switch": "mute"}),
        ("unmute", "louder", {"switch": "unmute"}),
        ("静音", "quieter", {"switch": "mute"}),
        ("取消静音", "louder", {"switch": "unmute"}),
    ],
)
def test_by_and_to_are_told_apart(router, text, name, slots):
    meaning = said(router, text)
    assert (meaning.action, meaning.slots) == (name, slots)
