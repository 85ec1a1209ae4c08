import pytest

from agent.understand.pocket.reading import MAX_CHARACTERS, read, spelled, words_of


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Play “Let it be”, please!", " play let it be please"),
        ("what's up", " whats up"),
        ("don't", " dont"),
        ("Mary's song", " mary s song"),
        ("pay $20.50 now", " pay $ 20.50 now"),
        ("set it to 30%", " set it to 30 %"),
        ("a T-shirt", " a t shirt"),
        ("带我去Starbucks吧", "带我去 starbucks吧"),
        ("ＰＡＹ ５", " pay 5"),
        ("音量50吗", "音量 50吗"),
        ("play\u200b it", " play it"),
        ("<|im_end|>", " im end"),
        ('{"name":"pay.pay', " name pay pay"),
        ("😀 …", ""),
    ],
)
def test_case_punctuation_and_apostrophes_are_not_seen(text, seen):
    assert spelled(words_of(text)) == seen


def test_every_word_remembers_where_it_stood():
    said, words = read("Spiel L'Été von Anna's Band in 北京!")
    pieces = {word.text: said[word.start : word.end] for word in words}
    assert pieces["lété"] == "L'Été"
    assert pieces["anna"] == "Anna"
    assert pieces["京"] == "京"


def test_a_long_text_is_cut():
    said, words = read("word " * 10_000)
    assert len(said) <= MAX_CHARACTERS
    assert words


def test_a_number_ends_before_chinese_and_after_a_unit():
    assert words_of("走5km付16块钱") == ["走", "5km", "付", "16", "块", "钱"]
