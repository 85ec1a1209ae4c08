import pytest

from agent.understand.yesno import PHRASES, answer


@pytest.mark.parametrize(
    ("said", "meant"),
    [(p, m) for phrases in PHRASES.values() for m, known in phrases.items() for p in known],
)
def test_every_listed_phrase_means_what_it_says(said, meant):
    assert answer(said) == meant


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Yes!", "yes"),
        ("  YES  please. ", "yes"),
        ("确认。", "yes"),
        ("No, thanks", "no"),
        ("取 消", "no"),
    ],
)
def test_case_punctuation_and_spaces_do_not_matter(said, meant):
    assert answer(said) == meant


@pytest.mark.parametrize(
    "said",
    ["", "yes but make it ten", "don't not do it", "yeah no", "yes no", "no yes", "maybe", "ok",
     "好的算了", "yesterday", "not yes", "是不是", "sure I guess", "yes " * 50, "y\u200bes no"],
)  # fmt: skip
def test_unclear_is_never_yes(said):
    assert answer(said) != "yes"
