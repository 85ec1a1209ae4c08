"""The grammar engine and Whisper as one pair of ears."""

import threading
from dataclasses import replace

import pytest

from agent.act.world import DEFAULT
from agent.derive.nearest import Nearest
from agent.errors import EngineError
from agent.language.saying import Saying
from agent.listen.sphinx.engine import PocketSphinx
from agent.listen.transcriber import Transcriber
from agent.listen.whisper.engine import BESIDE_A_GRAMMAR, FasterWhisper, Written
from agent.listen.whisper.fusion import Fitted, fuse
from agent.listen.whisper.pair import Pair, PairOptions
from agent.listen.whisper.window import Hypothesis
from agent.messages import Transcript
from hardware.audio import read
from hardware.spoken import __file__ as spoken
from tests.pace import PATIENCE_S, until

SAYINGS = [
    Saying("coffee.order", "brew a {drink}", {"drink": ("house coffee", "iced mocha")}),
    Saying("pay.pay", "pay {amount} to {payee}", {"amount": ("twenty dollars",), "payee": ("anna",)}),
    Saying("translate.text", "translate {text}", {"text": ("hello",)}, open=frozenset({"text"})),
]  # fmt: skip
NEAREST = Nearest(SAYINGS)


def version(text, mean=-0.2, tokens=8):
    return Hypothesis(text, mean * tokens, tokens)


class Grammar:
    """A grammar engine that has heard something, and how surely."""

    name, languages = "grammar", frozenset({"en"})

    def __init__(self, text="", confidence=0.0):
        self.best = Transcript(text, confidence=confidence, engine=self.name)
        self.told, self.closed = [], False

    def expect(self, sayings):
        self.told = sayings

    def ambient(self, pcm): ...
    def start(self): ...
    def feed(self, pcm): ...
    def abort(self): ...

    def partial(self):
        return self.best if self.best.text else None

    def finish(self):
        return self.best if self.best.confidence >= 0.3 else Transcript("", confidence=0.0)

    def close(self):
        self.closed = True


class Scribe(FasterWhisper):
    """A Whisper that has written something; everything else is the real one's."""

    def __init__(self, *versions, language="en", ready=False, error=None):
        self.name, self.languages = "scribe", frozenset({"en", "zh"})
        self.options = BESIDE_A_GRAMMAR
        self.result = Written(tuple(map(version, versions)), language)
        self.is_ready, self.error = ready, error
        self.waited, self.closed = 0, False

    def expect(self, sayings):
        self._sayings, self._sentences = sayings, {}

    @property
    def ready(self):
        return self.result if self.is_ready else None

    def written(self, timeout_s=None):
        self.waited += 1
        if self.error is not None:
            raise self.error
        return self.result

    def start(self): ...
    def feed(self, pcm):
        self.fed = pcm

    def prepare(self): ...
    def abort(self): ...

    def close(self):
        self.closed = True


def pair(grammar, scribe, **options):
    ears = Pair(grammar, lambda: scribe, frozenset({"en", "zh"}), PairOptions(**options))
    ears.load(PATIENCE_S)
    ears.expect(SAYINGS)
    return ears


def hear(ears):
    ears.start()
    ears.feed(bytes(640))
    ears.prepare()
    return ears.finish()


def test_it_is_a_transcriber_of_both_languages():
    ears = pair(Grammar(), Scribe())
    assert isinstance(ears, Transcriber)
    assert ears.languages == {"en", "zh"}
    assert ears.name == "grammar and scribe"


def test_what_the_grammar_is_sure_of_waits_for_nobody():
    scribe = Scribe("Nonsense of another kind.")
    heard = hear(pair(Grammar("brew a house coffee", 0.99), scribe))
    assert (heard.text, heard.confidence) == ("brew a house coffee", 0.99)
    assert scribe.waited == 0


def test_words_of_no_list_are_asked_of_whisper_all_the_same():
    heard = hear(pair(Grammar("translate hello", 0.98), Scribe("Translate I have lost my keys.")))
    assert heard.text == "translate i have lost my keys"


@pytest.mark.parametrize(
    ("fitted", "written", "said"),
    [
        (("brew a house coffee", 0.2), "Bro a house coffee.", "brew a house coffee"),
        (("brew a house coffee", 0.7), "Brew an iced mocha.", "brew a iced mocha"),
        (("brew a iced mocha", 0.9), "Blue a nice mocha.", "brew a iced mocha"),
        (("", 0.0), "Pay $20 to Anna.", "pay twenty dollars to anna"),
        (
            ("translate hello", 0.8),
            "Translate I have lost my keys.",
            "translate i have lost my keys",
        ),
    ],
)
def test_where_it_is_not_sure_both_decide(fitted, written, said):
    assert hear(pair(Grammar(*fitted), Scribe(written))).text == said


@pytest.mark.parametrize("fitted", [("", 0.0), ("brew a house coffee", 0.35)])
def test_other_speech_is_heard_as_it_was_written(fitted):
    heard = hear(pair(Grammar(*fitted), Scribe("What is the capital of France?")))
    assert heard.text == "What is the capital of France?"
    assert heard.confidence == pytest.approx(0.82, abs=0.01)


@pytest.mark.parametrize("written", [(), ("Operator.",), ("And then I was going to...",)])
def test_a_word_alone_or_half_a_sentence_is_nothing(written):
    assert hear(pair(Grammar("brew a house coffee", 0.31), Scribe(*written))).text == ""


