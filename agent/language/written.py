"""What is typed in haste or written in signs, written out: "whats 5 km in mi plz", 12*12."""

from __future__ import annotations

import re

_TYPED = {
    r"(what|where|how|who|when|that|there|here|why)s": r"\1's",
    r"(do|does|did|is|are|was|were|have|has|had|could|would|should|ca)nt": r"\1n't",
    "i ?m": "i'm",
    "(i|you|we|they)ve": r"\1've",
    "(you|they)re": r"\1're",
    "(can|could|will|would|do|are) u": r"\1 you",
    "r u": "are you",
    "pl[zs]+|plse|pleas|pleease": "please",
    "th(?:an|na)?x+|tnx": "thanks",
    "rn": "right now",
    "gimme": "give me",
    "lemme": "let me",
    "gonna": "going to",
    "gotta": "have to",
    "tm+rw|tmr|tomm?or?row|tommorr?ow|tomorow": "tomorrow",
    "mins": "minutes",
    "secs": "seconds",
    "hrs": "hours",
    "bday": "birthday",
    "msgs": "messages",
    "ppl": "people",
}
"""How words are written in haste, as patterns of whole words, and what they are."""
_HASTE = [
    (re.compile(rf"\b(?:{typed})\b(?!')", re.IGNORECASE), out) for typed, out in _TYPED.items()
]


def haste(text: str) -> str:
    """Return a text with what is typed in haste written out: "whats up rn plz"."""
    for typed, out in _HASTE:
        text = typed.sub(out, text)
    return text


_UNITS = {
    "km/?h|kph|kmh": "kilometers per hour",
    "mph": "miles per hour",
    "km|kms|kilometres?": "kilometers",
    "cm|cms|centimetres?": "centimeters",
    "mm|millimetres?": "millimeters",
    "metres?": "meters",
    "ft": "feet",
    "mi": "miles",
    "yds?": "yards",
    "kgs?|kilos?": "kilograms",
    "lbs?": "pounds",
    "oz": "ounces",
    "ml|mls|millilitres?": "milliliters",
    "litres?": "liters",
    "tbsp": "tablespoons",
    "tsp": "teaspoons",
    "°? ?f|farenheit|fahrenheight": "fahrenheit",
    "°? ?c|celcius|celsuis": "celsius",
    "sq\\.? ?ft|sqft": "square feet",
    "sqm|m2": "square meters",
    "usd": "dollars",
    "eur": "euros",
    "gbp": "pounds sterling",
    "rmb|cny": "yuan",
    "jpy": "yen",
}
"""Signs of units, and other spellings, as patterns of whole words after a number or "to"."""
_AFTER = r"(?<=\d)\s*|(?<=\d )|(?<=\bto )|(?<=\bin )|(?<=\binto )|(?<=\bmany )"
_SIGNED = [
    (re.compile(rf"(?:{_AFTER})(?:{sign})(?![\w'])", re.IGNORECASE), f" {out} ")
    for sign, out in _UNITS.items()
]
_BETWEEN = {
    "en": {"+": "plus", "-": "minus", "−": "minus", "*": "times", "x": "times", "×": "times",
           "/": "divided by", "÷": "divided by", "^": "to the power of", "**": "to the power of"},
    "zh": {"+": "加", "-": "减", "−": "减", "*": "乘", "x": "乘", "×": "乘", "/": "除以",
           "÷": "除以"},
}  # fmt: skip
_SUM = re.compile(r"(?<=\d)(?P<gap>\s*)(?P<sign>\*\*|[-+*/x×÷−^])(?=\s*\d)", re.IGNORECASE)
_DATE = re.compile(
    r"\d+(?P<sign>[-/])\d+(?P=sign)\d+|(?<!\d)(?:[12]?\d|3[01])/(?:[12]?\d|3[01])(?!\s*[-+*/x×÷−^]|\d)|\d-\d\d\d"
)
"""A date or a number of a telephone: no sum."""
MOST_SIGNS = 3
"""Most signs of a sum that are read: what has more is no question that somebody asks."""
_ALONE = re.compile(r"[\d\s.,]+(?:(?:\*\*|[-+*/x×÷−^])[\d\s.,]+)+", re.IGNORECASE)
"""A sum and nothing else, which asks what it comes to."""
_PER_CENT = re.compile(r"(?<=\d)\s*[%％](?=\s|$)")
_DEGREES = re.compile(r"(华氏|摄氏)\s*([\d零一二两三四五六七八九十百点]+)\s*度")


def signs(text: str, language: str) -> str:
    """Return a text with signs read out: "12*12" is "12 times 12", "10 km" "10 kilometers"."""
    if language == "zh":
        text = _DEGREES.sub(r"\2\1度", text)
    sums = _SUM.findall(text)
    if 0 < len(sums) <= MOST_SIGNS and not _DATE.search(text):
        words = _BETWEEN["zh" if language == "zh" else "en"]
        if language != "zh" and _ALONE.fullmatch(text):
            text = f"what is {text}"
        text = _SUM.sub(lambda found: f" {words[found['sign'].lower()]} ", text)
    if language != "zh":
        text = _PER_CENT.sub(" percent", text)
        for sign, out in _SIGNED:
            text = sign.sub(out, text)
    return " ".join(text.split())
