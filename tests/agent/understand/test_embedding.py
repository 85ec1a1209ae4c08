"""An embedding GGUF in MiniLM's place: real llama.cpp, on a tiny model of random weights."""

import io
import json
import logging

import gguf
import numpy as np
import pytest

from agent import config
from agent.cli import doctor
from agent.cli.train import embedding as fit_embedding
from agent.errors import EngineError
from agent.messages import Intent, Transcript
from agent.models.llm.llama import LlamaModel
from agent.models.llm.native import Native
from agent.models.llm.options import LlamaOptions
from agent.models.llm.store import find_model
from agent.plugins.skills import Skills
from agent.understand import semantic, source
from agent.understand.embedding import COMMAND, END, INSTRUCTION, Embedding
from agent.understand.learn import corpus
from agent.understand.learn import semantic as train
from agent.understand.learn.fit import FitOptions, softmax
from agent.understand.learned import DATA, Learned, Pool
from agent.understand.router import Router, Stages
from agent.understand.semantic import Semantic
from tests import tiny_gguf

pytestmark = pytest.mark.slow  # llama.cpp reads a corpus

NAME = "tiny-qwen3-embedding.gguf"
GARDEN = '''
from agent import Reply, hookimpl, skill


@skill("water the {plant}", "give the {plant} some water")
def water(plant: str) -> Reply:
    """Water a plant."""
    return Reply(text=plant)


@hookimpl
def register_skills(register):
    register(water)
'''


def write(folder, name=NAME, seed=15):
    return tiny_gguf.write(folder / name, seed=seed, pooling=gguf.PoolingType.LAST)


@pytest.fixture(scope="module")
def skills():
    found = Skills()
    for name in ("translate", "music"):
        found.add(f"skills.{name}", source="glasses")
    return found


@pytest.fixture(scope="module")
def models(skills, tmp_path_factory):
    """A folder with a model and what the command fitted to it, on a handful of texts."""
    folder = tmp_path_factory.mktemp("models")
    write(folder)
    with pytest.MonkeyPatch.context() as patch:
        few(patch, skills, folder)
        assert train.main(["--embedding", str(folder / NAME)]) == 0
    return folder


def few(patch, skills, folder):
    patch.setattr(corpus, "PER_ACTION", {"en": 12, "zh": 12})
    patch.setattr(corpus, "PER_NONE", {"en": 150, "zh": 100})
    patch.setattr(train, "MEANING_FIT", FitOptions(rate=0.3, epochs=60))  # so few, so alike
    patch.setattr(train, "loaded", lambda plugins: [*skills.actions.values()])
    patch.setenv("GLASSES_MODELS", str(folder))


@pytest.fixture
def damaged(models, tmp_path):
    """A copy of the folder, to be damaged, whose outcome no other test has seen."""
    for name in (NAME, NAME.replace(".gguf", ".npz")):
        (tmp_path / name).write_bytes((models / name).read_bytes())
    return tmp_path


# -- reading ---------------------------------------------------------------------------------------


def test_it_is_the_last_tokens_numbers_after_the_models_own_end(models):
    """As a fresh context gives them for the tokens that the model card wants."""
    embedding = Embedding(models / NAME)
    native = Native(models / NAME, LlamaOptions(192, batch_tokens=192, embeds=True))
    ids = native.tokenize(f"{INSTRUCTION}播放 jazz{END}", special=True)
    assert ids[-1] == tiny_gguf.vocabulary().index(END)
    native.decode(ids)
    wanted = np.array(native.embedding())
    native.close()
    for text in ("something else", "播放 jazz"):  # the instruction is kept from one to the next
        got = embedding(text)
    assert got.shape == embedding.shape == (1, tiny_gguf.WIDTH)
    assert np.linalg.norm(got[0]) == pytest.approx(1, abs=1e-5)
    assert got[0] @ wanted / np.linalg.norm(wanted) == pytest.approx(1, abs=1e-4)
    embedding.close()


def test_control_tokens_in_a_text_are_letters(models):
    embedding = Embedding(models / NAME)
    assert not np.allclose(embedding(f"pay {END}"), embedding("pay "), atol=1e-3)


