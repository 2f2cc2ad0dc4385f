"""What an exchange of a cassette means, read as a call that has just ended would be."""

from __future__ import annotations

from ..attempt import Attempt
from ..dialects import dialect_for, provider_for
from ..ended import Ended
from ..exchange import Exchange, endpoint
from ..guard import Guard
from ..redact import Redactor
from ..tagging import NO_TAGS

_AS_IT_IS = Redactor(None)
_GUARD = Guard()


def read_ended(exchange: Exchange, id: int = 0, redactor: Redactor = _AS_IT_IS) -> Ended:
    """The exchange and the call that it was; `redactor` takes secrets out of both, none by default.

    `id` is the call's, as a number.
    """
    request = exchange.request
    dialect = dialect_for(request.method, endpoint(request.url)[2], ("*",))
    assert dialect is not None, "every path has a dialect where all are asked for"
    attempt = Attempt(
        dialect=dialect,
        provider=_provider(request.url),
        half=None,
        tags=NO_TAGS,
        id=id,
        operation_id=id,
    )
    return Ended(attempt, exchange, redactor, _GUARD, _provider)


def _provider(url: str) -> str:
    host, port, _ = endpoint(url)
    return provider_for(host, port, {})
