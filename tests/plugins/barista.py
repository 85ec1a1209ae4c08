"""Order coffee by voice: the grammar of a published speech-to-intent benchmark as a plugin.

Written with the public contract alone. The grammar is the one published with
github.com/Picovoice/speech-to-intent-benchmark: optional size, roast and shots in any order
before the drink, milk and sugar in any order after it.
"""

from typing import Annotated, Literal

from agent import Context, OneOf, Reply, hookimpl, skill

AMOUNTS = ("", "a little bit of ", "a bit of ", "some ", "a lot of ", "lots of ")
MILKS = ("milk", "skim milk", "whole milk", "soy milk", "almond milk", "cream")
SUGARS = ("sugar", "brown sugar", "sweetener")

Size = Literal[
    "small", "medium", "large", "eight ounce", "twelve ounce", "sixteen ounce", "twenty ounce"
]
Roast = Literal["light roast", "medium roast", "dark roast"]
Shots = Literal["single shot", "double shot", "triple shot"]
Drink = Literal[
    "americano", "cappuccino", "espresso", "iced mocha", "latte", "mocha",
    "coffee", "drip coffee", "house coffee", "iced coffee",
]  # fmt: skip
Milk = Annotated[str, OneOf([amount + milk for milk in MILKS for amount in AMOUNTS])]
Sugar = Annotated[str, OneOf([amount + sugar for sugar in SUGARS for amount in AMOUNTS])]


@skill(
    "(brew|can i get|can i have|i want|get me|give me|i'd like|make me|may i have) (a|an)"
    " ([{size}];[{roast}];[{numberOfShots}]) {coffeeDrink}"
    " [with ({milkAmount} [and {sugarAmount}]|{sugarAmount} [and {milkAmount}])]"
)
def orderDrink(
    ctx: Context,
    coffeeDrink: Drink,
    size: Size | None = None,
    roast: Roast | None = None,
    numberOfShots: Shots | None = None,
    milkAmount: Milk | None = None,
    sugarAmount: Sugar | None = None,
) -> Reply:
    """Take an order for one coffee."""
    drink = " ".join(part for part in (size, roast, numberOfShots, coffeeDrink) if part)
    extras = " and ".join(part for part in (milkAmount, sugarAmount) if part)
    return Reply(title="Order", text=f"{drink} with {extras}" if extras else drink)


@hookimpl
def register_skills(register):
    register(orderDrink)
