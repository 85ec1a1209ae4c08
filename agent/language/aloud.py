"""What is written as it is said: sentences for a voice, each in runs of one language.

    "Bus 12 leaves at 18:30."  ─▶  en: "Bus twelve leaves at six thirty in the evening."
    "今天21°，去Blue Lagoon"     ─▶  zh: "今天二十一度，去"  en: "Blue Lagoon"

Marks of lists and links are not said, signs and units are said as words, and what no voice could
say, such as a row of symbols, is left out: nothing is left of a text of nothing else.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from agent.language import spelled
from agent.language.wording import clock, spoken_clock

MOST_CHARACTERS = 1200
"""How much of a text is said, more than a minute: the rest can be read."""
LONGEST = 240
"""Longest sentence that is said in one piece, in characters: the first sound waits for a piece."""


@dataclass(frozen=True, slots=True)
class Run:
    """Some words of a sentence that one voice says."""

    text: str
    """Words and pauses, nothing else."""
    language: str
    """`en`, `zh`, or that of the script they are in, such as `ru`."""


Sentence = tuple[Run, ...]
"""What is said in one piece."""


def sentences(text: str, language: str) -> list[Sentence]:
    """Return what is said of a text, at most `MOST_CHARACTERS` of it; nothing of mere symbols."""
    found = [runs(piece, language) for piece in pieces(text[:MOST_CHARACTERS])]
    return [one for one in found if one]


def private(text: str) -> bool:
    """Whether a text holds an amount of money or a code, which others should not hear."""
    return bool(_AMOUNT.search(_plain(text)) or (_CODE.search(text) and _SECRET.search(text)))


def whole(text: str) -> int:
    """Return how many of a growing text's characters are whole sentences, which can be said."""
    ends = [found.end() for found in _END.finditer(text)]
    return ends[-1] if ends and ends[-1] < len(text) else ends[-2] if len(ends) > 1 else 0


def pieces(text: str) -> Iterator[str]:
    """Yield a text's sentences as they are written, without markup; long ones are cut."""
    for line in _plain(text).split("\n"):
        begun = 0
        for end in [*(found.end() for found in _END.finditer(line)), len(line)]:
            piece, begun = line[begun:end].strip(), end
            while len(piece) > LONGEST:
                cut = max(map(piece[:LONGEST].rfind, ", ，、；;")) + 1 or LONGEST
                yield piece[:cut].strip()
                piece = piece[cut:].strip()
            if piece:
                yield piece


def runs(piece: str, language: str) -> Sentence:
    """Return a sentence in words, in runs of one language."""
    language = "zh" if language == "zh" else "en"
    here = _main(piece, language)
    said = _words(piece, here)
    found: list[Run] = []
    for part in re.split(_SCRIPTS, said):
        tongue = _tongue(part, here)
        if found and (tongue == found[-1].language or not _sayable(part)):
            found[-1] = Run(found[-1].text + part, found[-1].language)
        else:
            found.append(Run(part, tongue))
    tidy = (Run(re.sub(r"\s+", " ", run.text).strip(" ,，、"), run.language) for run in found)
    return tuple(run for run in tidy if _sayable(run.text))


def clauses(sentence: Sentence) -> list[Sentence]:
    """Return a sentence in two, where a clause of its first words can be said on its own."""
    if not sentence:
        return [sentence]
    first, rest = sentence[0], sentence[1:]
    found = _CLAUSE.match(first.text)
    if found is None or found.end() >= len(first.text):
        return [sentence]
    begin, after = first.text[: found.end()], first.text[found.end() :].strip()
    return [(Run(begin, first.language),), (Run(after, first.language), *rest)]


_CLAUSE = re.compile(r"[^,，;；:：]{6,60}?[,，;；:：](?=\s|[㐀-鿿])")

# -- what is not said -----------------------------------------------------------------------------

