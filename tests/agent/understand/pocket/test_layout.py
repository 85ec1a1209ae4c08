import pytest

from agent.understand.pocket.layout import MAX_BYTES, Layout, fingerprint

LONG = ("my_home_automation_helper.turn_everything_on", "my_home_automation_helper.turn_off")


def test_every_token_is_short_enough_and_none_is_there_twice():
    layout = Layout(
        {"none": (), "pay.pay": ("payee",), **dict.fromkeys(LONG, ("a_very_long_slot",))}
    )
    assert all(len(piece.encode()) <= MAX_BYTES for piece in layout.pieces)
    assert len(set(layout.pieces)) == len(layout.pieces)


def test_a_short_name_is_written_out():
    layout = Layout({"none": (), "pay.pay": ("payee",)})
    assert (
        layout.names["pay.pay"] + layout.first["payee"]
        == '{"name":"pay.pay","arguments":{"payee":"'
    )


def test_a_layout_survives_its_header():
    layout = Layout({"none": (), "notes.add": ("text",)}, "abc", 0.2)
    assert Layout.load(layout.dump()) == layout


@pytest.mark.parametrize("header", ["", "[]", "{}", '{"slots": 3}', "null"])
def test_a_broken_header_is_refused(header):
    with pytest.raises(ValueError, match=r".+"):
        Layout.load(header)


def test_the_fingerprint_does_not_depend_on_the_order():
    assert fingerprint(["a", "b"]) == fingerprint(["b", "a", "b"]) != fingerprint(["a"])
