import pytest

from agent.understand.text import clean, language_of


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
