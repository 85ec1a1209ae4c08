"""The wearer's own catalogue, imported from files: CSV, JSON Lines, or a dump of Open Food Facts.

    glasses shop import products.csv more.jsonl.gz

A file of either kind may be compressed with gzip. Columns or keys are known by their usual names in
English and Chinese (`NAMES`); Open Food Facts' are among them, so its dumps need nothing else. What
cannot be used is left out and counted. The catalogue is written beside the old one and takes
its place when it is whole: an import that ends early has changed nothing.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from agent import private
from agent.errors import GlassesError
from agent.language.world import world_text
from skills.shop.catalogue import INDEX, SCHEMA, VERSION, fill
from skills.shop.product import MOST_REVIEWS, Product, Review, Words

FILE = "products.sqlite"
"""Name of the catalogue in the skill's folder."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "code": ("code", "barcode", "ean", "gtin", "upc", "条码", "条形码", "商品条码"),
    "name": ("name", "product_name", "title", "product", "名称", "品名", "商品名称", "标题"),
    "name_en": ("name_en", "product_name_en"),
    "name_zh": ("name_zh", "product_name_zh", "中文名", "中文名称"),
    "brand": ("brand", "brands", "品牌"),
    "group": ("category", "categories_en", "main_category_en", "categories", "分类", "类别"),
    "also": ("keywords", "generic_name", "description", "关键词", "描述"),
    "size": ("quantity", "size", "规格"),
    "price": ("price", "价格", "售价", "单价"),
    "currency": ("currency", "币种", "货币"),
    "stock": ("stock", "库存"),
    "rated": ("rating", "stars", "评分"),
    "ratings": ("ratings", "rating_count", "review_count", "评价数", "评论数"),
    "reviews": ("reviews", "评价", "评论"),
}
"""What a column or key may be called, the likeliest first."""

LONGEST_LINE = 4 * 1024 * 1024
"""Most characters of one line; a product of Open Food Facts has up to some hundred thousand."""

_DECODER = json.JSONDecoder(parse_float=str)
_DIGITS = re.compile("[0-9]{1,9}")
_CURRENCY = re.compile("[A-Z]{3}")
_CENT = Decimal("0.01")
_PRICE = re.compile(r"[^\d-]{0,4}?(\d{1,9}(?:[.,]\d{1,2})?)\s*[^\d-]{0,4}")
_SIGNS = {"¥": "CNY", "￥": "CNY", "元": "CNY", "$": "USD", "€": "EUR", "£": "GBP"}


class NotImported(GlassesError):
    """Nothing was imported: the message names the file and says why."""


@dataclass(slots=True)
class Report:
    """What became of an import."""

    kept: int = 0
    """Products that are in the catalogue now."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Rows that are not, by reason."""

    def __str__(self) -> str:
        lines = [f"{self.kept:,} products imported"]
        lines += [f"{count:,} left out: {why}" for why, count in self.left_out.most_common()]
        return "\n".join(lines)