_END = re.compile(
    r"[。！？!?；…]+[”’」』)\]）]*"
    r"|(?<!\bDr)(?<!\bMr)(?<!\bMs)(?<!\bMrs)(?<!\bSt)(?<!\bvs)\.+[”’)\]]*(?=\s|$)|\n+"
)
"""The end of a sentence: a full stop only before a space, so that 3.5 has none."""
_MARKUP: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\x1b\[[0-9;?]*[A-Za-z]"), ""),  # what colours a terminal
    (re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)"), r"\1"),  # a link, a picture
    (re.compile(r"\b(?:https?|ftp|mailto)://\S+|\bwww\.\S+"), " "),
    (re.compile(r"<[/!?a-zA-Z][^<>\n]{0,200}>"), " "),
    (re.compile(r"^[ ]*(?:#{1,6}|>+|[-*+•·▪◦‣–—])[ ]+", re.M), ""),  # heading, quotation, list
    (re.compile(r"^[ ]*(?:[-*_=~|+:]{3,}[ ]*)+$", re.M), ""),  # a rule
    (re.compile(r"[*_~`]+(?=\S)|(?<=\S)[*_~`]+|`+"), ""),
    (re.compile(r"[ ]*[|\t]+[ ]*"), ", "),
    (re.compile(r"[“”\"«»„‹›「」『』《》〈〉【】\[\]{}()（）]"), " "),
)


def _plain(text: str) -> str:
    """Return a text without markup and without what cannot be seen."""
    text = text.translate(_WIDTHS).replace("\r\n", "\n").replace("\r", "\n")
    for pattern, instead in _MARKUP:
        text = pattern.sub(instead, text)
    kept = "\n\t"
    return "".join(c if c in kept or unicodedata.category(c)[0] != "C" else "" for c in text)


_WIDTHS = str.maketrans("０１２３４５６７８９：％￥＄．", "0123456789:%¥$.")

# -- which language -------------------------------------------------------------------------------

_OTHERS = {
    "ja": "\u3040-\u30ff", "ko": "\uac00-\ud7af\u1100-\u11ff", "ru": "\u0400-\u04ff",
    "el": "\u0370-\u03ff", "he": "\u0590-\u05ff", "ar": "\u0600-\u06ff", "hi": "\u0900-\u097f",
    "th": "\u0e00-\u0e7f",
}  # fmt: skip
_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
_SCRIPTS = re.compile(
    "(" + "|".join(
        f"[{letters}][{letters}\\s]*"
        for letters in ("\u3400-\u9fff\uf900-\ufaff", "A-Za-z\u00c0-\u024f'’\\-", *_OTHERS.values())
    ) + ")"
)  # fmt: skip


def _main(piece: str, language: str) -> str:
    """Return the language that a sentence's numbers are said in."""
    if re.search(r"[A-Za-z\u00c0-\u024f]{3}", piece) and not _HAN.search(piece):
        return "en"
    latin = re.search(r"[A-Za-z]{2}", _UNITS_ALONE.sub("", piece))
    return "zh" if _HAN.search(piece) and (language == "zh" or not latin) else language


def _tongue(part: str, here: str) -> str:
    if _HAN.search(part):
        return "zh"
    if letters := _LATIN.findall(part):
        return here if here == "zh" and len(letters) == 1 else "en"  # A座
    for language, ranges in _OTHERS.items():
        if re.search(f"[{ranges}]", part):
            return language
    return here


def _sayable(part: str) -> bool:
    return any(c.isalnum() for c in part)


# -- numbers, money, times, units -----------------------------------------------------------------

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_MINUS = r"(?P<minus>(?<![\w)\d])[-−])?"
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" if name != "May" else name for name in _MONTHS)

