"""What people also say, read from files beside a skill."""

import pytest

from agent.derive import paraphrases
from agent.errors import SentenceError
from agent.plugins.skills import Skills

SOURCE = '''
from agent import Reply, hookimpl, skill


@skill("water the {plant} now")
def water(plant: str, litres: int = 1) -> Reply:
    """Water a plant."""
    return Reply(text=plant)


@hookimpl
def register_skills(register):
    register(water)
'''


@pytest.fixture
def plugin(tmp_path):
    (tmp_path / "garden.py").write_text(SOURCE, "utf-8")
    (tmp_path / "paraphrases").mkdir()

    def load(**files):
        for name, text in files.items():
            path = tmp_path / "paraphrases" / f"{name.replace('_', '.')}.yaml"
            path.write_text(text, "utf-8")
        skills = Skills()
        assert skills.add(str(tmp_path / "garden.py")) is None
        return skills.actions["garden.water"]

    return load


def test_examples_come_from_sentences_and_paraphrases_with_the_words(plugin):
    action = plugin(
        en='water: ["(give|pour) the {plant} some water"]', words="plant: [old fern, roses]"
    )
    found = list(paraphrases.examples(action, "en", limit=8))
    texts = {example.text for example in found}
    assert {"water the old fern now", "pour the roses some water"} <= texts
    assert {example.label for example in found} == {"garden.water"}
    assert {example.template for example in found} == {
        "water the {plant} now",
        "(give|pour) the {plant} some water",
    }


def test_each_language_has_its_own_words(plugin):
    action = plugin(zh='water: ["给{plant}浇水"]', words_zh="plant: [玫瑰]", words="plant: [roses]")
    assert [e.text for e in paraphrases.examples(action, "zh", 4)] == ["给玫瑰浇水"]


def test_a_word_that_is_no_value_is_left_out(plugin):
    action = plugin(words='litres: ["3", "lots"]')
    assert paraphrases.words(action, "en") == {"litres": {"3": 3}}


def test_a_skill_without_files_has_its_sentences(plugin):
    action = plugin()
    assert paraphrases.templates(action, "en") == ()
    found = list(paraphrases.examples(action, "en", 3))
    assert found
    assert all(example.text.startswith("water the") for example in found)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("water: give it", "is a list of texts"),
        ("[water]", "mapping of lists"),
        ("water: [a, {b: c}]", "is a list of texts"),
        ("water: ['give the {plnt} water']", "{plnt}"),
        ("water: ['give (the']", "never closed"),
        ("water: ['give", "not YAML"),
    ],
)
def test_a_mistake_names_the_file(plugin, text, reason):
    action = plugin(en=text)
    with pytest.raises(SentenceError) as error:
        paraphrases.templates(action, "en")
    assert "paraphrases/en.yaml" in str(error.value)
    assert reason in str(error.value)


def test_what_belongs_to_no_skill_is_a_list_of_templates(tmp_path, monkeypatch):
    monkeypatch.setattr(paraphrases, "NONE_FOLDER", tmp_path)
    (tmp_path / "en.txt").write_text("# weather\n\nis it (raining|snowing) in {city}\n", "utf-8")
    (tmp_path / "words.yaml").write_text("city: [oslo, rome]", "utf-8")
    found = list(paraphrases.none_examples("en", 4))
    assert {example.label for example in found} == {"none"}
    assert {example.text.split()[2] for example in found} == {"raining", "snowing"}
    assert {example.text.split()[-1] for example in found} <= {"oslo", "rome"}
    assert list(paraphrases.none_examples("zh", 4)) == []


@pytest.mark.slow
def test_the_files_that_ship_are_sound():
    skills = Skills.discover()
    for action in skills.actions.values():
        for language in ("en", "zh"):
            paraphrases.templates(action, language)
            assert list(paraphrases.examples(action, language, 1)), (action.name, language)
    for language in ("en", "zh"):
        assert len(list(paraphrases.none_examples(language, 1))) > 100
