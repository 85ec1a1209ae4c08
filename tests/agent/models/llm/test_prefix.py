"""What a prompt begins with is evaluated once, in memory and on disk."""

import threading
import time
from pathlib import Path

import pytest

from agent.errors import Cancelled
from agent.messages import CancelScope
from agent.models.llm import prefix
from agent.models.llm.llama import LlamaModel
from agent.models.llm.model import Message
from agent.models.llm.native import Native
from agent.models.llm.options import LlamaOptions
from agent.models.llm.prefix import Prefixes, identity

TOKENS = list(range(40))
SYSTEM = "You are terse. " * 20


def written(folder: Path, count: int = 1) -> list[Path]:
    """Wait until so many states are on disk."""
    end = time.monotonic() + 5
    while len(found := sorted(folder.glob("*.kv"))) < count and time.monotonic() < end:
        time.sleep(0.005)
    return found


def asked(text: str, system: str = SYSTEM) -> tuple[Message, ...]:
    return Message("system", system), Message("user", text)


@pytest.fixture
def decoded(monkeypatch) -> list[int]:
    """How many tokens each evaluation had."""
    counts: list[int] = []
    decode = Native.decode

    def counting(self, tokens):
        counts.append(len(tokens))
        decode(self, tokens)

    monkeypatch.setattr(Native, "decode", counting)
    return counts


# -- the store


def test_a_state_is_found_by_its_tokens_and_nothing_else() -> None:
    kept = Prefixes(b"a model")
    kept.keep(TOKENS, b"state")
    assert kept.find(TOKENS) == (len(TOKENS), b"state")
    assert kept.find(TOKENS[:-1]) is None
    assert kept.find([*TOKENS[:-1], 7]) is None


def test_the_one_that_was_used_longest_ago_goes_first() -> None:
    kept = Prefixes(b"a model")
    for number in range(prefix.KEPT):
        kept.keep([*TOKENS, number], bytes([number]))
    assert kept.find([*TOKENS, 0])
    kept.keep(TOKENS, b"new")
    assert kept.find([*TOKENS, 0])
    assert kept.find([*TOKENS, 1]) == (len(TOKENS), b"new")  # what it begins with


def test_it_is_there_after_a_restart_for_the_same_model_alone(tmp_path: Path) -> None:
    Prefixes(b"a model", tmp_path).keep(TOKENS, b"state")
    (file,) = written(tmp_path)
    assert file.stat().st_mode & 0o077 == 0
    assert Prefixes(b"a model", tmp_path).find(TOKENS) == (len(TOKENS), b"state")
    assert Prefixes(b"another", tmp_path).find(TOKENS) is None


def test_other_weights_build_or_context_are_another_model(tmp_path: Path) -> None:
    weights = tmp_path / "w.gguf"
    weights.write_bytes(b"1")
    before = identity(weights, "build 1", "2048")
    assert identity(weights, "build 1", "2048") == before
    assert identity(weights, "build 2", "2048") != before
    assert identity(weights, "build 1", "4096") != before
    weights.write_bytes(b"22")
    assert identity(weights, "build 1", "2048") != before


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "another's"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: str, caplog) -> None:
    Prefixes(b"a model", tmp_path).keep(TOKENS, b"state" * 100)
    (file,) = written(tmp_path)
    data = bytearray(file.read_bytes())
    data[-1 if damage == "flipped" else 20] ^= 1
    file.write_bytes({"cut": data[:-7], "empty": b""}.get(damage, bytes(data)))
    assert Prefixes(b"a model", tmp_path).find(TOKENS) is None


def test_a_folder_that_cannot_be_written_costs_nothing(tmp_path: Path, caplog) -> None:
    (tmp_path / "file").write_text("")
    kept = Prefixes(b"a model", tmp_path / "file")
    kept.keep(TOKENS, b"state")
    assert kept.find(TOKENS) == (len(TOKENS), b"state")


def test_what_was_called_off_goes_on_from_there(tmp_path: Path) -> None:
    kept = Prefixes(b"a model", tmp_path)
    kept.keep(TOKENS[:20], b"half", whole=False)
    assert kept.find(TOKENS) == (20, b"half")
    kept.keep(TOKENS, b"whole")
    assert kept.find(TOKENS) == (len(TOKENS), b"whole")
    assert kept.find(TOKENS[:30]) is None  # its half made room
    assert len(written(tmp_path)) == 1


