"""Reads what ruby's VCR and its kin write under `http_interactions`: betamax, R's vcr, Rust's vcr-cassette."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ..exchange import Exchange
from .imported import Imported, NotCarried, Tell, field, mapping, read_entries
from .wire import body_bytes, epoch_us, exchange, head, request

NAME = "ruby VCR"


def claims(data: Any) -> bool:
    """Whether a document is of that family."""
    return isinstance(data, dict) and isinstance(data.get("http_interactions"), list)


def read(data: Any, file: str) -> Imported:
    """The recordings of a document that `claims` knows."""
    betamax = str(data.get("recorded_with") or "").startswith("betamax")

    def read_entry(entry: Mapping[str, Any], tell: Tell) -> Exchange:
        return _read_entry(entry, tell, betamax)

    return read_entries(file, "betamax" if betamax else NAME, data["http_interactions"], read_entry)


def _read_entry(entry: Mapping[str, Any], tell: Tell, betamax: bool) -> Exchange:
    asked = mapping(field(entry, "request"), "`request`")
    answered = mapping(field(entry, "response"), "`response`")
    status = mapping(answered.get("status"), "`status`")
    sent = request(
        asked.get("method"),
        asked.get("uri"),
        asked.get("headers"),
        _body(asked.get("body"), betamax, "request"),
    )
    response = head(
        status.get("code", status.get("status_code")),
        answered.get("headers"),
        status.get("message"),
        answered.get("http_version"),
    )
    body = _body(answered.get("body"), betamax, "response")
    return exchange(sent, response, (body,), tell, started_us=epoch_us(entry.get("recorded_at")))


def _body(body: Any, betamax: bool, side: str) -> bytes:
    if not isinstance(body, dict):
        return body_bytes(body)
    if body.get("base64_string") is not None:
        try:
            return base64.b64decode(body["base64_string"])
        except (TypeError, ValueError) as error:
            raise NotCarried(f"the {side} body is no base64", str(error)) from error
    if body.get("file") is True:
        raise NotCarried(f"the {side} body stands in another file", str(body.get("string")))
    text = body.get("string")
    if not isinstance(text, str) or not betamax:  # ruby: the bytes of the text, whatever encoding it names
        return body_bytes(text)
    try:
        return text.encode(str(body.get("encoding") or "utf-8"))
    except (LookupError, UnicodeEncodeError):
        return body_bytes(text)
