from agent.derive.example import examples
from agent.language.saying import Saying


def saying(intent: str, template: str, **slots) -> Saying:
    return Saying(intent, template, slots)


SAYINGS = [
    saying("music.pause", "pause [the] music"),
    saying("music.play", "play {song} [please]", song=None),
    saying("music.queue", "play {song} next", song=None),
    saying("lists.add", "(add|put) {item} to my {name} list", item=None, name=("wish", "to do")),
    saying("music.play", "播放{song}", song=None),
]


def test_each_skill_gives_its_first_sentence_with_free_words():
    assert examples(SAYINGS, "en") == ("Play water.", "Add good morning to my wish list.")


def test_an_open_list_is_free_too_and_its_own_words_are_not_told():
    open_list = Saying("shop.search", "search [for] {product}", {"product": ("tea",)})
    assert examples([open_list], "en") == ()
    open_list = Saying(
        "shop.search", "search [for] {product}", {"product": ("tea",)}, open=frozenset({"product"})
    )
    assert examples([open_list], "en") == ("Search water.",)


def test_nothing_can_be_said_freely():
    assert examples(SAYINGS[:1], "en") == ()
    assert examples([], "zh") == ()


def test_rules_and_other_slots_are_said_as_people_say_them():
    rules = {"please": "[please|kindly]"}
    told = Saying(
        "a.b",
        "<please> remind me {when} to {what}",
        {"when": ("[at] noon", "now"), "what": None},
        rules,
    )
    assert examples([told], "en") == ("Remind me noon to water.",)
