"""Contents to which nothing refers any more: followed up here, and only here, when calls or payloads go."""

from __future__ import annotations

from ..content.collecting import Collected, collect
from ..content.learning import has_learned
from ..content.renewing import renew_dictionaries
from ..database import Database
from .unindexed import purge_index, remove_from_index


def collect_unreferenced(database: Database) -> Collected:
    """Remove stored contents to which no payload refers any more, and say what they were.

    What was searched for in them is taken out of the index too.
    """
    remove_from_index(database)
    return collect(database)


def forget_scraps(database: Database) -> None:
    """Make the dictionaries of the store anew: those learned from what is gone hold scraps of it, as the index does."""
    purge_index(database)
    with database.read() as connection:
        learned = has_learned(connection)
    if learned:
        renew_dictionaries(database)
