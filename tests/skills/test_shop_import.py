"""The wearer's own catalogue: what is imported, what is left out, and how it is found."""

import gzip
import json
import os
from decimal import Decimal

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import skills.shop as shop
from agent import Context
from agent.plugins.skills import Skills
from skills.shop import commands
from skills.shop.catalogue import Catalogue
from skills.shop.importing import FILE, NotImported, import_files
from tests.pace import effort, spending

CSV = """code,name,brand,category,price,currency,rating,ratings,stock
6901234567892,Green tea 200 g,Longjing,tea,28.50,CNY,4.6,120,12
,Black tea 200 g,Keemun,tea,¥19.9,,4.1,8,
4006381333931,Pen,Stabilo,office,"1,20",EUR,,,0
"""


@pytest.fixture
def load(tmp_path):
    """Import a text as a file of a name; return the catalogue and the report."""

    def load(text, name="products.csv"):
        path = tmp_path / name
        data = text if isinstance(text, bytes) else text.encode("utf-8")
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        report = import_files([path], tmp_path / "shop")
        return Catalogue.at(tmp_path / "shop" / FILE), report

    return load


@pytest.fixture
def context(tmp_path):
    installed = Skills()
    installed.load(shop)

    def make(language="en"):
        responses = installed.actions["shop.search"].languages[language].responses
        return Context("shop", language, tmp_path / "shop", {}, responses)

    return make


def test_a_csv_file_is_imported(load):
    found, report = load(CSV)
    assert (report.kept, report.left_out) == (3, {})
    tea, black, pen = found.products.values()
    assert (tea.name("en"), tea.price, tea.currency) == (
        "Longjing Green tea 200 g",
        Decimal("28.50"),
        "CNY",
    )
    assert (tea.code, tea.rating, tea.count, tea.stock) == (
        "6901234567892",
        Decimal("4.6"),
        120,
        12,
    )
    assert (black.price, black.currency) == (Decimal("19.90"), "CNY")
    assert (pen.price, pen.currency, pen.stock) == (Decimal("1.20"), "EUR", 0)
    assert [p.name("en") for p in found.search("green tea")] == ["Longjing Green tea 200 g"]
    assert found.by_code("4006381333931") == [pen]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.txt"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_whatever_the_delimiter_and_the_name(load, name, delimiter):
    found, _ = load(f"name{delimiter}price\nTea{delimiter}5\n", name)
    assert found.search("tea")[0].price == Decimal("5.00")


def test_chinese_columns_are_known(load):
    found, _ = load("﻿条码,商品名称,品牌,价格,分类\n6901234567892,龙井绿茶,西湖,28.5元,茶叶\n")
    (tea,) = found.search("绿茶")
    assert (tea.name("zh"), tea.price, tea.currency) == ("西湖龙井绿茶", Decimal("28.50"), "CNY")


def test_json_lines_are_imported_with_reviews(load):
    row = {"name": "Kettle", "price": 36.05, "currency": "usd", "reviews": [
        {"stars": 5, "text": "fast", "zh": "快"}, {"stars": 9, "text": "x"}, "no", {"stars": 2}]}  # fmt: skip
    found, report = load(json.dumps(row) + "\n\nnot json\n[1]\n{}\n", "a.jsonl")
    assert report.kept == 1
    assert report.left_out == {"no JSON object": 2, "it has no name": 1}
    (kettle,) = found.search("kettle")
    assert (kettle.price, kettle.currency) == (Decimal("36.05"), "USD")  # no float on its way
    assert [(r.stars, dict(r.words)) for r in kettle.reviews] == [(5, {"en": "fast", "zh": "快"})]


def test_dumps_of_open_food_facts_are_imported(load):
    columns = ["code", "url", "product_name", "generic_name", "quantity", "brands", "categories_en"]
    row = [
        "0000059001270",
        "http://x",
        'Choc "dark',
        "Dark chocolate",
        "100 g",
        "Wedel,Other",
        "Snacks,Chocolates",
    ]
    found, _ = load(
        "\t".join(columns) + "\n" + "\t".join(row) + "\n", "en.openfoodfacts.org.products.csv"
    )
    (dark,) = found.search("dark chocolate")
    assert (dark.brand["en"], dark.price, dark.also) == ("Wedel", None, "Dark chocolate 100 g")
    line = {"code": "3017620422003", "product_name": "Nutella", "product_name_en": "Nutella",
            "brands": "Ferrero", "categories": "Spreads", "nutriments": {"energy": 2252.0}}  # fmt: skip
    found, _ = load(json.dumps(line), "openfoodfacts-products.jsonl.gz")
    assert found.by_code("3017620422003")[0].name("en") == "Ferrero Nutella"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no column is called name"),
        ("code,price\n1,2\n", "no column is called name"),
        ("name,price\n", "it is empty"),
        ("name\n\n\n", "it is empty"),
        ("{}\n", "it has no name"),
        (b"\x00\xff\xfe" * 50, "no column is called name"),
    ],
)
def test_what_has_no_products_changes_nothing(load, text, why, tmp_path):
    load(CSV)
    with pytest.raises(NotImported, match=why):
        load(text, "other.csv")
    assert len(Catalogue.at(tmp_path / "shop" / FILE)) == 3
    assert [path.name for path in (tmp_path / "shop").iterdir()] == [FILE]


