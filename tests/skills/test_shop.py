"""The shop: its data, its search, its cards, and the public contract alone."""

import ast
import inspect
import textwrap
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import skills.shop as shop
from agent import Context
from agent.messages import Intent, Transcript
from agent.plugins.skills import Skills
from agent.skill.lists import FILE, Lists
from agent.understand.router import Router
from skills.shop import shopping_list
from skills.shop.catalogue import Catalogue
from skills.shop.demo import demo
from skills.shop.shopping_list import ShoppingList, groceries
from tests.pace import effort

LENS = 32
"""Columns of the display that the cards are written for."""
LINES = 7


def columns(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def wrapped(text, language):
    """Return how many lines a text takes on the lens."""
    if language == "zh":
        return sum(-(-columns(line) // LENS) for line in text.splitlines())
    return sum(len(textwrap.wrap(line, LENS)) for line in text.splitlines())


@pytest.fixture(scope="module")
def installed():
    skills = Skills()
    skills.load(shop)
    return skills


@pytest.fixture
def context(tmp_path, installed):
    def make(language="en"):
        responses = installed.actions["shop.search"].languages[language].responses
        return Context("shop", language, tmp_path, {}, responses)

    return make


def names(text, language="en"):
    return [product.name(language) for product in demo().search(text)]


# --- data


def test_every_product_is_complete_in_both_languages():
    products = demo().products.values()
    assert len(products) >= 75
    for product in products:
        for words in (product.brand, product.kind, product.group):
            assert set(words) == {"en", "zh"}
            assert all(words.values())
            assert words["zh"] != words["en"]
        assert product.price > 0
        assert product.price.as_tuple().exponent == -2
        assert product.stock >= 0
        assert 2 <= len(product.reviews) <= 3
        for review in product.reviews:
            assert 1 <= review.stars <= 5
            assert set(review.words) == {"en", "zh"}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_names_are_unique_and_fit_a_line(language):
    found = [p.name(language) for p in demo().products.values()]
    assert len(found) == len(set(found))
    for product in demo().products.values():
        unit = "$" if language == "en" else "美元"
        assert columns(f"{product.price}{unit} {product.name(language)}") <= LENS


def test_a_kind_has_one_translation_and_one_group():
    kinds = {}
    for product in demo().products.values():
        same = (product.kind["zh"], product.group["en"], product.also)
        assert kinds.setdefault(product.kind["en"], same) == same


def test_there_are_not_too_many_kinds_to_listen_for():
    assert len(demo().kinds("en")) <= 100


def test_no_two_groceries_are_called_the_same():
    assert len(set(groceries().values())) == len(groceries())


def test_the_public_contract_is_enough():
    imported = {
        node.module
        for path in Path(inspect.getfile(shop)).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("agent")
    }
    assert imported == {
        "agent",
        "agent.environment",
        "agent.errors",
        "agent.language.world",
        "agent.look",
        "agent.look.choice",
        "agent.look.codes",
        "agent.look.meaning",
        "agent.messages",
        "agent.skill.data",
        "agent.skill.payments",
        "agent.skill.secrets",
        "agent.skill.lists",
    }


# --- search


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ("running shoes", "running shoes"),
        ("shoes for running", "running shoes"),
        ("a running shoe", "running shoes"),
        ("Headphones", "headphones"),
        ("USB-C cables", "usb c cable"),
        ("usb cable", "usb c cable"),
        ("t-shirts", "t shirt"),
        ("waterproof coat", "rain jacket"),
        ("luggage", "suitcase"),
        ("umbrel", "umbrella"),
        ("some good coffee beans please", "coffee beans"),
        ("Ｋｅｔｔｌｅ", "kettle"),
        ("跑鞋", "running shoes"),
        ("跑步的鞋", "running shoes"),
        ("一双登山靴", "hiking boots"),
        ("雨衣", "rain jacket"),
        ("usb线", "usb c cable"),
        ("移动电源", "power bank"),
        ("T恤", "t shirt"),
    ],
)
def test_best_match(query, kind):
    assert demo().search(query)[0].kind["en"] == kind


def test_every_kind_finds_itself_first():
    for language in ("en", "zh"):
        for product in demo().products.values():
            assert demo().search(product.kind[language])[0].kind == product.kind
            assert demo().search(product.name(language)) == [product]


def test_one_kind_comes_together_best_rated_first():
    found = demo().search("shoes")
    kinds = [p.kind["en"] for p in found]
    assert kinds == ["running shoes"] * 3 + ["hiking boots"] * 2
    assert [p.rating for p in found[:3]] == sorted((p.rating for p in found[:3]), reverse=True)


def test_a_brand_finds_only_its_products():
    assert {p.brand["en"] for p in demo().search("luppo")} == {"Luppo"}
    assert names("luppo headphones") == ["Luppo headphones"]


def test_all_words_must_fit():
    assert demo().search("purple elephant") == []
    assert demo().search("running headphones") == []


@pytest.mark.parametrize(
    "query",
    [
        "", " ", "\x00", "🎧", "the", "的", "_", "'", '"', '" OR "1', "a OR b", "NOT shoes",
        "kind:shoes", "shelf MATCH 'x'", "*", "^shoes", "NEAR(a b, 5)", "(", "{kind}: x", "-",
        "x'; DROP TABLE shelf; --", "%s", "\\", "﷽", "पानी", "x" * 10_000, "shoes " * 2_000,
        "鞋" * 4_000, "\ud800", "a\u0301" * 50,
    ],
)  # fmt: skip
def test_any_text_is_safe(query, context):
    for language in ("en", "zh"):
        reply = shop.search(query, context(language))
        assert reply.text
        assert len(reply.text) < 200
    assert names("kettle") == ["Zellit kettle"]


def test_quotes_are_not_syntax():
    assert names('"kettle"') == names("kettle")
    assert names("kettle OR umbrella") == []


@pytest.mark.parametrize(
    ("query", "language", "near"),
    [("hedphones", "en", "headphones"), ("男士跑鞋", "zh", "跑鞋"), ("umbrela", "en", "umbrella")],
)
def test_nearest_names(query, language, near, context):
    assert demo().search(query) == []
    assert near in shop.search(query, context(language)).text.splitlines()


def test_the_catalogue_is_ready_at_once():
    def first_search():
        demo.cache_clear()
        return demo().search("tent")

    assert first_search()
    assert effort(first_search) < 100  # about 12


def test_threads_share_one_catalogue():
    catalogue = Catalogue(demo().products.values())
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(catalogue.search, ["running shoes", "耳机"] * 100))
    assert found[0::2] == [demo().search("running shoes")] * 100
    assert found[1::2] == [demo().search("耳机")] * 100


