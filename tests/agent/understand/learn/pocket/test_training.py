import json
import math
from dataclasses import replace

import numpy as np
import pytest

from agent.errors import EngineError
from agent.plugins.skills import Skills
from agent.understand.learn.pocket.recipe import collect
from agent.understand.pocket.engine import Engine
from agent.understand.pocket.reading import spelled, words_of
from agent.understand.pocket.router import PocketRouter

torch = pytest.importorskip("torch", reason="training needs the extra `train`")
pytest.importorskip("gguf")

from agent.understand.learn.pocket.export import Trained  # noqa: E402 - after the skips
from agent.understand.learn.pocket.network import Network, Shape  # noqa: E402
from agent.understand.learn.pocket.spelling import Spelling  # noqa: E402
from agent.understand.learn.pocket.training import Options, real_texts, train  # noqa: E402

TINY = Options(minutes=0.15, batch=600, processes=1, shape=(64, 2, 96), merges=300)
SAID = ("water the rose bush", "给兰花浇水", "how many plants, 3 or 14?", "Zoë's café $20")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A model of a small plugin, trained for seconds: it knows little, but everything is there."""
    from tests.agent.understand.learn.pocket.conftest import PLUGIN

    folder = tmp_path_factory.mktemp("made") / "garden"
    folder.mkdir()
    (folder / "__init__.py").write_text(PLUGIN)
    skills = Skills()
    skills.add(str(folder))
    recipe = collect(skills.actions.values())
    told = []
    trained = train(recipe, TINY, lambda share, loss, seen: told.append((share, loss, seen)))
    path = folder / "made.gguf"
    trained.save(path)
    return trained, path, told


def test_training_tells_how_far_it_is_and_learns(made):
    trained, _, told = made
    shares = [share for share, _, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert told[-1][1] < math.log(len(trained.texts))  # what guessing costs


def test_llama_cpp_spells_and_computes_as_training_does(made):
    trained, path, _ = made
    network = Network(trained.shape)
    network.load_state_dict(trained.weights)
    network.eval()
    engine, spelling = Engine(path), Spelling(trained.layout, trained.model)
    for text in SAID:
        words = words_of(text)
        prompt = spelling.prompt(words)
        assert engine.prompt(spelled(words)) == prompt[1:-1]
        answer = [spelling.intents["garden.water"], *spelling.word("rose")]
        lengths = torch.tensor([len(prompt)])
        with torch.no_grad():
            wanted = torch.tensor([len(prompt) - 1])
            first = network(torch.tensor([prompt]), lengths, wanted)[0].numpy()
            whole = torch.tensor([prompt + answer])
            last = torch.tensor([whole.shape[1] - 1])
            later = network(whole, lengths, last)[0].numpy()
        # 8 bits a weight: differences are small beside the range of the logits.
        assert np.abs(engine.ask(prompt[1:-1]) - first).max() < 0.05 * np.ptp(first)
        assert np.abs(engine.go_on(answer) - later).max() < 0.05 * np.ptp(later)
    engine.close()


def test_what_comes_later_changes_how_a_word_is_read(made):
    trained, _, _ = made
    network = Network(trained.shape)
    network.load_state_dict(trained.weights)
    network.eval()
    first, other = torch.tensor([[1, 200, 210, 2]]), torch.tensor([[1, 200, 220, 2]])
    at = torch.tensor([1])
    with torch.no_grad():
        for prompts, same in ((torch.tensor([4]), False), (None, True)):
            one, two = network(first, prompts, at), network(other, prompts, at)
            assert torch.allclose(one, two) is same


def test_a_trained_model_routes_and_knows_its_sentences(made):
    trained, path, _ = made
    router = PocketRouter(path)
    assert router.actions == {"garden.water", "garden.count"}
    assert router.sentences == trained.layout.sentences
    call = router.call("Water the Monstera")
    assert all(value in "Water the Monstera" for value in call.slots.values())


def test_training_goes_on_from_a_file_with_a_new_plugin(made, recipe, tmp_path):
    trained, path, _ = made
    read = Trained.load(path)
    assert read.texts == trained.texts
    assert json.loads(read.model) == json.loads(trained.model) or Spelling(
        read.layout, read.model
    ).prompt(["rose"]) == Spelling(trained.layout, trained.model).prompt(["rose"])
    slots = {**recipe.slots, "other.act": ()}
    options = replace(TINY, minutes=0.02, start=path, holdout=True)
    more = train(replace(recipe, slots=slots), options, lambda *_: None)
    assert set(more.layout.slots) == {*trained.layout.slots, "other.act"}
    assert more.layout.holdout > 0
    old, new = trained.texts.index("e"), more.texts.index("e")
    rows = [model.weights["token_embd.weight"] for model in (trained, more)]
    assert torch.cosine_similarity(rows[0][old], rows[1][new], dim=0) > 0.5
    more.save(tmp_path / "more.gguf")
    assert "other.act" in PocketRouter(tmp_path / "more.gguf").actions


def test_two_processes_train_one_model(recipe):
    trained = train(recipe, replace(TINY, minutes=0.05, processes=2), lambda *_: None)
    assert all(torch.isfinite(weight).all() for weight in trained.weights.values())


def test_real_texts_allow_every_intent_of_their_skill(made, tmp_path):
    trained, _, _ = made
    spelling = Spelling(trained.layout, trained.model)
    path = tmp_path / "real.jsonl"
    rows = [("soak it", "garden"), ("hello there", "none"), ("fly", "rocket")]
    path.write_text("".join(json.dumps({"text": t, "skill": s}) + "\n" for t, s in rows) + "\n")
    allowed = [set(tokens) for _, tokens in real_texts(path, spelling)]
    assert allowed == [
        {spelling.intents["garden.water"], spelling.intents["garden.count"]},
        {spelling.intents["none"]},
    ]


@pytest.mark.parametrize("line", ["no json", '{"text": "a"}', "[1]"])
def test_a_broken_line_of_real_texts_is_named(made, tmp_path, line):
    trained, _, _ = made
    path = tmp_path / "real.jsonl"
    path.write_text('{"text": "a", "skill": "none"}\n' + line + "\n")
    with pytest.raises(EngineError, match=r"real\.jsonl:2: is not"):
        real_texts(path, Spelling(trained.layout, trained.model))


def test_a_file_that_is_not_ours_cannot_be_gone_on_from(tmp_path):
    path = tmp_path / "other.gguf"
    path.write_bytes(b"GGUF")
    with pytest.raises(EngineError, match="not a pocket model to go on from"):
        Trained.load(path)


def test_the_default_size_fits_its_limits():
    count = sum(p.numel() for p in Network(Shape(vocabulary=3000)).parameters())
    assert 2e6 < count < 6e6
