"""What lies in the models folder, what of it is trusted, and what is used."""

import json
import os
import shutil

import pytest

from agent.errors import EngineError
from agent.models import registry, store
from agent.models.store import Choice, better, choose, installed, suitable, trusted, use
from tests.agent.models.hub import DATA, content, model, sha

GIB = 1 << 30


@pytest.fixture
def known(monkeypatch):
    """Four language models of small files, two Whispers, and what a real registry says else."""
    found = {}
    for name, rank, size in (("small", 10, 1000), ("large", 30, 3000), ("huge", 50, 5000)):
        data = content(name, size)
        file = registry.File(f"{name}.gguf", size, sha(data))
        found[name] = model(name=name, kind="language", rank=rank, files=(file,), folder="",
                            languages=("en", "zh"), memory_mb=1024)  # fmt: skip
    for name, rank, languages in (("base", 20, ("*",)), ("tiny.en", 8, ("en",))):
        files = tuple(registry.File(n, len(d), sha(d)) for n, d in whisper(name).items())
        found[name] = model(
            name=name, kind="speech", rank=rank, files=files, folder=name, languages=languages
        )
    monkeypatch.setattr(registry, "models", lambda: found)
    return found


def whisper(name):
    tokenizer = b'{"added_tokens": [{"content": "<|startoftranscript|>"}]}'
    return {"model.bin": content(name, 500), "config.json": b"{}", "tokenizer.json": tokenizer}


def put(folder, *names):
    for name in names:
        if name in ("base", "tiny.en"):
            (folder / name).mkdir()
            for file, data in whisper(name).items():
                (folder / name / file).write_bytes(data)
        else:
            (folder / f"{name}.gguf").write_bytes(content(name, size_of(name)))


def size_of(name):
    return {"small": 1000, "large": 3000, "huge": 5000}.get(name, 2000)


# -- what is trusted ------------------------------------------------------------------------------


def test_what_was_put_there_by_hand_is_hashed_once_and_recognised(tmp_path, known, monkeypatch):
    put(tmp_path, "large", "mine")
    assert {f.name: f.state for f in installed(tmp_path)} == {
        "large": "unchecked", "mine": "unchecked",
    }  # fmt: skip
    assert trusted(tmp_path / "large.gguf", "language").state == "verified"
    assert trusted(tmp_path / "mine.gguf", "language").state == "own"
    monkeypatch.setattr(store, "sha256", None)  # nothing is read again
    assert trusted(tmp_path / "large.gguf", "language").state == "verified"
    assert trusted(tmp_path / "mine.gguf", "language").state == "own"


def test_other_bytes_under_a_known_name_are_refused_in_one_line(tmp_path, known):
    put(tmp_path, "large")
    (tmp_path / "large.gguf").write_bytes(b"GGUF of somebody else")
    with pytest.raises(EngineError, match="not the bytes of large, so it is not loaded") as failure:
        trusted(tmp_path / "large.gguf", "language")
    assert "\n" not in str(failure.value)
    assert choose("language", tmp_path).path is None


def test_a_file_that_changed_after_it_was_checked_is_hashed_again(tmp_path, known):
    put(tmp_path, "large")
    path = tmp_path / "large.gguf"
    trusted(path, "language")
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    assert store.look(path, "language").state == "unchecked"
    with pytest.raises(EngineError, match="not the bytes of large"):
        trusted(path, "language")


def test_verify_finds_a_bit_that_fell_over_without_a_trace(tmp_path, known):
    put(tmp_path, "large")
    path = tmp_path / "large.gguf"
    trusted(path, "language")
    was = path.stat()
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert store.look(path, "language").state == "verified"
    assert [found.state for found in installed(tmp_path, check=True)] == ["damaged"]


def test_half_a_folder_is_told_what_it_lacks(tmp_path, known):
    put(tmp_path, "base")
    (tmp_path / "base" / "tokenizer.json").unlink()
    choice = choose("speech", tmp_path)
    assert choice.path is None
    assert choice.problems == (
        f"{tmp_path}/base: tokenizer.json missing; run `glasses models pull base`",
    )


@pytest.mark.parametrize(
    "record", ["{", "[]", '{"format": 1}', '{"format": 99, "files": {"large.gguf": 7}}', "\xff"]
)
def test_a_damaged_or_newer_record_is_as_good_as_none(tmp_path, known, record):
    put(tmp_path, "large")
    (tmp_path / ".large.gguf.glasses.json").write_bytes(record.encode("latin-1"))
    assert store.look(tmp_path / "large.gguf", "language").state == "unchecked"
    assert trusted(tmp_path / "large.gguf", "language").state == "verified"


def test_a_folder_that_cannot_be_written_is_read_all_the_same(tmp_path, known, monkeypatch):
    put(tmp_path, "large")

    def refuse(path, record):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(store, "write", refuse)
    assert choose("language", tmp_path).path == tmp_path / "large.gguf"
    monkeypatch.setattr(store, "sha256", None)  # and hashed once in a process
    assert choose("language", tmp_path).path == tmp_path / "large.gguf"


def test_a_variant_of_another_source_is_the_same_model(tmp_path, known):
    other = registry.Packages("x==1", (registry.File("model.bin", 3, sha(b"abc")),))
    known["tiny-voice"] = model(packages=other)
    (tmp_path / "tiny-voice").mkdir()
    (tmp_path / "tiny-voice" / "model.bin").write_bytes(b"abc")
    assert trusted(tmp_path / "tiny-voice", "voice").state == "verified"


def test_where_no_checksum_is_known_it_is_the_users_own(tmp_path, known):
    known["tiny-voice"] = model(files=tuple(registry.File(n, 1) for n in DATA))
    (tmp_path / "tiny-voice").mkdir()
    for name, data in DATA.items():
        (tmp_path / "tiny-voice" / name).write_bytes(data)
    assert trusted(tmp_path / "tiny-voice", "voice").state == "own"


