"""Catalogues: products in SQLite, searched with its full-text index FTS5.

The demo's is built in memory on first use; the wearer's own is a file that `importing` writes.
A search looks at so many hits at most and ranks those, so that it takes a few milliseconds however
large the catalogue is.
"""

from __future__ import annotations

import difflib
import json
import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from agent import private
from skills.shop.product import Product, of, of_record, to_json

RANKED = 800
"""Most hits that are ranked."""
MOST = 40
"""Most products that a search returns."""

SCHEMA = """
CREATE TABLE products (number INTEGER PRIMARY KEY, code TEXT, record TEXT NOT NULL);
CREATE VIRTUAL TABLE shelf USING fts5
    (kind, brand, also, department, content = '', tokenize = 'porter unicode61');
"""
INDEX = "CREATE INDEX by_code ON products(code) WHERE code <> ''"
VERSION = 1
"""`user_version` of the file."""

_CHINESE = "\u3400-\u9fff\uf900-\ufaff"
_TERMS = re.compile(rf"[{_CHINESE}]+|[^\W_{_CHINESE}]+")
_MEASURE = re.compile(r"一[个双件条只副瓶本把台盒些款]|[的了吗呢]")
_LETTER = re.compile(f"[{_CHINESE}]")
_LONGEST_QUERY = 200
_MOST_TERMS = 8
_STOP = frozenset(
    ("a", "an", "the", "some", "any", "me", "my", "i", "for", "of", "with", "in", "on", "and", "or",
     "to", "please", "good", "best", "nice", "new", "pair", "s")
)  # fmt: skip


class Catalogue:
    """Products and their full-text index. Safe to use from several threads."""

    def __init__(self, products: Iterable[Product]) -> None:
        """Build the index in memory."""
        # Actions run in worker threads; SQLite itself serialises calls on one connection.
        self._base = sqlite3.connect(":memory:", check_same_thread=False)
        self._base.executescript(SCHEMA)
        fill(self._base, products)
        self._base.execute(INDEX)

    @classmethod
    def at(cls, path: Path) -> Catalogue:
        """Open a file that was imported. Raises sqlite3.Error where it cannot be used."""
        found = cls.__new__(cls)
        private.close(path)
        found._base = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode=ro", uri=True, check_same_thread=False
        )
        (version,) = found._base.execute("PRAGMA user_version").fetchone()
        if version != VERSION:
            found._base.close()
            raise sqlite3.DatabaseError(f"{path} is of version {version}: import the products anew")
        return found

    @property
    def products(self) -> dict[int, Product]:
        """All of them, by number."""
        rows = self._base.execute("SELECT number, record FROM products ORDER BY number")
        return {number: of_record(number, json.loads(record)) for number, record in rows}

    def __len__(self) -> int:
        (count,) = self._base.execute("SELECT count(*) FROM products").fetchone()
        return int(count)

    def get(self, number: int) -> Product | None:
        """Return the product of a number."""
        found = self._read([number])
        return found[0] if found else None

    def by_code(self, code: str) -> list[Product]:
        """Return the products with a bar code: 8 or 13 digits."""
        rows = self._base.execute(
            "SELECT number FROM products WHERE code = ? AND code <> '' LIMIT 9", (code,)
        )
        return self._read([number for (number,) in rows])

    def search(self, text: str) -> list[Product]:
        """Return the products that all words of the text fit, best first.

        Whole words first, beginnings of words only when those find nothing. Products of one kind
        stand together, the best rated first.
        """
        terms = _terms(text)
        whole = " AND ".join(_phrase(term) for term in terms)
        begun = " AND ".join(f"{_phrase(t)}*" if len(t) > 2 else _phrase(t) for t in terms)
        return self._match(whole) or self._match(begun)

    def read_off(self, text: str, limit: int = 5) -> list[Product]:
        """Return the products that most words of a text fit, as on a package; best first.

        A package says more than a name: a product counts when a good half of its name's words
        stand there.
        """
        terms = list(dict.fromkeys(_pieces(text)))[: 5 * _MOST_TERMS]
        there = set(terms)
        near = self._match(" OR ".join(_phrase(term) for term in terms))

        def share(product: Product) -> float:
            words = {*_pieces(" ".join((*product.kind.values(), *product.brand.values())))}
            names = [{*_pieces(product.name(language))} for language in ("en", "zh")]
            return max(len(name & there) / len(name) for name in (words, *names) if name)

        return sorted((p for p in near if share(p) >= 0.6), key=lambda p: -share(p))[:limit]

    def nearest(self, text: str, language: str, limit: int = 3) -> list[str]:
        """Return names of kinds that resemble a text for which `search` finds nothing."""
        pairs = [term[i : i + 2] for term in _terms(text) for i in range(0, len(term) - 1)]
        chinese = [pair for pair in pairs if _is_chinese(pair)]
        words = [term for term in _terms(text) if not _is_chinese(term)] + chinese
        partly = self._match(" OR ".join(_phrase(word) for word in words[: 2 * _MOST_TERMS]))
        alike: list[str] = []
        if len(self) <= MOST * 10:  # else too many to compare one by one
            kinds = self.kinds(language)
            alike = difflib.get_close_matches(_folded(text), kinds, n=limit, cutoff=0.6)
        return list(dict.fromkeys([*alike, *(of(p.kind, language) for p in partly)]))[:limit]

    def kinds(self, language: str) -> list[str]:
        """Return what the products are, each kind once."""
        return list(dict.fromkeys(of(p.kind, language) for p in self.products.values()))

    def _match(self, expression: str) -> list[Product]:
        if not expression:
            return []
        hits = self._base.execute(
            "SELECT rowid, bm25(shelf, 10, 6, 3, 1) FROM shelf WHERE shelf MATCH ? LIMIT ?",
            (expression, RANKED),
        ).fetchall()
        best = sorted(hits, key=lambda hit: (hit[1], hit[0]))[:MOST]
        found = self._read([number for number, _ in best])
        kinds = {kind: at for at, kind in reversed(list(enumerate(p.kind["en"] for p in found)))}
        return sorted(found, key=lambda p: (kinds[p.kind["en"]], -(p.rating or 0), p.price or 0))

    def _read(self, numbers: list[int]) -> list[Product]:
        """Return the products of these numbers, in this order."""
        marks = ",".join("?" * len(numbers))
        rows = dict(
            self._base.execute(
                f"SELECT number, record FROM products WHERE number IN ({marks})", numbers
            ).fetchall()
        )
        return [of_record(n, json.loads(rows[n])) for n in numbers if n in rows]