def test_no_more_files_than_there_may_be(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(prefix, "FILES", 2)
    kept = Prefixes(b"a model", tmp_path)
    for number in range(4):
        kept.keep([number], b"state")
        for thread in threading.enumerate():
            if thread.name == prefix.WRITER:
                thread.join()
    assert len(list(tmp_path.glob("*.kv"))) == 2


# -- the engine


def test_another_question_evaluates_only_what_is_new(tiny: Path, decoded: list[int]) -> None:
    model = LlamaModel(tiny)
    model.complete(asked("what is a lens"), max_tokens=1)
    cold = sum(decoded)
    decoded.clear()
    model.complete("something else entirely", max_tokens=1)  # another prompt in between
    decoded.clear()
    model.complete(asked("who are you"), max_tokens=1)
    assert sum(decoded) < cold / 4
    model.close()


def test_one_that_is_called_off_again_and_again_is_evaluated_once(tiny: Path, decoded) -> None:
    model = LlamaModel(tiny)
    model.load()
    scope = CancelScope()

    class Soon(CancelScope):
        """Called off after some looks."""

        looks = 4

        def check(self, what: str) -> None:
            self.looks -= 1
            if self.looks < 0:
                self.cancel()
            super().check(what)

        def within(self, timeout_s: float) -> CancelScope:
            return self

    model.complete(asked("hello"), max_tokens=1, cancel=scope)
    whole = sum(decoded)
    model.close()
    model = LlamaModel(tiny)
    done: list[int] = []
    while True:
        decoded.clear()
        try:
            model.complete(asked("hello"), max_tokens=1, cancel=Soon())
            break
        except Cancelled:
            done.append(sum(decoded))
            model.complete("something else in between", max_tokens=1)
    assert len(done) > 1
    assert sum(done) + sum(decoded) <= whole + 40  # and not all of it each time
    model.close()


def test_a_restored_beginning_gives_the_same_answer(tiny: Path, tmp_path: Path, decoded) -> None:
    options = LlamaOptions(prefixes=tmp_path)
    first = LlamaModel(tiny, options)
    said = first.complete(asked("what is a lens"), max_tokens=30)
    first.close()
    written(tmp_path)
    cold = sum(decoded)
    decoded.clear()
    second = LlamaModel(tiny, options)
    assert second.complete(asked("what is a lens"), max_tokens=30) == said
    assert sum(decoded) < cold - 40
    plain = LlamaModel(tiny)
    assert plain.complete(asked("what is a lens"), max_tokens=30) == said
    second.close()
    plain.close()


def test_what_was_said_is_never_written(tiny: Path, tmp_path: Path) -> None:
    model = LlamaModel(tiny, LlamaOptions(prefixes=tmp_path))
    for text in ("my secret", "my other secret"):
        model.complete(asked(text), max_tokens=2)
    model.complete("no system message, my third secret", max_tokens=2)
    model.close()
    assert len(written(tmp_path)) == 1


def first_token_s(model: LlamaModel, prompt: tuple[Message, ...]) -> float:
    began = time.perf_counter()
    next(iter(model.stream(prompt, max_tokens=4, timeout_s=300)))
    return time.perf_counter() - began


@pytest.mark.real
@pytest.mark.slow
def test_a_warm_beginning_of_1000_tokens_is_ten_times_as_fast(real_qwen, tmp_path: Path) -> None:
    long = "The wearer likes short answers and never wants to be kept waiting for them. " * 66
    options = LlamaOptions(prefixes=tmp_path)
    model = LlamaModel(real_qwen, options)
    model.load()
    cold = first_token_s(model, asked("who wrote hamlet", long))
    model.complete(asked("hello", "You are another one altogether. " * 5), max_tokens=1)
    warm = first_token_s(model, asked("who wrote faust", long))
    model.close()
    written(tmp_path, 2)
    again = LlamaModel(real_qwen, options)
    again.load()
    restored = first_token_s(again, asked("who wrote faust", long))
    again.close()
    print(f"cold {cold:.2f} s, warm {warm:.2f} s, from disk {restored:.2f} s")
    assert warm <= cold / 10
    assert restored <= cold / 5
