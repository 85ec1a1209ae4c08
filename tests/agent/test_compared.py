"""What is said is compared with what is declared, however either of them is written."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent import OneOf, Range, Reply, hookimpl, skill
from agent.derive import phrase
from agent.derive.completion import Completion
from agent.derive.grammar import build
from agent.derive.page import jsgf, markdown
from agent.derive.sample import samples
from agent.language.folding import fold, literal
from agent.messages import Intent, Transcript
from agent.plugins.skills import Skills
from agent.understand.router import Router, Stages

HOSTILE = (
    "[live", "open {thing}", "<|im_start|>system", "a|b", "(", "x;y", "{", "}{", "Song (feat. X) [live]",
    "\\", "", "  ", "!!!", "St. Mary's", "Dr. Lee", "hi!", "  padded  ", "Café Müller", "Straße",
    "Ｆｕｌｌ ［wide］", "AC/DC", "50%", "Route 66", "thirty", "C:\\x", "“Heroes”", "¿Qué?", "Nocturne — Live",
    "你好（现场）", "<rule>", "{0..9:n}", "a" * 3000,
)  # fmt: skip
NATURAL = {
    "live": "[live", "open thing": "open {thing}", "a b": "a|b", "x y": "x;y",
    "song feat x live": "Song (feat. X) [live]", "st marys": "St. Mary's",
    "saint": None, "St. Mary's": "St. Mary's", "ST MARY’S": "St. Mary's", "dr lee": "Dr. Lee",
    "hi": "hi!", "padded": "  padded  ", "cafe muller": "Café Müller", "CAFÉ MÜLLER": "Café Müller",
    "cafe\u0301 mu\u0308ller": "Café Müller", "strasse": "Straße", "STRASSE": "Straße",
    "full wide": "Ｆｕｌｌ ［wide］", "ac/dc": "AC/DC", "fifty percent": "50%", "50 per cent": "50%",
    "百分之五十": "50%", "route sixty-six": "Route 66", "30": "thirty", "heroes": "“Heroes”",
    "que": "¿Qué?", "nocturne live": "Nocturne — Live", "你好现场": "你好（现场）", "rule": "<rule>",
}  # fmt: skip


class Lists:
    """A skill whose lists hold what people and attackers name things."""

    names: tuple[str, ...] = HOSTILE

    @skill("ping {x}")
    def ping(self, x: Annotated[str, OneOf("names")]) -> Reply:
        """A closed list."""
        return Reply(x)

    @skill("call {x}")
    def call(self, x: Annotated[str, OneOf("names", open=True)]) -> Reply:
        """An open list."""
        return Reply(x)

    @skill("map {x}")
    def mapped(self, x: Annotated[str, OneOf({name: name for name in HOSTILE})]) -> Reply:
        """A mapping written in the skill."""
        return Reply(x)

    @skill("ring {x}")
    def given(self, x: Annotated[str, OneOf(lambda self: {n: n for n in self.names})]) -> Reply:
        """A mapping that a function gives."""
        return Reply(x)


@skill("channel {n}", "频道{n}")
def channel(n: Annotated[int, OneOf([1, 2, 30])]) -> Reply:
    return Reply(str(n))


@skill("remind me to {what} {when}", "remind me {when} to {what}", "提醒我{when}{what}")
def remind(what: str, when: datetime) -> Reply:
    return Reply(what)


@skill("write {what} [just] {n} times", "note {n} {what}", "jot {what} [{n}]")
def write(what: str, n: int = 1) -> Reply:
    return Reply(what)


@skill("set brightness to {level} percent", "亮度调到百分之{level}")
def brightness(level: int) -> Reply:
    return Reply(str(level))


@skill("contrast {level}%", "对比度{level}%")
def contrast(level: Annotated[int, Range(0, 100)]) -> Reply:
    return Reply(str(level))


@skill("lights out, please!", "what's up, doc?", "visit the Café", "关灯，好吗？")
def plain() -> Reply:
    return Reply("done")


@skill("play {what} loud")
def play(what: str) -> Reply:
    return Reply(what)


class Plugin:
    """Brings them all."""

    def __init__(self, names: tuple[str, ...] = HOSTILE) -> None:
        self.lists = Lists()
        self.lists.names = names

    @hookimpl
    def register_skills(self, register) -> None:
        """Register them."""
        register(self.lists, channel, remind, write, brightness, contrast, plain, play)


def loaded(names: tuple[str, ...] = HOSTILE) -> Skills:
    skills = Skills()
    skills.load(Plugin(names))
    return skills


def route(skills: Skills, text: str):
    return Router(skills.actions, Stages(semantic=False)).route(Transcript(text))


@pytest.fixture(scope="module")
def skills() -> Skills:
    return loaded()


@pytest.mark.parametrize("verb", ["ping", "call", "map", "ring"])
@pytest.mark.parametrize(("said", "value"), NATURAL.items())
def test_a_listed_value_is_meant_however_it_is_written(skills, verb, said, value) -> None:
    meaning = route(skills, f"{verb} {said}")
    if value is not None:
        assert isinstance(meaning, Intent)
        assert meaning.slots == {"x": value}
    elif verb != "call":
        assert not isinstance(meaning, Intent) or meaning.missing


@pytest.mark.parametrize("verb", ["ping", "call", "map", "ring"])
@pytest.mark.parametrize("name", [name for name in HOSTILE if literal(name)])
def test_a_listed_value_is_meant_as_it_is_written_in_the_list(skills, verb, name) -> None:
    meaning = route(skills, f"{verb} {name}")
    assert isinstance(meaning, Intent)
    assert meaning.slots == {"x": name}


def everything_derived(skills: Skills) -> None:
    for language in ("en", "zh"):
        said = [s for action in skills.actions.values() for s in action.sayings(language)]
        completion = Completion(lambda _, said=said: said)
        completion.words("ping")
        completion.continuations("提醒", language)
        for action in skills.actions.values():
            samples(action, language, limit=5)
    build([s for action in skills.actions.values() for s in action.sayings("en")])
    jsgf(skills.actions.values())
    markdown(skills.actions.values())
    for action in skills.actions.values():
        action.schema()


def test_nothing_that_is_derived_reads_a_value_as_a_template(skills) -> None:
    everything_derived(skills)
    action = next(a for a in skills.actions.values() if a.declaration.name == "ping")
    for name in HOSTILE:
        intent = Intent(action.skill, "ping", {"x": name}, "test", "en")
        assert phrase.phrase(action, intent) == " ".join(f"ping {name}".split())


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=12), min_size=1, max_size=4))
def test_no_value_whatever_ends_the_agent(names) -> None:
    skills = loaded(tuple(names))
    everything_derived(skills)
    for name in names:
        for verb in ("ping", "call", "ring"):
            meaning = route(skills, f"{verb} {name}")
            if literal(name) and verb == "ping" and name.isascii() and name.isalpha():
                assert isinstance(meaning, Intent)
                assert meaning.slots["x"].casefold() == name.casefold()


@example("Ì%㏠")
@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_folding_twice_changes_nothing_more_and_knows_where_all_came_from(text) -> None:
    folded = fold(text)
    assert not folded.spans or len(folded.spans) == len(folded.text)
    assert folded.unfolded(0, len(folded.text)) in text or not folded.spans
    assert fold(literal(text)).text.strip() == fold(fold(literal(text)).text).text.strip()


@pytest.mark.parametrize(
    ("said", "slots"),
    [
        ("channel thirty", {"n": 30}),
        ("channel 30", {"n": 30}),
        ("channel two", {"n": 2}),
        ("频道三十", {"n": 30}),
        ("频道2", {"n": 2}),
        ("write hello three times", {"what": "hello", "n": 3}),
        ("write hello just three times", {"what": "hello", "n": 3}),
        ("write a Café bill twenty one times", {"what": "a Café bill", "n": 21}),
        ("note 21 Cafés", {"n": 21, "what": "Cafés"}),
        ("jot hello", {"what": "hello"}),
        ("jot hello 5", {"what": "hello", "n": 5}),
        ("set brightness to 50%", {"level": 50}),
        ("set brightness to 50 %", {"level": 50}),
        ("set brightness to fifty per cent", {"level": 50}),
        ("set brightness to ５０％", {"level": 50}),
        ("亮度调到50%", {"level": 50}),
        ("亮度调到百分之五十", {"level": 50}),
        ("contrast 50 percent", {"level": 50}),
        ("contrast fifty percent", {"level": 50}),
        ("contrast 50%", {"level": 50}),
        ("对比度百分之五十", {"level": 50}),
        ("对比度50%", {"level": 50}),
        ("lights out, please!", {}),
        ("Lights out please", {}),
        ("what's up, doc?", {}),
        ("what's up doc", {}),
        ("visit the cafe", {}),
        ("visit the CAFÉ", {}),
        ("关灯，好吗？", {}),
        ("play Beyoncé à la 50% loud", {"what": "Beyoncé à la 50%"}),
    ],
)
def test_a_sentence_is_meant_however_it_is_written(skills, said, slots) -> None:
    meaning = route(skills, said)
    assert isinstance(meaning, Intent)
    assert (meaning.slots, meaning.missing) == (slots, ())


@pytest.mark.parametrize("said", ["关灯，好吗？", "关灯好吗", "关灯 好吗!"])
def test_punctuation_in_a_sentence_file_says_nothing(tmp_path, said) -> None:
    zh = 'intents:\n  act:\n    data:\n      - sentences: ["关灯，好吗？"]\n'
    assert problem(tmp_path, '@skill("lamp off")\ndef act() -> Reply: ...', zh) is None
    skills = Skills()
    skills.add(str(tmp_path / "plug"))
    assert isinstance(route(skills, said), Intent)


@pytest.mark.parametrize(
    ("said", "what"),
    [
        ("remind me to call mum tomorrow at eight", "call mum"),
        ("remind me tomorrow at eight to call mum", "call mum"),
        ("提醒我明天八点买牛奶", "买牛奶"),
    ],
)
def test_free_words_end_where_a_time_begins(skills, said, what) -> None:
    meaning = route(skills, said)
    assert isinstance(meaning, Intent)
    assert meaning.slots["what"] == what
    assert meaning.slots["when"].hour == 8


# -- checks at load -------------------------------------------------------------------------------


HEAD = (
    "from datetime import datetime\nfrom typing import Annotated\n"
    "from agent import OneOf, Range, Reply, hookimpl, skill\n"
)
TAIL = "\n@hookimpl\ndef register_skills(register):\n    register(act)\n"


def problem(tmp_path, body: str, zh: str = "", name: str = "plug") -> str | None:
    folder = tmp_path / name
    (folder / "sentences").mkdir(parents=True)
    (folder / "__init__.py").write_text(HEAD + body + TAIL, "utf-8")
    if zh:
        (folder / "sentences" / "zh.yaml").write_text(zh, "utf-8")
    found = Skills().add(str(folder))
    return found.reason if found else None


@pytest.mark.parametrize(
    ("word", "named"),
    [
        ("stop", "stop"),
        ("[please] stop", "stop"),
        ("(yes|open it)", "yes"),
        ("never mind", "never mind"),
        ("undo[ that]", "undo"),
        ("say that again", "say that again"),
        ("Cancel!", "cancel"),
        ("okay", "okay"),
        ("取消", "取消"),
        ("[请]停止", "停止"),
        ("帮助", "帮助"),
        ("确认", "确认"),
        ("主页", "主页"),
    ],
)
def test_a_skill_may_not_take_the_agents_own_words(tmp_path, word, named) -> None:
    reason = problem(tmp_path, f'@skill("{word}")\ndef act() -> Reply: ...')
    assert reason is not None
    assert "__init__.py:4" in reason
    assert repr(named) in reason


def test_own_words_are_found_in_sentence_files_and_rules(tmp_path) -> None:
    reason = problem(
        tmp_path,
        '@skill("halt it")\ndef act() -> Reply: ...',
        'expansion_rules:\n  end: "(停|停下来)"\nintents:\n  act:\n    data:\n'
        '      - sentences:\n          - "别动"\n          - "<end>[吧]"\n',
    )
    assert reason is not None
    assert "zh.yaml:8" in reason
    assert "'停'" in reason


@pytest.mark.parametrize(
    "said", ["stop the lamp", "help me sleep", "stop {x}", "more light", "undo {x}"]
)
def test_sentences_with_more_than_an_own_word_are_a_skills(tmp_path, said) -> None:
    slot = "x: str" if "{x}" in said else ""
    assert problem(tmp_path, f'@skill("{said}")\ndef act({slot}) -> Reply: ...') is None


def test_what_ships_takes_no_own_words() -> None:
    from agent.language.controls import own_words
    from agent.skill.template import spells

    taken = [
        (action.name, text, word)
        for action in Skills.discover().actions.values()
        for sentences in action.languages.values()
        for text in sentences.templates
        for word in spells(text, own_words(), sentences.rules)
    ]
    assert taken == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('@skill("take {x}")\ndef act(x: Annotated[str, OneOf([])]) -> Reply: ...', "OneOf holds nothing"),
        ('@skill("take {x}")\ndef act(x: Annotated[str, OneOf({})]) -> Reply: ...', "OneOf holds nothing"),
        ('@skill("take {x}")\ndef act(x: Annotated[int, Range(100, 0)]) -> Reply: ...', "Range(100, 0)"),
        ('@skill("say {a} {b}")\ndef act(a: str, b: str) -> Reply: ...', "{a} beside {b}"),
        ('@skill("say {b}{a} now")\ndef act(a: str, b: str) -> Reply: ...', "{b} beside {a}"),
        ('@skill("say ｛a｝")\ndef act(a: str = "") -> Reply: ...', "full-width ｛"),
        ('@skill("say［it］")\ndef act() -> Reply: ...', "full-width ［"),
        ('@skill("（把）灯")\ndef act() -> Reply: ...', "full-width （"),
        ('@skill("a｜b")\ndef act() -> Reply: ...', "full-width ｜"),
        ('@skill("＜a＞b")\ndef act() -> Reply: ...', "full-width ＜"),
    ],
)  # fmt: skip
def test_what_could_never_work_is_refused_with_its_place(tmp_path, body, reason) -> None:
    found = problem(tmp_path, body)
    assert found is not None
    assert "__init__.py:4" in found
    assert reason in found


LAMP = '@skill("lamp {state}")\ndef act(state: bool) -> Reply:\n    return Reply(str(state))\n'


def with_out(out: str) -> str:
    return (
        'intents:\n  act:\n    data:\n      - sentences: ["把灯{state}"]\n'
        f"lists:\n  state:\n    values:\n      - in: 灭\n        out: {out}\n"
    )


@pytest.mark.parametrize("out", ['"off"', "off", "false", '"关"', '"False"'])
def test_the_out_of_a_list_becomes_a_truth_value(tmp_path, out) -> None:
    assert problem(tmp_path, LAMP, with_out(out)) is None
    skills = Skills()
    skills.add(str(tmp_path / "plug"))
    meaning = route(skills, "把灯灭")
    assert isinstance(meaning, Intent)
    assert meaning.slots["state"] is False


@pytest.mark.parametrize("out", ['"dim"', "3", "[]", "null"])
def test_an_out_that_is_no_truth_value_is_refused(tmp_path, out) -> None:
    found = problem(tmp_path, LAMP, with_out(out))
    assert found is not None
    assert "zh.yaml:" in found


def test_the_out_of_a_list_for_text_is_text(tmp_path) -> None:
    body = '@skill("lamp {state}")\ndef act(state: Annotated[str, OneOf(lambda: ["a"])]) -> Reply: ...\n'
    assert problem(tmp_path, body, with_out("7")) is None
    skills = Skills()
    skills.add(str(tmp_path / "plug"))
    assert route(skills, "把灯灭").slots["state"] == "7"
    found = problem(tmp_path, body, with_out("true"), name="other")
    assert found is not None
    assert "zh.yaml:" in found


@pytest.mark.parametrize(
    ("original", "said", "reason"),
    [
        ("lamp {s}", "灯 {t}", "{t}"),
        ("lamp {s}", "灯 {s", "braces"),
        ("lamp {s}", "灯 s}", "braces"),
        ("lamp {s}", "灯 {}", "no name"),
        ("lamp {s}", "灯 {0}", "no name"),
        ("lamp", "灯 {s}", "{s}"),
        ("lamp {s}", "灯 {s:{w}}", "{w}"),
    ],
)
def test_a_translation_has_the_blanks_of_its_original(tmp_path, original, said, reason) -> None:
    zh = f'responses:\n  "{original}": "{said}"\n'
    found = problem(tmp_path, LAMP, zh)
    assert found is not None
    assert "zh.yaml:2" in found
    assert reason in found


@pytest.mark.parametrize("said", ["灯 {s}", "灯 {s:>5}", "灯 {s!r} {{x}}", "灯"])
def test_a_translation_may_use_or_leave_its_blanks(tmp_path, said) -> None:
    assert problem(tmp_path, LAMP, f'responses:\n  "lamp {{s}}": "{said}"\n') is None


def test_a_file_with_dots_has_all_of_its_name(tmp_path) -> None:
    code = HEAD + '@skill("ping it")\ndef act() -> Reply: ...' + TAIL
    paths = [tmp_path / name for name in ("a.1.py", "b.1.py", "a_1.py")]
    for path in paths:
        path.write_text(code, "utf-8")
    skills = Skills()
    assert [skills.add(str(path)) for path in paths[:2]] == [None, None]
    assert list(skills.plugins) == ["a_1", "b_1"]
    clash = skills.add(str(paths[2]))
    assert clash is not None
    assert str(paths[0]) in clash.reason
    assert str(paths[2]) in clash.reason


def test_rules_that_unfold_without_bound_are_refused_at_once(tmp_path) -> None:
    rules = "".join(f'  r{n}: "{f"<r{n + 1}>" * 9}"\n' for n in range(10)) + '  r10: "x"\n'
    zh = f'expansion_rules:\n{rules}intents:\n  act:\n    data:\n      - sentences: ["<r0>灯"]\n'
    found = problem(tmp_path, '@skill("lamp on")\ndef act() -> Reply: ...', zh)
    assert found is not None
    assert "zh.yaml:" in found
    assert "20,000" in found
