import itertools

import pytest
from hassil import parse_sentence
from hassil.sample import sample_sentence

from agent.derive import overlap
from agent.derive.clashes import money_overlaps
from agent.language import sounds
from agent.language.saying import Saying
from agent.plugins.skills import Skills
from agent.testing.check import clashes, sound
from tests.pace import effort
from tests.shared import PLUGIN

PAY = """
@skill("pay {amount} [to {payee}]", risk="money", permissions=MONEY)
def pay(amount: Decimal, payee: Annotated[str, OneOf(["anna"])] = "") -> Reply: ...
"""


def found(skills, kind):
    return [clash for clash in clashes.find(skills.actions) if clash.kind == kind]


# -- as text ------------------------------------------------------------------------------------

TEMPLATES = (
    "play (a|b) [now]", "play b", "[please] play a now", "(play|stop) c", "pl[ay|ain] b",
    "stop [the] c [now]", "(a;b) c", "b a c", "now", "播放[一首]歌", "播放歌", "播(放|音)一首歌",
)  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"), list(itertools.combinations_with_replacement(TEMPLATES, 2))
)
def test_common_sentences_are_those_that_listing_everything_finds(one, other):
    def listed(template):
        parsed = parse_sentence(template)
        return {" ".join(text.split()) for text in sample_sentence(parsed)}

    shared = overlap.common(
        *(overlap.automaton([Saying("x.y", template, {})]) for template in (one, other))
    )
    both = listed(one) & listed(other)
    assert (shared is not None) == bool(both)
    assert shared is None or shared.text in both
    if both:
        assert overlap.may_begin_alike(overlap.heads(one), overlap.heads(other))


def test_the_same_sentence_of_two_skills_is_an_overlap(install):
    one = '@skill("water the (lawn|roses)")\ndef water() -> Reply: ...\n'
    two = '@skill("(mow|water) the lawn", "rake")\ndef mow() -> Reply: ...\n'
    (clash,) = found(install(one, two), "overlap")
    assert clash.fatal
    assert not clash.money
    assert [(s.action, s.template, s.text) for s in clash.sides] == [
        ("plug0.water", "water the (lawn|roses)", "water the lawn"),
        ("plug1.mow", "(mow|water) the lawn", "water the lawn"),
    ]
    assert all(side.source in clash_line(clash) for side in clash.sides)


def clash_line(clash):
    return f"{clash} {' '.join(side.source for side in clash.sides)}"


def test_free_text_swallows(install):
    one = '@skill("note {text}")\ndef note(text: str) -> Reply: ...\n'
    two = '@skill("note the time")\ndef clock() -> Reply: ...\n'
    (clash,) = found(install(one, two), "swallows")
    assert [s.action for s in clash.sides] == ["plug1.clock", "plug0.note"]
    assert not clash.fatal  # the sentence that says more wins


def test_free_text_that_swallows_a_payment_is_fatal(install):
    skills = install(PAY, '@skill("pay {text}")\ndef attend(text: str) -> Reply: ...\n')
    (clash,) = found(skills, "swallows")
    assert clash.money
    assert clash.fatal
    assert clash.sides[0].action == "plug0.pay"


def test_an_open_list_takes_other_words_too(install):
    body = '@skill("pay {x}")\ndef attend(x: Annotated[str, OneOf(["attention"], open={})]) -> Reply: ...\n'
    assert found(install(PAY, body.replace("{}", "True")), "swallows")


def test_a_closed_list_takes_no_other_words(install):
    body = '@skill("pay {x}")\ndef attend(x: Annotated[str, OneOf(["attention"])]) -> Reply: ...\n'
    assert not found(install(PAY, body), "swallows")


def test_the_agents_own_words_belong_to_the_agent(install):
    (clash,) = found(install('@skill("stop [it]")\ndef halt() -> Reply: ...\n'), "overlap")[:1]
    assert {s.action for s in clash.sides} & {"agent.stop", "agent.no"}
    assert clash.fatal


# -- by ear -------------------------------------------------------------------------------------


def test_sentences_near_in_sound_are_found_with_money_marked(install):
    play = '@skill("play {song}")\ndef play(song: Annotated[str, OneOf(["tin dollars", "moonlight"])]) -> Reply: ...\n'
    (clash,) = found(install(PAY, play), "sound")
    assert {s.text for s in clash.sides} == {"pay ten dollars", "play tin dollars"}
    assert 0 < clash.distance < 0.1
    assert clash.money
    assert clash.fatal


def test_a_word_near_to_yes_is_fatal_where_it_can_pay(install):
    chess = '@skill("chess")\ndef chess() -> Reply: ...\n'
    near = [c for c in found(install(PAY, chess), "sound") if "plug1.chess" in {s.action for s in c.sides}]  # fmt: skip
    assert [{s.action for s in c.sides} for c in near if c.fatal] == [{"plug1.chess", "agent.yes"}]


