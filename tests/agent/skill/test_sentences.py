"""Sentence files: what they may say, and how a mistake in one is told."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal

import pytest

from agent import OneOf, Range, skill
from agent.derive.sample import samples
from agent.errors import PluginError, SentenceError
from agent.language import times
from agent.messages import Intent, Transcript
from agent.plugins.skills import Skills
from agent.skill import Action, declarations
from agent.skill.sentences import MAX_BYTES, check_files, languages, read_sentences
from agent.testing.check.said import check_said
from agent.understand.router import Router


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


@skill("order {count} {size} {drink} [for {who}]")
def order(
    count: Annotated[int, Range(1, 20)],
    size: Size = Size.SMALL,
    drink: Annotated[str, OneOf(["tea", "milk"])] = "tea",
    who: str = "me",
    cost: Decimal = Decimal(0),
    wait: timedelta = timedelta(0),
    when: datetime | None = None,
    mood: Annotated[str, OneOf(["glad"], open=True)] = "glad",
    muted: bool = False,
):
    """Order."""


@skill("cancel the order")
def withdraw():
    """Withdraw."""


((ORDER, _),) = declarations(order)

HEAD = "language: zh\nintents:\n  order:\n    data:\n"


def written(folder, text, name="zh.yaml"):
    (folder / "sentences").mkdir(exist_ok=True)
    path = folder / "sentences" / name
    path.write_text(text, encoding="utf-8")
    return path


def action_of(folder, text, declared=ORDER):
    read = read_sentences(written(folder, text), declared)
    return Action("test", declared, order, {"zh": read}, "test")


def routed(action, text, *others):
    actions = {one.name: one for one in (action, *others)}
    found = Router(actions).exactly(Transcript(text, "zh"))
    return dict(found.slots) if found else None


def test_everything_a_file_may_say(tmp_path):
    action = action_of(
        tmp_path,
        """\
language: zh
intents:
  order:
    data:
      - sentences:
          - "<please>来{count}杯{size}{drink}[给{who}]"
          - "{how_big:size}杯的<tea>"
        expansion_rules:
          tea: "(茶|{drink})"
        lists:
          drink:
            values: [{in: "(茶|清茶)", out: tea}, {in: 牛奶, out: milk}]
lists:
  size:
    values:
      - {in: 大, out: large}
      - {in: 小, out: small, context: {}}
  how_big:
    values: [{in: 超大, out: large}]
  count:
    range: {from: 1, to: 10}
  who:
    wildcard: true
expansion_rules:
  please: "[请]"
skip_words: [劳驾]
responses:
  Ordered: 好的
