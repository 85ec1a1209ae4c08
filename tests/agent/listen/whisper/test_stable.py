"""What two hypotheses in a row agree on."""

import pytest

from agent.listen.whisper.stable import StablePrefix


def test_words_are_published_once_two_hypotheses_agree():
    stable = StablePrefix()
    heard = [
        "Pay",
        "Pay twenty",
        "Pay 20 dollars",
        "Pay twenty dollars to",
        "Pay twenty dollars to Anna.",
    ]
    assert [stable.push(text) for text in heard] == [
        "", "Pay", "Pay", "Pay", "Pay twenty dollars to",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "now", "agreed"),
    [
        ("play jazz.", "Play jazz, please", "Play jazz"),
        ("what's", "What's new", "What's"),
        ("it costs 3.5", "it costs 3.50 euros", "it costs"),
        ("播放", "播放音乐。", "播放"),
        ("给安娜付20", "给安娜付20块", "给安娜付20"),
        ("play 青花", "play 青花瓷", "play 青花"),
        ("...", "…", ""),
        ("", "play", ""),
    ],
)
def test_neither_punctuation_nor_capitals_nor_scripts_matter(before, now, agreed):
    stable = StablePrefix()
    stable.push(before)
    assert stable.push(now) == agreed


def test_a_decoder_that_changes_its_mind_takes_words_back():
    stable = StablePrefix()
    stable.push("play music")
    assert stable.push("play music now") == "play music"
    assert stable.push("pay Mary") == ""
