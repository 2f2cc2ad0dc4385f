"""The tables of a store.

On PostgreSQL `calls` and `payloads` are cut into months by id: there `id` is the key of calls, and no row refers to
a call by a foreign key, which would tie old months to the store.
"""

from .call import calls, losses, prunings
from .cassette import cassette_entries, cassettes
from .content import blobs, collection, dictionaries, former_payloads, nodes, payloads, used
from .conventions import metadata
from .money import budgets, cost_changes, holidays, prices
from .rollup import rollup_state, rollups
from .stretch import BOUNDED, stretches
from .value import value_counts, value_numbers

__all__ = [
    "BOUNDED",
    "blobs",
    "budgets",
    "calls",
    "cassette_entries",
    "cassettes",
    "collection",
    "cost_changes",
    "dictionaries",
    "former_payloads",
    "holidays",
    "losses",
    "metadata",
    "nodes",
    "payloads",
    "prices",
    "prunings",
    "rollup_state",
    "rollups",
    "stretches",
    "used",
    "value_counts",
    "value_numbers",
]