_MONEY = {
    "$": ("dollar", "美元", "cent"), "US$": ("US dollar", "美元", "cent"),
    "USD": ("dollar", "美元", "cent"), "HK$": ("Hong Kong dollar", "港元", "cent"),
    "HKD": ("Hong Kong dollar", "港元", "cent"), "NT$": ("Taiwan dollar", "新台币", "cent"),
    "TWD": ("Taiwan dollar", "新台币", "cent"), "A$": ("Australian dollar", "澳元", "cent"),
    "AUD": ("Australian dollar", "澳元", "cent"), "CAD": ("Canadian dollar", "加元", "cent"),
    "SGD": ("Singapore dollar", "新加坡元", "cent"), "NZD": ("New Zealand dollar", "纽元", "cent"),
    "¥": ("yuan", "元", ""), "CNY": ("yuan", "元", ""), "RMB": ("yuan", "元", ""),
    "€": ("euro", "欧元", "cent"), "EUR": ("euro", "欧元", "cent"),
    "£": ("pound", "英镑", "pence"), "GBP": ("pound", "英镑", "pence"),
    "JP¥": ("yen", "日元", ""), "JPY": ("yen", "日元", ""), "KRW": ("won", "韩元", ""),
    "₩": ("won", "韩元", ""), "CHF": ("Swiss franc", "瑞士法郎", ""),
    "INR": ("rupee", "卢比", ""), "₹": ("rupee", "卢比", ""), "THB": ("baht", "泰铢", ""),
}  # fmt: skip
"""Sign or code: what it is called in English, in Chinese, and its hundredth in English."""
_SAME = ("yuan", "yen", "won", "baht", "pence", "hertz", "degrees Celsius", "degrees Fahrenheit",
         "percent", "feet", "inches", "per hour", "per second")  # fmt: skip
"""Names, or ends of names, that have no other plural."""

_UNITS = {
    "km/h": ("kilometre per hour", "公里每小时"), "m/s": ("metre per second", "米每秒"),
    "mph": ("mile per hour", "英里每小时"),
    "°C": ("degrees Celsius", "摄氏度"), "℃": ("degrees Celsius", "摄氏度"),
    "°F": ("degrees Fahrenheit", "华氏度"), "℉": ("degrees Fahrenheit", "华氏度"),
    "°": ("degree", "度"), "km": ("kilometre", "公里"), "cm": ("centimetre", "厘米"),
    "mm": ("millimetre", "毫米"), "m²": ("square metre", "平方米"), "m": ("metre", "米"),
    "kg": ("kilogram", "公斤"), "mg": ("milligram", "毫克"), "g": ("gram", "克"),
    "ml": ("millilitre", "毫升"), "mL": ("millilitre", "毫升"), "l": ("litre", "升"),
    "L": ("litre", "升"), "min": ("minute", "分钟"), "h": ("hour", "小时"), "s": ("second", "秒"),
    "ms": ("millisecond", "毫秒"), "GB": ("gigabyte", "G B"), "MB": ("megabyte", "兆"),
    "kWh": ("kilowatt hour", "千瓦时"), "W": ("watt", "瓦"), "V": ("volt", "伏"),
    "Hz": ("hertz", "赫兹"), "kHz": ("kilohertz", "千赫"), "hPa": ("hectopascal", "百帕"),
    "lb": ("pound", "磅"), "oz": ("ounce", "盎司"), "ft": ("feet", "英尺"), "mi": ("mile", "英里"),
    "kcal": ("kilocalorie", "千卡"),
}  # fmt: skip
_UNIT = "|".join(map(re.escape, sorted(_UNITS, key=len, reverse=True)))
_UNITS_ALONE = re.compile(rf"(?:{_UNIT}|\b(?:{'|'.join(k for k in _MONEY if k.isalpha())}))(?!\w)")
_CODES = "|".join(map(re.escape, sorted(_MONEY, key=len, reverse=True)))
_SIGNS = {
    "en": {"&": " and ", "+": " plus ", "=": " equals ", "×": " times ", "÷": " divided by ",
           "≈": " about ", "→": ", ", "@": " at ", "%": " percent ",
           "€": " euros ", "£": " pounds ", "$": " dollars ", "¥": " yuan "},
    "zh": {"&": "和", "+": "加", "=": "等于", "×": "乘", "÷": "除以", "≈": "约", "→": "，",
           "@": "艾特", "%": "百分号", "€": "欧元", "£": "英镑", "$": "美元", "¥": "元"},
}  # fmt: skip
_TWO = re.compile("(?<![零一二三四五六七八九十百千万亿点第])二(?=[点个元块只位条件张次天周家本杯份"
                  "人名种瓶小分秒公米厘毫升克斤吨英美欧日港])"
                  "(?!点[零一二三四五六七八九])")  # fmt: skip

