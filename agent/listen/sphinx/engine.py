"""Streaming recognition by pocketsphinx on the grammar of what can be said now. English only.

The decoder follows the word graph of `agent.derive.grammar` while the wearer speaks, many times
faster than speech, so that the text is there a few ms after the last sample.
"""

from __future__ import annotations

import gc
import math
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from agent.derive import grammar
from agent.language.pronounce import cmu_dictionary
from agent.language.saying import Saying
from agent.language.text import WAKE_PHRASES
from agent.listen.band import is_narrow
from agent.listen.sphinx.compensate import Compensator
from agent.listen.sphinx.confidence import REJECT_BELOW, Reading
from agent.listen.sphinx.decoder import free_decoder, teach, ways
from agent.listen.sphinx.features import NoiseRemoval
from agent.listen.sphinx.narrow import extended
from agent.messages import Transcript

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from agent.listen.sphinx.enroll import Enrolment

SAMPLE_BYTES = 2
RETRY_BYTES = 15 * 16_000 * SAMPLE_BYTES
"""Longest utterance that is decoded twice, 15 s: no command is longer."""
LANGUAGE_WEIGHT = 6.5
"""Exponent of the grammar's probabilities beside the sound's, pocketsphinx's own default for lw."""
SCORE_UNIT = 1024
"""pocketsphinx's search keeps scores in steps of 2**SENSCR_SHIFT of its logarithm's base."""

NOISE_BYTES = SAMPLE_BYTES * 8_000
"""Least sound before an utterance that noise is measured in, 500 ms."""
COMPENSATED = 0.5
"""Nats a frame that a reading without the noise fits worse than the others when it is as right."""
WAYS = 4
"""How many ways there are to decode an utterance."""
FEED_FRAMES = 20
"""Frames of 10 ms that are decoded in one call."""
FEED_BYTES = SAMPLE_BYTES * 3_200
"""Most that is decoded in one call, 200 ms: pocketsphinx ends in a segmentation fault when several
seconds come at once to a decoder that streams."""


@dataclass(frozen=True, slots=True)
class SphinxOptions:
    """How pocketsphinx decodes. Defaults were chosen on one half of 245 real orders."""

    word_beam: float = 1e-40
    """How much less likely than the best a word's end may be (pocketsphinx: 7e-29). Wider keeps
    the right path of accented speech in large grammars."""
    max_hmms: int = 1500
    """Phone models followed at once, beyond which beams narrow (pocketsphinx: 30,000): bounds the
    time that speech outside the grammar costs."""
    free_words: int = 1000
    """How many of the most frequent English words a free-text slot may hold."""
    free_probability: float = 1e-15
    """Probability of each free-text word beside 1 for a word of the grammar: what the grammar
    can say in closed form wins over free text unless it sounds clearly worse."""
    retry_below: float = -3.0
    """Fit under which the utterance is decoded again, normalised as a whole: 5 % of its length."""
    retry_noisy_below: float = -2.3
    """Fit under which it is decoded again, in both ways, where there was noise before it: words
    that are none fit better there."""
    retry_above: float = -5.1
    """Fit under which normalising it as a whole is not worth the time: it is other speech."""
    noisy_below_db: float = 25.0
    """How far speech stands out from the sound before it where there is noise to take off."""
    reject_below: float = REJECT_BELOW
    """Confidence under which the text becomes empty; 0 keeps everything."""
    wake: tuple[str, ...] = WAKE_PHRASES
    """What a sentence may begin with, since people call the glasses by habit."""
    graphs: int = 8
    """How many grammars stay compiled, the least recently used goes first."""


