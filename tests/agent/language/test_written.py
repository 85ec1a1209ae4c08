"""What is typed in haste, or in signs, is read as it would be said."""

import pytest

from agent.language.written import haste, signs


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("wheres my cup", "where's my cup"),
        ("could u help plz", "could you help please"),
        ("a timer for 3 mins", "a timer for 3 minutes"),
        ("its his", "its his"),
    ],
)
def test_haste_is_written_out(typed, meant):
    assert haste(typed) == meant


@pytest.mark.parametrize(
    ("written", "language", "said"),
    [
        ("6*7", "en", "what is 6 times 7"),
        ("what's 6/3", "en", "what's 6/3"),  # it may be the third of June
        ("what's 60/3", "en", "what's 60 divided by 3"),
        ("9-2+1", "en", "what is 9 minus 2 plus 1"),
        ("2026-11-30", "en", "2026-11-30"),
        ("call 555-1234", "en", "call 555-1234"),
        ("3 kg to lbs", "en", "3 kilograms to pounds"),
        ("40 % off 90", "en", "40 percent off 90"),
        ("my km", "en", "my km"),
        ("8+9是多少", "zh", "8 加 9是多少"),
        ("华氏100度", "zh", "100华氏度"),
        ("1+" * 300 + "1", "en", "1+" * 300 + "1"),
    ],
)
def test_signs_are_read_out(written, language, said):
    assert signs(written, language) == said
