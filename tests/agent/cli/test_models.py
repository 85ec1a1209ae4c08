"""`glasses models` and what `glasses doctor` says of models, from the shell's side."""

import json

import pytest
from click.testing import CliRunner

from agent.cli.commands import main
from agent.models import registry, store
from tests.agent.models import hub as hubs
from tests.agent.models.hub import DATA, model, serving


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSES_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    real = dict(registry.models())
    monkeypatch.setattr(registry, "models", lambda: {**real, "tiny-voice": model()})
    return tmp_path / "models"


@pytest.fixture
def hub(monkeypatch):
    with serving(hubs.Hub()) as found:
        monkeypatch.setenv("HF_ENDPOINT", found.url)
        yield found


def run(*words):
    return CliRunner().invoke(main, ["models", *words])


def test_the_life_of_a_model(folder, hub):
    pulled = run("pull", "tiny-voice")
    assert pulled.exit_code == 0
    place = folder / "tiny-voice"
    assert pulled.output == f"tiny-voice: {place}, verified, from {hub.url}\n"
    assert run("pull", "tiny-voice").output == f"tiny-voice is there already: {place}\n"
    assert run("path", "tiny-voice").output == f"{place}\n"
    assert run("path").output == f"{folder}\n"
    assert run("use", "tiny-voice").output == f"tiny-voice speaks from now on: {place}\n"
    assert run("use", "auto").exit_code == 0
    assert run("verify").output == "tiny-voice: verified\n"
    (place / "config.json").write_text("[]")
    failed = run("verify")
    assert failed.exit_code == 1
    assert "not the bytes of tiny-voice, so it is not loaded" in failed.output
    assert run("remove", "tiny-voice").output == f"tiny-voice is removed: {place}\n"
    assert not place.exists()


def test_every_known_model_is_listed_and_what_lies_there_beside(folder, hub):
    run("pull", "tiny-voice")
    (folder / "mine.gguf").write_bytes(b"GGUF")
    rows = {row["name"]: row for row in map(json.loads, run("list", "--json").output.splitlines())}
    assert set(registry.models()) | {"mine"} == set(rows)
    assert (rows["tiny-voice"]["state"], rows["tiny-voice"]["source"]) == ("verified", hub.url)
    assert (rows["mine"]["state"], rows["mine"]["used"]) == ("own", True)
    assert rows["whisper-base"]["state"] is None
    table = run("list").output
    assert "used; yours, unknown to the registry" in table
    assert f"verified ({hub.url})" in table


def test_what_cannot_be_had_is_one_line_and_the_others_come(folder, hub, monkeypatch):
    lone = model(name="gone", folder="gone", repo="people/gone", packages=None)
    known = registry.models() | {"gone": lone}
    monkeypatch.setattr(registry, "models", lambda: known)
    monkeypatch.setattr("agent.models.sources.HUB", "http://127.0.0.1:9")
    hub.files = {"config.json": DATA["config.json"]}
    done = run("pull", "gone")
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: gone cannot be had: {hub.url}: it has no such file; ")
    assert done.output.count("\n") == 1


def test_slips_are_one_line(folder):
    assert "did you mean whisper-base" in run("pull", "whisper-bas").output
    assert "name a model" in run("pull").output
    assert "whisper-base is not here" in run("use", "whisper-base").output
    assert "no such folder" in run("pull", "tiny-voice", "--from", "/none").output
    assert run("verify").output == f"no models in {folder}\n"


def test_doctor_says_what_is_used_and_what_would_be_better(folder):
    rows = doctor()
    assert "`glasses models pull whisper-base`" in rows["speech, Chinese"]["note"]
    assert "`glasses models pull qwen2.5-coder-" in rows["model"]["note"]
    assert rows["paraphrases"]["note"] == "`glasses models pull minilm` gets MiniLM"


def test_doctor_says_what_is_refused(folder):
    folder.mkdir()
    place = folder / registry.find("qwen3-0.6b").place
    place.write_bytes(b"GGUF of somebody else")
    row = doctor()["model"]
    assert row["state"] == "problem"
    assert row["note"].startswith(f"{place}: not the bytes of qwen3-0.6b, so it is not loaded")


def test_doctor_says_what_half_a_folder_lacks_and_which_command_mends_it(folder):
    place = folder / registry.find("whisper-base").place
    place.mkdir(parents=True)
    (place / "model.bin").write_bytes(b"x")
    row = doctor()["speech, English"]
    assert (row["state"], row["used"]) == ("problem", "pocketsphinx")
    assert row["note"].startswith(f"{place}: config.json, tokenizer.json, vocabulary.txt missing")
    assert row["note"].endswith("run `glasses models pull whisper-base`")


def doctor():
    output = CliRunner().invoke(main, ["doctor", "--json"]).output
    return {row["part"]: row for row in map(json.loads, output.splitlines())}


@pytest.mark.real
def test_the_second_command_of_the_readme_runs_on_real_weights(real_whisper, real_qwen):
    rows = doctor()
    both = f"pocketsphinx and faster-whisper {real_whisper.name}"
    assert rows["speech, English"]["used"] == both
    assert rows["speech, Chinese"]["used"] == f"faster-whisper {real_whisper.name}"
    assert "verified" in rows["model"]["note"]
    assert store.look(real_qwen, "language").state == "verified"
