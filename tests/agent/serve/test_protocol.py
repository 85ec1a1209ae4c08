"""Messages: every kind arrives as it was sent, and what is none is refused, never a crash."""

import json
import typing
from dataclasses import asdict, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.serve.simulator import from_page, to_page
from agent.serve.simulator.from_page import Picture, Sound, read_bytes, read_text
from agent.serve.simulator.protocol import Junk

pytestmark = pytest.mark.slow

CONTROL = [kind for kind in typing.get_args(from_page.FromPage) if kind not in (Sound, Picture)]
NAMES = {kind: name for name, kind in from_page._KINDS.items()}


def values(field):
    bounds = field.metadata
    number = st.floats(bounds["least"], bounds["most"]) if "least" in bounds else st.none()
    return {
        "bool": st.booleans(),
        "int": st.integers(bounds.get("least", 0), bounds.get("most", 0)),
        "float": number,
        "float | None": st.none() | number,
        "str": st.sampled_from(sorted(bounds["values"]))
        if "values" in bounds
        else st.from_regex(bounds["pattern"], fullmatch=True).filter(lambda t: len(t) <= 64)
        if bounds.get("pattern")
        else st.text(st.characters(exclude_categories=["Cs"]), max_size=bounds.get("most", 9)),
    }[field.type]


def messages(kind):
    return st.builds(kind, **{field.name: values(field) for field in fields(kind)})


def test_every_message_of_a_page_has_a_name():
    assert set(NAMES) == set(CONTROL)


@pytest.mark.parametrize("kind", CONTROL, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_a_message_arrives_as_it_was_sent(kind, data):
    message = data.draw(messages(kind))
    assert read_text(json.dumps({"type": NAMES[kind], **asdict(message)})) == message


@given(
    st.text()
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.just("type"), inner),
    ).map(json.dumps)
)
def test_junk_is_refused_and_not_repeated(text):
    with pytest.raises(Junk) as refusal:
        read_text(text)
    assert len(str(refusal.value)) < 200


@given(data=st.data())
def test_a_message_with_one_thing_wrong_is_junk(data):
    kind = data.draw(st.sampled_from([kind for kind in CONTROL if fields(kind)]))
    sent = {"type": NAMES[kind], **asdict(data.draw(messages(kind)))}
    name = data.draw(st.sampled_from([field.name for field in fields(kind)]))
    match data.draw(st.sampled_from(["missing", "more", "other"])):
        case "missing":
            del sent[name]
        case "more":
            sent["more"] = 1
        case "other":
            sent[name] = data.draw(
                st.sampled_from([[], {}, "\ud800", float("nan"), 10**400, -1e300])
            )
    with pytest.raises(Junk):
        read_text(json.dumps(sent))


def test_a_message_nested_without_end_is_junk():
    with pytest.raises(Junk):
        read_text("[" * 100_000)


@given(st.integers(0, 2**32 - 1), st.binary(min_size=1, max_size=2_000))
def test_sound_arrives_as_it_was_sent(number, pcm):
    assert read_bytes(from_page.sound(number, pcm)) == Sound(number, pcm)


HEADS = {b"\x01" + bytes(4): Sound, b"\x02" + bytes(4) + b"\xff\xd8\xff": Picture}


@given(st.sampled_from([b"", b"\x01", b"\x02", *HEADS]), st.binary(max_size=64))
def test_bytes_are_sound_a_picture_or_junk(head, data):
    try:
        message = read_bytes(head + data)
    except Junk:
        message = None
    if head in HEADS and data:
        assert isinstance(message, HEADS[head])
    else:
        assert message is None or isinstance(message, Sound | Picture)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01\x00\x00\x00\x00",
        b"\x01" + bytes(4) + bytes(32_002),
        b"\x02" + bytes(4) + b"GIF89a",
        b"\x03" + bytes(40),
    ],
    ids=["nothing", "no sound", "over a second", "not a JPEG", "no such kind"],
)
def test_what_no_page_sends_is_junk(data):
    with pytest.raises(Junk):
        read_bytes(data)


def test_what_is_written_is_json_whatever_is_in_it():
    note = to_page.Note("broken", "\ud800 \x00 镜")
    assert json.loads(to_page.write(note)) == {"type": "note", **asdict(note)}
