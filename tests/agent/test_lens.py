from agent.lens import Lens
from hardware.base import DeviceError, Frame, Line
from hardware.display import MemoryDisplay
from hardware.profiles import load

PROFILE = load("quark-s1")


def pages(*texts):
    return tuple(Frame(PROFILE, (Line(text),)) for text in texts)


def test_pages_are_turned_within_the_reply():
    display = MemoryDisplay(PROFILE)
    lens = Lens(lambda: display)
    assert not lens.turn(0)
    assert lens.show(pages("a", "b")) is None
    assert (lens.turn(-1), lens.turn(1), lens.turn(1)) == (False, True, False)
    lens.again()
    assert display.text == "b"


def test_a_passing_card_leaves_the_reply_in_reach():
    display = MemoryDisplay(PROFILE)
    lens = Lens(lambda: display)
    lens.show(pages("a", "b"))
    lens.show(pages("that is all"), keep=True)
    assert display.text == "that is all"
    assert lens.turn(1)
    lens.again()
    assert display.text == "b"


def test_an_open_microphone_is_marked_whatever_is_shown():
    display = MemoryDisplay(PROFILE)
    lens = Lens(lambda: display)
    lens.listening(True)
    assert (display.listening, display.text) == (True, "")
    lens.show(pages("a"))
    assert (display.listening, display.text) == (True, "a")
    lens.blank()
    assert (display.listening, display.text) == (True, "")
    lens.listening(False)
    assert not display.lit


def test_the_mark_is_drawn_only_when_it_changes():
    display = MemoryDisplay(PROFILE)
    lens = Lens(lambda: display)
    for _ in range(3):
        lens.listening(True)
    assert len(display.frames) == 1


class Broken(MemoryDisplay):
    def show(self, frame):
        raise self.error

    def clear(self):
        raise self.error


def test_what_a_display_raises_is_told_and_goes_no_further():
    display = Broken(PROFILE)
    lens = Lens(lambda: display)
    display.error = DeviceError("the lens is off: switch it on")
    assert lens.show(pages("a")) == "the lens is off: switch it on"
    display.error = ZeroDivisionError("12 to anna")  # may hold what was said
    assert lens.show(pages("a")) == "ZeroDivisionError"
    assert lens.blank() == "ZeroDivisionError"
    lens.listening(True)
