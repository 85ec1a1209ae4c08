"""The demo shop: invented products, for trying the shop before any is connected.

`catalogue.jsonl` is ours from the first brand to the last review; nothing in it can be bought. One
line is one product.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from agent.skill.data import Row, rows
from skills.shop.catalogue import Catalogue
from skills.shop.product import Product, Review, Words

FILE = Path(__file__).with_name("catalogue.jsonl")
LANGUAGES = ("en", "zh")


@cache
def demo() -> Catalogue:
    """Return the catalogue that ships with the skill, read on first use. Raises DataError."""
    return Catalogue(products(FILE))


@cache
def kinds(language: str) -> list[str]:
    """Return what the demo's products are, each kind once."""
    return demo().kinds(language)


def products(path: Path) -> list[Product]:
    """Read a catalogue, one product a line. Raises DataError."""
    found: list[Product] = []
    names: set[str] = set()
    for number, row in enumerate(rows(path), start=1):
        product = _product(number, row)
        mine = {product.name(language) for language in LANGUAGES}
        if taken := mine & names:
            raise row.wrong(f"another product is called {min(taken)}: choose another name")
        names |= mine
        found.append(product)
    return found


def _product(number: int, row: Row) -> Product:
    row.only("brand", "kind", "group", "also", "price", "stock", "reviews")
    return Product(
        number=number,
        brand=_words(row.inside("brand")),
        kind=_words(row.inside("kind")),
        group=_words(row.inside("group")),
        also=row.text("also"),
        price=row.money("price"),
        stock=row.whole("stock", 0, 1_000_000),
        reviews=tuple(
            Review(review.whole("stars", 1, 5), _words(review, "stars"))
            for review in row.rows("reviews")
        ),
    )


def _words(row: Row, *others: str) -> Words:
    """Return a text in every language."""
    row.only(*LANGUAGES, *others)
    return {language: row.text(language) for language in LANGUAGES}
