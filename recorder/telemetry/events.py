"""Log events: an inference's details, and exceptions. Without the logs API, or an SDK for it, there are none."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.context import Context

from ..capture import qualified_name
from ..exchange import Exchange
from ..redact import Redactor
from .listeners import logged, logs_api
from .names import DETAILS_EVENT, EXCEPTION_EVENT, SCOPE, Names

_WARN: Final = 13


class Events:
    """Emits the conventions' events; each step quietly does nothing where nobody listens."""

    def __init__(self, names: Names, version: str, provider: Any = None) -> None:
        self._api = logs_api()
        self._given = provider is not None
        self._logger: Any = None
        if self._api is not None:
            self._logger = self._api.get_logger(SCOPE, version, provider, names.schema_url)

    @property
    def wanted(self) -> bool:
        """Whether anybody listens."""
        return self._logger is not None and (self._given or logged(self._api))

    def tell_details(
        self, attributes: Mapping[str, Any], exchange: Exchange, context: Context | None
    ) -> None:
        """An inference has ended."""
        self._emit(DETAILS_EVENT, attributes, exchange, context)

    def tell_exception(self, exchange: Exchange, redactor: Redactor, context: Context | None) -> None:
        """The transport raised; called while that is on its way to the caller, for its stack."""
        ending = exchange.ending
        attributes = {"exception.type": ending.exception_type or "_OTHER"}
        if ending.message:
            attributes["exception.message"] = redactor.error_text(ending.message)
        if stack := _stack(ending.exception):
            attributes["exception.stacktrace"] = redactor.error_text(stack)
        self._emit(EXCEPTION_EVENT, attributes, exchange, context, severity=_WARN)

    def _emit(
        self,
        name: str,
        attributes: Mapping[str, Any],
        exchange: Exchange,
        context: Context | None,
        severity: int | None = None,
    ) -> None:
        api = self._api
        more: dict[str, Any] = {}
        if severity is not None:
            more = {"severity_number": api.SeverityNumber(severity), "severity_text": "WARN"}
        at_ns = exchange.started_us * 1000 + exchange.ending.at_ns
        record = api.LogRecord(
            timestamp=at_ns,
            observed_timestamp=at_ns,
            context=context,
            event_name=name,
            attributes=attributes,
            **more,
        )
        self._logger.emit(record)


def _stack(name: str | None) -> str:
    """The stack of the exception that is being handled, if it is the one of this name."""
    error = sys.exc_info()[1]
    if error is None or qualified_name(type(error)) != name:
        return ""
    return "".join(traceback.format_exception(error))
