"""The word graph says exactly what hassil's templates say."""

from __future__ import annotations

import pytest
from hassil.parse_expression import parse_sentence
from hassil.sample import sample_expression

from agent.derive.grammar import FREE_TEXT, Graph, build, called, clean, to_jsgf
from agent.errors import SentenceError
from agent.language.saying import Saying
from tests.pace import spending


def saying(template: str, weight: float = 1.0, **slots: tuple[str, ...] | None) -> Saying:
    return Saying("test.action", template, slots, {"please": "[please|kindly]"}, weight)


def sentences(graph: Graph) -> dict[str, float]:
    """Every sentence of a graph, with its probability."""
    found: dict[str, float] = {}

    def walk(state: int, words: tuple[str, ...], probability: float) -> None:
        if state in graph.finals:
            found[" ".join(words)] = probability
        for t in graph.transitions:
            if t.src == state:
                walk(t.dst, (*words, t.word), probability * t.probability)

    walk(graph.start, (), 1.0)
    return found


@pytest.mark.parametrize(
    "template",
    [
        "play music",
        "(play|put on) [some] music [now|please]",
        "turn the (lamp|light)[s] (on|off)",
        "un(mute|pause) [it]",
        "(big;[dark];[hot]) coffee",
        "[(a;b)] c",
        "what's the time",
    ],
)
def test_the_graph_says_what_hassil_says(template: str) -> None:
    expected = sample_expression(parse_sentence(template).expression)
    assert set(sentences(build([saying(template)]))) == {" ".join(s.split()) for s in expected}


def test_slots_are_their_values_and_rules_their_bodies() -> None:
    graph = build([saying("<please> play {song:title}", song=("hey jude", "[the] wall"))])
    assert set(sentences(graph)) == {
        f"{please}play {song}"
        for please in ("", "please ", "kindly ")
        for song in ("hey jude", "the wall", "wall")
    }


def test_free_text_is_one_transition() -> None:
    assert set(sentences(build([saying("define {word}", word=None)]))) == {f"define {FREE_TEXT}"}
    assert build([saying("define {word}", word=None)]).words == {"define"}


def test_a_range_needs_no_list() -> None:
    assert set(sentences(build([saying("volume {0..20,10:level}")]))) == {
        "volume 0",
        "volume 10",
        "volume 20",
    }


def test_what_is_said_by_many_is_as_likely_as_its_heaviest() -> None:
    graph = build([saying("yes please", 4), saying("yes (please|sir)", 1), saying("no", 2)])
    assert sentences(graph) == {"yes please": 1.0, "yes sir": 0.25, "no": 0.5}


def test_the_graph_is_deterministic_and_minimal() -> None:
    graph = build(
        [saying("play {x} now", x=("a b", "c b", "a d")), saying("hear {x} now", x=("a b",))]
    )
    arcs = [(t.src, t.word) for t in graph.transitions]
    assert len(arcs) == len(set(arcs))
    futures = [
        (
            state in graph.finals,
            frozenset((t.word, t.dst) for t in graph.transitions if t.src == state),
        )
        for state in range(graph.states)
    ]
    assert len(futures) == len(set(futures))


def test_any_order_of_optionals_stays_small_and_quick() -> None:
    slots = {name: tuple(f"{name} {i}" for i in range(20)) for name in "abcde"}
    template = "make me a ([{a}];[{b}];[{c}];[{d}];[{e}]) coffee"
    with spending() as spent:
        graph = build([saying(template, **slots)])
    assert spent.yards < 1000  # some 50; all orders written out take minutes
    assert len(graph.transitions) < 3000


def test_a_changed_list_changes_the_graph() -> None:
    before = build([saying("play {song}", song=("one",)), saying("stop")])
    after = build([saying("play {song}", song=("one", "two")), saying("stop")])
    assert set(sentences(after)) - set(sentences(before)) == {"play two"}


def test_chinese_is_left_out_with_its_sentence() -> None:
    graph = build(
        [saying("播放 {song}", song=("hello",)), saying("play {song}", song=("你好", "café"))]
    )
    assert set(sentences(graph)) == {"play café"}


def test_an_empty_list_leaves_nothing_dangling() -> None:
    graph = build([saying("play {song} now", song=()), saying("play 你好"), saying("stop", 0.5)])
    assert sentences(graph) == {"stop": 0.5}
    assert graph.words == {"stop"}


def test_nothing_to_say_is_an_empty_graph() -> None:
    assert build([]).transitions == ()
    assert build([saying("播放")]).words == frozenset()


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("play {tune}", "'play {tune}': there is no slot 'tune'"),
        ("<hello> there", "there is no rule '<hello>'"),
        ("play (this", "'play (this' is not a sentence template"),
        ("<round>", "'<round>' contains itself"),
        (" ", "is empty"),
        ("(a;b;c;d;e;f;g;h)", "8 items in any order"),
    ],
)
def test_what_is_wrong_is_said(template: str, reason: str) -> None:
    wrong = Saying("test.action", template, {}, {"round": "and <round>"})
    with pytest.raises(SentenceError) as failure:
        build([wrong])
    assert reason in str(failure.value)


def test_a_list_cannot_hold_slots() -> None:
    with pytest.raises(SentenceError, match="lists cannot hold slots"):
        build([saying("play {song}", song=("{artist} live",))])


@pytest.mark.parametrize(
    ("word", "heard"),
    [("Mr.", "mr"), ("I’d", "i'd"), ("(hello!)", "hello"), ("—", ""), ("$5.50,", "$5.50"),
     ("t-shirt", "t-shirt"), ("你好", None), ("&", "&"), ("'cause", "cause")],
)  # fmt: skip
def test_words_are_as_heard(word: str, heard: str | None) -> None:
    assert clean(word) == heard


def test_jsgf_is_for_people() -> None:
    text = to_jsgf([saying("play {song} [now]", song=("hey jude", "stay")), saying("(up;down)")])
    assert text == (
        "#JSGF V1.0;\ngrammar glasses;\n"
        "public <sentence> = play <test_action_song> [now]\n  | (up down | down up);\n"
        "<test_action_song> = hey jude | stay;\n"
    )


def test_the_same_sayings_make_one_graph():
    """It is asked for at every turn, by the decoder and by the rule for the end of a turn."""
    said = [Saying("a.b", "play {song}", {"song": ("jazz", "rock")})]
    again = [Saying("other.name", "play {song}", {"song": ("jazz", "rock")})]
    more = [Saying("a.b", "play {song}", {"song": ("jazz",)})]
    assert build(said) is build(again)
    assert build(more) != build(said)


def test_a_sentence_may_begin_with_a_wake_phrase():
    graph = build([Saying("a.b", "play music", {}), Saying("a.c", "stop", {})])
    more = called(graph, ("okay glasses", "hey glasses", "computer"))
    assert len(more.transitions) - len(graph.transitions) == 4
    assert (more.start, more.finals) == (graph.start, graph.finals)
    assert more.words - graph.words == {"okay", "hey", "glasses"}
    assert called(build([]), ("okay glasses",)).transitions == ()