# --- cards


def test_a_list_leads_with_the_price(context):
    reply = shop.search("running shoes", context())
    assert reply.kind == "list"
    assert reply.title == "Demo shop"
    assert reply.text == (
        "$82.50 Brisko running shoes\n$64.00 Fernbek running shoes\n$38.00 Luppo running shoes"
    )


def test_one_product_is_told_in_full(context):
    reply = shop.price(context(), "kettle")
    assert reply.text == "$36.00 Zellit kettle\n4.5/5, 28 in stock"
    assert shop.price(context("zh"), "电热水壶").text == "36.00美元 泽利电热水壶\n4.5/5，剩28件"


def test_sold_out_is_said(context):
    assert shop.price(context(), "zellit power bank").text.endswith("2.5/5, sold out")


def test_reviews(context):
    assert shop.reviews(context(), "tent").text == (
        "4.0/5 Mavenlo tent\n5/5 Up in five minutes alone\n"
        "4/5 Dry through a stormy night\n3/5 Hard to get back in the bag"
    )
    assert "一个人五分钟搭好" in shop.reviews(context("zh"), "帐篷").text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_card_fits_the_lens(language, context):
    for product in demo().products.values():
        name, kind = product.name(language), product.kind[language]
        for action in (shop.price, shop.reviews, shop.buy):
            assert wrapped(action(context(language), name).text, language) <= LINES
        for action in (shop.search, shop.cheapest):
            reply = action(kind, context(language))
            assert wrapped(reply.text, language) <= LINES
            assert columns(reply.title) <= LENS // 2


