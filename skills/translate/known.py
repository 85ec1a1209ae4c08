"""Names that have a form of their own in Chinese, days and months: small tables, written by us."""

from __future__ import annotations

DAYS = {
    name: tuple(f"{week}{day}" for week in ("星期", "周", "礼拜") for day in days)
    for name, days in {
        "monday": "一", "tuesday": "二", "wednesday": "三", "thursday": "四", "friday": "五",
        "saturday": "六", "sunday": "日天",
    }.items()
}  # fmt: skip
"""Days of the week, in English, and how Chinese writes them."""

MONTHS = {
    1: "january", 2: "february", 3: "march", 4: "april", 5: "may", 6: "june", 7: "july",
    8: "august", 9: "september", 10: "october", 11: "november", 12: "december",
}  # fmt: skip
"""Months by number; Chinese counts them."""

NAMES = {
    "china": ("中国",), "chinese": ("中国", "中文", "中餐", "中式", "华", "汉语"),
    "japan": ("日本",), "japanese": ("日本", "日语", "日文", "日式"),
    "korea": ("韩国", "朝鲜"), "korean": ("韩", "朝鲜"), "america": ("美国", "美洲"),
    "american": ("美国", "美式"), "england": ("英国", "英格兰"), "english": ("英",),
    "britain": ("英国", "不列颠"), "british": ("英国", "英式"), "france": ("法国",),
    "french": ("法",), "germany": ("德国",), "german": ("德",), "italy": ("意大利",),
    "italian": ("意大利", "意式"), "spain": ("西班牙",), "spanish": ("西班牙",), "russia": ("俄",),
    "russian": ("俄",), "india": ("印度",), "indian": ("印度",), "canada": ("加拿大",),
    "canadian": ("加拿大",), "australia": ("澳大利亚", "澳洲"), "mexico": ("墨西哥",),
    "brazil": ("巴西",), "austria": ("奥地利",), "switzerland": ("瑞士",), "europe": ("欧",),
    "beijing": ("北京",), "shanghai": ("上海",), "hangzhou": ("杭州",), "guangzhou": ("广州",),
    "shenzhen": ("深圳",), "nanjing": ("南京",), "taiwan": ("台湾",), "tokyo": ("东京",),
    "london": ("伦敦",), "paris": ("巴黎",), "new york": ("纽约",), "berlin": ("柏林",),
    "hong kong": ("香港",), "singapore": ("新加坡",), "moscow": ("莫斯科",), "rome": ("罗马",),
    "vienna": ("维也纳",), "christmas": ("圣诞",),
}  # fmt: skip
"""Places, peoples and tongues, in English, and a part of each Chinese form that is enough."""
