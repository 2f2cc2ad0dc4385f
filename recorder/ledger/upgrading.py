"""Bringing a store up to this recorder: its tables, and what is in them."""

from __future__ import annotations

from datetime import UTC, datetime

from .access import explaining
from .content.carrying import Progress, carry_over
from .database import open_database
from .partitions import arrange
from .schema import upgrade
from .url import resolved


def make_current(url: str, progress: Progress | None = None) -> tuple[str | None, str]:
    """Bring a store to the current schema, or create it; the revisions before and after.

    What is in it is carried over into the present form; `progress` gets how many payloads are, of how many.
    """
    with explaining(url):
        database = open_database(resolved(url))
        revisions = upgrade(database)
        if carry_over(database, progress) and not database.is_sqlite:
            # They may be of months that had no payloads until now.
            arrange(database, datetime.now(UTC))
        return revisions
