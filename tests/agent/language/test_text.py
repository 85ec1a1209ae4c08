import pytest

from agent.language.text import as_said, clean, is_plain, language_of, of_whom


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Pay $4.50 to Anna.", "Pay $4.50 to Anna"),
        ("what's up?!", "what's up"),
        ("付给小明二十块。", "付给小明二十块"),
        ("say \x1b[31mhi\x00\u200b", "say [31mhi"),
        ("ｆｕｌｌ　ｗｉｄｔｈ", "full width"),
        ("...", ""),
        (" \t\n ", ""),
        ("I’d like it", "I'd like it"),
        ("把廚房的計時器縮短1小時", "把厨房的计时器缩短1小时"),
    ],
)
def test_clean(typed, kept):
    assert clean(typed) == kept


def test_free_words_are_as_they_were_written():
    assert as_said("苹果", "購物清單加入蘋果") == "蘋果"
    assert as_said("milk eggs", "add milk, eggs") == "milk, eggs"
    assert as_said("苹果香蕉", "加入蘋果、香蕉") == "蘋果、香蕉"
    assert as_said("pear", "add apples") == "pear"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("付给安娜２０．５元", True),
        ("pay anna 20 dollars", True),
        ("pay anna ２０ dollars", False),
        ("付给安娜②⓪元", False),
        ("付给安娜2²元", False),
        ("付\u200b给安娜二十元", False),
        ("𝓹𝓪𝔂 anna", False),
    ],
)
def test_look_alikes(text, plain):
    assert is_plain(text) == plain


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("play music", "en"),
        ("播放音乐", "zh"),
        ("play 稻香 by 周杰伦", "en"),
        ("Play 欢乐颂", "en"),
        ("what does 你好 mean", "en"),
        ("播放The Sound of Silence", "zh"),
        ("翻译good morning", "zh"),
        ("iPhone多少钱", "zh"),
        ("the sound of silence这首歌是谁唱的", "zh"),
        ("player 一号", "zh"),
        ("", "en"),
        ("播放 Ode", "zh"),
    ],
)
def test_language_by_script(text, language):
    assert language_of(text) == language


@pytest.mark.parametrize(
    ("words", "text", "said"),
    [
        ("milk eggs and bread", "Add milk, eggs and bread!", "milk, eggs and bread"),
        ("牛奶 鸡蛋和面包", "把牛奶、鸡蛋和面包加到", "牛奶、鸡蛋和面包"),
        ("牛奶鸡蛋", "买牛奶，鸡蛋", "牛奶,鸡蛋"),
        ("milk eggs", "add milk eggs", "milk eggs"),
        ("milk", "add milk, please", "milk"),
        ("Ode to Joy", "play ode, to joy", "Ode to Joy"),
        ("a.b (c", "x, a.b, (c", "a.b, (c"),
        ("", "a, b", ""),
    ],
)
def test_commas_that_part_things_come_back(words, text, said):
    assert as_said(words, text) == said


@pytest.mark.parametrize(
    ("text", "whom"),
    [
        ("when was he born", True),
        ("what else did he write", True),
        ("who is her father", True),
        ("他是哪里人", True),
        ("那她呢", True),
        ("它有多高", True),
        ("how old was napoleon when he died", False),
        ("what did shakespeare write in his last years", False),
        ("where is there water", False),
        ("李白是谁他写了什么", False),
        ("", False),
    ],
)
def test_whom_a_question_is_of(text, whom):
    assert of_whom(text) is whom


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("wheres my cup", "where's my cup"),
        ("Dont stop", "Don't stop"),
        ("could u help plz", "could you help please"),
        ("whats on rn", "what's on right now"),
        ("its cant be won", "its can't be won"),
        ("a timer for 3 mins", "a timer for 3 minutes"),
        ("what's on", "what's on"),
        ("turn it up", "turn it up"),
    ],
)
def test_what_is_typed_in_haste_is_written_out(typed, meant):
    assert clean(typed) == meant
    assert clean(clean(typed)) == clean(typed)
