"""The calls in a HAR: ours as they were stored, and what other tools saw of chat completions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ..dialects import dialect_for
from ..errors import CassetteError
from ..exchange import Exchange, endpoint
from ..ledger.copies import CallCopy
from . import har
from .call_fields import Misfit, read_call
from .documents import read_document
from .imported import read_entries
from .skipped import Skipped


class NoCall:
    """An entry about something else, of which a browser's HAR has many."""


Found = CallCopy | Exchange | NoCall | Skipped


def read_har(path: Path) -> tuple[int, Iterator[Found]]:
    """How many entries a HAR has, and what each is; the file is read as a whole, up to 256 MiB.

    Raises CassetteError where it cannot be read or is none.
    """
    document = read_document(path)
    if not har.claims(document):
        raise CassetteError(f"{path} is no HAR: it has no `log.entries`")
    entries = [entry for log in har.logs(document) for entry in log["entries"]]
    return len(entries), (_read(entry, str(path), number) for number, entry in enumerate(entries, 1))


def _read(entry: Any, file: str, number: int) -> Found:
    place = f"entry {number}"
    if isinstance(entry, dict) and isinstance(ours := entry.get("_recorder"), dict):
        try:
            return read_call(msgspec.json.encode(with_bodies(ours, entry)))
        except Misfit as error:
            return Skipped(file, place, str(error))
        except (UnicodeEncodeError, TypeError) as error:
            return Skipped(file, place, f"it holds what no call can: {error}")
    if not _is_chat(entry):
        return NoCall()
    read = read_entries(file, har.NAME, [entry], har.read_entry)
    if not read.exchanges:
        note = read.notes[0]
        return Skipped(file, place, note.reason + (f" ({note.detail})" if note.detail else ""))
    if not read.exchanges[0].started_us:
        return Skipped(file, place, "it does not say when it was (`startedDateTime`)")
    return read.exchanges[0]


def _is_chat(entry: Any) -> bool:
    asked = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(asked, dict):
        return False
    method, url = asked.get("method"), asked.get("url")
    if not isinstance(method, str) or not isinstance(url, str):
        return False
    return dialect_for(method.lstrip(":").upper(), endpoint(url)[2]) is not None


def with_bodies(ours: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """Our fields, with the bodies that stand in the entry alone."""
    exchange = ours.get("exchange")
    if not isinstance(exchange, dict) or not isinstance(exchange.get("request"), dict):
        return dict(ours)
    asked, answered = (_mapping(entry.get(name)) for name in ("request", "response"))
    request = {"body": _mapping(asked.get("postData")).get("text") or "", **exchange["request"]}
    body = _mapping(answered.get("content")).get("text") or ""
    return {**ours, "exchange": {"body": body, **exchange, "request": request}}


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
