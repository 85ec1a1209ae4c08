"""The demo catalogue: invented products, searched with SQLite's FTS5.

`catalogue.jsonl` is ours from the first brand to the last review; nothing in it can be bought. One
line is one product. The index is built in memory on first use, in a few milliseconds.
"""

from __future__ import annotations

import difflib
import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from agent.skill.data import Row, rows

FILE = Path(__file__).with_name("catalogue.jsonl")
LANGUAGES = ("en", "zh")

Words = Mapping[str, str]
"""One text in several languages, by ISO 639-1 code; `en` is always there."""

_CHINESE = "\u3400-\u9fff\uf900-\ufaff"
_TERMS = re.compile(rf"[{_CHINESE}]+|[^\W_{_CHINESE}]+")
_MEASURE = re.compile(r"一[个双件条只副瓶本把台盒些款]|[的了吗呢]")
_LONGEST_QUERY = 200
_MOST_TERMS = 8
_STOP = frozenset(
    ("a", "an", "the", "some", "any", "me", "my", "i", "for", "of", "with", "in", "on", "and", "or",
     "to", "please", "good", "best", "nice", "new", "pair", "s")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Review:
    """What one buyer says; invented, like everything here."""

    stars: int
    """1 … 5."""
    words: Words
    """One short sentence."""


@dataclass(frozen=True, slots=True)
class Product:
    """One thing on the shelf."""

    number: int
    """Line in the catalogue, from 1."""
    brand: Words
    """Who makes it."""
    kind: Words
    """What it is, in the words people say: `running shoes`."""
    group: Words
    """Department: `sports`."""
    also: str
    """Other words it is found by, in any language."""
    price: Decimal
    """US dollars."""
    stock: int
    """Pieces left."""
    reviews: tuple[Review, ...]
    """Newest first."""

    def name(self, language: str) -> str:
        """Return brand and kind, joined as the language joins words."""
        space = "" if language == "zh" else " "
        return f"{of(self.brand, language)}{space}{of(self.kind, language)}"

    @property
    def rating(self) -> Decimal:
        """Mean of the stars, to one decimal."""
        stars = sum(review.stars for review in self.reviews)
        return (Decimal(stars) / len(self.reviews)).quantize(Decimal("0.1"))


def of(words: Words, language: str) -> str:
    """Return a text in a language, in English where there is none."""
    return words.get(language, words["en"])


class Catalogue:
    """Products and their full-text index. Safe to use from several threads."""

    def __init__(self, products: Iterable[Product]) -> None:
        """Build the index in memory."""
        self.products = {product.number: product for product in products}
        # Actions run in worker threads; SQLite itself serialises calls on one connection.
        self._index = sqlite3.connect(":memory:", check_same_thread=False)
        self._index.execute(
            "CREATE VIRTUAL TABLE shelf USING fts5"
            "(kind, brand, also, department, tokenize = 'porter unicode61')"
        )
        self._index.executemany(
            "INSERT INTO shelf(rowid, kind, brand, also, department) VALUES (?, ?, ?, ?, ?)",
            [(p.number, *map(_spaced, _indexed(p))) for p in self.products.values()],
        )

    def search(self, text: str) -> list[Product]:
        """Return the products that all words of the text fit, best first.

        Whole words first, beginnings of words only when those find nothing. Products of one kind
        stand together, the best rated first.
        """
        terms = _terms(text)
        whole = " AND ".join(_phrase(term) for term in terms)
        begun = " AND ".join(f"{_phrase(t)}*" if len(t) > 2 else _phrase(t) for t in terms)
        return self._match(whole) or self._match(begun)

    def nearest(self, text: str, language: str, limit: int = 3) -> list[str]:
        """Return names of kinds that resemble a text for which `search` finds nothing."""
        pairs = [term[i : i + 2] for term in _terms(text) for i in range(0, len(term) - 1)]
        chinese = [pair for pair in pairs if _is_chinese(pair)]
        words = [term for term in _terms(text) if not _is_chinese(term)] + chinese
        partly = self._match(" OR ".join(_phrase(word) for word in words[: 2 * _MOST_TERMS]))
        alike = difflib.get_close_matches(_folded(text), self.kinds(language), n=limit, cutoff=0.6)
        return list(dict.fromkeys([*alike, *(of(p.kind, language) for p in partly)]))[:limit]

    def kinds(self, language: str) -> list[str]:
        """Return what the products are, each kind once."""
        return list(dict.fromkeys(of(p.kind, language) for p in self.products.values()))

    def _match(self, expression: str) -> list[Product]:
        if not expression:
            return []
        rows = self._index.execute(
            "SELECT rowid FROM shelf WHERE shelf MATCH ? ORDER BY bm25(shelf, 10, 6, 3, 1)",
            (expression,),
        )
        found = [self.products[number] for (number,) in rows]
        kinds = list(dict.fromkeys(p.kind["en"] for p in found))
        return sorted(found, key=lambda p: (kinds.index(p.kind["en"]), -p.rating, p.price))


@cache
def demo() -> Catalogue:
    """Return the catalogue that ships with the skill, read on first use. Raises DataError."""
    return Catalogue(products(FILE))


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


def _indexed(product: Product) -> tuple[str, str, str, str]:
    """Return the texts of a product's columns, every language in each."""
    # A Chinese name is one run of characters, so it is searched as one phrase: keep it whole.
    also = f"{product.also} {product.name('zh')}"
    return _all(product.kind), _all(product.brand), also, _all(product.group)


def _terms(text: str) -> list[str]:
    words = _TERMS.findall(_MEASURE.sub(" ", _folded(text)))
    return [word for word in words if word not in _STOP][:_MOST_TERMS]


def _phrase(term: str) -> str:
    # Terms are letters and digits only, so nothing in them can end the quotes.
    return f'"{_spaced(term).strip()}"'


def _spaced(text: str) -> str:
    """Return the text with Chinese characters apart: each becomes a token of the index."""
    return re.sub(f"[{_CHINESE}]", r" \g<0> ", _folded(text))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text[:_LONGEST_QUERY]).casefold()


def _all(words: Words) -> str:
    return " ".join(words.values())


def _is_chinese(term: str) -> bool:
    return re.match(f"[{_CHINESE}]", term) is not None
