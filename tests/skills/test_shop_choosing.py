"""Looking, choosing and the basket: by camera, by reviews, by price."""

import io
import json

import pytest
from PIL import Image

import skills.shop as shop
from agent import Context
from agent.act.teller import Teller
from agent.models.llm.model import ScriptedModel
from agent.plugins.skills import Skills
from agent.testing import Conversation, VirtualCamera
from agent.testing.conversation import Doubles
from skills.shop.demo import demo
from skills.shop.importing import import_files
from skills.shop.product import Review
from skills.shop.summary import Claim, borne_out, extracted, parts, terms
from tests.skills.codes import emv, picture


@pytest.fixture
def talk(tmp_path):
    source = tmp_path / "p.csv"
    source.write_text(
        "code,name,price,currency\n6901234567892,Green tea,28.50,CNY\n,Black tea,19.90,CNY\n"
    )
    import_files([source], tmp_path / "shop")
    found = Conversation(Skills.discover(), tmp_path, Doubles(camera=VirtualCamera()))
    yield found
    found.close()


# --- the camera


def test_a_product_is_found_by_its_code(talk):
    talk.camera.picture = picture("6901234567892")
    talk("scan this").calls("shop.scan").shows("¥28.50 Green tea")
    talk("is there anything cheaper").shows("¥19.90 Black tea")
    talk.camera.picture = picture("4006381333931")
    talk("扫一扫").shows("商品 4006381333931", "商品库里没有。")


def test_a_payment_is_shown_and_not_made(talk):
    talk.camera.picture = picture(emv())
    talk("what is this code").shows(
        "¥12.50", "LAO WANG, HANGZHOU", "Nothing is paid by looking."
    ).asks_nothing()
    talk.camera.picture = picture(emv().replace("12.50", "92.50"))
    talk("scan this code").shows("Not a payment", "it was changed", "Do not pay it.").asks_nothing()
    talk.camera.picture = picture("https://qr.alipay.com/fkx123456abcdef")
    talk("scan this code").shows("Alipay code", "told by Alipay alone").asks_nothing()


def test_everything_else_is_what_it_is(talk):
    for text, shown in (
        ("https://evil.example/x", "Not opened."),
        ("MECARD:N:Sean;;", "Contact"),
        ("hello there", "“hello there”"),
        ("wxp://f2f0abcdef", "WeChat Pay"),
    ):
        talk.camera.picture = picture(text)
        talk("scan this code").shows(shown)


def test_of_several_codes_it_asks_which(talk):
    talk.camera.picture = picture("https://a.example", "6901234567892", emv())
    talk("scan this code").shows(
        "3 codes", "Left: link to a.example", "Middle: product", "Right: payment to"
    )
    talk.camera.picture = picture("gone")
    talk("the middle code").shows("¥28.50 Green tea")
    talk("扫右边的码").shows("12.50元")


def test_without_a_code_or_a_camera_it_says_so(talk, ask):
    talk.camera.picture = picture("x")[:40]
    talk("scan this code").shows("The picture cannot be read.")
    out = io.BytesIO()
    Image.new("L", (200, 200), 90).save(out, "PNG")
    talk.camera.picture = out.getvalue()
    talk("scan this code").shows("No code can be read.")
    talk.camera.picture = b""
    talk("scan this code").shows("sees nothing")
    ask("scan this code").shows("camera")


# --- what people say


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_claim_is_what_its_reviews_say(language):
    claims = 0
    for product in demo().products.values():
        for claim in extracted(product.reviews, language):
            claims += 1
            assert borne_out(claim, product.reviews, language), (product.kind["en"], claim)
            said = " ".join(product.reviews[at].words[language] for at in claim.reviews)
            assert claim.text in said
    assert claims > 70


def test_what_stands_after_a_but_is_the_contrary():
    assert list(parts(Review(5, {}), "Strong but heavy")) == [("Strong", True), ("heavy", False)]
    assert list(parts(Review(2, {}), "Weak, but cheap")) == [("Weak", False), ("cheap", True)]
    assert list(parts(Review(4, {}), "小巧，但有点热")) == [("小巧", True), ("有点热", False)]


REVIEWS = (
    Review(5, {"en": "Battery lasts two days, great for travel"}),
    Review(4, {"en": "The battery is strong but it is heavy"}),
    Review(1, {"en": "Far too heavy"}),
)


def test_the_claim_most_reviews_share_comes_first():
    pros, cons, suits = extracted(REVIEWS, "en")
    assert (pros.text, pros.reviews) == ("The battery is strong", (1, 0))
    assert (cons.text, cons.reviews) == ("it is heavy", (1, 2))
    assert (suits.text, suits.reviews) == ("travel", (0,))


