"""Real llama.cpp inference on a tiny random model: what is said does not matter, how does."""

import subprocess
import sys
import threading
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import gguf
import pytest

from agent.errors import Cancelled, EngineError
from agent.models.llm import CancelScope, Model
from agent.models.llm.llama import LlamaModel
from agent.models.llm.model import Message
from agent.models.llm.native import Native
from agent.models.llm.options import LlamaOptions
from agent.models.llm.schema import misfit
from tests import tiny_gguf

Reciting = Callable[[str], LlamaModel]
ROUTE = {
    "type": "object",
    "properties": {
        "skill": {"enum": ["音乐", "navigate"]},
        "seconds": {"type": "integer"},
        "place": {"type": "string", "minLength": 2, "maxLength": 12},
        "stops": {"type": "array", "items": {"type": "boolean"}, "minItems": 1, "maxItems": 3},
        "volume": {"anyOf": [{"type": "number"}, {"const": "loud"}]},
    },
    "required": ["skill", "seconds", "place", "stops", "volume"],
    "additionalProperties": False,
}


# -- answers


def test_it_is_a_model(model: LlamaModel) -> None:
    assert isinstance(model, Model)
    assert model.name == "tiny"


def test_importing_the_engine_loads_nothing_native() -> None:
    code = "import sys, agent.models.llm.llama; print({'llama_cpp', 'numpy', 'jinja2'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_same_prompt_gets_the_same_answer_streamed_or_not(model: LlamaModel) -> None:
    first = model.complete("what is a lens", max_tokens=60)
    assert len(first) > 10
    assert model.complete("something else", max_tokens=60) != first
    pieces = list(model.stream("what is a lens", max_tokens=60))
    assert len(pieces) > 10
    assert "".join(pieces) == first


def test_chance_starts_anew_at_each_call(tiny: Path) -> None:
    answers = []
    for seed in (1, 1, 2):
        model = LlamaModel(tiny, LlamaOptions(temperature=1.5, seed=seed))
        answers += [model.complete("hello", max_tokens=40), model.complete("hello", max_tokens=40)]
        model.close()
    assert len(set(answers[:4])) == 1
    assert answers[4] != answers[0]


def test_an_answer_has_at_most_max_tokens(model: LlamaModel) -> None:
    assert len(list(model.stream("hello", max_tokens=5))) <= 5
    assert model.complete("hello", max_tokens=0) == ""


def test_a_model_says_its_end_itself(reciting: Reciting) -> None:
    assert reciting("yes").complete("is it?") == "yes"


def test_chinese_goes_in_and_out_whole(reciting: Reciting) -> None:
    model = reciting("中文")
    # Each of its six tokens is one byte; none of the pieces is half a character.
    assert list(model.stream("请说中文。")) == ["中", "文"]
    assert model.complete("请说中文。", max_tokens=5) == "中"


def test_a_token_beyond_32_bytes_is_not_lost(reciting: Reciting) -> None:
    assert len(tiny_gguf.LONG_TOKEN) > 32
    assert reciting(tiny_gguf.LONG_TOKEN).complete("hello") == tiny_gguf.LONG_TOKEN


def test_the_prompt_cannot_forge_a_turn(tiny: Path) -> None:
    native = Native(tiny, LlamaOptions())
    forged = native.tokenize("<|im_end|>")
    assert len(forged) == len("<|im_end|>")
    assert len(native.tokenize("<|im_end|>", special=True)) == 1
    native.close()


def test_a_model_without_a_template_continues_the_bare_prompt(tmp_path: Path) -> None:
    model = LlamaModel(tiny_gguf.write(tmp_path / "base.gguf", template=None))
    assert model.complete("once upon a time", max_tokens=60)
    with pytest.raises(EngineError, match="the prompt is empty"):
        model.complete(" ")
    model.close()


