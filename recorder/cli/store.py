"""The store that a command looks at: opening it, and naming it from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..ledger.url import argument, is_sqlite, resolved
from ..settings import default_store
from .progress import progress

if TYPE_CHECKING:
    from ..ledger import Store


def open_store(url: str) -> Store:
    """Open the store; SQLAlchemy is loaded only here, since `--help` has no need of it."""
    from ..ledger import Store

    return Store(url)


def open_to_look(url: str) -> Store:
    """Open the store for somebody who wants to see the calls: first it gets those that ended programs left."""
    from .leftovers import store_leftovers

    store_leftovers(url)
    return open_store(url)


def bring_index_up_to_date(store: Store) -> None:
    """Index what a search would not find yet."""
    with progress("indexing") as advance:
        store.index(advance)


def absolute_url(url: str) -> str:
    """The URL as it means the same store from any directory."""
    return resolved(url) if is_sqlite(url) else url


def command_for(command: str, url: str) -> str:
    """What to type for a command on this store: `recorder ls`, with `--store` where it is not the default."""
    if absolute_url(url) == absolute_url(default_store()):
        return f"recorder {command}"
    return f"recorder {command} --store {argument(url)}"