@pytest.mark.parametrize(
    ("claim", "so"),
    [
        (Claim("pros", "strong battery", (1,)), True),
        (Claim("cons", "heavy", (1, 2)), True),
        (Claim("cons", "strong battery", (1,)), False),
        (Claim("pros", "heavy", (2,)), False),
        (Claim("pros", "waterproof", (0,)), False),
        (Claim("pros", "strong battery", ()), False),
        (Claim("pros", "strong battery", (7,)), False),
        (Claim("pros", "strong battery", (-1,)), False),
        (Claim("pros", "", (0,)), False),
        (Claim("suits", "travel", (0,)), True),
    ],
)
def test_a_claim_without_its_reviews_is_dropped(claim, so):
    assert borne_out(claim, REVIEWS, "en") is so


def test_the_model_words_what_the_reviews_bear_out(tmp_path):
    rows = [{"stars": one.stars, "text": one.words["en"]} for one in REVIEWS]
    source = tmp_path / "p.jsonl"
    source.write_text(json.dumps({"name": "Power bank", "price": "99", "reviews": rows}))
    import_files([source], tmp_path / "shop")
    told = {"pros": {"text": "battery lasts long", "from": [1]},
            "cons": {"text": "it explodes", "from": [3]}, "suits": {"text": "", "from": []}}  # fmt: skip
    model = ScriptedModel([told, RuntimeError("never asked")])
    talk = Conversation(Skills.discover(), tmp_path, Doubles(model=model))
    try:
        talk("sum up the reviews of power bank").shows(
            "Liked: battery", "Disliked: it is heavy (2)", "Suits: travel"
        )
        assert "explodes" not in talk.lens
        assert "⟦\n1. 5/5 Battery lasts" in model.prompts[0]
        talk("which reviews say that").shows("5/5 Battery lasts two days")
    finally:
        talk.close()


def test_terms_of_two_languages():
    assert terms("Batteries of the battery") == {"batte"}
    assert terms("电池耐用") == {"电池", "池耐", "耐用"}


# --- comparing


@pytest.fixture
def context(tmp_path):
    installed = Skills()
    installed.load(shop)

    def make(language="en"):
        responses = installed.actions["shop.search"].languages[language].responses
        return Context(
            "shop", language, tmp_path, {}, responses,
            permissions={"money": "to tell what you ordered"}, teller=Teller(tmp_path / "ledger"),
        )  # fmt: skip

    return make


def test_two_and_three_are_compared(context):
    ctx = context()
    text = shop.compare(ctx, "luppo headphones", "quovia headphones").text
    assert text.splitlines()[:2] == ["Cheapest: Luppo headphones", "Best rated: Quovia headphones"]
    assert "$24.90" in text
    shop.search("headphones", ctx)
    assert len(shop.compare(ctx).text.splitlines()) == 5
    assert shop.compare(context()).text.startswith("Which product?")
    assert "spaceship" in shop.compare(ctx, "luppo headphones", "spaceship").text


def test_what_is_cheaper_is_of_the_same_kind(context):
    ctx = context()
    shop.search("quovia headphones", ctx)
    text = shop.cheaper(ctx).text
    assert text.splitlines()[0].startswith("$59.00 Ondiko headphones")
    shop.search("luppo headphones", ctx)
    assert shop.cheaper(ctx).text.startswith("Nothing cheaper here.")


# --- the basket


def test_the_basket_counts_and_undoes(context):
    ctx = context()
    shop.put_in_basket(ctx, "luppo headphones")
    reply = shop.put_in_basket(ctx, "it", 2)
    assert "4× Luppo teddy bear" in shop.put_in_basket(context(), "four teddy bears").text
    shop.take_out("teddy bear", context())
    assert "3× Luppo headphones" in reply.text
    assert "Together $74.70" in reply.text
    assert reply.undo().text.splitlines()[1] == "1× Luppo headphones"
    assert "Together $24.90" in shop.show_basket(context()).text
    assert shop.take_out("kettle", ctx).text.startswith("Not in the basket")
    assert shop.take_out("headphones", ctx).text.startswith("Taken out: Luppo headphones")
    assert shop.empty_basket(ctx).text == "Your basket is empty."
    assert shop.show_basket(context("zh")).text == "购物车是空的。"


def test_the_demo_is_not_ordered_from(context):
    ctx = context()
    shop.put_in_basket(ctx, "teddy bear")
    assert shop.order(ctx).text.startswith("I can't place orders here.")
    assert shop.order_status(ctx).text == "Nothing was ordered yet."


def test_a_damaged_basket_is_told(context, tmp_path):
    (tmp_path / "basket.json").write_text("{")
    for act in (shop.show_basket, shop.order, shop.empty_basket):
        assert act(context()).text == "I can't keep the basket here."