def test_without_llama_cpp_the_error_says_what_to_install(tiny: Path) -> None:
    code = f"""
import sys
sys.modules["llama_cpp"] = None
from pathlib import Path
from agent.errors import EngineError
from agent.models.llm.llama import LlamaModel
try:
    LlamaModel(Path({str(tiny)!r})).json("hello", {{"type": "object"}})
except EngineError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "llama.cpp cannot be loaded" in done.stdout
    assert "pip install llama-cpp-python" in done.stdout


def test_a_template_that_starts_to_think_is_told_to_stop(tmp_path: Path) -> None:
    path = tmp_path / "thinker.gguf"
    tiny_gguf.write(path, template="{{ messages[0].content }}\n<think>", says="yes")
    model = LlamaModel(path)
    # It recites after a line break only: after `</think>`, not after `<think>`.
    assert model.complete("is it?") == "yes"
    model.close()


# -- JSON


@pytest.mark.parametrize("prompt", ["hello", "去哪里", "a", "play it louder"])
def test_json_fits_its_schema_even_from_noise(model: LlamaModel, prompt: str) -> None:
    value = model.json(prompt, ROUTE, max_tokens=200)
    assert misfit(value, ROUTE) is None
    assert set(value) == set(ROUTE["required"])


@pytest.mark.parametrize("option", ['a "quoted" name', "back\\slash", "two\nlines", "😀", "中"])
def test_every_option_can_be_said(model: LlamaModel, option: str) -> None:
    schema = {"type": "object", "properties": {"it": {"const": option}}, "required": ["it"]}
    assert model.json("hello", schema) == {"it": option}


def test_json_cut_short_is_an_error_that_says_so(model: LlamaModel) -> None:
    with pytest.raises(EngineError, match=r"not complete JSON.*more tokens"):
        model.json("hello", ROUTE, max_tokens=6)


def test_json_refuses_what_it_cannot_check(model: LlamaModel) -> None:
    schema = {"type": "object", "properties": {"word": {"type": "string", "format": "email"}}}
    with pytest.raises(EngineError, match=r"\$\.word: unsupported keyword format"):
        model.json("hello", schema)


# -- the clock


def test_cancelling_from_another_thread_ends_the_answer(model: LlamaModel) -> None:
    scope = CancelScope()
    pieces = model.stream("hello", max_tokens=900, cancel=scope)
    next(pieces)
    canceller = threading.Thread(target=scope.cancel)
    canceller.start()
    canceller.join()
    # One piece may have been on its way.
    with pytest.raises(Cancelled, match="tiny: cancelled"):
        list(islice(pieces, 2))
    assert model.complete("hello", max_tokens=5)


def test_time_is_up_within_the_answer(model: LlamaModel, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    monkeypatch.setattr("agent.messages.time", SimpleNamespace(monotonic=lambda: now_s[0]))
    pieces = model.stream("hello", max_tokens=900, timeout_s=0.2)
    next(pieces)
    now_s[0] += 0.25
    with pytest.raises(EngineError, match=r"tiny: no answer within 0\.2 s"):
        list(pieces)
    assert model.complete("hello", max_tokens=5)


def test_waiting_for_another_caller_counts_and_can_be_cancelled(model: LlamaModel) -> None:
    busy = model.stream("hello", max_tokens=900)
    next(busy)
    with pytest.raises(EngineError, match="no answer within"):
        model.complete("me too", timeout_s=0.05)
    scope = CancelScope()
    threading.Timer(0.05, scope.cancel).start()
    with pytest.raises(Cancelled):
        model.complete("me too", timeout_s=60, cancel=scope)
    del busy
    assert model.complete("me too", max_tokens=5)


def test_callers_from_many_threads_take_turns(model: LlamaModel) -> None:
    prompts = [f"prompt {i}" for i in range(6)]
    alone = [model.complete(prompt, max_tokens=30) for prompt in prompts]
    together: dict[str, str] = {}

    def ask(prompt: str) -> None:
        together[prompt] = model.complete(prompt, max_tokens=30)

    threads = [threading.Thread(target=ask, args=(prompt,)) for prompt in prompts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [together[prompt] for prompt in prompts] == alone


# -- the context


def test_a_prompt_that_does_not_fit_is_one_clear_error(model: LlamaModel) -> None:
    with pytest.raises(EngineError, match=r"prompt is \d{4} tokens long and at most 1023 fit"):
        model.complete("w" * 2000)
    assert model.complete("hello", max_tokens=5)


def test_the_context_cuts_the_answer(tiny: Path) -> None:
    model = LlamaModel(tiny, LlamaOptions(context_tokens=80))
    assert 0 < len(list(model.stream("hello", max_tokens=900))) < 80
    model.close()


# -- closing


def test_a_closed_model_says_so(model: LlamaModel) -> None:
    model.load()
    model.close()
    model.close()
    for call in (model.complete, lambda p: list(model.stream(p)), lambda p: model.json(p, ROUTE)):
        with pytest.raises(EngineError, match="tiny: the model is closed"):
            call("hello")


def test_closing_during_an_answer_ends_it(model: LlamaModel) -> None:
    pieces = model.stream("hello", max_tokens=900)
    next(pieces)
    model.close()
    with pytest.raises(EngineError, match="closed"):
        list(pieces)


# -- files that are no models


def broken(real: bytes) -> dict[str, tuple[bytes, str]]:
    """Contents by name, with what the error must say."""
    noise = bytes(range(7, 256)) * 20
    return {
        "empty": (b"", "the file is empty"),
        "text": (b"<html>not found</html>", "not a GGUF file"),
        "noise": (noise, "not a GGUF file"),
        "magic alone": (b"GGUF", "cut off or damaged"),
        "magic and noise": (b"GGUF" + noise, "only supports up to version 3"),
        "header and noise": (real[:24] + noise, "cut off or damaged"),
        "cut in the header": (real[:3000], "cut off or damaged"),
        "cut in the weights": (real[: len(real) * 2 // 3], "cut off or damaged"),
        "another architecture": (real.replace(b"qwen3", b"clip3"), "unknown model architecture"),
    }


@pytest.mark.parametrize("name", broken(b""))
def test_a_broken_file_is_one_line(tiny: Path, tmp_path: Path, name: str) -> None:
    content, complaint = broken(tiny.read_bytes())[name]
    path = tmp_path / "broken.gguf"
    path.write_bytes(content)
    with pytest.raises(EngineError, match=complaint) as caught:
        LlamaModel(path).complete("hello")
    assert str(path) in str(caught.value)
    assert "download it again" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    for path in (tmp_path / "none.gguf", tmp_path):
        with pytest.raises(EngineError, match=r"cannot be read.*GLASSES_MODEL"):
            LlamaModel(path).load()


def test_an_embedding_model_is_refused(tmp_path: Path) -> None:
    path = tiny_gguf.write(tmp_path / "embed.gguf", pooling=gguf.PoolingType.MEAN)
    with pytest.raises(EngineError, match="a qwen3 encoder, not a text model"):
        LlamaModel(path).load()


@pytest.mark.parametrize("template", ["{{ messages[0].nothing.at_all }}", "{% for %}", "hello"])
def test_a_broken_template_is_an_error(tmp_path: Path, template: str) -> None:
    model = LlamaModel(tiny_gguf.write(tmp_path / "odd.gguf", template=template))
    with pytest.raises(EngineError, match="odd: its chat template"):
        model.load()


def test_nothing_reaches_stdout_or_stderr(
    tiny: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(tiny.read_bytes()[:9999])
    with pytest.raises(EngineError):
        LlamaModel(cut).load()
    model = LlamaModel(tiny)
    model.complete("hello", max_tokens=3)
    model.json("hello", ROUTE, max_tokens=200)
    model.close()
    assert capfd.readouterr() == ("", "")


def test_the_prompt_cache_keeps_what_prompts_share(tiny: Path) -> None:
    native = Native(tiny, LlamaOptions())
    native.decode(native.tokenize("abcd"))
    assert native.rewind(native.tokenize("abxy")) == 2
    native.decode(native.tokenize("xy"))
    # Even of a prompt that is all there, the last token is decoded again for its answer.
    assert native.rewind(native.tokenize("abxy")) == 3
    assert native.rewind(native.tokenize("zz")) == 0
    native.close()


# -- conversations

CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@pytest.fixture
def chatting(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> LlamaModel:
    """A model of Qwen's template."""
    monkeypatch.setattr(Native, "chat_template", property(lambda _: CHATML))
    return LlamaModel(tiny)


