"""The cost of a call as span attributes, under the name that the user's backend reads."""

from __future__ import annotations

from ..pricing import PICO, Cost
from .attributes import Attributes

_AMOUNT = ".amount"


def cost_attributes(cost: Cost, name: str) -> Attributes:
    """The amount under `name`. One that ends in `.amount` has the currency and who said it beside it; a name that
    tells no currency gets USD alone, which is what its readers take it for."""
    if cost.pico is None:
        return {}
    amount = cost.pico / PICO
    if not name.endswith(_AMOUNT):
        return {name: amount} if cost.currency == "USD" else {}
    stem = name.removesuffix(_AMOUNT)
    source = "provider" if cost.source == "provider" else "local"
    attributes: Attributes = {name: amount, f"{stem}.source": source}
    if cost.currency is not None:
        attributes[f"{stem}.currency"] = cost.currency
    return attributes