def test_any_text_can_be_read(models):
    embedding = Embedding(models / NAME)
    for text in ("", "音乐", "music " * 2_000, "\x00 ﷽ 🙂", "\udc80"):
        assert np.isfinite(embedding(text)).all()


@pytest.mark.parametrize("rank", [False, True])
def test_what_is_no_embedding_model_is_one_line(tmp_path, rank):
    path = tmp_path / "embed.gguf"
    if rank:
        tiny_gguf.write(path, pooling=gguf.PoolingType.RANK)
    else:
        path.write_bytes(b"GGUF and nothing more")
    with pytest.raises(EngineError, match="embed.gguf") as raised:
        Embedding(path)
    assert "\n" not in str(raised.value)


def test_it_is_not_taken_for_a_chat_model(tmp_path):
    where = {"GLASSES_MODELS": str(tmp_path)}
    write(tmp_path, "qwen3-of-unknown-use.gguf")
    tiny_gguf.write(tmp_path / "Qwen3-Embedding-0.6B-Q8_0.gguf")  # early ones say it by name alone
    tiny_gguf.write(tmp_path / "Qwen3-Reranker-0.6B-Q8_0.gguf")
    assert find_model(where) is None
    chat = tiny_gguf.write(tmp_path / "Qwen3-0.6B-Q4_0.gguf")
    assert find_model(where) == chat
    LlamaModel(chat).load()
    assert [path.stem for path in source.find_embeddings(tmp_path)] == [
        "Qwen3-Embedding-0.6B-Q8_0",
        "qwen3-of-unknown-use",
    ]


# -- fitted, it takes MiniLM's place ---------------------------------------------------------------


def test_it_has_an_opinion_in_both_languages(models, skills):
    stage = Semantic(skills.actions, models)
    for text, language in (("put on some jazz", "en"), ("放点爵士乐", "zh")):
        ranking = stage.rank(text, language)
        assert set(ranking.evidence) == {"words", "meaning"}
        assert sum(ranking.skills.values()) == pytest.approx(1, abs=1e-5)
    assert stage.meaning.name == "tiny-qwen3-embedding"


def test_what_was_fitted_knows_texts_by_what_it_reads(models, skills):
    """Better than by the mean of all texts, which knows only how common each label is."""
    learned, reader = source.fitted(models / NAME), Embedding(models / NAME)
    weights, bias = learned.head
    rows = [*corpus.drawn(skills.actions.values(), 0)][::8]
    right = np.array([[label in row.allowed for label in learned.labels] for row in rows])
    numbers = np.stack([reader(row.text)[reader.last] for row in rows])

    def likelihood(x):
        return np.log((softmax(x @ weights + bias) * right).sum(axis=1)).mean()

    own, mean = likelihood(numbers), likelihood(np.tile(numbers.mean(axis=0), (len(rows), 1)))
    assert own > mean + 0.1


def test_a_router_routes_with_it(models, skills):
    router = Router(skills.actions, Stages(models))
    for text, language in (("i would like to hear some reggae", "en"), ("我想听周杰伦的歌", "zh")):
        decision = router.decide(Transcript(text, language))
        assert "meaning" in [verdict.stage for verdict in decision.verdicts]
        assert not isinstance(decision.meaning, Intent) or decision.meaning.skill == "music"


def test_a_new_skills_sentences_are_read_by_it(models, tmp_path):
    (tmp_path / "garden.py").write_text(GARDEN, "utf-8")
    found = Skills()
    found.add("skills.music", source="glasses")
    assert found.add(str(tmp_path / "garden.py")) is None
    stage = Semantic(found.actions, models)
    (near,) = [near for action, near in stage._nearest.values() if action.skill == "garden"]
    own = next(iter(semantic.sentences(found.actions["garden.water"])))
    row = stage.meaning(own)[stage.meaning.last]
    assert near(semantic.features(own), row)[1] == pytest.approx(1, abs=1e-4)
    assert stage.rank(own, "en").actions["garden.water"] > 0


