"""A call without its content: all numbers, and nothing of what was said."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec.structs import replace

from .call import AnswerHalf, Call, CallError, Choice, RequestHalf
from .exchange import Ending, Exchange, Headers, Request, ResponseHead
from .pricing.reported import COST_HEADER

_RETRIES: Final = b"x-stainless-retry-count"


def bare_request(request: Request, half: RequestHalf, significant: tuple[bytes, ...]) -> Request:
    """A request that is read as the same model, stream and attempt, and says nothing else."""
    asked = {"model": half.model, "stream": half.stream, "user": half.user_id}
    known = {name: value for name, value in asked.items() if value is not None}
    return Request(
        request.method,
        request.url.partition("?")[0],
        _only(request.headers, (*significant, _RETRIES)),
        msgspec.json.encode(known),
    )


def bare_exchange(exchange: Exchange) -> Exchange:
    """An exchange without bodies; of its headers only the one that may state the cost."""
    head, ending = exchange.head, exchange.ending
    return Exchange(
        Request(exchange.request.method, exchange.request.url.partition("?")[0]),
        exchange.started_us,
        Ending(ending.kind, ending.at_ns, ending.phase, ending.exception),
        None if head is None else _bare_head(head),
        redacted=exchange.redacted,
        usage_asked=exchange.usage_asked,
    )


def bare_call(call: Call) -> Call:
    """A call with its numbers, names, times and outcome alone; messages of errors may quote what was said."""
    error = None if call.error is None else CallError(call.error.type, "")
    return replace(call, request=_bare_half(call.request), answer=_bare_answer(call.answer), error=error)


def _bare_half(half: RequestHalf) -> RequestHalf:
    return replace(
        half, parameters={}, raw_messages=None, raw_tools=None, raw_functions=None, system_prompt=None
    )


def _bare_answer(answer: AnswerHalf) -> AnswerHalf:
    choices = tuple([Choice(choice.index, finish_reason=choice.finish_reason) for choice in answer.choices])
    error = None if answer.error is None else CallError(answer.error.type, "")
    return replace(answer, choices=choices, error=error, asides=())


def _bare_head(head: ResponseHead) -> ResponseHead:
    return replace(head, headers=_only(head.headers, (COST_HEADER,)))


def _only(headers: Headers, names: tuple[bytes, ...]) -> Headers:
    return tuple([pair for pair in headers if pair[0].lower() in names])