_SINGLE = {
    "degrees Celsius": "degree Celsius", "degrees Fahrenheit": "degree Fahrenheit",
    "feet": "foot", "pence": "penny",
}  # fmt: skip
"""One of what else has one name for one and for several."""

Sub = Callable[["re.Match[str]", str], str]


def _clock(found: re.Match[str], language: str) -> str:
    hour, minute, half = int(found["hour"]), int(found["minute"]), found["half"]
    if half and 1 <= hour <= 12:
        hour = hour % 12 + (12 if half in "pP" else 0)
    if language == "zh":
        said = clock(datetime(2000, 1, 1, hour % 24, minute), "zh")
        said = said.replace("点30分", "点半")
        return said if half or hour > 12 or hour == 0 else said[2:]  # 早上 may stand before it
    if not half and 1 <= hour <= 12 and not found["hour"].startswith("0"):
        said = spoken_clock(datetime(2000, 1, 1, hour % 12 or 1, minute), language)
        said = said.replace("one", "twelve", 1) if hour == 12 else said
        return said.partition(" in the ")[0]
    return spoken_clock(datetime(2000, 1, 1, hour % 24, minute), language)


def _iso(found: re.Match[str], language: str) -> str:
    number, month, day = int(found["y"]), int(found["m"]), int(found["d"])
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return found[0]
    if language == "zh":
        return f"{spelled.year(number, language)}年{month}月{day}日"
    return f"{_MONTHS[month - 1]} {spelled.ordinal(day)}, {spelled.year(number, language)}"


def _english_date(found: re.Match[str], language: str) -> str:
    month = next(name for name in _MONTHS if name.startswith(found["month"][:3]))
    number = found["year"]
    said = f"{month} {spelled.ordinal(int(found['day']))}"
    return said + (f", {spelled.year(int(number), 'en')}" if number else "")


def _money(found: re.Match[str], language: str) -> str:
    one, chinese, part = _MONEY[found["before"] or found["after"]]
    amount = found["amount"] or found["amount_after"]
    minus = spelled.cardinal(-1, language)[: 1 if language == "zh" else 6] if found["minus"] else ""
    if language == "zh":
        return minus + spelled.decimal(amount, language) + chinese
    whole_part, _, cents = amount.replace(",", "").partition(".")
    if part and len(cents) == 2:
        parts = []
        if int(whole_part) or not int(cents):
            parts.append(f"{spelled.decimal(whole_part, language)} {_many(one, whole_part)}")
        if int(cents):
            parts.append(f"{spelled.cardinal(int(cents), language)} {_many(part, cents)}")
        return minus + " ".join(parts)
    return f"{minus}{spelled.decimal(amount, language)} {_many(one, amount)}"


def _measured(found: re.Match[str], language: str) -> str:
    number, unit = found["number"], _UNITS[found["unit"]]
    minus = ("负" if language == "zh" else "minus ") if found["minus"] else ""
    if language == "zh":
        below = "零下" if minus and unit[1].endswith("度") else minus
        return below + spelled.decimal(number, language) + unit[1]
    return f"{minus}{spelled.decimal(number, language)} {_many(unit[0], number)}"


def _percent(found: re.Match[str], language: str) -> str:
    said = spelled.decimal(found["number"], language)
    minus = ("负" if language == "zh" else "minus ") if found["minus"] else ""
    return f"{minus}百分之{said}" if language == "zh" else f"{minus}{said} percent"


def _plainly(found: re.Match[str], language: str) -> str:
    number = found["number"]
    minus = ("负" if language == "zh" else "minus ") if found["minus"] else ""
    if "." not in number and "," not in number and len(number) > 6:
        return minus + spelled.digits(number, language)  # of a telephone, an order
    return minus + spelled.decimal(number, language)


