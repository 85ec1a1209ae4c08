"""The currencies people name: by code, word and sign, in English and Chinese.

A table to be refused by, mostly: an amount must never lose its currency and become another's.
"""

from __future__ import annotations

HOME = "USD"
"""The currency of an amount that was said without one (ISO 4217)."""

_DOLLARS = {
    "USD": ("us", "u s", "u.s.", "u.s", "american"),
    "AUD": ("australian", "aussie"),
    "CAD": ("canadian",),
    "HKD": ("hong kong", "hk"),
    "NZD": ("new zealand", "nz", "kiwi"),
    "SGD": ("singapore", "singaporean"),
    "TWD": ("new taiwan", "taiwan", "nt"),
}
_KINDS_OF = {
    "peso": {
        "ARS": "argentine", "CLP": "chilean", "COP": "colombian", "MXN": "mexican",
        "PHP": "philippine",
    },
    "rupee": {"INR": "indian", "LKR": "sri lankan", "NPR": "nepalese", "PKR": "pakistani"},
    "pound": {"EGP": "egyptian", "GBP": "british"},
    "franc": {"CHF": "swiss"},
    "krona": {"SEK": "swedish"},
    "krone": {"DKK": "danish", "NOK": "norwegian"},
    "rial": {"IRR": "iranian", "QAR": "qatari"},
    "riyal": {"SAR": "saudi"},
    "dinar": {"KWD": "kuwaiti"},
}  # fmt: skip
_PLURALS = {"krona": "kronor", "krone": "kroner"}

_WORDS = {
    "USD": "dollar dollars buck bucks 美元 美金 美刀 刀",
    "EUR": "euro euros 欧元 欧",
    "GBP": "pound pounds sterling quid 英镑 镑",
    "CNY": "yuan rmb renminbi kuai 元 块 人民币",
    "JPY": "yen 日元 日圆 日币 円",
    "KRW": "won 韩元 韩币 韩圆",
    "HKD": "港币 港元 港纸",
    "TWD": "台币 新台币 台元",
    "MOP": "pataca patacas 澳门币 澳门元",
    "SGD": "新加坡元 新加坡币 新币 坡币",
    "CAD": "加元 加币 加拿大元 加拿大币",
    "AUD": "澳元 澳币 澳大利亚元",
    "NZD": "新西兰元 纽币 纽元",
    "CHF": "franc francs 瑞士法郎 瑞郎 法郎",
    "INR": "rupee rupees 卢比 印度卢比",
    "PKR": "巴基斯坦卢比",
    "RUB": "ruble rubles rouble roubles 卢布",
    "UAH": "hryvnia hryvnias 格里夫纳",
    "PLN": "zloty zlotys 兹罗提",
    "CZK": "koruna korunas 捷克克朗",
    "HUF": "forint forints 福林",
    "SEK": "krona kronor 瑞典克朗",
    "NOK": "krone kroner 挪威克朗 克朗",
    "DKK": "丹麦克朗",
    "TRY": "lira liras 里拉 土耳其里拉",
    "ILS": "shekel shekels 谢克尔 新谢克尔",
    "AED": "dirham dirhams 迪拉姆",
    "SAR": "riyal riyals 沙特里亚尔 里亚尔",
    "KWD": "dinar dinars 第纳尔",
    "IRR": "rial rials",
    "EGP": "埃镑",
    "ZAR": "rand 兰特",
    "NGN": "naira 奈拉",
    "KES": "shilling shillings 先令",
    "MXN": "peso pesos 比索 墨西哥比索",
    "PHP": "菲律宾比索",
    "BRL": "real reais reals 雷亚尔",
    "THB": "baht bahts 泰铢 铢",
    "VND": "dong 越南盾 盾",
    "IDR": "rupiah rupiahs 印尼盾 印尼卢比",
    "MYR": "ringgit ringgits 马币 林吉特 令吉",
}
"""Words of one piece. A word that several countries use is that of the largest: whichever it was,
it was named, and no other takes its place."""

SIGNS: dict[str, tuple[str, ...]] = {
    "$": ("USD", "AUD", "CAD", "HKD", "NZD", "SGD", "TWD", "MXN", "ARS", "CLP", "COP", "BRL"),
    "¥": ("CNY", "JPY"), "€": ("EUR",), "£": ("GBP", "EGP"), "₹": ("INR",), "₩": ("KRW",),
    "₽": ("RUB",), "₺": ("TRY",), "₫": ("VND",), "฿": ("THB",), "₱": ("PHP",), "₴": ("UAH",),
    "₦": ("NGN",), "₪": ("ILS",), "us$": ("USD",), "a$": ("AUD",), "au$": ("AUD",),
    "c$": ("CAD",), "ca$": ("CAD",), "hk$": ("HKD",), "nz$": ("NZD",), "s$": ("SGD",),
    "nt$": ("TWD",), "r$": ("BRL",), "mx$": ("MXN",), "rs": ("INR", "PKR", "LKR", "NPR"),
    "kr": ("SEK", "NOK", "DKK"), "zł": ("PLN",), "kč": ("CZK",),
}  # fmt: skip
"""Signs before or after a number, each with what it may stand for, the likeliest first."""

SMALL: dict[str, tuple[str | None, int]] = {
    "cent": (None, 1), "cents": (None, 1), "¢": (None, 1), "penny": (None, 1),
    "pennies": (None, 1), "pence": ("GBP", 1), "p": ("GBP", 1), "便士": ("GBP", 1),
    "us cent": ("USD", 1), "us cents": ("USD", 1), "美分": ("USD", 1),
    "euro cent": ("EUR", 1), "euro cents": ("EUR", 1),
    "欧分": ("EUR", 1), "毛": ("CNY", 10), "毛钱": ("CNY", 10), "角": ("CNY", 10),
    "角钱": ("CNY", 10), "分": ("CNY", 1), "分钱": ("CNY", 1),
}  # fmt: skip
"""Words for parts, each with the currency that they belong to, if to one, and its hundredths."""

_GIVEN = "IRR EGP LKR NPR QAR ARS CLP COP BDT BGN RON ISK KZT MAD TND GHS PEN"


def _names() -> dict[str, str]:
    """Return the code of each word, longer ones included: "canadian dollars", 块钱."""
    names = {word: code for code, words in _WORDS.items() for word in words.split()}
    names |= {code.lower(): code for code in (*_WORDS, *_GIVEN.split())}
    for code, countries in _DOLLARS.items():
        for country in countries:
            names |= {f"{country} {noun}": code for noun in ("dollar", "dollars")}
            names |= {f"{noun} {country}": code for noun in ("dollar", "dollars")}
    for noun, kinds in _KINDS_OF.items():
        for code, country in kinds.items():
            names |= {
                f"{country} {noun}": code,
                f"{country} {_PLURALS.get(noun, noun + 's')}": code,
            }
    names |= {"pounds sterling": "GBP", "pound sterling": "GBP", "chinese yuan": "CNY"}
    names |= {"japanese yen": "JPY", "korean won": "KRW"}
    names |= dict.fromkeys(("块钱", "元钱", "元人民币", "块人民币", "块钱人民币"), "CNY")
    return names


NAMES = _names()
"""The code of each word that stands for a currency, lower-case."""
