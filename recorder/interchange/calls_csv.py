"""Stored calls as CSV: the columns of `v_calls`, made safe for spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Any, Final

from ..ledger.selection import ViewRow
from ..ledger.views import CALL_COLUMNS

# OWASP's list (CSV Injection), with the full-width signs, which some spreadsheets take for the same.
_BEGIN_A_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def write_rows(rows: Iterable[ViewRow]) -> Iterator[bytes]:
    """The line of names, then a line a call; what is unknown is empty.

    A text that a spreadsheet would take for a formula gets a `'` before it, as OWASP advises, which
    makes it text there.
    """
    buffer = StringIO()
    writer = csv.writer(buffer)  # whose lines end as RFC 4180 has it
    writer.writerow(CALL_COLUMNS)
    for row in rows:
        writer.writerow([harmless(row[name]) for name in CALL_COLUMNS])
        yield buffer.getvalue().encode("utf-8", "replace")
        buffer.seek(0)
        buffer.truncate()
    if left := buffer.getvalue():
        yield left.encode()


def harmless(value: Any) -> Any:
    """The value of a cell: numbers as they are, and no text that begins as a formula does."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_BEGIN_A_FORMULA) else value