def test_cheapest_first(context):
    ctx = context()
    assert shop.cheapest("headphones", ctx).text.startswith("$24.90 Luppo headphones\n$59.00 ")
    assert "Luppo" in shop.price(ctx).text


# --- follow-ups


def test_it_is_the_product_shown_last(context):
    ctx = context()
    shop.search("headphones", ctx)
    assert shop.price(ctx).text.startswith("$129.00 Quovia headphones")
    assert shop.price(ctx, "it").text == shop.price(ctx).text
    assert shop.another(ctx).text.startswith("$59.00 Ondiko headphones")
    assert shop.reviews(ctx).text.startswith("4.0/5 Ondiko headphones")
    assert shop.another(ctx).text.startswith("$24.90 Luppo headphones")
    assert shop.another(ctx).text == "That was the last one."
    assert shop.buy(ctx).text.splitlines()[1] == "$24.90 Luppo headphones"
    assert shop.another(ctx, "first").text.startswith("$129.00 Quovia")
    assert shop.another(ctx, "fourth").text == "That was the last one."


def test_nothing_found_keeps_what_was_shown(context):
    ctx = context()
    shop.search("tent", ctx)
    assert shop.search("spaceship", ctx).text == 'No "spaceship" here.'
    assert "tent" in shop.price(ctx).text


def test_it_before_anything_was_shown_is_a_question(context):
    for action in (shop.price, shop.reviews, shop.another, shop.buy):
        assert action(context()).text.startswith("Which product?")
        assert action(context("zh")).text.startswith("您说的是哪个商品？")


def test_memories_are_apart(context):
    ours, theirs = context(), context()
    shop.search("tent", ours)
    assert shop.price(theirs).text.startswith("Which product?")


def test_buying_is_declined_with_the_price(context):
    reply = shop.buy(context(), "teddy bear")
    assert type(reply).__name__ == "Reply"
    assert reply.text.startswith("I can't place orders here.\n$24.00 Luppo teddy bear")


def test_only_an_order_moves_money(installed):
    changing = {"add_to_list", "remove_from_list", "clear_list"}
    changing |= {"put_in_basket", "take_out", "empty_basket", "open_basket"}
    for name, action in installed.actions.items():
        name = name.removeprefix("shop.")
        risk = "money" if name in ("buy", "order") else "change" if name in changing else "none"
        assert action.declaration.risk == risk, name
    assert {
        name: set(action.declaration.permissions)
        for name, action in installed.actions.items()
        if action.declaration.permissions
    } == {
        "shop.buy": {"money", "network"},
        "shop.order": {"money", "network"},
        "shop.order_status": {"money", "network"},
        "shop.open_basket": {"network", "personal"},
        "shop.scan": {"camera"},
        "shop.read_package": {"camera"},
    }


# --- the shopping list


def test_what_is_put_on_the_list_is_there_after_a_restart(context, tmp_path):
    ctx = context()
    assert shop.show_list(ctx).text == "Your shopping list is empty."
    reply = shop.add_to_list("some milk", ctx)
    assert (reply.title, reply.text) == ("Shopping list", "Added: milk\n1 on the list")
    shop.add_to_list("Eggs", ctx)
    assert shop.show_list(context()).text == "milk\nEggs"
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_thing_is_on_the_list_once(context):
    ctx = context()
    shop.add_to_list("eggs", ctx)
    assert shop.add_to_list("the Egg", ctx).text == "Already on it: eggs\n1 on the list"
    assert shop.show_list(ctx, "an egg").text.startswith("On the list: eggs")
    assert shop.show_list(ctx, "milk").text.startswith("Not on the list: milk")


