"""A stored call as the fields of a JSON object, from which it can be stored again, equal in everything."""

from __future__ import annotations

import json
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Raw, Struct
from sqlalchemy import BigInteger, Column, Integer

from ..call import Outcome
from ..exchange import EndingKind
from ..ledger.copies import CARRIED, CallCopy
from ..ledger.rows import storable
from .exchange_fields import ExchangeFields, exchange_fields, read_exchange

VERSION: Final = 1

_JSON = {"finish_reasons": list, "tags": dict, "notes": list}
_LONG = ("error_message", "cost_note")
# As `rows` cuts them.
_LONGEST_NAME = 500
_LONGEST_TEXT = 8_000
_KNOWN: dict[str, Any] = {
    "outcome": Outcome,
    "ending": EndingKind,
    "stream": Literal[0, 1],
    "replayed": Literal[0, 1],
    "redacted": Literal[0, 1],
}
_Int = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]


def _type_of(name: str, column: Column[Any]) -> Any:
    kind: Any
    if name in _JSON:
        kind = Raw
    elif name in _KNOWN:
        kind = _KNOWN[name]
    elif isinstance(column.type, BigInteger):
        kind = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
    elif isinstance(column.type, Integer):
        kind = _Int
    else:
        longest = _LONGEST_TEXT if name in _LONG else _LONGEST_NAME
        kind = Annotated[str, Meta(max_length=longest, min_length=int(name == "id"))]
    return kind | None if column.nullable else kind


_Row = msgspec.defstruct(
    "Row",
    [
        (name, _type_of(name, column), None) if column.nullable else (name, _type_of(name, column))
        for name, column in CARRIED.items()
    ],
    forbid_unknown_fields=True,
    kw_only=True,
)


_Fields: Any = msgspec.defstruct(
    "Fields",
    [("recorder_call", int), ("call", _Row), ("exchange", ExchangeFields | None)],
    forbid_unknown_fields=True,
)


class _Version(Struct):
    recorder_call: int


_decode = msgspec.json.Decoder(_Fields).decode
_decode_version = msgspec.json.Decoder(_Version).decode


class Misfit(ValueError):
    """The text is not that of a call."""


def call_fields(copy: CallCopy) -> dict[str, Any]:
    """The fields of a call: its row in the exact integers of the table, and its exchange, if that is still there."""
    row = {name: _raw(value) if name in _JSON else value for name, value in copy.row.items()}
    exchange = None if copy.exchange is None else exchange_fields(copy.exchange)
    return {"recorder_call": VERSION, "call": row, "exchange": exchange}


def read_call(data: bytes) -> CallCopy:
    """The call of a JSON text; raises Misfit with the reason where there is none."""
    try:
        fields = _decode(data)
        if fields.recorder_call == VERSION:
            exchange = None if fields.exchange is None else read_exchange(fields.exchange)
            return CallCopy(_read_row(fields.call), exchange)
    except (ValueError, OverflowError, RecursionError) as error:  # also what msgspec raises
        raise Misfit(_version_problem(data) or str(error)) from error
    raise Misfit(_version_problem(data))


def _version_problem(data: bytes) -> str:
    """What is wrong with the version; nothing where it is the right one."""
    try:
        found = _decode_version(data).recorder_call
    except msgspec.ValidationError:
        return "it is no call as `recorder export` writes one: it has no `recorder_call`"
    except (ValueError, RecursionError) as error:
        return f"it is no JSON: {error}"
    return (
        ""
        if found == VERSION
        else f"it is of version {found}, and only {VERSION} can be read; upgrade recorder"
    )


def _read_row(fields: Any) -> dict[str, Any]:
    row = msgspec.structs.asdict(fields)
    for name, value in row.items():
        if name in _JSON:
            row[name] = value = _text(value)
            _check_json(name, value)
        if isinstance(value, str) and storable(value) != value:
            raise ValueError(f"{name} holds signs that no database takes")
    return row


def _raw(text: str) -> Raw | str:
    """A column of JSON as it is, for its text; the text itself where it is no JSON on one line."""
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return text
    return text if "\n" in text or text.startswith('"') else Raw(text.encode())


def _text(value: Raw) -> str:
    data = bytes(value)
    return str(msgspec.json.decode(data)) if data.startswith(b'"') else data.decode()


def _check_json(name: str, text: str) -> None:
    """Raise ValueError for what would break queries that look into it, on any of the databases."""
    value = msgspec.json.decode(text)
    if not isinstance(value, _JSON[name]):
        raise ValueError(f"{name} is no JSON {'object' if _JSON[name] is dict else 'list'}")
    plain = json.dumps(value, ensure_ascii=False)
    if "\\u0000" in plain or storable(plain) != plain:
        raise ValueError(f"{name} holds signs that no database takes")
