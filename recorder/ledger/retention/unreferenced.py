"""What payloads shared and nobody refers to any more."""

from __future__ import annotations

from ..database import Database


def collect_unreferenced(database: Database) -> int:
    """Remove stored contents to which no payload refers any more; how many bytes they took."""
    return 0
