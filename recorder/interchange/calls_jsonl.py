"""Stored calls as lines of JSON, one a call: all that is known of each, to be stored again elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Final

import msgspec

from ..ledger.copies import CallCopy
from .call_fields import Misfit, call_fields, read_call
from .skipped import Skipped

LONGEST: Final = 256 * 1024 * 1024
"""So many bytes may a line have."""

_encode = msgspec.json.Encoder().encode


def write_line(copy: CallCopy) -> bytes:
    """The line of a call, with its end."""
    return _encode(call_fields(copy)) + b"\n"


def read_lines(file: IO[bytes], name: str, longest: int = LONGEST) -> Iterator[CallCopy | Skipped]:
    """The calls of a file, line by line; what is none is said so, and the rest goes on. Empty lines are none."""
    number = 0
    while line := file.readline(longest + 1):
        number += 1
        if len(line) > longest:
            yield Skipped(name, f"line {number}", f"it is longer than {longest} bytes")
            while line and not line.endswith(b"\n"):
                line = file.readline(longest)
        elif not line.isspace():
            try:
                yield read_call(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line)
            except Misfit as error:
                yield Skipped(name, f"line {number}", str(error))
