"""Teaching the semantic stage, on a handful of texts."""

import json

import numpy as np
import pytest

from agent.errors import ConfigError
from agent.plugins.skills import Skills
from agent.understand.learn import corpus, semantic
from agent.understand.learn.corpus import Row
from agent.understand.learned import Learned
from agent.understand.semantic import Semantic

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def actions():
    skills = Skills()
    skills.add("skills.translate", source="glasses")
    return [*skills.actions.values()]


@pytest.fixture(autouse=True)
def few(monkeypatch):
    monkeypatch.setattr(corpus, "PER_ACTION", {"en": 20, "zh": 10})
    monkeypatch.setattr(corpus, "PER_NONE", {"en": 150, "zh": 50})


def test_it_learns_from_sentences_alone(actions, tmp_path):
    learned, points = semantic.train(actions, [], None)
    assert set(points) == {"words", "all"}
    assert [p.false_accepts for p in points["all"]] == sorted(
        p.false_accepts for p in points["all"]
    )
    learned.save(tmp_path / "learned.npz")
    stage = Semantic({a.name: a for a in actions}, data=tmp_path / "learned.npz")
    skills = stage.rank("how do i say good morning in french", "en").skills
    outside = stage.rank("what is the weather tomorrow", "en").skills
    assert skills["translate"] > 3 * outside["translate"]


@pytest.mark.slow
def test_the_same_seed_learns_the_same(actions):
    one, again = (semantic.train(actions, [], None, seed=3)[0] for _ in range(2))
    assert np.array_equal(one.words.weights, again.words.weights)
    assert one.pools == again.pools


def test_the_command_writes_a_file_and_says_how_good_it_is(tmp_path, monkeypatch, capsys, actions):
    monkeypatch.setattr(semantic, "loaded", lambda plugins: actions)
    monkeypatch.setenv("GLASSES_MODELS", str(tmp_path))
    marked = [{"text": f"translate word {n} to german", "skill": "translate"} for n in range(30)]
    marked += [{"text": f"will it rain on day {n}", "skill": "none"} for n in range(30)]
    marked += [{"text": "play a song", "skill": "music"}]
    path, out = tmp_path / "real.jsonl", tmp_path / "out.npz"
    path.write_text("\n".join(map(json.dumps, marked)), "utf-8")
    assert semantic.main(["--real", str(path), "--out", str(out)]) == 0
    assert "of skills found" in capsys.readouterr().out
    assert Learned.load(out).labels == (*(a.name for a in actions), "none")


def test_real_text_may_know_only_the_skill(tmp_path):
    path = tmp_path / "real.jsonl"
    path.write_text(
        '{"text": "Bonjour!", "skill": "translate"}\n'
        '{"text": "say hi in french", "skill": "translate", "action": "into"}\n'
        '{"text": "a skill that is not there", "skill": "garden"}\n'
        '{"text": "hm", "skill": "none"}\n',
        "utf-8",
    )
    labels = ["translate.into", "translate.again", "none"]
    rows = corpus.real(path, labels)
    assert [row.allowed for row in rows] == [
        {"translate.into", "translate.again"},
        {"translate.into"},
        {"none"},
    ]
    assert rows[0].text == "Bonjour"


@pytest.mark.parametrize("line", ["{", "[]", '{"text": "a"}'])
def test_a_bad_line_is_named(tmp_path, line):
    path = tmp_path / "real.jsonl"
    path.write_text(line, "utf-8")
    with pytest.raises(ConfigError, match="real.jsonl:1"):
        corpus.real(path, ["none"])


def test_a_text_is_in_one_fold_whatever_its_case():
    rows = [Row(text, frozenset(), "en", text) for text in ("Play Jazz", "play jazz")]
    assert corpus.fold_of(rows[0]) == corpus.fold_of(rows[1])


def test_one_more_opinion_is_weighed(actions, tmp_path):
    """It knows the truth about nine of ten: it weighs more than the words, and the pool is better."""
    labels = [*(action.name for action in actions), "none"]
    rows = [
        Row(f"thing {n}", frozenset((labels[n % 4] if n % 2 else "none",)), "en", f"thing {n}")
        for n in range(80)
    ]
    lines = []
    for n, row in enumerate(rows):
        said = next(iter(row.allowed)) if n % 10 else "none"
        lines.append(json.dumps({"text": row.text, "scores": {"none": -3.0, said: -0.05}}))
    path = tmp_path / "other.jsonl"
    path.write_text("\n".join(lines), "utf-8")
    learned, points = semantic.train(actions, rows, None, path)
    weights = learned.pools["words+other"].weights
    assert weights["other"] > weights["words"]
    assert points["all"][0].accepted > points["words"][0].accepted + 0.5
