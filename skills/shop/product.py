"""A product as the shop knows it, whatever shop it is of, and how its price is written.

Names, brands and reviews are text from the world, save those of the demo: shown, never followed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

Words = Mapping[str, str]
"""One text in several languages, by ISO 639-1 code; `en` is always there."""

MOST_REVIEWS = 50
"""Most reviews that are kept of a product."""

_EMPTY: Words = {"en": ""}
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Review:
    """What one buyer says."""

    stars: int
    """1 … 5."""
    words: Words
    """One short text."""


@dataclass(frozen=True, slots=True)
class Product:
    """One thing on the shelf."""

    number: int
    """Its number in the catalogue, from 1; 0 in a shop that is asked over the network."""
    brand: Words
    """Who makes it; may be empty."""
    kind: Words
    """What it is, in the words people say: `running shoes`; its name where a shop has only that."""
    group: Words
    """Department: `sports`; may be empty."""
    also: str
    """Other words it is found by, in any language."""
    price: Decimal | None
    """In `currency`; None where it is not known."""
    stock: int | None
    """Pieces left; None where it is not known."""
    reviews: tuple[Review, ...] = ()
    """Newest first."""
    currency: str = "USD"
    """ISO 4217 code."""
    code: str = ""
    """EAN-13 or EAN-8 digits; empty where there is none."""
    rated: Decimal | None = None
    """Mean of the stars as the shop says, where it gives no reviews."""
    ratings: int = 0
    """How many stars that mean is of."""
    shop: str = "demo"
    """Which shop has it."""
    place: str = ""
    """What that shop calls it, where it is not a number of ours."""

    def name(self, language: str) -> str:
        """Return brand and kind, joined as the language joins words."""
        brand, kind = of(self.brand, language), of(self.kind, language)
        if not brand or brand.casefold() in kind.casefold():
            return kind
        return f"{brand}{'' if language == 'zh' else ' '}{kind}"

    @property
    def rating(self) -> Decimal | None:
        """Mean of the stars, to one decimal; None where nobody gave any."""
        if self.reviews:
            return _mean(sum(review.stars for review in self.reviews), len(self.reviews))
        return self.rated

    def record(self) -> dict[str, Any]:
        """Return it in plain values, without what is the same for most."""
        values: dict[str, Any] = {"kind": self.kind, "shop": self.shop}
        if self.brand["en"]:
            values["brand"] = self.brand
        if self.group["en"]:
            values["group"] = self.group
        if self.also:
            values["also"] = self.also
        if self.code:
            values["code"] = self.code
        if self.place:
            values["place"] = self.place
        if self.price is not None:
            values["price"] = [str(self.price), self.currency]
        if self.stock is not None:
            values["stock"] = self.stock
        if self.rated is not None:
            values["rated"] = [str(self.rated), self.ratings]
        if self.reviews:
            values["reviews"] = [[one.stars, one.words] for one in self.reviews]
        return values

    def bare(self) -> Product:
        """Return it without its reviews, for a memory that should stay small."""
        return replace(self, reviews=(), rated=self.rating, ratings=self.count)

    @property
    def count(self) -> int:
        """How many people gave stars."""
        return len(self.reviews) or self.ratings


def of_record(number: int, values: Mapping[str, Any]) -> Product:
    """Return the product that a record is of."""
    price, currency = values.get("price", (None, "USD"))
    rated, ratings = values.get("rated", (None, 0))
    return Product(
        number=number,
        brand=values.get("brand", _EMPTY),
        kind=values["kind"],
        group=values.get("group", _EMPTY),
        also=values.get("also", ""),
        price=None if price is None else Decimal(price),
        stock=values.get("stock"),
        reviews=tuple(Review(stars, words) for stars, words in values.get("reviews", ())),
        currency=currency,
        code=values.get("code", ""),
        rated=None if rated is None else Decimal(rated),
        ratings=ratings,
        shop=values["shop"],
        place=values.get("place", ""),
    )


def to_json(product: Product) -> str:
    """Return its record as JSON."""
    return _ENCODER.encode(product.record())


def of(words: Words, language: str) -> str:
    """Return a text in a language, in English where there is none."""
    return words.get(language) or words["en"]


def money(amount: Decimal | None, currency: str, language: str) -> str:
    """Write an amount with its currency as the language does; a dash where it is not known."""
    if amount is None:
        return "–"
    if language == "zh":
        unit = {"CNY": "元", "USD": "美元", "EUR": "欧元"}.get(currency)
        return f"{amount}{unit}" if unit else f"{amount} {currency}"
    sign = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£"}.get(currency)
    return f"{sign}{amount}" if sign else f"{amount} {currency}"


def _mean(stars: int, count: int) -> Decimal:
    return (Decimal(stars) / count).quantize(Decimal("0.1"))
