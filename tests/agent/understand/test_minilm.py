"""The converted MiniLM, against the same arithmetic in numpy, on made-up weights."""

import io
import json
import math
import struct

import numpy as np
import pytest

from agent.errors import EngineError
from agent.understand import minilm

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "play", "some", "music", "##al"]
WIDTH, INNER = minilm.WIDTH, 1536


def made_up(seed=0):
    """Weights named and shaped as BERT's, on the grid of one byte a column."""
    rng = np.random.default_rng(seed)

    def matrix(rows, columns, by_row=True):
        values = rng.integers(-127, 128, (rows, columns)).astype(np.float32)
        values[:, 0] = 127  # so that rounding to the byte of the largest loses nothing
        return values * np.float32(0.03 / 127)

    weights = {
        "embeddings.word_embeddings.weight": matrix(len(PIECES), WIDTH),
        "embeddings.position_embeddings.weight": matrix(512, WIDTH),
        "embeddings.token_type_embeddings.weight": matrix(2, WIDTH),
        **norm("embeddings.LayerNorm", rng),
    }
    for number in range(minilm.LAYERS):
        layer = f"encoder.layer.{number}"
        shapes = {
            "attention.self.query": (WIDTH, WIDTH), "attention.self.key": (WIDTH, WIDTH),
            "attention.self.value": (WIDTH, WIDTH), "attention.output.dense": (WIDTH, WIDTH),
            "intermediate.dense": (INNER, WIDTH), "output.dense": (WIDTH, INNER),
        }  # fmt: skip
        for name, shape in shapes.items():
            weights[f"{layer}.{name}.weight"] = matrix(*shape)
            weights[f"{layer}.{name}.bias"] = rng.normal(0, 0.1, shape[0]).astype(np.float32)
        weights |= norm(f"{layer}.attention.output.LayerNorm", rng)
        weights |= norm(f"{layer}.output.LayerNorm", rng)
    return weights


def norm(name, rng):
    return {
        f"{name}.weight": rng.normal(1, 0.1, WIDTH).astype(np.float32),
        f"{name}.bias": rng.normal(0, 0.1, WIDTH).astype(np.float32),
    }


def put(folder, weights):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(
        models.WordPiece({piece: at for at, piece in enumerate(PIECES)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    header, data = {"__metadata__": {"format": "pt"}}, io.BytesIO()
    for name, values in weights.items():
        start = data.tell()
        data.write(values.tobytes())
        header[name] = {"dtype": "F32", "shape": values.shape, "data_offsets": [start, data.tell()]}
    told = json.dumps(header).encode()
    whole = struct.pack("<Q", len(told)) + told + data.getvalue()
    (folder / "model.safetensors").write_bytes(whole)
    (folder / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")


def reference(weights, ids):
    """BERT as its paper has it."""

    def linear(x, name):
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def normed(x, name):
        x = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-12)
        return x * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    erf = np.vectorize(math.erf)
    x = weights["embeddings.word_embeddings.weight"][ids]
    x = x + weights["embeddings.position_embeddings.weight"][: len(ids)]
    x = normed(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    rows = []
    for number in range(minilm.LAYERS):
        layer = f"encoder.layer.{number}"
        heads = []
        parts = [
            linear(x, f"{layer}.attention.self.{n}").reshape(len(ids), minilm.HEADS, -1)
            for n in ("query", "key", "value")
        ]
        for head in range(minilm.HEADS):
            query, key, value = (part[:, head] for part in parts)
            near = np.exp(query @ key.T / math.sqrt(query.shape[1]))
            heads.append(near / near.sum(1, keepdims=True) @ value)
        mixed = linear(np.concatenate(heads, 1), f"{layer}.attention.output.dense")
        x = normed(x + mixed, f"{layer}.attention.output.LayerNorm")
        inner = linear(x, f"{layer}.intermediate.dense")
        inner = inner / 2 * (1 + erf(inner / math.sqrt(2)))
        x = normed(x + linear(inner, f"{layer}.output.dense"), f"{layer}.output.LayerNorm")
        if number + 1 in minilm.POOLED:
            rows.append(x.mean(0))
    rows += [x.max(0), x[0]]
    return np.stack([row / np.linalg.norm(row) for row in rows])


@pytest.fixture(scope="module")
def weights():
    return made_up()


@pytest.fixture(scope="module")
def made(weights, tmp_path_factory):
    folder = tmp_path_factory.mktemp("made-up")
    put(folder, weights)
    minilm.convert(folder, folder / minilm.NAME)
    return folder / minilm.NAME


def test_the_file_computes_what_bert_computes(made, weights):
    model = minilm.MiniLM(made)
    got = model("Play some musical")
    assert got.shape == (len(minilm.POOLED) + 2, WIDTH)
    wanted = reference(weights, [2, 4, 5, 6, 7, 3])
    assert (got * wanted).sum(axis=1) == pytest.approx(np.ones(len(got)), abs=2e-3)


def test_any_length_can_be_read(made):
    model = minilm.MiniLM(made)
    for text in ("", "music", "music " * 500, "\x00 ﷽ 你好"):
        assert np.isfinite(model(text)).all()


def test_there_may_be_none(tmp_path):
    assert minilm.find(tmp_path) is None


def test_a_damaged_file_is_one_clear_line(tmp_path, made):
    path = tmp_path / "cut.onnx"
    path.write_bytes(made.read_bytes()[:1000])
    with pytest.raises(EngineError, match="remove it and run"):
        minilm.MiniLM(path)


def test_what_is_not_minilm_is_not_loaded_under_its_name(tmp_path, made):
    (tmp_path / minilm.NAME).write_bytes(made.read_bytes())
    with pytest.raises(EngineError, match="not the bytes of minilm, so it is not loaded"):
        minilm.find(tmp_path)


def test_other_files_are_refused(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(EngineError, match="holds no MiniLM"):
        minilm.convert(tmp_path, tmp_path / minilm.NAME)
    assert not (tmp_path / minilm.NAME).exists()


def test_the_real_one_is_what_the_store_says(real_model):
    model = minilm.find(real_model("minilm").parent)
    near, far = (model(text)[minilm.LAST] for text in ("play some music", "pay the bill"))
    assert near @ model("put on a song")[minilm.LAST] > far @ model("put on a song")[minilm.LAST]
