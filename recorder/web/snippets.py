"""A call as something to paste: a curl command, a Python program, or a cassette."""

from __future__ import annotations

import json
import shlex
import tempfile
from pathlib import Path
from typing import Final, Literal

from ..body import decode_request
from ..cassettes import Recorded
from ..cassettes.file import FileCassette
from ..exchange import Exchange, header

Kind = Literal["curl", "python", "cassette"]
KINDS: Final = ("curl", "python", "cassette")
_KEPT: Final = (b"accept", b"content-type", b"openai-organization", b"openai-beta")
_KEY: Final = "API_KEY"
_LONG: Final = 60


def snippet(exchange: Exchange, kind: Kind) -> str:
    """The text to paste. Credentials are not in it: it takes them from the variable `API_KEY`."""
    return {"curl": _curl, "python": _python, "cassette": _cassette}[kind](exchange)


def _headers(exchange: Exchange) -> dict[str, str]:
    pairs = {
        name.decode("latin-1").lower(): value.decode("latin-1")
        for name, value in exchange.request.headers
        if name.lower() in _KEPT
    }
    return {**pairs, **dict.fromkeys(_credentials(exchange), "")}


def _credentials(exchange: Exchange) -> list[str]:
    names = [name.lower().decode("latin-1") for name, _ in exchange.request.headers]
    return [name for name in ("authorization", "api-key", "x-api-key") if name in names]


def _body(exchange: Exchange) -> str:
    request = exchange.request
    return decode_request(request.body, header(request.headers, b"content-encoding")).decode(
        "utf-8", "replace"
    )


def _curl(exchange: Exchange) -> str:
    request = exchange.request
    lines = [f"curl --no-buffer {shlex.quote(request.url)}"]
    lines += [] if request.method == "POST" and request.body else [f"-X {shlex.quote(request.method)}"]
    for name, value in _headers(exchange).items():
        if value:
            lines.append(f"-H {shlex.quote(f'{name}: {value}')}")
        else:
            bearer = "Bearer " if name == "authorization" else ""
            lines.append(f'-H "{name}: {bearer}${_KEY}"')
    if request.body:
        lines.append(f"--data-raw {shlex.quote(_body(exchange))}")
    return " \\\n  ".join(lines) + "\n"


def _python(exchange: Exchange) -> str:
    request = exchange.request
    headers = []
    for name, value in _headers(exchange).items():
        bearer = "Bearer " if name == "authorization" else ""
        given = repr(value) if value else f"f\"{bearer}{{os.environ['{_KEY}']}}\""
        headers.append(f"    {name!r}: {given},\n")
    return (
        "import os\n\nimport httpx\n\n"
        f"headers = {{\n{''.join(headers)}}}\n"
        f"body = {_literal(_body(exchange))}\n"
        f"with httpx.stream({request.method!r}, {request.url!r}, headers=headers, {_argument(exchange)}, "
        "timeout=600) as answer:\n"
        "    for line in answer.iter_lines():\n"
        "        print(line)\n"
    )


def _literal(body: str) -> str:
    try:
        return _pretty(json.loads(body))
    except ValueError:
        return repr(body)


def _argument(exchange: Exchange) -> str:
    try:
        json.loads(_body(exchange))
    except ValueError:
        return "content=body"
    return "json=body"


def _pretty(value: object, indent: str = "") -> str:
    """A Python literal, on one line where it is short."""
    flat = repr(value)
    if len(flat) <= _LONG or not isinstance(value, dict | list) or len(indent) > 40:
        return flat
    inner = indent + "    "
    if isinstance(value, dict):
        rows = [f"{inner}{key!r}: {_pretty(item, inner)},\n" for key, item in value.items()]
        return f"{{\n{''.join(rows)}{indent}}}"
    return f"[\n{''.join(f'{inner}{_pretty(item, inner)},{chr(10)}' for item in value)}{indent}]"


def _cassette(exchange: Exchange) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "call.yaml"
        FileCassette(path).save([Recorded(exchange, "")])
        return path.read_text(encoding="utf-8")
