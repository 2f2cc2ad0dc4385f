"""The attributes of a call without secrets; what many calls have in common is read and cleaned once."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from ..call import AnswerHalf, CallError, RequestHalf
from ..exchange import Exchange
from ..ids import id_text
from ..redact import Redactor
from ..tagging import NO_TAGS, Tags
from .attributes import (
    OPERATION_ID,
    Attributes,
    Place,
    Served,
    add_own,
    finish_reasons,
    place_attributes,
    place_of,
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

    def asked(self, half: RequestHalf, tags: Tags, operation: int) -> tuple[Attributes, str]:
        """What a span begins with, and its name."""
        common, name = self._place(place_of(half))
        own: Attributes = {}
        add_parameters(own, half, self._names)
        if half.user_id is not None:
            own["user.id"] = half.user_id
        attributes = common.copy()
        if own:
            attributes.update(without_secrets(own, self._redactor))
        if tags is not NO_TAGS:
            attributes |= tag_attributes(tags)
        attributes[OPERATION_ID] = id_text(operation)
        return attributes, name

    def answered(
        self, provider: str, exchange: Exchange, answer: AnswerHalf, error: CallError | None
    ) -> Attributes:
        """What is known at the end, but for usage."""
        status = None if exchange.head is None else exchange.head.status
        common = self._served(
            Served(
                provider,
                status,
                finish_reasons(answer),
                None if error is None else error_type(error.type, exchange.ending.exception, status),
                answer.model,
                answer.system_fingerprint,
                answer.service_tier,
            )
        )
        attributes = common.copy()
        add_own(attributes, answer)
        id = answer.response_id
        if id and self._redactor.suspicious_names((id,)):
            attributes["gen_ai.response.id"] = self._redactor.text(id)
        return attributes

    def _read_place(self, place: Place) -> tuple[Attributes, str]:
        attributes = without_secrets(place_attributes(place), self._redactor)
        model = attributes.get("gen_ai.request.model")
        operation = str(attributes["gen_ai.operation.name"])
        return attributes, f"{operation} {model}" if model else operation

    def _read_served(self, served: Served) -> Attributes:
        return without_secrets(served_attributes(served), self._redactor)