_AMOUNT = re.compile(
    rf"(?:(?<![A-Za-z])(?:{_CODES})\s?(?:{_NUMBER})|(?:{_NUMBER})\s?(?:{_CODES})(?![A-Za-z0-9])"
    rf"|(?:{_NUMBER}|[一二两三四五六七八九十百千万]+)\s?(?:元|块钱?|美元|欧元|英镑|日元|港元|港币)"
    r"|\b(?:[\d,.]+|one|two|three|four|five|six|seven|eight|nine|ten|twenty|thirty|forty|fifty"
    r"|sixty|seventy|eighty|ninety|hundred|thousand|a)"
    r" (?:dollars?|bucks?|euros?|pounds?|yuan|yen|cents?)\b)",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?<![\w.,:])(?:\d{4,8}|\d{3}[- ]\d{3}|[A-Z]-\d{4,8})(?![\w:]|[.,]\d)")
_SECRET = re.compile(
    r"\b(?:codes?|pin|otp|passwords?|passcodes?|verif\w*|log ?in|sign ?in|2fa)\b"
    r"|验证码|校验码|动态码|密码|口令|登录",
    re.IGNORECASE,
)
"""With a row of digits, what a text speaks of that is a code."""

_STEPS: tuple[tuple[re.Pattern[str], Sub], ...] = (
    (re.compile(r"\b(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})\b"), _iso),
    (re.compile(
        r"(?<![\d:.])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?::[0-5]\d)?"
        r"(?:\s?(?P<half>[AaPp])\.?[Mm]\b\.?)?(?![\d:])"), _clock),
    (re.compile(rf"\b(?P<day>[0-3]?\d) (?P<month>{_MONTH})\b(?:,? (?P<year>[12]\d{{3}}))?"),
     _english_date),
    (re.compile(rf"\b(?P<month>{_MONTH}) (?P<day>[0-3]?\d)\b(?:,? (?P<year>[12]\d{{3}}))?"),
     _english_date),
    (re.compile(r"(?P<year>[12]\d{3})(?=\s?年)"),
     lambda found, language: spelled.year(int(found["year"]), "zh")),
    (re.compile(rf"(?P<kept>(?:{_NUMBER})(?:{_UNIT}|%)?)\s?[–—~～-]\s?(?=\d)"),
     lambda found, language: found["kept"] + ("到" if language == "zh" else " to ")),
    (re.compile(
        rf"{_MINUS}(?:(?P<before>(?<![A-Za-z])(?:{_CODES}))\s?(?P<amount>{_NUMBER})"
        rf"|(?P<amount_after>{_NUMBER})\s?(?P<after>(?:{_CODES})(?![A-Za-z0-9])))"), _money),
    (re.compile(rf"{_MINUS}(?P<number>{_NUMBER})\s?(?:%|percent)"), _percent),
    (re.compile(rf"{_MINUS}(?P<number>{_NUMBER})[ ]?(?P<unit>{_UNIT})(?![A-Za-z0-9])"), _measured),
    (re.compile(rf"{_MINUS}(?P<number>{_NUMBER})"), _plainly),
)  # fmt: skip


def _words(piece: str, language: str) -> str:
    """Return a sentence with numbers, money, times and units in words."""
    for pattern, say in _STEPS:
        piece = pattern.sub(lambda found, say=say: say(found, language), piece)  # type: ignore[misc]
    for sign, word in _SIGNS[language].items():
        piece = piece.replace(sign, word)
    piece = "".join(c if unicodedata.category(c)[0] not in "S" else " " for c in piece)
    return _TWO.sub("两", piece) if language == "zh" else piece


def _many(name: str, number: str) -> str:
    """Return what is counted, one or several of it: “metres per second”."""
    if spelled.is_one(number):
        return _SINGLE.get(name, name)
    head, per, rest = name.partition(" per ")
    return name if head.endswith(_SAME) else f"{head}s{per}{rest}"
