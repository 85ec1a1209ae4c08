"""The sentence that sounds most like a text."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from agent.derive import nearest as nearest_module
from agent.derive.nearest import Nearest
from agent.language.saying import Saying
from agent.language.sounds import Syllable

SAYINGS = [
    Saying("coffee.order", "(brew|make me) (a|an) [{size} ounce] {drink}", {
        "size": ("twelve", "16", "(twenty|thirty)"),
        "drink": ("house coffee", "iced mocha", "latte"),
    }),
    Saying("music.play", "play {song}", {"song": ("Ode to Joy", "99 Balloons")}, open=frozenset({"song"})),
    Saying("pay.pay", "pay {amount} to {payee}", {
        "amount": ("(five|twenty) dollars",), "payee": ("anna", "the blue door cafe"),
    }),
    Saying("translate.text", "translate {text} [to chinese]", {"text": None}),
    Saying("agent.stop", "stop", {}),
    Saying("music.play", "播放{song}", {"song": ("欢乐颂", "Ode to Joy")}, open=frozenset({"song"})),
    Saying("pay.pay", "付给{payee}{amount}", {"payee": ("安娜",), "amount": ("二十[美]元",)}),
]  # fmt: skip


@pytest.fixture(scope="module")
def nearest():
    return Nearest(SAYINGS)


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("Bro a house coffee.", "brew a house coffee"),
        ("make me an ice moco", "make me an iced mocha"),
        ("Make me a 12-ounce latte", "make me a twelve ounce latte"),
        ("make me a sixteen ounce latte", "make me a sixteen ounce latte"),
        ("Playo to joy", "play ode to joy"),
        ("play ninety nine balloons", "play ninety nine balloons"),
        ("Pay $20 to Hannah", "pay twenty dollars to anna"),
        ("pay five dollars to the blew door café", "pay five dollars to the blue door cafe"),
        ("付给按那20美元", "付给安娜二十美元"),
        ("波放换了送", "播放欢乐颂"),
        ("播放 ode to joy", "播放 ode to joy"),
    ],
)
def test_what_was_written_as_it_sounds_is_found(nearest, heard, said):
    near = nearest.find(heard)
    assert near.text == said
    assert near.distance <= 0.15


def test_the_same_sound_costs_nothing(nearest):
    near = nearest.find("$20 2 Anna")
    assert nearest.find("Pay $20 to Anna").cost == 0 < near.cost


@pytest.mark.parametrize(
    ("heard", "free"),
    [
        ("play yesterday", ("yesterday",)),
        ("translate I lost my wallet to Chinese", ("i lost my wallet",)),
        ("播放夜曲", ("夜曲",)),
    ],
)
def test_words_of_no_list_stay_as_they_were_written(nearest, heard, free):
    near = nearest.find(heard)
    assert near.free == free
    assert near.cost == 0
    assert free[0] in near.text


@pytest.mark.parametrize(
    "heard", ["what is the capital of france", "we went to the market", "你好吗", "的"]
)
def test_another_sentence_is_far(nearest, heard):
    near = nearest.find(heard, within=0.15)
    assert near is None or near.worst > 0.3


def test_the_word_that_is_most_unlike_is_told(nearest):
    near = nearest.find("pay five dollars to otto")
    assert near.worst > 0.4 > near.distance


@pytest.mark.parametrize(
    "heard",
    [
        "",
        "  ",
        "?!",
        "x" * 1000,
        "1" * 400,
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    ],
)
def test_what_has_no_sound_or_no_end_is_near_nothing(nearest, heard):
    assert nearest.find(heard, within=0.15) is None


def test_nothing_can_be_said_without_sentences():
    assert Nearest([]).find("anything") is None
    empty = Saying("music.play", "play {song}", {"song": ()})
    assert Nearest([empty]).find("play jazz") is None


def test_a_skill_that_did_not_change_is_not_built_again():
    before = Nearest(SAYINGS)
    after = Nearest([*SAYINGS, Saying("new.skill", "dance", {})])
    assert set(before._graphs) < set(after._graphs)


def test_units_are_numbered_once_whoever_builds_a_graph_meanwhile():
    made = [Syllable("b", "a", tone) for tone in range(100, 500)]
    with ThreadPoolExecutor(8) as threads:
        numbers = list(threads.map(nearest_module._number, made * 8))
    assert len(set(numbers)) == len(made)
    assert [nearest_module._UNITS[n] for n in numbers] == made * 8


def test_a_sentence_as_it_was_written_costs_what_free_words_cost():
    """Else versions of the same utterance that are in a list would not be looked at."""
    lists = Nearest([
        Saying("shop.add", "add {product} to my shopping list", {"product": ("hiking boots",)}, open=frozenset({"product"})),
        Saying("notes.add", "add {item} to my {name} list", {"item": None, "name": ("packing",)}),
    ])  # fmt: skip
    written = lists.find("add hiking boots to my packing list")
    alone = Nearest(
        [Saying("notes.add", "add {item} to my {name} list", {"item": None, "name": ("packing",)})]
    )
    assert (written.text, written.free, written.cost) == (
        "add hiking boots to my packing list",
        ("hiking boots",),
        0,
    )
    assert written.spent == pytest.approx(
        alone.find("add hiking boots to my packing list").spent, abs=1e-3
    )