def import_files(
    paths: Sequence[Path],
    folder: Path,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Report:
    """Make the catalogue in `folder` of these files; `progress` is told bytes read, of how many.

    Raises NotImported where a file cannot be read, has no products, or nothing can be written; the
    catalogue that was there before is still there then.
    """
    report, place = Report(), folder / FILE
    unfinished = place.with_name(f"{FILE}.new")
    try:
        unfinished.unlink(missing_ok=True)
        with closing(sqlite3.connect(private.file(unfinished))) as base:
            # A file that is not whole is thrown away, so it need not survive a crash until the end.
            base.execute("PRAGMA journal_mode = OFF")
            base.execute("PRAGMA synchronous = OFF")
            base.executescript(SCHEMA)
            report.kept = fill(base, _products(paths, report, progress))
            base.execute(INDEX)
            base.execute(f"PRAGMA user_version = {VERSION}")
            base.commit()
        if not report.kept:
            why = "; ".join(str(report).splitlines()[1:]) or "it is empty"
            raise NotImported(f"{_listed(paths)}: no product in it ({why})")
        with unfinished.open("rb") as whole:
            os.fsync(whole.fileno())
        unfinished.replace(place)
    except (OSError, EOFError, sqlite3.Error) as error:
        said = getattr(error, "strerror", None) or error
        name = getattr(error, "filename", None) or _listed(paths)
        raise NotImported(f"{name}: cannot be imported: {said}") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return report


def _listed(paths: Sequence[Path]) -> str:
    return ", ".join(map(str, paths))


def _products(
    paths: Sequence[Path], report: Report, progress: Callable[[int, int], None]
) -> Iterator[Product]:
    """Yield the products of the files, numbered, each code once."""
    sizes = [path.stat().st_size for path in paths]
    seen: set[str] = set()
    number, before = 0, 0
    for path, size in zip(paths, sizes, strict=True):
        with path.open("rb") as raw:
            for at, values in enumerate(_rows(path, raw, report)):
                if at % 2000 == 0:
                    progress(before + min(raw.tell(), size), sum(sizes))
                product = _product(number + 1, values, report)
                if product is None:
                    continue
                if product.code:
                    if product.code in seen:
                        report.left_out["its code came before"] += 1
                        continue
                    seen.add(product.code)
                number += 1
                yield product
        before += size
    progress(before, sum(sizes))


# -- rows -----------------------------------------------------------------------------------------


def _rows(path: Path, raw: Any, report: Report) -> Iterator[Mapping[str, Any]]:
    """Yield what the rows of a file say, by the keys of NAMES."""
    zipped = path.suffix.casefold() == ".gz"
    stream: Any = gzip.GzipFile(fileobj=raw) if zipped else raw
    text = io.TextIOWrapper(stream, "utf-8-sig", errors="replace", newline="")
    try:
        first = text.readline(LONGEST_LINE)
        if first.lstrip().startswith("{"):
            yield from _of_json(first, text, report)
        else:
            yield from _of_csv(path, first, text, report)
    finally:
        text.detach()  # the file is its caller's to close


def _of_json(first: str, text: io.TextIOWrapper, report: Report) -> Iterator[Mapping[str, Any]]:
    line = first
    while line:
        if line.strip():
            try:
                values = _DECODER.decode(line.strip())
            except (ValueError, RecursionError):
                values = None
            if isinstance(values, dict):
                yield _named(values)
            else:
                report.left_out["no JSON object"] += 1
        line = text.readline(LONGEST_LINE)


def _named(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what an object says, by the keys of NAMES."""
    found = {}
    for key, names in NAMES.items():
        for name in names:
            if name in values and values[name] not in (None, ""):
                found[key] = values[name]
                break
    return found


def _of_csv(
    path: Path, first: str, text: io.TextIOWrapper, report: Report
) -> Iterator[Mapping[str, Any]]:
    delimiter = max("\t,;", key=first.count)
    heading = next(csv.reader([first], delimiter=delimiter), [])
    columns = [name.strip().casefold() for name in heading]
    where = {
        key: columns.index(found)
        for key, names in NAMES.items()
        if (found := next((name for name in names if name in columns), None)) is not None
    }
    if not where.keys() & {"name", "name_en", "name_zh"}:
        raise NotImported(
            f"{path}: no column is called name: the first row names the columns, such as"
            " code,name,brand,price,currency"
        )
    # A dump of Open Food Facts has tabs and no quotes: one in a name would swallow what follows.
    csv.field_size_limit(LONGEST_LINE)
    at = list(where.items())
    last = max(where.values())
    if delimiter == "\t":
        reader = csv.reader(text, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    else:
        reader = csv.reader(text, delimiter=delimiter)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            report.left_out["no CSV"] += 1
            continue
        if len(row) <= last:
            if row:
                report.left_out["columns are missing"] += 1
            continue
        yield {key: row[column] for key, column in at if row[column]}


# -- one product ----------------------------------------------------------------------------------


def _product(number: int, values: Mapping[str, Any], report: Report) -> Product | None:
    name = _text(values, "name") or _text(values, "name_en") or _text(values, "name_zh")
    if not name:
        report.left_out["it has no name"] += 1
        return None
    chinese, english = _text(values, "name_zh"), _text(values, "name_en")
    kind: Words = {"en": english or name}
    if chinese or not name.isascii():
        kind = {**kind, "zh": chinese or name}
    price, sign = _price(values.get("price"))
    size = _text(values, "size", 40)
    rated = _decimal(values.get("rated"))
    return Product(
        number=number,
        brand={"en": _text(values, "brand", 80).partition(",")[0].strip()},
        kind=kind,
        group={"en": _text(values, "group", 120)},
        also=f"{_text(values, 'also', 120)} {size}".strip(),
        price=price,
        stock=_whole(values.get("stock")),
        reviews=_reviews(values.get("reviews")),
        currency=_currency(_text(values, "currency", 8)) or sign or "USD",
        code=_code(values.get("code")),
        rated=rated if rated is not None and 0 < rated <= 5 else None,
        ratings=_whole(values.get("ratings")) or 0,
        shop="own",
    )


def _text(values: Mapping[str, Any], key: str, longest: int = 120) -> str:
    found = values.get(key)
    if found is None:
        return ""
    if isinstance(found, list):
        found = ", ".join(str(one) for one in found[:5])
    return world_text(found, longest)


def _price(value: Any) -> tuple[Decimal | None, str]:
    """Return an amount above zero and the currency its sign is of, as far as there are any."""
    if value is None or isinstance(value, bool):
        return None, ""
    text = str(value).strip()[:40]
    found = _PRICE.fullmatch(text)
    if found is None:
        return None, ""
    sign = ""
    if found[1] != text:
        sign = next((code for sign, code in _SIGNS.items() if sign in text), "")
    amount = Decimal(found[1].replace(",", "."))
    return (amount.quantize(_CENT), sign) if amount > 0 else (None, "")


def _currency(text: str) -> str:
    if not text:
        return ""
    upper = {"RMB": "CNY", "人民币": "CNY"}.get(text.upper(), text.upper())
    return upper if _CURRENCY.fullmatch(upper) else _SIGNS.get(text, "")


def _decimal(value: Any) -> Decimal | None:
    try:
        found = Decimal(str(value)) if value is not None else None
    except InvalidOperation:
        return None
    return round(found, 1) if found is not None and found.is_finite() else None


def _whole(value: Any) -> int | None:
    text = str(value).strip() if value is not None else ""
    return int(text) if _DIGITS.fullmatch(text) else None


def _code(value: Any) -> str:
    """Return the digits of a bar code as cameras read them: 13 of them, or 8."""
    digits = str(value).strip() if value is not None else ""
    if not (digits.isascii() and digits.isdigit()):
        return ""
    if len(digits) == 8:
        return digits
    digits = digits.lstrip("0") if len(digits) > 13 else digits
    return digits.zfill(13) if 9 <= len(digits) <= 13 else ""


def _reviews(value: Any) -> tuple[Review, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(filter(None, map(_review, value[:MOST_REVIEWS])))


def _review(value: Any) -> Review | None:
    if not isinstance(value, dict):
        return None
    stars = _whole(value.get("stars", value.get("rating")))
    words = world_text(value.get("text", value.get("en", "")))
    chinese = world_text(value.get("zh", ""))
    if stars is None or not 1 <= stars <= 5 or not (words or chinese):
        return None
    return Review(stars, {"en": words or chinese, **({"zh": chinese} if chinese else {})})
