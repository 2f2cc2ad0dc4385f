"""What a call cost, and how anybody knows."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from .charge import Line


class Cost(Struct, frozen=True, gc=False):
    """An exact amount in pico-units (10⁻¹²) of a currency, or none, and why.

    `source` is `provider` (the answer said it), `book:<row id>`, `genai-prices:<version>`, `none`, or `import` of a
    recording for which nothing was spent here.
    `cache_saved_pico` is what caching made it cheaper by, where rates tell.
    `notes` say what was assumed, or why there is no amount. `lines` add up to the amount where it was computed.
    """

    pico: int | None = None
    currency: str | None = None
    source: str = "none"
    price_id: str | None = None
    lines: tuple[Line, ...] = ()
    notes: tuple[str, ...] = ()
    cache_saved_pico: int | None = None

    @property
    def note(self) -> str:
        """All that is to be said about it."""
        return "; ".join(self.notes)


IMPORTED: Final = "import"


def not_spent() -> Cost:
    """The cost of a recording that came with a cassette: whoever made the call has paid for it."""
    return Cost(source=IMPORTED, notes=("unpriced: imported with a cassette, so nothing was spent here",))


def unpriced(reason: str) -> Cost:
    """The cost of a call that nobody can tell."""
    return Cost(notes=(f"unpriced: {reason}",))