# -- what is used ---------------------------------------------------------------------------------


def test_the_highest_rank_that_half_the_memory_holds(tmp_path, known):
    assert choose("language", tmp_path) == Choice()
    put(tmp_path, "small", "large", "huge")
    assert choose("language", tmp_path, memory=20_000).path.name == "huge.gguf"
    assert choose("language", tmp_path, memory=9_000).path.name == "large.gguf"
    assert choose("language", tmp_path, memory=1_999).path is None


def test_an_unknown_one_ranks_by_its_size_and_qwen3_before_others(tmp_path, known):
    put(tmp_path, "small", "mine", "Qwen3-mine")
    assert choose("language", tmp_path).path.name == "Qwen3-mine.gguf"
    put(tmp_path, "large")
    assert choose("language", tmp_path).path.name == "large.gguf"


def test_a_refused_one_gives_way_to_the_next(tmp_path, known):
    put(tmp_path, "small", "large")
    (tmp_path / "large.gguf").write_bytes(b"x")
    choice = choose("language", tmp_path)
    assert choice.path.name == "small.gguf"
    assert len(choice.problems) == 1


def test_the_language_decides_among_whispers(tmp_path, known):
    put(tmp_path, "tiny.en")
    assert choose("speech", tmp_path, "zh").path is None
    assert choose("speech", tmp_path, "auto").path is None
    assert choose("speech", tmp_path, "en").path.name == "tiny.en"
    put(tmp_path, "base")
    for language in ("en", "zh", "auto"):
        assert choose("speech", tmp_path, language).path.name == "base"


def test_what_was_chosen_is_used_although_it_is_no_better(tmp_path, known):
    put(tmp_path, "small", "large", "base", "tiny.en")
    assert [found.name for found in use(tmp_path, "small")] == ["small"]
    use(tmp_path, "tiny.en")
    choice = choose("language", tmp_path)
    assert (choice.path.name, choice.why) == ("small.gguf", "chosen by `glasses models use`")
    assert choose("speech", tmp_path, "en").path.name == "tiny.en"
    chinese = choose("speech", tmp_path, "zh")
    assert chinese.path.name == "base"
    assert chinese.why.endswith("; tiny.en was chosen, and does not know the language (zh)")
    store.remove(tmp_path, "base")
    assert choose("speech", tmp_path, "zh").why.startswith("tiny.en was chosen")
    use(tmp_path, "auto")
    assert choose("language", tmp_path).path.name == "large.gguf"
    assert choose("language", tmp_path).problems == ()


def test_a_choice_that_is_gone_or_damaged_is_one_line(tmp_path, known):
    put(tmp_path, "small", "large")
    use(tmp_path, "small")
    store.remove(tmp_path, "small")
    choice = choose("language", tmp_path)
    assert choice.path.name == "large.gguf"
    assert "small was chosen and is not there" in choice.problems[0]
    for damaged in ("{", "[]", '{"used": 7}'):
        (tmp_path / store.CHOSEN).write_text(damaged)
        choice = choose("language", tmp_path)
        assert choice.path.name == "large.gguf"
        assert "is damaged, so the best is used" in choice.problems[0]


def test_only_what_may_be_loaded_can_be_chosen(tmp_path, known):
    put(tmp_path, "large")
    (tmp_path / "large.gguf").write_bytes(b"x")
    with pytest.raises(EngineError, match="not the bytes of large"):
        use(tmp_path, "large")
    with pytest.raises(EngineError, match="small is not here; run `glasses models pull small`"):
        use(tmp_path, "small")


def test_what_would_be_better(tmp_path, known):
    put(tmp_path, "small")
    choice = choose("language", tmp_path)
    assert better("language", choice, "auto", 2 * GIB).name == "huge"
    known["huge"] = model(name="huge", kind="language", rank=50, heavy=True, memory_mb=1)
    assert better("language", choice, "auto", 2 * GIB).name == "large"
    assert better("language", choice, "auto", 1) is None


def test_what_suits_a_machine():
    assert [m.name for m in suitable(8 * GIB)] == ["whisper-base", "qwen2.5-coder-1.5b", "minilm"]
    assert suitable(6 * GIB)[1].name == "qwen2.5-coder-1.5b"
    assert suitable(4 * GIB)[1].name == "qwen2.5-coder-0.5b"


def test_nothing_is_left_of_what_is_removed(tmp_path, known):
    put(tmp_path, "small", "base")
    trusted(tmp_path / "small.gguf", "language")
    trusted(tmp_path / "base", "speech")
    store.remove(tmp_path, "small.gguf")
    store.remove(tmp_path, "base")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(EngineError, match="no model is called 'nothing'"):
        store.remove(tmp_path, "nothing")


def test_the_record_says_what_was_seen(tmp_path, known):
    put(tmp_path, "small")
    trusted(tmp_path / "small.gguf", "language")
    record = json.loads((tmp_path / ".small.gguf.glasses.json").read_text())
    assert record["format"] == store.FORMAT
    assert record["name"] == "small"
    assert record["source"] == store.BY_HAND
    assert record["files"]["small.gguf"][::2] == [1000, known["small"].files[0].sha256]


def test_a_copied_folder_is_checked_again(tmp_path, known):
    put(tmp_path, "base")
    trusted(tmp_path / "base", "speech")
    (tmp_path / "there").mkdir()
    shutil.copytree(tmp_path / "base", tmp_path / "there" / "base", copy_function=shutil.copyfile)
    assert store.look(tmp_path / "there" / "base", "speech").state == "unchecked"
    assert trusted(tmp_path / "there" / "base", "speech").state == "verified"
