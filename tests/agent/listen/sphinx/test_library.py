"""pocketsphinx by its C functions: it hears the same, and nothing else waits for it."""

import threading
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import hardware
from agent.errors import EngineError
from agent.listen.sphinx import decoder as decoders
from agent.listen.sphinx import library
from agent.listen.sphinx.decoder import decoder, free_decoder, teach, ways
from hardware import audio

WORDS = [
    "navigate",
    "to",
    "the",
    "pharmacy",
    "search",
    "for",
    "running",
    "shoes",
    "play",
    "ode",
    "joy",
    "how",
    "much",
    "is",
    "desk",
    "lamp",
]


def taught(made, words=WORDS):
    """Give a decoder a grammar in which any word follows any other."""
    teach(made, words)
    names = [name for word in words for name in ways(made, word)]
    transitions = [(0, 1, 1 / len(names), name) for name in names] + [(1, 0, 1.0)]
    made.add_fsg("any", made.create_fsg("any", 0, 1, transitions))
    made.activate_search("any")
    return made


def heard(made):
    return made.hyp().hypstr, [(s.word, s.start_frame, s.end_frame, s.ascore) for s in made.seg()]


@pytest.fixture(scope="module")
def both():
    """A decoder by pocketsphinx's module, and one by its C functions."""
    made = decoder(fsgusealtpron=False), free_decoder(fsgusealtpron=False)
    assert isinstance(made[1], library.Decoder)
    return [taught(one) for one in made]


def clip(name):
    return audio.read(Path(hardware.__file__).parent / "spoken" / name)


@pytest.mark.parametrize("name", ["01-search.flac", "03-navigate.flac", "07-play.flac"])
def test_it_hears_word_for_word_and_frame_for_frame_the_same(both, name):
    found = []
    for made in both:
        made.set_cmn("41,-5.29,-0.12,5.09,2.48,-4.07,-1.37,-1.78,-5.08,-2.05,-6.45,-1.42,1.17")
        made.start_utt()
        pcm = clip(name)
        for at in range(0, len(pcm), 640):
            made.process_raw(pcm[at : at + 640])
        made.end_utt()
        found.append((heard(made), made.get_cmn()))
    assert found[0] == found[1]
    assert found[0][0][0]


def test_it_hears_cepstra_and_a_whole_utterance_the_same(both):
    pcm = clip("07-play.flac")
    frames = np.random.default_rng(1).normal(0, 20, size=(150, 13))
    found = []
    for made in both:
        made.start_utt()
        made.process_cep(frames.astype("<f4").tobytes())
        made.end_utt()
        by_cepstra = heard(made)
        made.start_utt()
        made.process_raw(pcm, full_utt=True)
        made.end_utt()
        found.append((by_cepstra, heard(made)))
    assert found[0] == found[1]


def test_before_anything_is_said_there_are_no_words(both):
    for made in both:
        made.start_utt()
        assert made.hyp() is None
        assert list(made.seg() or ()) == []
        made.end_utt()


def test_every_way_to_say_a_word_is_in_the_dictionary(both):
    for made in both:
        assert ways(made, "the") == ["the", "the(2)"]
        assert made.lookup_word("zyzzyva") is None
        assert made.lookup_word("joy") == "JH OY"


def test_what_the_library_refuses_is_an_error_and_it_goes_on():
    made = taught(free_decoder(fsgusealtpron=False))
    with pytest.raises(RuntimeError, match="cannot be added"):
        made.add_word("bad", "NO SUCH PHONES")
    with pytest.raises(RuntimeError, match="cannot activate"):
        made.activate_search("gone")
    with pytest.raises(RuntimeError, match="cannot compile"):
        made.add_fsg("b", made.create_fsg("b", 0, 1, [(0, 1, 1.0, "neverheard")]))
    with pytest.raises(RuntimeError, match="cannot end"):
        made.end_utt()
    made.activate_search("any")
    made.start_utt()
    made.process_raw(clip("07-play.flac"))
    made.end_utt()
    assert made.hyp().hypstr


def test_a_setting_that_it_does_not_know_is_named():
    with pytest.raises(EngineError, match="no setting nonsense"):
        free_decoder(nonsense=1)


def test_a_model_that_is_none_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(decoders, "model_folder", lambda: tmp_path)
    with pytest.raises(EngineError, match="cannot load"):
        free_decoder()


def test_a_build_that_hides_its_functions_is_used_by_its_module(monkeypatch):
    def hidden():
        raise library.Hidden("hidden")

    monkeypatch.setattr(library, "_library", hidden)
    assert not isinstance(taught(free_decoder(fsgusealtpron=False)), library.Decoder)


def test_others_go_on_while_a_large_grammar_is_compiled():
    made = free_decoder(fsgusealtpron=False)
    words = [f"word{number}" for number in range(1500)]
    for word in words:
        made.add_word(word, "W ER D T UW", False)
    states = 12_000
    transitions = [(n, n + 1, 0.5, words[n % 1500]) for n in range(states)]
    transitions += [(n, n + 1, 0.5, words[(n + 7) % 1500]) for n in range(states)]
    grammar = made.create_fsg("large", 0, states, transitions)
    beats, done = [time.perf_counter()], threading.Event()

    def beat():
        while not done.is_set():
            time.sleep(0.002)
            beats.append(time.perf_counter())

    thread = threading.Thread(target=beat)
    thread.start()
    began = time.perf_counter()
    made.add_fsg("large", grammar)
    ended = time.perf_counter()
    done.set()
    thread.join()
    during = [one for one in beats if began < one < ended]
    longest = max(later - one for one, later in pairwise([began, *during, ended]))
    assert longest < (ended - began) / 2  # it is all of it where the GIL is held
