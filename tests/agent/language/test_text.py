import pytest

from agent.language.text import clean, is_plain, language_of


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
    ],
)
def test_clean(typed, kept):
    assert clean(typed) == kept


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
        ("play 稻香 by 周杰伦", "zh"),
        ("", "en"),
        ("播放 Ode", "zh"),
    ],
)
def test_language_by_script(text, language):
    assert language_of(text) == language
