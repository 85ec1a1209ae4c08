"""Codes in pictures: made here, and the photos of others where they are."""

import io
import json

import pytest
import zxingcpp
from PIL import Image, ImageFilter

from agent.errors import EngineError
from agent.look import codes
from tests.pace import effort
from tests.shared import DATA

FORMATS = zxingcpp.BarcodeFormat
PHOTOS = DATA / "images" / "zxing-barcodes"


def drawn(text, kind="qr", size=240):
    made = zxingcpp.create_barcode(text, FORMATS.QRCode if kind == "qr" else FORMATS.EAN13)
    image = Image.fromarray(made.to_image()).convert("L")
    scale = max(1, size // image.width)
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)


def file(image, kind="PNG"):
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def scene(*placed, size=(960, 540)):
    whole = Image.new("L", size, 170)
    for image, place in placed:
        whole.paste(image, place)
    return whole


@pytest.mark.parametrize("angle", [0, 17, 45, 90, 200])
def test_a_code_is_read_at_any_angle(angle):
    for text, kind in (("https://example.com/a", "qr"), ("9780140013993", "product")):
        if kind == "product" and angle in (17, 45):
            continue  # zxing-cpp looks for bars along the rows and columns of a picture
        image = Image.new("L", (600, 600), 255)
        image.paste(drawn(text, kind), (180, 180))
        found = codes.read(file(image.rotate(angle, Image.Resampling.BICUBIC, fillcolor=255)))
        assert [(one.text, one.kind) for one in found] == [(text, kind)]


def test_a_blurred_code_is_read():
    image = scene((drawn("9780140013993", "product", 380), (120, 90)))
    assert [c.text for c in codes.read(file(image.filter(ImageFilter.GaussianBlur(1.5))))] == [
        "9780140013993"
    ]


def test_several_codes_come_from_left_to_right():
    image = scene(
        (drawn("right"), (650, 200)), (drawn("left"), (50, 40)), (drawn("middle"), (350, 260))
    )
    found = codes.read(file(image, "JPEG"))
    assert [one.text for one in found] == ["left", "middle", "right"]
    assert 0 < found[0].x < found[1].x < found[2].x < 1
    assert found[0].y < found[1].y


def test_chinese_text_is_read():
    assert codes.read(file(scene((drawn("支付宝收款"), (50, 50)))))[0].text == "支付宝收款"


def test_a_picture_without_a_code_has_none():
    assert codes.read(file(Image.effect_noise((480, 360), 90))) == ()
    assert codes.read(file(Image.new("RGB", (64, 48)))) == ()


@pytest.mark.parametrize("junk", [b"", b"\xff\xd8\xff", b"GIF89a", b"not a picture" * 100])
def test_what_is_no_picture_is_told(junk):
    with pytest.raises(EngineError, match="picture"):
        codes.read(junk)


def test_a_picture_that_claims_to_be_huge_is_not_decoded():
    with pytest.raises(EngineError, match="take a smaller one"):
        codes.read(file(Image.new("1", (9_000, 6_000))))


def test_a_code_is_read_at_once():
    picture = file(scene((drawn("9780140013993", "product", 380), (120, 90))), "JPEG")
    codes.read(picture)
    assert effort(lambda: codes.read(picture)) < 300  # about 8


@pytest.mark.skipif(not PHOTOS.is_dir(), reason="the photos of codes are not here")
def test_photos_of_codes():
    """At least 95 % are right, and none is misread."""
    rows = [json.loads(line) for line in (PHOTOS / "labels.jsonl").read_text().splitlines()]
    right, wrong = 0, []
    for row in rows:
        found = [one.text for one in codes.read((PHOTOS / row["file"]).read_bytes())]
        right += found == ([row["text"]] if row["text"] else [])
        wrong += [row["file"] for text in found if text != row["text"]]
    assert wrong == []
    assert right >= 0.95 * len(rows)
