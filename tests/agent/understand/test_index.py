import random

import hassil
import pytest

from agent.understand.index import Index

TEMPLATES = [
    "(turn|switch) on the lamp[s]",
    "play {song}",
    "[please] {words}",
    "(播放|放)[点]音乐",
    "give {payee} {amount} for <thing>",
]


def index(rules=None):
    sentences = [(text, hassil.parse_sentence(text)) for text in TEMPLATES]
    return Index((text, s.get_required_clauses(rules or {})) for text, s in sentences)


@pytest.mark.parametrize(
    ("said", "near"),
    [
        ("turn on the lamps", [0, 2]),
        ("Switch ON the lamp", [0, 2]),
        ("turn the lamp off", [2]),  # "on" is in no word of it
        ("play ode to joy", [1, 2]),
        ("播放点 音 乐", [2, 3]),
        ("give anna ten dollars for", [2, 4]),
        ("", [2]),
    ],
)
def test_only_what_could_be_meant_is_found_in_order(said, near):
    assert index().find(said) == [TEMPLATES[n] for n in near]


def test_a_rule_says_what_a_text_must_contain():
    rules = {"thing": hassil.parse_sentence("(lunch|dinner)")}
    assert TEMPLATES[4] in index(rules).find("give anna ten dollars for lunch")
    assert TEMPLATES[4] not in index(rules).find("give anna ten dollars for fun")


def test_it_finds_what_looking_at_every_item_finds():
    chance = random.Random(1)
    words = ["on", "one", "lone", "lamp", "lamps", "la", "音乐", "乐"]
    items = [
        (n, [chance.sample(words, chance.randint(1, 3)) for _ in range(chance.randint(0, 3))])
        for n in range(200)
    ]
    built = Index(items)
    for _ in range(200):
        text = " ".join(chance.sample(words, chance.randint(0, 5)))
        joined = text.replace("乐 音", "乐音")
        plain = [n for n, clauses in items if all(any(f in joined for f in c) for c in clauses)]
        assert built.find(text) == plain