def test_quantities_are_added_and_taken_away(context, tmp_path):
    ctx, ours = context(), ShoppingList(tmp_path)
    shop.add_to_list("2 apples and milk", ctx)
    assert shop.add_to_list("three apples", ctx).text.startswith("Added: 5 apples")
    assert shop.add_to_list("apples", ctx).text.startswith("Already on it: 5 apples")
    shop.add_to_list("two milk", ctx)
    assert ours.items() == ["5 apples", "2 milk"]
    reply = shop.remove_from_list("2 apples", ctx)
    assert reply.text.splitlines()[1] == "Left: 3 apples"
    assert ours.items() == ["3 apples", "2 milk"]
    reply.undo()
    assert ours.items() == ["5 apples", "2 milk"]
    shop.remove_from_list("apples", ctx)
    shop.add_to_list("两瓶酱油", context("zh"))
    assert shop.add_to_list("三瓶酱油", context("zh")).text.startswith("已添加：5瓶酱油")
    assert ours.items() == ["2 milk", "5瓶酱油"]


def test_how_many_were_said_is_kept_whoever_reads_the_sentence(ask):
    ask("add 3 apples to my shopping list").shows("Added: 3 apples")
    ask("add two apples to my shopping list").shows("Added: 5 apples")


def test_a_thing_is_taken_off(context):
    ctx = context()
    for item in ("milk", "apples", "tea"):
        shop.add_to_list(item, ctx)
    assert shop.remove_from_list("apple", ctx).text == "Off the list: apples\n2 on the list"
    assert shop.remove_from_list("apple", ctx).text == "Not on the list: apple\n2 on the list"
    assert shop.show_list(ctx).text == "milk\ntea"


@pytest.mark.parametrize(
    ("one", "many", "same"),
    [
        ("egg", "eggs", True),
        ("berry", "berries", True),
        ("cookie", "cookies", True),
        ("peach", "peaches", True),
        ("case", "cases", True),
        ("tomato", "tomatoes", True),
        ("牛奶", "一瓶牛奶", True),
        ("pea", "pear", False),
        ("glass", "glas", False),
        ("tea", "team", False),
    ],
)
def test_one_and_many_are_the_same_thing(one, many, same, tmp_path):
    ours = ShoppingList(tmp_path)
    ours.add(many)
    assert (ours.find(one) is not None) == same


@pytest.mark.parametrize(
    ("text", "things"),
    [
        ("milk, eggs and bread", ["milk", "eggs", "bread"]),
        ("milk, eggs, and bread", ["milk", "eggs", "bread"]),
        ("milk and eggs", ["milk", "eggs"]),
        ("2 apples and 3 lemons", ["2 apples", "3 lemons"]),
        ("dragon fruit, saffron and sumac", ["dragon fruit", "saffron", "sumac"]),
        ("milk, milk and Milk", ["milk"]),
        ("1,5 kg of rice, milk", ["1,5 kg of rice", "milk"]),
        ("mac and cheese", ["mac and cheese"]),
        ("ben and jerry's", ["ben and jerry's"]),
        ("milk, eggs and mac and cheese", ["milk", "eggs", "mac and cheese"]),
        ("salt and vinegar chips", ["salt and vinegar chips"]),
        ("johnson and johnson", ["johnson and johnson"]),
        ("牛奶、鸡蛋和面包", ["牛奶", "鸡蛋", "面包"]),
        ("牛奶，鸡蛋，面包", ["牛奶", "鸡蛋", "面包"]),
        ("牛奶和鸡蛋", ["牛奶", "鸡蛋"]),
        ("牛奶 鸡蛋", ["牛奶", "鸡蛋"]),
        ("牛奶、和牛", ["牛奶", "和牛"]),
        ("可乐和薯条", ["可乐和薯条"]),
        (", , and", ["and"]),
        ("", []),
    ],
)
def test_several_things_in_one_sentence(text, things):
    often = groceries()
    assert shopping_list.split(text, [*often, *often.values()]) == things