def test_without_money_a_word_near_to_yes_is_only_told(install):
    near = found(install('@skill("chess")\ndef chess() -> Reply: ...\n'), "sound")
    assert near
    assert not any(clash.fatal for clash in near)


def test_worst_first(install):
    skills = install(
        PAY,
        '@skill("play {s}")\ndef play(s: Annotated[str, OneOf(["tin dollars"])]) -> Reply: ...\n',
        '@skill("note {text}")\ndef note(text: str) -> Reply: ...\n',
        '@skill("note me")\ndef me() -> Reply: ...\n@skill("pay ten dollars")\ndef x() -> Reply: ...\n',
    )
    kinds = [(c.fatal, c.money, c.kind) for c in clashes.find(skills.actions)]
    assert kinds == sorted(kinds, key=lambda k: (not k[0], not k[1]))
    assert kinds[0] == (True, True, "overlap")
    assert kinds[-1][0] is False


def test_the_search_finds_what_comparing_every_pair_finds():
    ours, theirs = "(pay|pale) [the] (ten|tan) (dollars|doctors)", "(play|plate) [a] (tin|tone) (dollars|daughters)"  # fmt: skip
    graphs = [overlap.build([Saying("x.y", t, {})]) for t in (ours, theirs)]
    nearest = sound.most_alike(*map(sound.phones, graphs), within=0.2)
    every = [
        [" ".join(text.split()) for text in sample_sentence(parse_sentence(t))]
        for t in (ours, theirs)
    ]
    best = min(
        sound.distance(sound.sounds(a), sound.sounds(b)) for a, b in itertools.product(*every)
    )
    assert nearest.distance <= best + 1e-9  # it also knows other pronunciations
    said = [sound.sounds(" ".join(words)) for words in nearest.words]
    assert sound.distance(*said) == pytest.approx(best, abs=0.05)


def test_phones_are_as_far_apart_as_they_sound():
    def apart(pair):
        return sounds.phone_distance(*pair.split())

    phones = [*sounds._CONSONANTS, *sounds._VOWELS, *sounds._DIPHTHONGS]
    for one, other in itertools.combinations(phones, 2):
        assert 0 < apart(f"{one} {other}") == apart(f"{other} {one}") <= 1, (one, other)
    assert apart("EH IH") < apart("EH AO")
    assert apart("T D") < apart("T M")
    assert apart("M N") < apart("M S")
    assert apart("S SH") < apart("S K") < apart("S AA")


# -- at load ------------------------------------------------------------------------------------


@pytest.mark.slow
def test_what_ships_and_the_coffee_plugin_have_no_fatal_clash():
    skills = Skills.discover([str(PLUGIN)])
    assert not skills.problems
    assert [str(clash) for clash in clashes.find(skills.actions) if clash.fatal] == []


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ('@skill("give anna ten dollars")\ndef gift() -> Reply: ...\n', "give anna ten dollars"),
        (
            '@skill("send {text} to {who}")\ndef sms(text: str, who: str) -> Reply: ...\n',
            " to anna",
        ),
        (
            '@skill("where am i", risk="money", permissions=MONEY)\ndef toll() -> Reply: ...\n',
            "where am i",
        ),
    ],
)
def test_a_plugin_that_clashes_with_a_payment_is_refused_at_load(write, body, sentence):
    skills = Skills.discover()
    before = dict(skills.actions)
    path = write("clashing", body)
    problem = skills.add(path)
    assert problem is not None
    assert sentence in problem.reason
    assert path in problem.reason
    assert "glasses-agent" in problem.reason
    assert dict(skills.actions) == before


def test_a_chinese_sentence_of_a_payment_is_refused_too(write):
    skills = Skills.discover()
    payee = next(iter(skills.actions["pay.pay"].values("payee", "zh")))
    zh = f"""\
    language: zh
    intents:
      gift:
        data: [{{sentences: ["付十元给{payee}"]}}]
    """
    body = '@skill("make a gift")\ndef gift() -> Reply: ...\n'
    problem = skills.add(write("gifts", body, zh))
    assert problem is not None
    assert f"付十元给{payee}" in problem.reason.replace(" ", "")


def test_a_plugin_that_only_begins_like_a_payment_is_loaded(write):
    body = '@skill("pay attention", "send in the clowns")\ndef attend() -> Reply: ...\n'
    assert Skills.discover().add(write("fine", body)) is None


def test_looking_for_clashes_with_money_takes_no_time():
    skills = Skills.discover([str(PLUGIN)])
    coffee = [a for a in skills.actions.values() if a.skill == "barista"]
    rest = [a for a in skills.actions.values() if a.skill != "barista"]
    assert money_overlaps(coffee, rest) == []
    assert effort(lambda: money_overlaps(coffee, rest)) < 50