def test_chinese_is_heard_beside_the_english_grammar():
    ears = pair(Grammar("brew a iced mocha", 0.05), Scribe("今天天气怎么样？", language="zh"))
    heard = hear(ears)
    assert (heard.text, heard.language) == ("今天天气怎么样？", "zh")


def test_in_a_pause_the_partial_text_is_that_of_both():
    scribe = Scribe("Bro a house coffee.")
    ears = pair(Grammar("brew a iced mocha", 0.2), scribe)
    ears.start()
    assert ears.partial().text == "brew a iced mocha"
    scribe.is_ready = True
    assert (ears.partial().text, ears.partial().final) == ("brew a house coffee", False)


def test_two_that_agree_are_surer_than_one():
    def sure(text, confidence):
        return fuse(Fitted(text, confidence), [version("Brew a house coffee.")], NEAREST).confidence

    assert sure("brew a house coffee", 0.8) > sure("brew a iced mocha", 0.8)


# -- what can be wrong -----------------------------------------------------------------------------


def test_while_whisper_loads_what_the_grammar_is_sure_of_is_heard():
    may, scribe = threading.Event(), Scribe("Brew an iced mocha.")

    def load():
        assert may.wait(PATIENCE_S)
        return scribe

    ears = Pair(grammar := Grammar("brew a house coffee", 0.7), load, frozenset({"en"}))
    ears.expect(SAYINGS)
    assert hear(ears).text == "brew a house coffee"
    assert ears.name == "grammar"
    grammar.best = replace(grammar.best, confidence=0.5)
    threading.Timer(0.05, may.set).start()
    assert hear(ears).text == "brew a iced mocha", "what it is not sure of waits"
    assert scribe.fed == bytes(640)
    ears.close()
    assert scribe.closed


def test_a_whisper_that_does_not_come_is_not_waited_for_for_ever():
    may = threading.Event()

    def load():
        assert may.wait(PATIENCE_S)
        return Scribe()

    options = PairOptions(loading_s=0.01)
    ears = Pair(Grammar("brew a house coffee", 0.5), load, frozenset({"en"}), options)
    assert hear(ears).text == "brew a house coffee"
    may.set()
    ears.close()


@pytest.mark.parametrize("when", ["loading", "hearing"])
def test_a_whisper_that_fails_is_one_line_and_the_grammar_goes_on(when):
    broken = EngineError("the folder is broken")

    def load():
        if when == "loading":
            raise broken
        return Scribe(error=broken)

    lines = []
    ears = Pair(Grammar("brew a house coffee", 0.7), load, frozenset({"en"}), tell=lines.append)
    ears.expect(SAYINGS)
    ears.load(PATIENCE_S)
    for _ in range(2):
        assert hear(ears).text == "brew a house coffee"
    assert len(lines) == 1
    assert lines[0].startswith("the folder is broken")
    ears.close()


def test_one_that_is_too_late_is_not_waited_for():
    ears = pair(Grammar("brew a house coffee", 0.7), Scribe(error=TimeoutError()))
    assert hear(ears).text == "brew a house coffee"


@pytest.mark.parametrize("small", [True, False])
def test_one_that_is_slower_than_speech_makes_way_for_a_smaller_one(small):
    slow, quick, lines = Scribe(error=TimeoutError()), Scribe("Brew an iced mocha."), []
    ears = Pair(
        Grammar("brew a house coffee", 0.55), lambda: slow, frozenset({"en"}),
        smaller=(lambda: quick) if small else None, tell=lines.append,
    )  # fmt: skip
    ears.load(PATIENCE_S)
    ears.expect(SAYINGS)
    for _ in range(3):
        assert hear(ears).text == "brew a house coffee"
    assert len(lines) == 1
    assert "slower than speech" in lines[0]
    ears.load(PATIENCE_S)
    assert hear(ears).text == ("brew a iced mocha" if small else "brew a house coffee")
    assert until(lambda: slow.closed)
    ears.close()


def test_one_that_is_there_only_after_the_end_is_freed():
    may, scribe = threading.Event(), Scribe()

    def load():
        assert may.wait(PATIENCE_S)
        return scribe

    ears = Pair(grammar := Grammar(), load, frozenset({"en"}))
    ears.close()
    assert grammar.closed
    may.set()
    assert until(lambda: scribe.closed)


def test_all_waits_together_end_before_the_engine_would_be_begun_anew():
    options = PairOptions()
    assert options.loading_s + options.patience_s <= 0.75 * DEFAULT.engine_timeout_s


# -- on the real thing -----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.real
def test_real_whisper_hears_what_the_grammar_does_not(real_whisper):
    sayings = [
        Saying("pay.pay", "pay {amount} to {payee}", {"amount": ("twenty dollars",), "payee": ("anna",)}),
        Saying("music.stop", "stop the music", {}),
    ]  # fmt: skip
    options = BESIDE_A_GRAMMAR
    ears = Pair(
        PocketSphinx(), lambda: FasterWhisper(real_whisper, options), frozenset({"en", "zh"})
    )
    ears.load(PATIENCE_S)
    clips = {name: read(path) for name, path in said().items()}
    for known, text in ((sayings, "pay twenty dollars to anna"), (sayings[1:], None)):
        ears.expect(known)
        ears.start()
        ears.feed(clips["pay"])
        ears.prepare()
        heard = ears.finish()
        if text is None:  # free speech now
            assert heard.text.lower().endswith("to anna")
        else:
            assert heard.text == text
    ears.close()


def said():
    from pathlib import Path

    return {path.stem.split("-", 1)[1]: path for path in Path(spoken).parent.glob("*.flac")}