def test_several_things_are_put_on_taken_off_and_looked_up(context, tmp_path):
    ctx = context()
    ours = ShoppingList(tmp_path)
    first = shop.add_to_list("milk, eggs and saffron", ctx)
    assert first.text == "Added: milk, eggs, saffron\n3 on the list"
    again = shop.add_to_list("eggs, tea", ctx)
    assert again.text == "Added: tea\nAlready on it: eggs\n4 on the list"
    assert shop.show_list(ctx, "milk and wine").text.splitlines()[:2] == [
        "On the list: milk",
        "Not on the list: wine",
    ]
    off = shop.remove_from_list("milk, saffron and wine", ctx)
    assert off.text.splitlines()[:2] == ["Off the list: milk, saffron", "Not on the list: wine"]
    assert ours.items() == ["eggs", "tea"]
    off.undo()
    assert ours.items() == ["milk", "eggs", "saffron", "tea"]
    reply = shop.add_to_list("苹果、香蕉", context("zh"))
    assert reply.text == "已添加：苹果、香蕉\n清单上共6样"


def test_what_is_on_the_list_as_a_whole_is_taken_off_as_a_whole(context, tmp_path):
    ShoppingList(tmp_path).add("milk, the blue one", "milk")
    shop.remove_from_list("milk, the blue one", context())
    assert ShoppingList(tmp_path).items() == ["milk"]


def test_accents_on_the_list_are_none(context, tmp_path):
    shop.add_to_list("jalapeños", context())
    assert "Already on it" in shop.add_to_list("jalapenos", context()).text
    shop.remove_from_list("jalapenos", context())
    assert ShoppingList(tmp_path).items() == []


def test_a_list_with_room_for_some_takes_some(context, tmp_path):
    ShoppingList(tmp_path).add(*(f"thing {n}" for n in range(shopping_list.MOST - 1)))
    reply = shop.add_to_list("milk, eggs", context())
    assert reply.text.startswith("Added: milk\nThe list is full.")


@pytest.mark.parametrize(
    ("said", "product"),
    [
        ("add milk, eggs and bread to my shopping list", "milk, eggs and bread"),
        ("把牛奶、鸡蛋和面包加到购物清单", "牛奶、鸡蛋和面包"),
        ("remove milk, eggs from my list.", "milk, eggs"),
    ],
)
def test_commas_reach_the_list(installed, said, product):
    router = Router(installed.actions)
    for intent in (router.route(Transcript(said)), router.exactly(Transcript(said))):
        assert isinstance(intent, Intent)
        assert intent.slots == {"product": product}


def test_it_on_the_list_is_the_product_shown(context):
    ctx = context()
    assert shop.add_to_list("it", ctx).text.startswith("Which product?")
    shop.search("kettle", ctx)
    assert shop.add_to_list("that", ctx).text.startswith("Added: Zellit kettle")
    assert shop.show_list(ctx, "it").text.startswith("On the list: Zellit kettle")


def test_a_new_list_is_an_empty_one_and_the_old_one_is_kept(context, tmp_path):
    ctx = context()
    assert shop.clear_list(ctx).text == "Your shopping list is empty."
    for item in ("milk", "tea"):
        shop.add_to_list(item, ctx)
    emptied = shop.clear_list(ctx)
    assert emptied.text == "Emptied: 2 removed."
    assert shop.show_list(ctx).text == "Your shopping list is empty."
    emptied.undo()
    assert shop.show_list(ctx).text == "milk\ntea"


def test_the_list_is_not_ordered_and_that_is_said(context):
    ctx = context()
    assert shop.buy_list(ctx).text == "Your shopping list is empty."
    shop.add_to_list("milk", ctx)
    assert shop.buy_list(ctx).text == "I can't place orders here.\nmilk"
    assert shop.show_list(ctx).text == "milk"


def test_a_chinese_list(context):
    ctx = context("zh")
    assert shop.add_to_list("一些牛奶", ctx).text == "已添加：牛奶\n清单上共1样"
    assert shop.show_list(ctx).title == "购物清单"


