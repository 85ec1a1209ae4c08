"""The shopping list: a small text file in the skill's folder, one thing a line."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path

from agent import private

NAME = "shopping-list.txt"
MOST = 200
"""Things on the list."""
LONGEST = 60
"""Characters of one thing."""

_ARTICLE = re.compile(r"^(?:(?:an?|the|some|my)\s+|(?:一[些个瓶盒袋]|些)(?=.))", re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class ShoppingList:
    """The list of one wearer; every method reads the file, and a change replaces it whole.

    All methods raise OSError where the folder can be neither read nor written.
    """

    def __init__(self, folder: Path) -> None:
        """Keep the list in `folder`, which is made when something is put on it."""
        self._folder = folder

    def items(self) -> list[str]:
        """Return what is on the list, in the order it was put there."""
        path = self._folder / NAME
        if not path.exists():
            return []
        private.close(path)
        lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
        return [item for line in lines if (item := clean(line))]

    def find(self, wanted: str) -> str | None:
        """Return the thing on the list that is called so, one or many of it."""
        return next((item for item in self.items() if _forms(item) & _forms(wanted)), None)

    def add(self, item: str) -> bool:
        """Put a thing on the list; False when it is full."""
        items = self.items()
        if len(items) >= MOST:
            return False
        self.restore([*items, clean(item)])
        return True

    def remove(self, item: str) -> None:
        """Take off a thing that `find` returned."""
        self.restore([other for other in self.items() if other != item])

    def clear(self) -> int:
        """Empty the list; return how many things were on it."""
        if items := self.items():
            self.restore([])
        return len(items)

    def restore(self, items: list[str]) -> None:
        """Make the list this. The file is replaced whole: the battery may be pulled any time."""
        private.write(self._folder / NAME, "".join(f"{item}\n" for item in items))


def clean(item: str) -> str:
    """Return a thing as it is written down: one line, no article, not too long; "" for nothing."""
    words = " ".join(_UNPRINTABLE.sub(" ", item).split())
    return _ARTICLE.sub("", words)[:LONGEST].strip()


def _forms(item: str) -> set[str]:
    """Return the name and what it may be one of: `eggs` and `egg`, `berries` and `berry`."""
    name = clean(item).casefold()
    forms = {name}
    for many, one in (("s", ""), ("es", ""), ("ies", "y")):
        if name.endswith(many) and not name.endswith("ss") and len(name) > len(many) + 1:
            forms.add(name.removesuffix(many) + one)
    return forms


@cache
def groceries() -> dict[str, str]:
    """Return what is often put on such a list, the Chinese by the English name."""
    path = Path(__file__).with_name("groceries.json")
    return dict(json.loads(path.read_text(encoding="utf-8")))