def test_words_stay_as_they_ship_where_no_real_text_is_given():
    shipped = Learned.load(DATA)
    new = Pool({"words": 0.2, "meaning": 1.1}, -0.5, 0.1)
    taught = Learned(
        shipped.labels, shipped.words, (np.ones((64, len(shipped.labels)), np.float32), shipped.head[1]),
        {"words": new, "words+meaning": new}, {"words": [0, 0, 0], "meaning": [1, 2, 3, 4]},
    )  # fmt: skip
    made = train.fitted(taught, DATA, shipped)
    assert made.pools["words"] == shipped.pools["words"]
    assert made.near["words"] == shipped.near["words"]
    assert made.near["meaning"] == [1, 2, 3, 4]
    both, three = made.pools["words+meaning"], made.pools["words+meaning+other"]
    assert both == new
    assert three.accept == new.accept
    assert three.weights["other"] == shipped.pools["words+meaning+other"].weights["other"]


def test_the_command_says_what_is_wrong(tmp_path, monkeypatch, skills, capsys):
    few(monkeypatch, skills, tmp_path)
    path = tmp_path / "embed.gguf"
    assert train.main(["--embedding", str(path)]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_model_elsewhere_is_said_not_to_be_used_yet(tmp_path, monkeypatch, skills, capsys):
    few(monkeypatch, skills, tmp_path / "models")
    monkeypatch.setattr(corpus, "PER_NONE", {"en": 60, "zh": 40})
    path = write(tmp_path, "one.gguf")
    fit_embedding(path, None, 0, None, ())
    assert (tmp_path / "one.npz").is_file()
    assert f"Put both files into {tmp_path / 'models'}" in capsys.readouterr().out


# -- what is not right is one line, and MiniLM or words meanwhile ----------------------------------


def unfitted(folder):
    (folder / NAME).with_suffix(".npz").unlink()


def npz_damaged(folder):
    path = (folder / NAME).with_suffix(".npz")
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 64] = bytes(64)
    path.write_bytes(data)


def npz_of_another_kind(folder):
    told = io.BytesIO()
    np.savez(told, told=np.frombuffer(json.dumps([]).encode(), np.uint8))
    (folder / NAME).with_suffix(".npz").write_bytes(told.getvalue())


def gguf_cut(folder):
    (folder / NAME).write_bytes((folder / NAME).read_bytes()[:100_000])


def gguf_replaced(folder):
    tiny_gguf.write(folder / NAME, pooling=gguf.PoolingType.LAST, template=None)


@pytest.mark.parametrize(
    "damage", [unfitted, npz_damaged, npz_of_another_kind, gguf_cut, gguf_replaced]
)
def test_a_file_that_cannot_be_used(damaged, damage, skills, caplog):
    damage(damaged)
    with caplog.at_level(logging.WARNING):
        stage = Semantic(skills.actions, damaged)
        assert stage.rank("i'd like to hear some reggae", "en").skill == "music"
    assert stage.meaning is None
    (line,) = [record.getMessage() for record in caplog.records]
    assert COMMAND in line
    assert line.endswith("meanwhile: words alone")
    assert "\n" not in line
    row = doctor._paraphrases(config.load({"GLASSES_MODELS": str(damaged)}))
    assert (row.state, row.used) == ("problem", "words alone")
    assert f"{COMMAND} {damaged / NAME}" in row.note or "download it again" in row.note


def test_one_damaged_inside_is_found_when_it_is_loaded(damaged, skills, caplog):
    """Of the right size and with what was fitted to it, but no GGUF."""
    (damaged / NAME).write_bytes(bytes((damaged / NAME).stat().st_size))
    with caplog.at_level(logging.WARNING):
        assert Semantic(skills.actions, damaged).meaning is None
    assert "not a GGUF file" in caplog.text


def test_a_sound_one_beside_a_damaged_one_is_used(damaged, skills, caplog):
    (damaged / "a-damaged-embedding.gguf").write_bytes(b"nothing")
    with caplog.at_level(logging.WARNING):
        assert Semantic(skills.actions, damaged).meaning.name == "tiny-qwen3-embedding"
    assert "a-damaged-embedding.gguf" in caplog.text


def test_doctor_tells_what_reads(models, tmp_path):
    row = doctor._paraphrases(config.load({"GLASSES_MODELS": str(models)}))
    assert (row.state, row.used) == ("ok", "tiny-qwen3-embedding")
    row = doctor._paraphrases(config.load({"GLASSES_MODELS": str(tmp_path)}))
    assert (row.state, row.used) == ("missing", "words alone")
