"""What of a call decides its price."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from ..call import Call, Usage
from ..dialects.providers import provider_for
from ..exchange import Exchange
from .reported import Reported, reported_cost


class Subject(Struct, frozen=True, kw_only=True, gc=False):
    """A call, as far as its price is concerned.

    `gateway_model` is the model that a gateway's header named. `total_tokens` is the provider's own sum,
    which shows whether reasoning is counted within the output or beside it. `succeeded` is about the
    status alone.
    """

    provider: str
    host: str
    served_model: str | None = None
    requested_model: str | None = None
    gateway_model: str | None = None
    usage: Usage | None = None
    total_tokens: int | None = None
    started_us: int
    ended_us: int
    service_tier: str | None = None
    succeeded: bool = True
    reported: Reported | None = None

    @property
    def cloud(self) -> bool:
        """Whether the host is that of a known cloud, whatever the user calls it."""
        return provider_for(self.host, None, {}) != self.host.lower()

    @property
    def models(self) -> Iterator[str]:
        """The names by which a price can be found, the most telling one first, each once."""
        names = (self.served_model, self.requested_model, self.gateway_model)
        return iter(dict.fromkeys(name for name in names if name))


def subject_of(call: Call, exchange: Exchange) -> Subject:
    """What decides the price of a call."""
    request, answer = call.request, call.answer
    head = exchange.head
    return Subject(
        provider=request.provider,
        host=request.host,
        served_model=answer.model,
        requested_model=request.model,
        gateway_model=request.model_id,
        usage=answer.usage,
        total_tokens=total_tokens(answer.raw_usage),
        started_us=call.started_us,
        ended_us=call.started_us + call.duration_ns // 1000,
        service_tier=answer.service_tier,
        succeeded=call.http_status is not None and call.http_status < 400,
        reported=reported_cost(request.provider, answer.raw_usage, head.headers if head is not None else ()),
    )


def total_tokens(raw_usage: object) -> int | None:
    """The provider's own sum of all tokens, where it gives one."""
    total = raw_usage.get("total_tokens") if isinstance(raw_usage, dict) else None
    return total if type(total) is int and 0 <= total < 2**48 else None
