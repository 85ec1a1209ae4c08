"""What can be said for a product, and what is meant by "it"."""

from __future__ import annotations

from typing import Annotated, Literal

from agent import OneOf
from skills.shop import demo
from skills.shop.shopping_list import groceries

IT = frozenset(
    ("it", "that", "this", "they", "them", "these", "those", "that one", "this one",
     "它", "这个", "那个", "这件", "那件")
)  # fmt: skip
PLACES = ("first", "second", "third", "fourth")


def goods(language: str) -> list[str]:
    """Return what speech listens for on a shopping list: groceries, then what the shop has."""
    often = groceries()
    return list(
        dict.fromkeys([*(often.values() if language == "zh" else often), *demo.kinds(language)])
    )


ProductName = Annotated[str, OneOf(demo.kinds, open=True)]
Goods = Annotated[str, OneOf(goods, open=True)]
Place = Literal["first", "second", "third", "fourth"]


def is_pronoun(product: str | None) -> bool:
    """Say whether the product shown last is meant."""
    return product is None or product.strip().casefold() in IT