def fill(base: sqlite3.Connection, products: Iterable[Product]) -> int:
    """Write products into tables made by SCHEMA; return how many that were."""
    count = 0
    for batch in _batches(products):
        base.executemany(
            "INSERT INTO products VALUES (?, ?, ?)", [(p.number, p.code, to_json(p)) for p in batch]
        )
        base.executemany(
            "INSERT INTO shelf(rowid, kind, brand, also, department) VALUES (?, ?, ?, ?, ?)",
            [(p.number, *_indexed(p)) for p in batch],
        )
        count += len(batch)
    return count


def _batches(products: Iterable[Product], size: int = 2000) -> Iterator[list[Product]]:
    batch: list[Product] = []
    for product in products:
        batch.append(product)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _indexed(product: Product) -> tuple[str, str, str, str]:
    """Return the texts of a product's columns, every language in each."""
    also = product.also
    if "zh" in product.kind:
        # A Chinese name is one run of characters, so it is searched as one phrase: keep it whole.
        also = f"{also} {product.name('zh')}"
    return (
        _spaced(" ".join(product.kind.values())),
        _spaced(" ".join(product.brand.values())),
        _spaced(also),
        _spaced(" ".join(product.group.values())),
    )


def _terms(text: str) -> list[str]:
    words = _TERMS.findall(_MEASURE.sub(" ", _folded(text)))
    return [word for word in words if word not in _STOP][:_MOST_TERMS]


def _pieces(text: str) -> list[str]:
    """Return the words of a text; of Chinese each two characters that stand together."""
    found = []
    for term in _TERMS.findall(_folded(text, 4 * _LONGEST_QUERY)):
        if _is_chinese(term) and len(term) > 2:
            found += [term[at : at + 2] for at in range(len(term) - 1)]
        elif term not in _STOP:
            found.append(term)
    return found


def _phrase(term: str) -> str:
    # Terms are letters and digits only, so nothing in them can end the quotes.
    return f'"{_spaced(term).strip()}"'


def _spaced(text: str) -> str:
    """Return the text with Chinese characters apart: each becomes a token of the index."""
    if text.isascii():
        return text  # the index folds case itself
    return _LETTER.sub(r" \g<0> ", _folded(text, 4 * _LONGEST_QUERY))


def _folded(text: str, longest: int = _LONGEST_QUERY) -> str:
    return unicodedata.normalize("NFKC", text[:longest]).casefold()


def _is_chinese(term: str) -> bool:
    return _LETTER.match(term) is not None