class PocketSphinx:
    """A Transcriber on pocketsphinx; see `agent.listen.transcriber` for the contract."""

    name = "pocketsphinx"
    languages = frozenset({"en"})

    def __init__(
        self, options: SphinxOptions | None = None, voice: Enrolment | None = None
    ) -> None:
        """Load the acoustic model, some 0.2 s, and fit it to an enrolled voice.

        Raises EngineError without pocketsphinx.
        """
        self.options = options or SphinxOptions()
        self._decoder = free_decoder(
            fsgusealtpron=False,  # the grammar has all ways to say a word
            wbeam=self.options.word_beam,
            maxhmmpf=self.options.max_hmms,
            **(voice.settings() if voice else {}),
        )
        self._graphs: OrderedDict[Hashable, str | None] = OrderedDict()
        self._made = 0
        self._active: str | None = None
        self._speaking = False
        self.best = Transcript("", confidence=0.0, engine=self.name)
        """What the last utterance fitted best, believed or not."""
        self._heard = bytearray()
        self._before = b""
        # Two ways to take noise off, which err on different words.
        self._compensators = Compensator(NoiseRemoval()), Compensator()

    def expect(self, sayings: Sequence[Saying]) -> None:
        """Build or recall the graph of `sayings`; it holds from the next `start`."""
        key = grammar.content(sayings)
        if key not in self._graphs:
            with _uncollected():
                graph = grammar.called(grammar.build(sayings), self.options.wake)
                self._graphs[key] = self._compile(graph)
        self._graphs.move_to_end(key)
        self._active = self._graphs[key]

    def ambient(self, pcm: bytes) -> None:
        """Measure the noise in what was heard while nobody spoke, right before an utterance."""
        self._before = pcm

    def start(self) -> None:
        """Begin an utterance on the graph that was expected last."""
        self.abort()
        self._forget()  # only now, since `expect` may come while the old graph is in use
        if self._active is not None:
            self._decoder.activate_search(self._active)
            self._decoder.start_utt()
            self._speaking = True

    def feed(self, pcm: bytes) -> None:
        """Decode the next samples."""
        if self._speaking and len(pcm) >= SAMPLE_BYTES:
            if len(self._heard) <= RETRY_BYTES:
                self._heard += pcm
            for at in range(0, len(pcm), FEED_BYTES):
                self._decoder.process_raw(pcm[at : at + FEED_BYTES])

    def partial(self) -> Transcript | None:
        """Return the best words so far; the last ones may still change."""
        if not self._speaking:
            return None
        heard = self._so_far()
        return heard if heard.text else None

    def prepare(self) -> None:
        """Nothing: the decoder has followed every sample."""

    def finish(self) -> Transcript:
        """Return the best sentence of the grammar, or nothing."""
        self.best = nothing = Transcript("", confidence=0.0, engine=self.name)
        if not self._speaking:
            return nothing
        self._decoder.end_utt()
        heard = list(self._readings())
        self._reset()
        best = max(heard, key=lambda reading: reading.fit)
        if not best.text:
            return nothing
        others = sum(reading.text != best.text for reading in heard)
        confidence = best.confidence(agreed=WAYS - others)
        self.best = Transcript(best.text, confidence=confidence, engine=self.name)
        if confidence < self.options.reject_below:
            return replace(nothing, confidence=confidence)
        return self.best

    def _readings(self) -> Iterator[Reading]:
        """Yield the sentence of the stream, and those of other ways until one fits well enough."""
        first = self._reading()
        yield first
        if 0 < len(self._heard) <= RETRY_BYTES and is_narrow(bytes(self._heard)):
            yield self._of(*extended(self._before, bytes(self._heard)))
            return
        noisy = self._is_noisy()
        enough = self.options.retry_noisy_below if noisy else self.options.retry_below
        if first.fit >= enough or not 0 < len(self._heard) <= RETRY_BYTES:
            return
        last = first
        for compensator in self._compensators if noisy else ():
            last = self._without_noise(compensator)
            yield last
            if last.fit >= enough or first.fit < self.options.retry_above:
                return
        if first.fit >= self.options.retry_above:
            yield self._again()

    def _reading(self, bonus: float = 0.0) -> Reading:
        """Return the sentence that the decoder has ended with."""
        hypothesis = self._decoder.hyp()
        if hypothesis is None or not hypothesis.hypstr:
            return Reading()
        return Reading.of(hypothesis.hypstr, self._decoder.seg(), bonus)

    def _again(self) -> Reading:
        """Decode the utterance once more, with the mean of all of it taken off its cepstrum.

        While streaming only the mean of earlier utterances is known: wrong after a change of
        voice, level or place. pocketsphinx goes on from the new mean in the next utterance.
        """
        self._decoder.start_utt()
        self._decoder.process_raw(bytes(self._heard), full_utt=True)
        self._decoder.end_utt()
        return self._reading()

    def _is_noisy(self) -> bool:
        """Whether noise was heard before the utterance that speech does not drown by far."""
        if len(self._before) < NOISE_BYTES:
            return False
        before, speech = _power(self._before), _power(bytes(self._heard))
        return before > 1 and 10 * math.log10(speech / before) < self.options.noisy_below_db

    def _without_noise(self, compensator: Compensator) -> Reading:
        """Decode the utterance with the noise before it taken off; nothing is learnt from it."""
        return self._of(*compensator.clean(self._before, bytes(self._heard)), COMPENSATED)

    def _of(self, cepstra: NDArray[Any], channel: NDArray[Any], bonus: float = 0.0) -> Reading:
        """Decode cepstra that are not the decoder's own."""
        mean = self._decoder.get_cmn()
        self._decoder.set_cmn(",".join(f"{value:.4f}" for value in channel))
        self._decoder.start_utt()
        for at in range(0, len(cepstra), FEED_FRAMES):
            self._decoder.process_cep(cepstra[at : at + FEED_FRAMES].astype("<f4").tobytes())
        self._decoder.end_utt()
        reading = self._reading(bonus)
        self._decoder.set_cmn(mean)
        return reading

    def _so_far(self) -> Transcript:
        """Return what the decoder makes of it by now, and how well its words fit the sound."""
        hypothesis = self._decoder.hyp()
        if hypothesis is None or not hypothesis.hypstr:
            return Transcript("", confidence=0.0, final=False, engine=self.name)
        fit = Reading.of(hypothesis.hypstr, self._decoder.seg()).fit
        return Transcript(hypothesis.hypstr, confidence=_likely(fit), final=False, engine=self.name)

    def _forget(self) -> None:
        """Drop the graphs that were not expected for longest."""
        while len(self._graphs) > self.options.graphs:
            _, name = self._graphs.popitem(last=False)
            if name is not None:
                self._decoder.remove_search(name)

    def _reset(self) -> None:
        self._speaking = False
        self._heard.clear()

    def abort(self) -> None:
        """Throw away what was heard."""
        if self._speaking:
            self._decoder.end_utt()
            self._reset()

    def close(self) -> None:
        """Free the decoder and its graphs."""
        self.abort()
        self._graphs.clear()
        self._active = None
        del self._decoder

    def _compile(self, graph: grammar.Graph) -> str | None:
        """Give the decoder a graph; None when nothing can be said in English."""
        if not graph.transitions:
            return None
        free = _frequent(self.options.free_words) if _has_free_text(graph) else ()
        free = tuple(sorted({*free, *graph.words})) if free else ()
        words = {*graph.words, *free}
        teach(self._decoder, words)
        names = {word: ways(self._decoder, word) for word in words}
        transitions = list(_transitions(graph, free, self.options.free_probability, names))
        self._made += 1
        name = f"sayings-{self._made}"
        fsg = self._decoder.create_fsg(name, graph.start, graph.states, transitions)
        self._decoder.add_fsg(name, fsg)
        return name


