import pytest

from agent.language.saying import Saying
from agent.listen.attention import Attention, AttentionOptions
from agent.listen.endpoint import Endpointer
from agent.listen.hearing import Heard, Hearing, Pause, Resumed
from agent.listen.patience import Patience
from agent.listen.phrases import Spotted
from agent.listen.thread import EngineThread
from agent.messages import Transcript
from tests.speech import ReadingEars, Script, place

COFFEE = [
    Saying(
        "coffee.order", "get me a {drink} [with {milk}]", {"drink": ("latte",), "milk": ("milk",)}
    ),
    Saying("map.route", "navigate to {place}", {"place": ("town",)}),
    Saying("music.play", "play {song}", {"song": ("jazz",)}),
    Saying("agent.stop", "stop", {}),
]
PATIENCE = Patience(
    answer_ms=40, complete_ms=60, per_bit_ms=200, dangling_ms=1000, plain_ms=500, reopen_ms=900
)


class Ear:
    """A hearing on a script, with what came of each chunk."""

    def __init__(self, text, patience=PATIENCE, attention=None, **engine):
        self.script = Script(text)
        self.engine = ReadingEars(self.script, **engine)
        self.partials = []
        self.hearing = Hearing(
            EngineThread(lambda: self.engine), Endpointer(self.script), patience, attention
        )
        self.events = []

    async def listen(self):
        await self.hearing.expect(COFFEE)
        for chunk in self.script.chunks:
            if event := await self.hearing.hear(chunk):
                self.events.append((chunk.end_ms, event))
        return self

    @property
    def heard(self):
        return [event for _, event in self.events if isinstance(event, Heard)]

    @property
    def texts(self):
        return [heard.transcript.text for heard in self.heard]


async def wait_ms(text, **patience):
    """How long after the last word the turn ended."""
    ear = await Ear(f".... {text} {'.' * 20}", **patience).listen()
    (heard,) = ear.heard
    last = text.split()[-1]
    return heard.endpoint_ms - ear.script.end_ms(last)


async def test_the_wait_follows_what_was_said():
    assert await wait_ms("stop") == 40
    assert await wait_ms("play jazz") == 60
    assert await wait_ms("get me a latte") == 200  # one bit: with milk, or not
    assert await wait_ms("get me a latte with milk") == 60
    assert await wait_ms("navigate to") == 1000
    assert await wait_ms("some other talk") == 500


async def test_a_pause_in_a_dangling_sentence_does_not_end_it():
    ear = await Ear(".... navigate to ......... town ......").listen()
    assert ear.texts == ["navigate to town"]


async def test_an_unsure_engine_leaves_it_to_the_silence():
    ear = await Ear(".... play jazz ..........", confidence=0.3).listen()
    assert ear.heard[0].endpoint_ms - ear.script.end_ms("jazz") == 500


async def test_a_turn_that_goes_on_is_told_as_one():
    ear = await Ear(".... get me a latte ..... with milk ..........").listen()
    assert ear.texts == ["get me a latte", "get me a latte with milk"]
    first, second = ear.heard
    assert (first.continues, second.continues) == (False, True)
    starts = [chunk.start_ms for chunk in second.sound]
    assert starts == [starts[0] + 20 * n for n in range(len(starts))]  # each chunk once, in order
    assert {*map(place, (c.pcm for c in second.sound))} >= ear.script.spoken
    assert second.start_ms == first.start_ms


async def test_another_command_right_after_is_another_turn():
    ear = await Ear(".... get me a latte ..... navigate to town ..........").listen()
    assert ear.texts == ["get me a latte", "navigate to town"]
    assert [heard.continues for heard in ear.heard] == [False, False]


async def test_what_nothing_can_follow_is_not_heard_again():
    ear = await Ear(".... play jazz ..... navigate to town ..........").listen()
    assert ear.texts == ["play jazz", "navigate to town"]
    assert ear.engine.calls.count("finish") == 2


