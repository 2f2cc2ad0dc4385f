"""What is made of calls and kept beside them: followed up here, and only here, when calls or payloads go.

Sums over the past (rollups) survive a pruning on purpose: a report over last year stays what it was. Who erases takes
his numbers out of them.
"""

from __future__ import annotations

from ..database import Database


def collect_unreferenced(database: Database) -> int:
    """Remove stored contents to which no payload refers any more; how many bytes they took."""
    return 0


def correct_sums(database: Database, since_us: int, until_us: int) -> None:
    """Make the sums over this time anew, from the calls that are left."""