@contextmanager
def _uncollected() -> Iterator[None]:
    """Hold Python's cycle collector back while a graph grows.

    It would look through every object of the process again and again, a third of the time that
    the graph takes, and everything else stands still meanwhile. A graph has no cycles to collect.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _likely(fit: float) -> float:
    """Return how likely words that fit like this were said, while the sentence still goes on.

    Over the barista clips the fit is -2.1 nats a frame (1 in 100 below -3.5), over other speech
    -5.3. The logistic curve puts 1/2 between them.
    """
    return 1 / (1 + math.exp(-(max(fit, -50.0) + 3.9) / 0.4))


def _power(pcm: bytes) -> float:
    import numpy as np

    samples = np.frombuffer(pcm[: len(pcm) & ~1], "<i2").astype(np.float64)
    return float(np.square(samples).mean())


def _has_free_text(graph: grammar.Graph) -> bool:
    return any(t.word == grammar.FREE_TEXT for t in graph.transitions)


def _transitions(
    graph: grammar.Graph,
    free: Sequence[str],
    free_probability: float,
    names: Mapping[str, Sequence[str]],
) -> Iterator[tuple[int, int, float, str] | tuple[int, int, float]]:
    """Transitions for pocketsphinx: one final state, numbered last but for free text's states.

    Free text is a loop over `free`: its words lead from an entry to an exit, and an empty
    transition from the exit back to the entry. All that goes on alike after it shares one loop:
    with one for each of 59 slots what ships took three times as long to compile and half as long
    again to decode. The closure that pocketsphinx computes over the empty transitions stays small.
    `names` has what a word is called in the dictionary, once for each way it is said.
    """
    final = graph.states
    state = final + 1
    loops: dict[int, int] = {}
    for t in graph.transitions:
        weight = t.probability**LANGUAGE_WEIGHT
        targets = (t.dst, final) if t.dst in graph.finals else (t.dst,)
        if t.word != grammar.FREE_TEXT:
            for target in targets:
                for name in names[t.word]:
                    yield t.src, target, weight, name
            continue
        if t.dst not in loops:
            entry, end = state, state + 1
            loops[t.dst] = entry
            state += 2
            yield end, entry, 1.0
            for target in targets:
                yield end, target, 1.0
            for word in free:
                for name in names[word]:
                    yield entry, end, free_probability, name
        yield t.src, loops[t.dst], weight


@lru_cache(maxsize=4)
def _frequent(count: int) -> tuple[str, ...]:
    """Return the most frequent words of the language model in pocketsphinx's wheel."""
    from pocketsphinx import Config, LogMath, NGramModel, get_model_path

    model = NGramModel(Config(), LogMath(), get_model_path("en-us/en-us.lm.bin"))
    words = (word for word in cmu_dictionary() if word.isalpha() or "'" in word[1:])
    by_probability = sorted(words, key=lambda word: -model.prob([word]))
    return tuple(by_probability[:count])