async def test_what_follows_later_is_another_turn():
    ear = await Ear(f".... get me a latte {'.' * 14} with milk ..........").listen()
    assert ear.texts == ["get me a latte", "with milk"]
    assert not any(heard.continues for heard in ear.heard)


async def test_what_had_an_effect_is_not_replaced():
    ear = Ear(".... get me a latte ..... with milk ..........")
    await ear.hearing.expect(COFFEE)
    for chunk in ear.script.chunks:
        if isinstance(event := await ear.hearing.hear(chunk), Heard):
            ear.events.append((0, event))
            ear.hearing.forget()
    assert ear.texts == ["get me a latte", "with milk"]


async def test_a_turn_that_was_cut_in_the_midst_is_mended():
    short = Patience(dangling_ms=200, complete_ms=60, reopen_ms=900)
    ear = await Ear(".... navigate to .... town ..........", patience=short).listen()
    assert ear.texts == ["navigate to", "navigate to town"]
    assert ear.heard[1].continues


async def test_a_pause_is_told_once_and_taken_back():
    patient = Patience(per_bit_ms=600, open_ms=600, complete_ms=60)
    ear = await Ear(".... get me a latte ... with milk ..........", patience=patient).listen()
    kinds = [(type(e).__name__, getattr(getattr(e, "transcript", None), "text", "")) for _, e in ear.events]  # fmt: skip
    assert kinds == [
        ("Pause", "get me a latte"),
        ("Resumed", ""),
        ("Pause", "get me a latte with milk"),
        ("Heard", "get me a latte with milk"),
    ]
    assert isinstance(ear.events[0][1], Pause)
    assert isinstance(ear.events[1][1], Resumed)
    assert ear.engine.calls.count("prepare") == 2


@pytest.mark.parametrize("call", ["start", "feed", "finish"])
async def test_an_engine_that_fails_costs_one_utterance(call):
    ear = Ear(".... play jazz .......... play jazz ..........", fails=[call])
    await ear.hearing.expect(COFFEE)
    for chunk in ear.script.chunks:
        if isinstance(event := await ear.hearing.hear(chunk), Heard):
            ear.events.append((0, event))
            ear.engine.fails = frozenset()
    failed, fine = ear.heard
    assert f"reading cannot {'be fed' if call == 'feed' else call}" in str(failed.error)
    assert (fine.transcript.text, fine.error) == ("play jazz", None)


class OneWord:
    """Spots one word of a script, 40 ms after its end."""

    def __init__(self, script, word):
        first, self.last = next((f, la) for f, la, said in script.words if said == word)
        self.start_ms, self.end_ms = (first - 1) * 20.0, self.last * 20.0
        self.fed = []

    def feed(self, pcm):
        self.fed.append(place(pcm))
        if place(pcm) == self.last + 2:
            return Spotted("wake", self.start_ms, self.end_ms, 1.0)
        return None

    def reset(self, start_ms=0.0):
        self.fed.clear()


def waking(text, mode="phrase", word="wake", **more):
    script = Script(text)
    spotter = OneWord(script, word)
    attention = Attention(AttentionOptions(mode, awake_s=1.0), spotter=lambda _: spotter, **more)
    ear = Ear(text, attention=attention)
    return ear, spotter


async def test_only_what_follows_the_wake_phrase_counts():
    ear, _ = waking(".... play rock ...... wake play jazz ..........")
    await ear.listen()
    assert ear.texts == ["play jazz"]
    assert ear.engine.calls.count("start") == 1


async def test_asleep_again_after_one_command():
    ear, _ = waking(f".... wake play jazz {'.' * 10} play jazz ..........")
    await ear.listen()
    assert ear.texts == ["play jazz"]


async def test_awake_for_a_while_and_no_longer():
    ear, _ = waking(f".... wake {'.' * 12} play jazz ..........")
    await ear.listen()
    assert ear.texts == []


async def test_an_open_question_needs_no_wake_phrase():
    ear, _ = waking(f"wake {'.' * 16} stop ......", asked=lambda: True)
    await ear.listen()
    assert ear.texts == ["wake", "stop"]


