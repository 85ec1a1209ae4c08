"""What Whisper writes once it is told what can be said."""

import pytest

from agent.derive.nearest import Nearest
from agent.language.saying import Saying
from agent.listen.whisper.fusion import Fitted, fuse, retold, worth_telling
from agent.listen.whisper.window import Hypothesis

SAYINGS = [
    Saying("music.play", "play {song}", {"song": ("Ode to Joy",)}, open=frozenset({"song"})),
    Saying("shop.add", "add {product} to my shopping list", {"product": ("milk", "hiking boots")}, open=frozenset({"product"})),
    Saying("notes.add", "add {item} to my {name} list", {"item": None, "name": ("packing", "wish")}),
    Saying("notes.note", "take a note {text}", {"text": None}),
]  # fmt: skip


@pytest.fixture(scope="module")
def nearest():
    return Nearest(SAYINGS)


def written(*texts, nat=0.5):
    """Versions, each less likely than the one before."""
    return tuple(Hypothesis(text, -1 - nat * n, 8) for n, text in enumerate(texts))


def test_a_sentence_takes_the_place_of_what_it_was_heard_as(nearest):
    said = retold(
        written("Please stay away to heaven"), written("Play stairway to heaven"), nearest
    )
    assert (said.text, said.free) == ("play stairway to heaven", True)


def test_the_likeliest_version_that_can_be_said_is_taken(nearest):
    told = written("Played bridge over troubled water", "Play bridge over troubled water")
    assert retold(written("play bridge over trouble water"), told, nearest).text == (
        "play bridge over troubled water"
    )


@pytest.mark.parametrize(
    ("heard", "told"),
    [
        ("What do you think about the weather?", "Play what do you think."),  # other speech
        ("Thank you for watching", "Take a note water"),
        ("the train leaves at nine", "the train leaves at nine"),  # no sentence of ours
    ],
)
def test_who_expects_commands_is_not_believed_alone(nearest, heard, told):
    assert retold(written(heard), written(told), nearest) is None


def test_what_was_written_as_it_can_be_said_is_no_other_sentence(nearest):
    said = fuse(None, written("Add hiking boots to my packing list"), nearest)
    assert said.text == "add hiking boots to my packing list"
    said = fuse(None, written("add hiking boats to my shopping list"), nearest)
    assert said.text == "add hiking boots to my shopping list"  # it is on the list


def test_a_word_of_a_list_still_wins_over_its_homophones(nearest):
    assert fuse(None, written("play owed to joy"), nearest).text == "play ode to joy"
    fitted = Fitted("play ode to joy", 0.9)
    assert not fuse(fitted, written("play owed to joy"), nearest).free


@pytest.mark.parametrize(
    ("heard", "worth"),
    [
        ("Place smoke on the water", True),
        ("Add some screen to my parking list", True),
        ("Take a note the plumber comes on Thursday", True),
        ("What do you think about the weather in the mountains?", False),
        ("The train leaves at nine", False),
    ],
)
def test_only_what_is_nearly_a_sentence_is_worth_telling(nearest, heard, worth):
    assert worth_telling(written(heard)[0], nearest) is worth
