"""What Whisper is told to have heard before."""

from agent.language.saying import Saying
from agent.listen.whisper.hints import SENTENCES, hints

SAYINGS = [
    Saying("pay.pay", "pay {payee}", {"payee": ("anna", "oliver")}),
    Saying("music.pause", "pause music", {}),
    Saying("music.pause", "hold on", {}),
    Saying("pay.pay", "付给{payee}", {"payee": ("安娜",)}),
    Saying("music.pause", "暂停", {}, weight=2.0),
]


def test_plain_sentences_come_first_then_names_each_in_its_language():
    told = hints(SAYINGS)
    assert told["en"].startswith("pause music. anna, oliver, pause, music")
    assert told["zh"] == "暂停。安娜、暂停、付给。"


def test_a_pending_question_comes_first():
    told = hints([Saying("x.y", "next song", {}), Saying("ask.yes", "yes please", {}, weight=5)])
    assert told["en"].startswith("yes please. next song.")


def test_sentences_are_few_and_nothing_is_nothing():
    many = [Saying(f"s.a{n}", f"sentence number{n}", {}) for n in range(20)]
    assert hints(many)["en"].count("sentence number") == SENTENCES
    assert hints([]) == {"en": "", "zh": ""}


def test_every_list_has_a_share_and_numbers_none():
    colours, sizes = tuple(f"colour{n}" for n in range(50)), ("tall", "(one|two) feet", "wide brim")
    told = hints(
        [Saying("s.a", "{colour}", {"colour": colours}), Saying("s.b", "{size}", {"size": sizes})]
    )
    assert told["en"].startswith("colour0, tall, colour1, wide brim, colour2, ")