@pytest.mark.parametrize(
    "item",
    [
        "a\nb",
        "\x00",
        "\ud800",
        " ",
        "the",
        "x" * 10_000,
        "\u2028",
        "🎧",
        "../../etc",
        "{item}",
        "%s",
    ],
)
def test_any_text_on_the_list_is_one_short_line(item, context, tmp_path):
    reply = shop.add_to_list(item, context())
    assert len(reply.text) < 120
    items = ShoppingList(tmp_path).items()
    assert len(items) <= 1
    assert all(0 < len(one) <= shopping_list.LONGEST for one in items)
    for path in tmp_path.rglob("*"):
        assert path.name == FILE


def test_there_is_an_end_to_the_list(context, tmp_path):
    lines = "".join(f"thing {n}\n" for n in range(shopping_list.MOST))
    (tmp_path / shopping_list.NAME).write_text(lines, encoding="utf-8")
    assert shop.add_to_list("one more", context()).text.startswith("The list is full.")
    assert len(ShoppingList(tmp_path).items()) == shopping_list.MOST


def test_power_lost_while_writing_loses_nothing(context, tmp_path, monkeypatch):
    ctx = context()
    shop.add_to_list("milk", ctx)

    def lost(*_, **__):
        raise OSError("power is gone")

    monkeypatch.setattr(Lists, "replace", lost)
    for act in (lambda: shop.add_to_list("tea", ctx), lambda: shop.remove_from_list("milk", ctx)):
        assert act().text == "I can't save the list here."
    assert shop.clear_list(ctx).text == "I can't save the list here."
    assert ShoppingList(tmp_path).items() == ["milk"]


def test_a_folder_that_is_none_is_told(context, tmp_path):
    ctx = context()
    ctx.folder = tmp_path / "file"
    ctx.folder.touch()
    assert shop.add_to_list("milk", ctx).text == "I can't save the list here."


def test_a_list_that_another_program_wrote_is_read(context, tmp_path):
    (tmp_path / shopping_list.NAME).write_bytes(b"milk\r\n\r\n  tea \xff\n")
    assert shop.show_list(context()).text == "milk\ntea \ufffd"
    assert not (tmp_path / shopping_list.NAME).exists()  # it is taken in once
    assert ShoppingList(tmp_path).items() == ["milk", "tea \ufffd"]


@pytest.mark.parametrize(
    ("text", "action", "slots"),
    [
        ("add milk to my shopping list", "add_to_list", {"product": "milk"}),
        ("put some eggs on the grocery list", "add_to_list", {"product": "eggs"}),
        ("could you add dragon fruit to my list", "add_to_list", {"product": "dragon fruit"}),
        ("take milk off my list", "remove_from_list", {"product": "milk"}),
        ("check apples off my shopping list", "remove_from_list", {"product": "apples"}),
        ("remove the bread from my grocery list", "remove_from_list", {"product": "bread"}),
        ("what is on my shopping list", "show_list", {}),
        ("show me my shopping list", "show_list", {}),
        ("is milk on my list", "show_list", {"product": "milk"}),
        ("did i put eggs on my list", "show_list", {"product": "eggs"}),
        ("delete my shopping list", "clear_list", {}),
        ("start a new shopping list", "clear_list", {}),
        ("order everything on my shopping list", "buy_list", {}),
        ("buy my shopping list", "buy_list", {}),
        ("buy a kettle", "buy", {"product": "kettle"}),
        ("show me headphones", "search", {"product": "headphones"}),
        ("把牛奶加到购物清单", "add_to_list", {"product": "牛奶"}),
        ("购物清单加上火龙果", "add_to_list", {"product": "火龙果"}),
        ("把苹果从我的购物清单里划掉", "remove_from_list", {"product": "苹果"}),
        ("购物清单上有什么", "show_list", {}),
        ("购物清单里有没有牛奶", "show_list", {"product": "牛奶"}),
        ("清空购物清单", "clear_list", {}),
        ("新建一个购物清单", "clear_list", {}),
        ("买购物清单上的所有东西", "buy_list", {}),
    ],
)
def test_what_is_said_about_the_list(installed, text, action, slots):
    intent = Router(installed.actions).exactly(Transcript(text, language=""))
    assert isinstance(intent, Intent), text
    assert (intent.action, dict(intent.slots)) == (action, slots)
