"""What one document of a cassette file holds: the fields that people see, with their types and defaults."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from ...exchange import LONGEST_NS, EndingKind, Phase
from .json_style import DEFAULT, Style

VERSION = 1

HeaderFields = dict[str, str | list[str]] | list[tuple[str, str]]
"""A name with its value or values; pairs where that would not keep their order."""

ChunkFields = list[int | tuple[int, int]]

Ms = Annotated[int, Meta(ge=0, le=LONGEST_NS // 1_000_000)]
Status = Annotated[int, Meta(ge=100, le=999)]
"""Any three digits, as HTTP/1.1 has it: servers do send 999."""


class Misfit(ValueError):
    """A field holds what it cannot mean; `path` is the field's, as `$.response.base64`."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(problem)
        self.path = path


class Times(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Milliseconds since the request: response head, each chunk, end."""

    head: Ms = 0
    chunks: list[Ms] | None = None
    end: Ms | None = None


class Wire(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A body as it was sent, content-encoded; it counts while the readable body has this checksum."""

    readable: str
    base64: str


class EventFields(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One server-sent event; `raw` or `base64` is one that its fields would not give back exactly."""

    event: str | None = None
    id: str | None = None
    retry: str | None = None
    comment: str | None = None
    data: Raw | UnsetType = UNSET
    raw: str | None = None
    base64: str | None = None


class BodyFields(Struct, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """A body in one of its forms; none of them is an empty body. `style` is that of all JSON in it."""

    json: Raw | UnsetType = UNSET
    events: list[EventFields] | None = None
    text: str | None = None
    base64: str | None = None
    style: Style = DEFAULT
    newline: Literal["\n", "\r\n"] = "\n"
    wire: Wire | None = None


class RequestFields(BodyFields, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    method: str
    url: str
    headers: HeaderFields = {}


class ResponseFields(BodyFields, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """`reason` stands there where it is not the usual one of this status and HTTP version."""

    status: Status
    reason: str | UnsetType | None = UNSET
    http_version: str = "HTTP/1.1"
    headers: HeaderFields = {}


class EndingFields(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    kind: EndingKind
    phase: Phase | None = None
    exception: str | None = None
    message: str | None = None


class AskedFields(Struct, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """What of a recording stands before its answer."""

    recorded: str | None = None
    times: Times = Times()
    chunks: ChunkFields | None = None
    lane: int = 0
    credential: int = 0
    redacted: bool = False
    usage_asked: bool = False
    request: RequestFields


class AnswerFields(Struct, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """The answer, and what comes after it."""

    response: ResponseFields
    ending: EndingKind | EndingFields = "complete"


class Document(AskedFields, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """One recording."""

    response: ResponseFields | None = None
    ending: EndingKind | EndingFields = "complete"


class Preamble(Struct, frozen=True):
    """The first document of a file."""

    recorder_cassette: int


_decode = msgspec.json.Decoder(Document).decode
_decode_asked = msgspec.json.Decoder(AskedFields).decode
_decode_answer = msgspec.json.Decoder(AnswerFields).decode
read_preamble = msgspec.json.Decoder(Preamble).decode


def read_document(text: str) -> Document:
    """The document of this JSON text, all raw JSON in it without blanks; raises msgspec's errors."""
    return _decode(msgspec.json.format(text.encode(), indent=-1))


def read_asked_fields(text: str) -> AskedFields:
    """The same of what stands before an answer."""
    return _decode_asked(msgspec.json.format(text.encode(), indent=-1))


def read_answer_fields(text: str) -> AnswerFields:
    """The same of an answer, and what comes after it."""
    return _decode_answer(msgspec.json.format(text.encode(), indent=-1))
