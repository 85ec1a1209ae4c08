"""Pictures of codes, and merchant codes by EMVCo."""

import io

import zxingcpp
from PIL import Image

from agent.look.meaning import crc


def picture(*codes):
    """Return a picture of codes side by side: bars for digits, QR for the rest."""
    formats = zxingcpp.BarcodeFormat
    made = [
        zxingcpp.create_barcode(
            text, formats.EAN13 if text.isdigit() and len(text) == 13 else formats.QRCode
        )
        for text in codes
    ]
    images = [Image.fromarray(one.to_image()).convert("L") for one in made]
    images = [
        i.resize((i.width * 5, i.height * (5 if i.height > 20 else 120 // i.height)), 0)
        for i in images
    ]
    whole = Image.new(
        "L", (sum(i.width + 60 for i in images) + 60, max(i.height for i in images) + 80), 255
    )
    x = 60
    for image in images:
        whole.paste(image, (x, 40))
        x += image.width + 60
    out = io.BytesIO()
    whole.save(out, "PNG")
    return out.getvalue()


def emv(name="LAO WANG", amount="12.50", bill=False):
    """Return the code of a merchant in Hangzhou; without an amount the customer says it."""

    def field(id_, value):
        return f"{id_}{len(value):02}{value}"

    payload = "000201" + (field("01", "12") if bill else "")
    payload += field("26", field("00", "com.alipay")) + "52045812" + "5303156"
    payload += field("54", amount) if amount else ""
    payload += "5802CN" + field("59", name) + field("60", "HANGZHOU") + "6304"
    return payload + crc(payload)