""",
    )
    assert routed(action, "请来三杯大清茶") == {"count": 3, "size": Size.LARGE, "drink": "tea"}
    assert routed(action, "来两杯小牛奶给小王") == {
        "count": 2, "size": Size.SMALL, "drink": "milk", "who": "小王",
    }  # fmt: skip
    read = action.languages["zh"]
    assert read.templates[1] == "{size}杯的<tea>", "{list:slot} is the slot, with the list's values"
    assert read.lists["size"] == {"大": Size.LARGE, "小": Size.SMALL, "超大": Size.LARGE}
    assert (read.skip_words, read.responses) == (("劳驾",), {"Ordered": "好的"})


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("intents: [unclosed", 1, "not YAML"),
        ("intents:\n  order: {\n", 3, "not YAML"),
        ("- a\n- b\n", 1, "is a mapping with `intents:`"),
        ("", 1, "is a mapping with `intents:`"),
        ("a: " + "[" * 100_000, 1, "nested too deeply"),
        ("language: zh\nintent: {}\n", 2, "has no 'intent'; did you mean 'intents'?"),
        ("language: zh\nlanguage: zh\n", 2, "'language' is given twice"),
        ("language: zh\nintents:\n  order: {data: []}\n  order: {data: []}\n", 4, "'order' is given twice"),
        ("intents:\n  order:\n    data: {}\n", 3, "`data` is a list"),
        ("intents:\n  order: {}\n", 2, "`data` is a list, each entry after a dash, not a mapping"),
        ("intents:\n  order: [a]\n", 2, "the intent order is a mapping, not a list"),
        (HEAD + "      - sentences: 来\n", 5, "`sentences` is a list, each entry after a dash, not text"),
        (HEAD + "      - sentences: [来, [a]]\n", 5, "a sentence is text, not a list"),
        (HEAD + "      - sentences:\n          - 来\n          - no\n", 7, "a sentence is read as yes or no: put 'no' in quotes"),
        (HEAD + "      - sentences:\n          -\n", 6, "a sentence is read as nothing"),
        (HEAD + "      - sentences: [来]\n        slots: {who: me}\n", 6, "an entry of `data` has no 'slots'"),
        (HEAD + "      - sentences: ['来(']\n", 5, "the ( is never closed"),
        (HEAD + "      - sentences: ['来{hwo}']\n", 5, "has a slot {hwo}"),
        (HEAD + "      - sentences: ['{who}']\n", 5, "matches everything"),
        (HEAD + "      - sentences: ['[请]{mood}']\n", 5, "matches everything"),
        (HEAD + "      - sentences: ['[请][来]']\n", 5, "matches the empty string"),
        (HEAD + "      - sentences: ['<x>']\n", 5, "there is no rule <x> (there is: none)"),
        (HEAD + "      - sentences: ['{big:size}']\n", 5, "there is no list 'big'"),
        (HEAD + "      - sentences: ['来<r>']\nexpansion_rules:\n  r: '(a|<s>)'\n  s: '[<r>]b'\n", 7, "the rule <r> contains itself: r → s → r"),
        (HEAD + "      - sentences: ['来<r>']\nexpansion_rules:\n  r: '[请'\n", 7, "is not a template"),
        (HEAD + "      - sentences: ['<r>']\nexpansion_rules:\n  r: '{who}'\n", 5, "matches everything"),
        (HEAD + "      - sentences: ['来']\n        expansion_rules: {r: a}\nexpansion_rules:\n  r: b\n", 6, "<r> is another rule already"),
        (HEAD + "      - sentences: ['来']\n        lists:\n          sice: {values: [a]}\n", 7, "the list sice is for no slot; did you mean 'size'?"),
        ("lists:\n  size:\n    values:\n      - {in: 大, out: huge}\n", 4, "'huge' is not one of small, large"),
        ("lists:\n  drink:\n    values:\n      - 茶\n", 4, "'茶' is not one of tea, milk"),
        ("lists:\n  drink:\n    values: [{in: 茶, out: 1}]\n", 3, "1 is not one of tea, milk"),
        ("lists:\n  drink:\n    values: [{in: 茶}]\n", 3, "is text or has `in` and `out`"),
        ("lists:\n  drink:\n    values: [{in: '[茶]', out: tea}]\n", 3, "matches the empty string"),
        ("lists:\n  drink:\n    values: [{in: '{who}', out: tea}]\n", 3, "cannot hold slots or rules"),
        ("lists:\n  drink:\n    values: [{in: 茶, out: tea}, {in: 茶, out: milk}]\n", 3, "'茶' is in the list drink twice"),
        ("lists:\n  drink:\n    values: []\n", 3, "the list drink is empty"),
        ("lists:\n  drink: {}\n", 2, "has one of `values`, `range` and `wildcard`"),
        ("lists:\n  drink: {wildcard: true}\n", 2, "cannot be a wildcard"),
        ("lists:\n  who:\n    values: [{in: 我, out: 2026-01-01}]\n", 3, "is not text"),
        ("lists:\n  who:\n    values: [{in: 我, out: 2026-99-99}]\n", 3, "`out` cannot be read"),
        ("lists:\n  count: {range: {from: 1, to: 100}}\n", 2, "100 is not a whole number from 1 to 20"),
        ("lists:\n  count: {range: {from: a, to: 3}}\n", 2, "is whole numbers: from, to, step"),
        ("lists:\n  cost: {values: [a]}\n", 2, "reads its own words and takes no list"),
        ("skip_words: 请\n", 1, "`skip_words` is a list"),
        ("skip_words:\n  - 请\n  - 别\n", 3, "'别' says too much to be skipped"),
        ("responses:\n  Ordered: [a]\n", 2, "`responses` 'Ordered' is text, not a list"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_file_and_line(tmp_path, text, line, reason):
    path = written(tmp_path, text)
    with pytest.raises(SentenceError) as caught:
        read_sentences(path, ORDER)
    said = str(caught.value)
    assert said.startswith(f"{path}:{line}: "), said
    assert reason in said
    assert "\n" not in said


PLUGIN = '''
from agent import hookimpl, skill

@skill("order {drink}")
def order(drink: str = ""):
    """Order."""

@skill("cancel the order")
def withdraw():
    """Withdraw."""

@hookimpl
def register_skills(register):
    register(order, withdraw)
'''


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("intents:\n  oder:\n    data: []\n", 2, "there is no action 'oder'; did you mean 'order'?"),
        ("intents:\n  pay:\n    data: []\n", 2, "there is no action 'pay' (there is: order, withdraw)"),
        ("language: en\n", 1, "`language` is not zh"),
        ("lists:\n  drnk:\n    values: [a]\n", 2, "the list drnk is for no slot; did you mean 'drink'?"),
    ],
)  # fmt: skip
def test_what_no_action_can_use_is_refused(tmp_path, text, line, reason):
    path = written(tmp_path, text)
    (tmp_path / "__init__.py").write_text(PLUGIN, encoding="utf-8")
    with pytest.raises(PluginError) as caught:
        Skills.discover([str(tmp_path)])
    assert f"{path}:{line}: " in str(caught.value)
    assert reason in str(caught.value)


def test_a_folder_that_plugins_share_may_speak_of_others(tmp_path):
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(PLUGIN.replace("order", name), encoding="utf-8")
    written(
        tmp_path,
        "intents:\n  one: {data: [{sentences: [来一]}]}\n  two: {data: [{sentences: [来二]}]}\n",
    )
    skills = Skills.discover([str(tmp_path / "one.py"), str(tmp_path / "two.py")])
    assert skills.actions["one.one"].languages["zh"].templates == ("来一",)
    assert skills.actions["two.two"].languages["zh"].templates == ("来二",)


def test_a_huge_file_is_refused_unread(tmp_path, monkeypatch):
    path = written(tmp_path, "")
    with path.open("wb") as file:
        file.truncate(10_000_000)
    monkeypatch.setattr(type(path), "read_text", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(SentenceError, match=f"10,000,000 bytes .* {MAX_BYTES:,} are the limit"):
        read_sentences(path, ORDER)


def test_what_cannot_be_read_is_named(tmp_path):
    path = written(tmp_path, "")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SentenceError, match="zh.yaml: cannot be read"):
        read_sentences(path, ORDER)
    with pytest.raises(SentenceError, match="fr.yaml: cannot be read"):
        read_sentences(path.with_name("fr.yaml"), ORDER)


def test_a_file_with_the_other_ending_is_not_passed_over(tmp_path):
    written(tmp_path, "", "zh.yml")
    (tmp_path / "__init__.py").write_text(PLUGIN, encoding="utf-8")
    with pytest.raises(PluginError, match="zh.yml: a sentence file ends in .yaml"):
        Skills.discover([str(tmp_path)])


def test_a_rule_of_the_english_file_serves_the_decorator(tmp_path):
    source = PLUGIN.replace('"order {drink}"', '"<please> order {drink}"')
    (tmp_path / "__init__.py").write_text(source, encoding="utf-8")
    with pytest.raises(PluginError, match=r"__init__.py:4: order: .* there is no rule <please>"):
        Skills.discover([str(tmp_path)])
    written(tmp_path, "expansion_rules:\n  please: '[kindly]'\n", "en.yaml")
    actions = Skills.discover([str(tmp_path)]).actions
    intent = Router(actions).route(Transcript("kindly order tea"))
    assert isinstance(intent, Intent)
    assert intent.slots == {"drink": "tea"}


def test_a_new_version_of_a_file_is_read_again(tmp_path):
    path = written(tmp_path, HEAD + "      - sentences: [来]\n")
    assert read_sentences(path, ORDER).templates == ("来",)
    path.write_text(HEAD + "      - sentences: [来一杯]\n", encoding="utf-8")
    assert read_sentences(path, ORDER).templates == ("来一杯",)


def test_skip_words_are_skipped_anywhere_but_only_for_their_skill(tmp_path):
    action = action_of(
        tmp_path, HEAD + "      - sentences: ['来{count}杯茶']\nskip_words: [劳驾, 那么]\n"
    )
    assert routed(action, "劳驾来那么三杯茶") == {"count": 3}
    other = Action(
        "other",
        declarations(withdraw)[0][0],
        withdraw,
        {"zh": read_sentences(written(tmp_path, "intents:\n  withdraw: {data: [{sentences: [不要了]}]}\n"), declarations(withdraw)[0][0])},
        "test",
    )  # fmt: skip
    assert routed(action, "不要了", other) == {}
    assert routed(action, "劳驾不要了", other) is None


# -- what ships -----------------------------------------------------------------------------------

SKILLS = Skills.discover()
ACTIONS = {name: a for name, a in SKILLS.actions.items() if a.source.startswith("glasses-agent ")}


@pytest.mark.slow
@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_sentence_that_ships_comes_to_its_own_action(action, language):
    drawn = samples(action, language, limit=12)
    assert drawn, f"{action.name} has no sentence in {language}"
    assert all(drawn.values()), "a template that nothing can be said for"
    wrong = [
        (said.sample.text, said.wrong)
        for said in check_said(ACTIONS, [one for several in drawn.values() for one in several])
        if said.wrong
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("said", "name", "slots"),
    [
        ("付给安娜二十块", "pay.pay", {"amount": Decimal(20), "payee": "anna"}),
        ("付给安娜两百块五", "pay.pay", {"amount": Decimal("200.5"), "payee": "anna"}),
        ("给安娜转三块五毛", "pay.pay", {"amount": Decimal("3.5"), "payee": "anna"}),
        ("转一百零五美元给安娜", "pay.pay", {"amount": Decimal(105), "payee": "anna"}),
        ("音量三十五", "music.volume", {"level": 35}),
        ("把音量调到百分之五十", "music.volume", {"level": 50}),
        ("请播放音乐", "music.play", {}),
        ("最近的药店在哪里", "navigate.nearest", {"category": "pharmacy"}),
        ("看第二个商品", "shop.another", {"place": "second"}),
    ],
)
def test_chinese_needs_no_spaces_and_takes_chinese_numerals(said, name, slots):
    found = Router(ACTIONS).route(Transcript(said, "zh"))
    assert isinstance(found, Intent), found
    assert (found.name, dict(found.slots)) == (name, slots)


@pytest.mark.parametrize("said", ["付给安娜二十二十块", "付给安娜零块", "音量一百零一", "音量三三"])
def test_chinese_that_is_not_a_number_is_not_taken_for_one(said):
    assert Router(ACTIONS).exactly(Transcript(said, "zh")) is None


@pytest.mark.parametrize(
    ("said", "slots"),
    [
        ("等三分钟", {"wait": timedelta(minutes=3)}),
        ("等一个半小时", {"wait": timedelta(minutes=90)}),
        ("等两个小时", {"wait": timedelta(hours=2)}),
        ("明天上午八点来两杯", {"when": datetime(2026, 3, 5, 8), "count": 2}),
        ("十分钟后来十二杯", {"when": datetime(2026, 3, 4, 9, 40), "count": 12}),
        ("声音关", {"muted": False}),
    ],
)
def test_chinese_lengths_and_points_of_time(tmp_path, said, slots):
    times.clock.set(lambda: datetime(2026, 3, 4, 9, 30))
    action = action_of(
        tmp_path, HEAD + "      - sentences: ['等{wait}', '{when}来{count}杯', '声音{muted}']\n"
    )
    found = Router({"test.order": action})._templates.match(said, "zh")
    assert dict(found[0].intent.slots) == slots


def test_literals_may_be_numbers(tmp_path):
    @skill("floor {floor}")
    def go(floor: Literal[1, 2]):
        """Go."""

    ((declared, _),) = declarations(go)
    text = "intents: {go: {data: [{sentences: ['{floor}楼']}]}}\nlists: {floor: {values: [{in: 一, out: 1}]}}\n"
    assert read_sentences(written(tmp_path, text), declared).lists == {"floor": {"一": 1}}


def test_an_action_without_files_speaks_as_its_decorator_says():
    assert list(languages(ORDER)) == ["en"]
    check_files([ORDER])