def wrapped(model: LlamaModel, *messages: Message) -> tuple[list[int], int, Native]:
    model.load()
    native = model._ready()
    return *model._wrap(native, messages), native


def test_a_conversation_is_the_template_s_tokens(chatting: LlamaModel) -> None:
    asked = Message("system", "Be short."), Message("user", "who"), Message("assistant", "Tom.")
    tokens, begins, native = wrapped(chatting, *asked, Message("user", "when"))
    pieces = (
        "<|im_start|>system\n", "Be short.", "<|im_end|>\n<|im_start|>user\n", "who",
        "<|im_end|>\n<|im_start|>assistant\n", "Tom.", "<|im_end|>\n<|im_start|>user\n", "when",
        "<|im_end|>\n<|im_start|>assistant\n",
    )  # fmt: skip
    parts = [native.tokenize(p, special=True, start=not at) for at, p in enumerate(pieces)]
    assert tokens == [token for part in parts for token in part]
    assert begins == sum(map(len, parts[:3]))
    chatting.close()


def test_an_answer_goes_on_right_after_its_last_word(chatting: LlamaModel) -> None:
    asked = Message("system", "Be short."), Message("user", "who")
    before, _, native = wrapped(chatting, *asked)
    tokens, _, _ = wrapped(chatting, *asked, Message("assistant", "It was"))
    assert tokens == before + native.tokenize("It was")
    chatting.close()
