"""Profiles: every value read, checked, and said when it is wrong."""

import tomllib
from dataclasses import asdict
from importlib import resources

import pytest

from agent.display.layout import lay_out
from agent.messages import Proposal, Reply
from hardware import profiles, raster
from hardware.base import DeviceError, cell_px

GOOD = asdict(profiles.load_bone("quark-s1"))
TINY = {
    "width_px": 6, "height_px": 5, "grey_levels": 2, "columns": 2, "lines": 1, "font_px": 5,
    "update_ms": 300,
}  # fmt: skip
"""The smallest lens that is taken."""


# ── the lens ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", profiles.names())
def test_every_profile_loads_and_its_text_fits_its_canvas(name):
    lens = profiles.load(name)
    assert lens.name == name
    assert lens.columns * cell_px(lens.font_px) <= lens.width_px
    assert lens.lines * lens.font_px <= lens.height_px
    assert lens.has <= set(profiles.HAS)
    written = tomllib.loads(
        (resources.files("hardware.profiles") / f"{name}.toml").read_text("utf-8")
    )
    assert "has" in written, "every profile says what is beside the lens, if that is nothing"


@pytest.mark.parametrize(
    ("name", "width", "height", "levels", "rows"),
    [
        ("quark-s1", 640, 480, 16, 7),
        ("even-g1", 576, 136, 2, 5),
        ("even-g2", 576, 288, 16, 7),
        ("vuzix-z100", 640, 480, 4, 7),
        ("halo", 256, 256, 16, 7),
        ("activelook", 304, 256, 16, 7),
        ("ssd1306", 128, 64, 2, 4),
        ("ssd1322", 256, 64, 16, 4),
        ("terminal", 640, 480, 16, 7),
    ],
)
def test_the_glasses_that_are_known(name, width, height, levels, rows):
    lens = profiles.load(name)
    assert (lens.width_px, lens.height_px, lens.grey_levels, lens.lines) == (
        width,
        height,
        levels,
        rows,
    )


def test_an_unknown_profile_is_answered_with_the_known_ones():
    with pytest.raises(DeviceError, match=r"'quark-s9'; known are .*quark-s1, .*terminal"):
        profiles.load("quark-s9")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"width_px": 0}, "width_px must be a whole number from 1 to 4096, is 0"),
        ({"height_px": -3}, "height_px must be a whole number from 1 to 4096, is -3"),
        ({"grey_levels": 1}, "grey_levels must be a whole number from 2 to 256, is 1"),
        ({"columns": 1}, "columns must be a whole number from 2 to 200, is 1"),
        ({"lines": True}, "lines must be a whole number from 1 to 50, is True"),
        ({"lines": "7"}, "lines must be a whole number from 1 to 50, is '7'"),
        ({"font_px": 4}, "font_px must be a whole number from 5 to 200, is 4"),
        ({"columns": 3}, "columns is 3: width_px 6 has room for 2 at font_px 5"),
        ({"lines": 2}, "lines is 2: height_px 5 has room for 1 at font_px 5"),
        ({"tint": [1, 2]}, "tint must be three numbers from 0 to 255, is [1, 2]"),
        ({"tint": "green"}, "tint must be three numbers from 0 to 255, is 'green'"),
        ({"has": ["camara"]}, "has must be some of camera, microphone, speaker, imu, touch, location, is ['camara']"),
        ({"colour": "red"}, "unknown key colour"),
        # One by one pixel.
        (
            {"width_px": 1, "height_px": 1},
            "columns is 2: width_px 1 has room for 0 at font_px 5; lines is 1: height_px 1 has room for 0 at font_px 5",
        ),
    ],
)  # fmt: skip
def test_a_lens_that_cannot_work_is_named_with_its_file_and_field(tmp_path, change, said):
    file = tmp_path / "mine.toml"
    file.write_text("\n".join(f"{k} = {_toml(v)}" for k, v in (TINY | change).items()), "utf-8")
    with pytest.raises(DeviceError) as caught:
        profiles.load(str(file))
    assert str(caught.value) == f"display profile {file}: {said}"


def _toml(value):
    return str(value).lower() if isinstance(value, bool) else repr(value)


def test_a_missing_key_and_a_file_that_is_none():
    with pytest.raises(DeviceError, match=r"mine\.toml: missing key lines$"):
        profiles.lens({k: v for k, v in TINY.items() if k != "lines"}, "mine", "mine.toml")
    with pytest.raises(DeviceError, match=r"nowhere\.toml cannot be read: No such file"):
        profiles.load("/nowhere.toml")


def test_a_file_that_is_not_toml_is_named(tmp_path):
    for content in (b"width_px = ", b"\xff\xfe"):
        file = tmp_path / f"{len(content)}.toml"
        file.write_bytes(content)
        with pytest.raises(DeviceError, match=r"is not TOML"):
            profiles.load(str(file))


@pytest.mark.parametrize("columns", [2, 3])
def test_the_smallest_lens_shows_everything_a_few_letters_a_page(columns):
    lens = profiles.lens(TINY | {"columns": columns, "width_px": 3 * columns}, "tiny", "tiny.toml")
    pages = lay_out(Reply("Hi 你好", "Hello"), lens)
    assert (
        "".join(line.text for page in pages for line in page.lines).replace(" ", "")
        == "HelloHi你好"
    )
    for page in pages:
        assert raster.render(page).getbbox() is not None, "something is lit on every page"
    asked = lay_out(Proposal("Tea", payee="A"), lens)
    assert "".join(line.text for page in asked for line in page.lines).endswith("no")


# ── the bone microphone ────────────────────────────────────────────────────────────────────────


def test_the_glasses_have_one_and_a_terminal_has_none():
    assert profiles.load_bone("quark-s1").band_hz == 2400
    assert profiles.load_bone("terminal") is None
    assert profiles.load("quark-s1").columns == 32
    for name in profiles.names():
        profiles.load(name)
        profiles.load_bone(name)


def test_an_unknown_profile():
    with pytest.raises(DeviceError, match="no display profile 'nowhere'"):
        profiles.load_bone("nowhere")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"vad_mode": 4}, "vad_mode must be a whole number from 0 to 3, is 4"),
        ({"vad_mode": True}, "vad_mode must be a whole number from 0 to 3, is True"),
        ({"band_hz": 2400.5}, "band_hz must be a whole number from 500 to 8000, is 2400.5"),
        ({"gain_db": "loud"}, "gain_db must be a number from -40 to 40, is 'loud'"),
        ({"boost_db": 400}, "boost_db must be a number from 0 to 40, is 400"),
        ({"gian_db": 1}, "unknown key gian_db"),
    ],
)
def test_a_wrong_value_is_named(change, said):
    with pytest.raises(DeviceError) as caught:
        profiles.bone(GOOD | change, "mine.toml")
    assert str(caught.value) == f"mine.toml, [bone_microphone]: {said}"


def test_what_is_missing_is_named():
    values = {key: value for key, value in GOOD.items() if key not in ("gain_db", "band_hz")}
    with pytest.raises(DeviceError, match="missing key band_hz; missing key gain_db"):
        profiles.bone(values, "mine.toml")
    with pytest.raises(DeviceError, match="must be a table"):
        profiles.bone(7, "mine.toml")