def test_a_broken_archive_changes_nothing(load, tmp_path):
    load(CSV)
    broken = tmp_path / "b.csv.gz"
    broken.write_bytes(gzip.compress(CSV.encode() * 1000)[:-30])
    with pytest.raises(NotImported, match="cannot be imported"):
        import_files([broken], tmp_path / "shop")
    with pytest.raises(NotImported, match=r"none\.csv"):
        import_files([tmp_path / "none.csv"], tmp_path / "shop")
    assert len(Catalogue.at(tmp_path / "shop" / FILE)) == 3


def test_a_code_counts_once_and_the_file_is_the_wearer_s(load, tmp_path):
    found, report = load(CSV + "6901234567892,Copy,,,1,,,,\n")
    assert report.left_out == {"its code came before": 1}
    assert (tmp_path / "shop" / FILE).stat().st_mode & 0o777 == 0o600
    assert len(found) == 3


@pytest.mark.parametrize(
    ("price", "amount"),
    [("0", None), ("-5", None), ("1e9", None), ("nan", None), ("free", None), ("１２", "12.00"), ("", None),
     ("12.345", None), ("$9.50", "9.50"), ("9,5", "9.50"), ("￥ 7", "7.00"), ("999999999", "999999999.00")],
)  # fmt: skip
def test_a_price_is_an_amount_or_none(load, price, amount):
    found, _ = load(json.dumps({"name": "Tea", "price": price}), "a.jsonl")
    assert found.search("tea")[0].price == (None if amount is None else Decimal(amount))


@given(st.binary(max_size=300))
def test_any_file_is_imported_or_refused(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("any")
    path = folder / "any.csv"
    path.write_bytes(b"name,price\n" + data)
    try:
        import_files([path], folder)
    except NotImported:
        assert not (folder / FILE).exists()
    else:
        assert len(Catalogue.at(folder / FILE)) >= 1


def test_names_that_hide_something_are_cleaned(load):
    found, _ = load("name,price\nTea\u202egnol\u200b x,5\n")
    assert found.products[1].name("en") == "Tea gnol x"


def test_the_agent_takes_the_new_catalogue_at_once(load, context):
    load(CSV)
    ctx = context()
    reply = shop.search("tea", ctx)
    assert reply.title == "Your catalogue"[:14] or reply.title.startswith("Your catalogue")
    assert reply.text.splitlines()[0] == "¥28.50 Longjing Green tea 200 g"
    assert shop.cheapest("tea", ctx).text.splitlines()[0] == "¥19.90 Keemun Black tea 200 g"
    assert "No" in shop.search("headphones", ctx).text, "the demo is not asked any more"
    load("name,price\nRice,5\n")
    assert shop.search("rice", ctx).text.startswith("$5.00 Rice")


def test_a_damaged_catalogue_is_one_line(load, context, tmp_path):
    load(CSV)
    (tmp_path / "shop" / FILE).write_bytes(b"garbage" * 500)
    with pytest.raises(shop.shops.ShopError, match="import it again"):
        shop.search("tea", context())


def test_the_command_imports_and_forgets(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSES_DATA", str(tmp_path / "data"))
    source = tmp_path / "p.csv"
    source.write_text(CSV)

    def run(*arguments, fails=False):
        done = CliRunner().invoke(commands.shop, [str(one) for one in arguments])
        assert done.exit_code == fails, done.output
        return done.output

    assert "3 products imported" in run("import", source)
    assert "none.csv" in run("import", tmp_path / "none.csv", fails=True)
    run("forget")
    assert not (tmp_path / "data" / "shop" / FILE).exists()


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A catalogue of 100,000 products, and what the import of it cost."""
    folder = tmp_path_factory.mktemp("large")
    kinds = ["milk", "bread", "cheese", "tea", "coffee", "rice", "soup", "jam", "oil", "honey"]
    with (folder / "p.csv").open("w", encoding="utf-8") as file:
        file.write("code,name,brand,price,currency,category\n")
        for at in range(100_000):
            kind = kinds[at % 10]
            file.write(
                f"{6_900_000_000_000 + at},{kind} number {at},Brand{at % 997},{at % 90}.50,CNY,{kind}\n"
            )
    with spending() as spent:
        report = import_files([folder / "p.csv"], folder)
    assert report.kept == 100_000
    return Catalogue.at(folder / FILE), spent.yards


@pytest.mark.slow
def test_a_large_catalogue_is_imported_and_searched_fast(large):
    """20,000 products a second, and 10 ms a search: a yard is about a millisecond."""
    found, yards = large
    assert yards < 5_000  # about 1,700
    for asked in ("milk", "milk number", "brand12 tea", "number 77777", "hone", "nothing like it"):
        assert effort(lambda asked=asked: found.search(asked)) < 10, asked  # about 1.6
    assert found.search("number 77777")[0].name("en").endswith("number 77777")
    assert effort(lambda: found.by_code("6900000099999")) < 2
    assert (
        effort(lambda: found.read_off("BRAND12 TEA\nnumber 4012\nbest before 2027\n100 % organic"))
        < 40
    )


def test_progress_is_told(tmp_path):
    told = []
    path = tmp_path / "p.csv"
    path.write_text(CSV)
    import_files([path, path], tmp_path / "s", lambda done, of: told.append((done, of)))
    size = os.path.getsize(path)  # noqa: PTH202  the size alone
    assert told[-1] == (2 * size, 2 * size)
    assert told == sorted(told)
