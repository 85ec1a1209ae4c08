"""Arithmetic, by the library `simpleeval`, in decimal fractions: 0.1 plus 0.2 is 0.3."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, DecimalException, localcontext

MOST = Decimal(10) ** 30
"""Beyond this no answer is shown."""
DIGITS = 8
"""Digits that a result is shown with."""


def operations(language: str) -> dict[str, str]:
    """Return what can be said between two numbers, with the sign it stands for."""
    if language == "zh":
        plain = {"加": "+", "加上": "+", "减": "-", "减去": "-", "乘": "*", "乘以": "*",
                 "乘上": "*", "除以": "/"}  # fmt: skip
        return plain | {f"再{said}": sign for said, sign in plain.items()}
    return {
        "plus": "+", "minus": "-", "times": "*", "multiplied by": "*", "divided by": "/",
        "over": "/", "to the power of": "**",
    }  # fmt: skip


def parts(language: str) -> dict[str, float]:
    """Return what can be said for a part of a number."""
    if language == "zh":
        return {"三分之一": 1 / 3, "三分之二": 2 / 3, "四分之一": 0.25,
                "四分之三": 0.75, "五分之一": 0.2, "十分之一": 0.1}  # fmt: skip
    return {"a half": 0.5, "one half": 0.5, "a third": 1 / 3, "one third": 1 / 3,
            "two thirds": 2 / 3, "a quarter": 0.25, "one quarter": 0.25, "three quarters": 0.75,
            "a fifth": 0.2, "one fifth": 0.2, "a tenth": 0.1, "one tenth": 0.1}  # fmt: skip


def value(terms: Sequence[float], signs: Sequence[str]) -> Decimal | None:
    """Return what terms with signs between them come to; None where that is nothing."""
    from simpleeval import InvalidExpression, SimpleEval

    names = {f"n{at}": Decimal(str(term)) for at, term in enumerate(terms)}
    text = " ".join(part for pair in zip(names, [*signs, ""], strict=True) for part in pair)
    try:
        result = Decimal(SimpleEval(names=names).eval(text.strip()))
    except (InvalidExpression, DecimalException, ArithmeticError, ValueError, TypeError):
        return None
    return result if result.is_finite() and abs(result) < MOST else None


def root(term: float) -> Decimal | None:
    """Return a square root; None of what is below zero."""
    return Decimal(str(term)).sqrt() if term >= 0 else None


def short(result: Decimal, digits: int = DIGITS) -> str:
    """Return a number as it is shown: `1,234.5`, with at most so many digits after the first."""
    if result == 0:
        return "0"
    places = max(0, digits - 1 - result.adjusted())
    with localcontext() as exact:
        exact.prec = 80
        rounded = round(result, min(places, digits))
    text = f"{rounded:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
