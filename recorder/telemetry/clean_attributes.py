"""The attributes of a call without secrets; what many calls have in common is read and cleaned once."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from ..call import CallError, Glance, RequestHalf
from ..exchange import Exchange, endpoint
from ..ids import id_text
from ..redact import Redactor
from ..tagging import NO_TAGS, Tags
from .attributes import (
    OPERATION_ID,
    Attributes,
    finish_reasons,
    place_attributes,
    served_attributes,
    tag_attributes,
    without_secrets,
)
from .error_types import error_type
from .names import Names
from .parameters import add_parameters

_KNOWN: Final = 256


class CleanAttributes:
    """Reads halves, which may hold secrets, and keeps those out; tags are clean already."""

    def __init__(self, names: Names, redactor: Redactor) -> None:
        self._names = names
        self._redactor = redactor
        self._place = lru_cache(_KNOWN)(self._read_place)
        self._served = lru_cache(_KNOWN)(self._read_served)
        self.name = lru_cache(_KNOWN)(self._name)

    def asked(self, half: RequestHalf, tags: Tags, operation: int) -> tuple[Attributes, str]:
        """What a span begins with, and its name."""
        common, name = self._place(
            half.dialect, half.provider, half.host, half.port, half.operation, half.model, half.stream
        )
        attributes = common.copy()
        texts: Attributes = {}
        add_parameters(attributes, texts, half, self._names)
        if half.user_id is not None:
            texts["user.id"] = half.user_id
        if texts:
            attributes |= without_secrets(texts, self._redactor)
        if tags is not NO_TAGS:
            attributes |= tag_attributes(tags)
        attributes[OPERATION_ID] = id_text(operation)
        return attributes, name

    def answered(
        self, provider: str, exchange: Exchange, answer: Glance, error: CallError | None
    ) -> Attributes:
        """What is known at the end, but for usage."""
        status = None if exchange.head is None else exchange.head.status
        return self.served(provider, status, answer, error, exchange.ending.exception)

    def served(
        self,
        provider: str,
        status: int | None,
        answer: Glance,
        error: CallError | None = None,
        exception: str | None = None,
    ) -> Attributes:
        """The same where the exchange is gone; `exception` is what the transport raised."""
        common = self._served(
            provider,
            status,
            finish_reasons(answer),
            None if error is None else error_type(error.type, exception, status),
            answer.model,
            answer.system_fingerprint,
            answer.service_tier,
        )
        attributes = common.copy()
        if id := answer.response_id:
            suspicious = self._redactor.suspicious_names((id,))
            attributes["gen_ai.response.id"] = self._redactor.text(id) if suspicious else id
        if answer.first_chunk_ns is not None:
            attributes["gen_ai.response.time_to_first_chunk"] = answer.first_chunk_ns / 1e9
        return attributes

    def _name(self, dialect: str, provider: str, url: str, operation: str | None, model: str) -> str:
        """The name of a span, which is all that one needs at its start."""
        host, port, _ = endpoint(url)
        return self._place(dialect, provider, host, port, operation, model, False)[1]

    def _read_place(self, *about: Any) -> tuple[Attributes, str]:
        attributes = without_secrets(place_attributes(*about), self._redactor)
        operation, model = attributes["gen_ai.operation.name"], attributes.get("gen_ai.request.model")
        return attributes, f"{operation} {model}" if model else str(operation)

    def _read_served(self, *about: Any) -> Attributes:
        return without_secrets(served_attributes(*about), self._redactor)
