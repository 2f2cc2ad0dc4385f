"""All that the store knows of one call, read anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..body import chunk_ends, read_answer
from ..dialects import dialect_for
from ..dialects.chat.messages import read_messages, read_tools
from ..errors import StoreError
from ..exchange import endpoint
from .moments import Moments

if TYPE_CHECKING:
    from ..call import AnswerHalf, Message, RequestHalf
    from ..exchange import Exchange
    from ..ledger import Store
    from ..pricing import Cost

_NANO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Wire:
    """What went over the wire, and its meaning, read anew."""

    exchange: Exchange
    request: RequestHalf
    answer: AnswerHalf
    messages: tuple[Message, ...]
    tools: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """A call's row, and its wire; where that is gone, `missing` says why.

    `cost` has the lines of its cost, where the price book still gives it; `cost_changes` what it was before.
    """

    row: Mapping[str, Any]
    wire: Wire | None = None
    missing: str | None = None
    cost: Cost | None = None
    cost_changes: Sequence[Mapping[str, Any]] = ()

    @property
    def moments(self) -> Moments:
        """When what happened."""
        row = self.row
        return Moments(
            end=row["duration_s"],
            first_byte=row.get("first_byte_s"),
            first_chunk=row["first_chunk_s"],
            first_reasoning=row["first_reasoning_s"],
            first_token=row["first_token_s"],
        )


def read_call(store: Store, id: str) -> Reading:
    """Fetch one call and read its request and answer."""
    from ..ledger import PriceList

    row, prices = store.call(id), PriceList(store.url)
    cost, changes = prices.explain(id), prices.changes(id)
    try:
        return Reading(row, read_wire(store.exchange(id), row["provider"]), None, cost, changes)
    except StoreError as error:
        return Reading(row, None, str(error), cost, changes)


def read_wire(exchange: Exchange, provider: str) -> Wire:
    """Read an exchange in its dialect."""
    dialect = dialect_for(exchange.request.method, endpoint(exchange.request.url)[2], ("*",))
    assert dialect is not None, "every path has a dialect where all are asked for"
    request = dialect.read_request(exchange.request, provider)
    answer = dialect.read_answer(exchange, read_answer(exchange), request)
    return Wire(exchange, request, answer, read_messages(request), read_tools(request))


def read_chunks(exchange: Exchange) -> Iterator[tuple[float, int, str]]:
    """Arrival in seconds, size as received and decoded text of each chunk."""
    answer = read_answer(exchange)
    ends = chunk_ends(exchange, answer)
    start = 0
    for at_ns, chunk, end in zip(exchange.arrivals_ns, exchange.chunks, ends, strict=False):
        yield at_ns / _NANO, len(chunk), answer.data[start:end].decode("utf-8", "replace")
        start = end


def read_body(exchange: Exchange) -> str:
    """The response body as text."""
    return read_answer(exchange).data.decode("utf-8", "replace")