async def test_a_quiet_room_is_not_spotted_in():
    ear, spotter = waking(f"{'.' * 50} wake ....")
    await ear.listen()
    assert min(spotter.fed) > 200  # 50 dots of 5 chunks, less the pre-roll


async def test_a_touch_wakes():
    ear, spotter = waking(".... play rock ...... wake .... play jazz ..........", mode="touch")
    await ear.hearing.expect(COFFEE)
    for chunk in ear.script.chunks:
        if chunk.end_ms == ear.script.end_ms("wake") + 100:
            ear.hearing.attention.touch()
        if event := await ear.hearing.hear(chunk):
            ear.events.append((0, event))
    assert ear.texts == ["play jazz"]
    assert spotter.fed == []


async def test_while_a_key_is_held_pauses_do_not_end_the_turn():
    ear, _ = waking(f".... play {'.' * 20} jazz .......... stop ....", "touch", "play")
    await ear.hearing.expect(COFFEE)
    for chunk in ear.script.chunks:
        if chunk.end_ms == 100:
            ear.hearing.attention.held = True
        if chunk.end_ms == ear.script.end_ms("jazz") + 100:
            ear.hearing.attention.held = False
        if event := await ear.hearing.hear(chunk):
            ear.events.append((chunk.end_ms, event))
    assert ear.texts == ["play jazz"]
    assert ear.heard[0].endpoint_ms == ear.script.end_ms("jazz") + 100


class Deaf(ReadingEars):
    """An engine that understands nothing that was said."""

    def finish(self):
        return Transcript("", confidence=0.0, engine=self.name)


async def test_talk_that_is_not_understood_is_answered_once():
    ear = Ear(".... some other talk ....... about the weather ..........")
    ear.engine = Deaf(ear.script)
    await ear.listen()
    assert [(heard.transcript.text, heard.continues) for heard in ear.heard] == [
        ("", False),
        ("", True),
    ]


async def test_a_beginning_that_was_not_understood_is_no_turn_of_its_own():
    ear = await Ear(".... hmm ....... play jazz ..........").listen()
    assert ear.texts == ["hmm", "play jazz"]
    assert not ear.heard[1].continues  # it was heard, and something else

    class Half(ReadingEars):
        def finish(self):
            heard = super().finish()
            return heard if heard.text == "play jazz" else Transcript("", confidence=0.0)

    ear = Ear(".... hmm ....... play jazz ..........")
    ear.engine = Half(ear.script)
    await ear.listen()
    assert [(h.transcript.text, h.continues) for h in ear.heard] == [("", False), ("play jazz", True)]  # fmt: skip


async def test_an_effect_that_comes_while_the_next_words_have_begun_is_final_too():
    ear = Ear(".... get me a latte ..... with milk ..........")
    await ear.hearing.expect(COFFEE)
    for chunk in ear.script.chunks:
        if isinstance(event := await ear.hearing.hear(chunk), Heard):
            ear.events.append((0, event))
        if ear.heard and not ear.hearing.idle:
            ear.hearing.forget()
    assert ear.texts == ["get me a latte", "with milk"]
    assert not ear.heard[1].continues


async def test_talk_without_a_pause_is_closed_and_never_heard_again_whole():
    ear = Ear(f".... {'talk ' * 400} ....")  # 80 s
    ear.engine = Deaf(ear.script)
    await ear.listen()
    lengths_ms = [len(heard.sound) * 20 for heard in ear.heard]
    assert len(lengths_ms) >= 5
    assert max(lengths_ms) <= 15_000 + 300
    assert sum(lengths_ms) <= 82_000  # nothing twice


async def test_awake_or_not_an_order_may_go_on():
    ear, _ = waking(".... wake get me a latte ..... with milk .......... play jazz ......")
    await ear.listen()
    assert ear.texts == ["get me a latte", "get me a latte with milk"]


async def test_asleep_only_the_rest_of_an_order_counts():
    ear, _ = waking(".... wake get me a latte ..... play jazz ..........")
    await ear.listen()
    assert ear.texts == ["get me a latte"]
