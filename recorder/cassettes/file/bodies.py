"""Bodies as people read them, and back to the bytes they were."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence

from msgspec import UNSET
from msgspec.structs import asdict

from .document import BodyFields, Misfit
from .events import read_events, write_events
from .json_style import DEFAULT, Style, recognise, restore
from .structure import Flow, Open, Tree, on_one_line, read_tree


def write_body(body: bytes, *, streamed: bool) -> tuple[dict[str, Tree], Sequence[int] | None]:
    """The fields that show a readable body, and the lengths of its events if it has any."""
    if not body:
        return {}, None
    if streamed and (events := write_events(body)) is not None:
        shown: dict[str, Tree] = {} if events.newline == "\n" else {"newline": events.newline}
        return {**shown, **_style(events.style), "events": events.items}, events.lengths
    return _write_whole(body), None


def read_body(fields: BodyFields, path: str) -> tuple[bytes, list[bytes] | None]:
    """The readable body, and its events if it has any; raises Misfit."""
    forms = [form for form in ("events", "text", "base64") if getattr(fields, form) is not None]
    forms += ["json"] if fields.json is not UNSET else []
    if len(forms) > 1:
        raise Misfit(path, f"this body is there as {' and as '.join(sorted(forms))}; keep one of them")
    if fields.events is not None:
        segments = read_events(fields.events, fields.style, fields.newline)
        return b"".join(segments), segments
    return _read_whole(fields, path), None


def write_wire(encoded: bytes, readable: bytes) -> Tree:
    """A content-encoded body as it was sent, beside the readable one that it belongs to."""
    return Open(readable=_checksum(readable), base64=b64encode(encoded).decode())


def read_wire(fields: BodyFields, readable: bytes, path: str) -> bytes | None:
    """The body as it was sent; None where there is none, or where the readable one was edited since."""
    if fields.wire is None or fields.wire.readable != _checksum(readable):
        return None
    return _decode(fields.wire.base64, f"{path}.wire.base64")


def _write_whole(body: bytes) -> dict[str, Tree]:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(body).decode()}
    try:
        tree = read_tree(text)
        style = recognise(on_one_line(tree), body)
    except ValueError:
        style = None
    return {"text": text} if style is None else {**_style(style), "json": tree}


def _read_whole(fields: BodyFields, path: str) -> bytes:
    if fields.json is not UNSET:
        try:
            return restore(bytes(fields.json), fields.style)
        except (ValueError, RecursionError) as error:
            raise Misfit(f"{path}.json", str(error)) from error
    if fields.text is not None:
        return fields.text.encode()
    return b"" if fields.base64 is None else _decode(fields.base64, f"{path}.base64")


def _decode(text: str, path: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise Misfit(path, f"this is no base64: {error}") from error


def _style(style: Style) -> dict[str, Tree]:
    if style == DEFAULT:
        return {}
    told = {name: value for name, value in asdict(style).items() if value != getattr(DEFAULT, name)}
    return {"style": Flow(told)}


def _checksum(data: bytes) -> str:
    return f"crc32 {zlib.crc32(data):08x}"
