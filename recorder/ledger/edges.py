"""The calls at the edges of a period, which no whole cell of the rollups covers: counted one by one, where needed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection

from .answers_of_rows import add_rows, count_rows, named
from .database import Database
from .dimensions import CORE
from .figures import REPLAYED, Figures
from .periods import Edge
from .question import GROUPS, Key, Question

_NAMED: Final = ("user", "session")
_MOST_NAMED: Final = 400
"""How many users or sessions a query names at most; of more the figures of all are found."""

Numbers = tuple[int, int]
"""How many calls there are, live ones and replayed ones; fewer than none where an edge is taken away."""


class Edges:
    """A question about the calls at the edges of its period.

    Of users and sessions, which are many, by themselves or with models, only the figures of those that are asked for
    are found.
    """

    def __init__(
        self, connection: Connection, database: Database, question: Question, edges: Sequence[Edge]
    ) -> None:
        self._connection = connection
        self._database = database
        self._question = question
        self._edges = edges
        self._all: dict[Key, Figures] | None = None
        self._total: Figures | None = None
        self._numbers: dict[Key, int] | None = None
        self._long: dict[Key, set[str | None]] = {}
        names = [name for name in question.by if name not in CORE]
        self._name = names[0] if len(names) == 1 and names[0] in _NAMED else None

    def __bool__(self) -> bool:
        return bool(self._edges)

    def counts(self) -> dict[Key, Numbers]:
        """How many calls each group has."""
        if self._name is None or self._all is not None:
            return {key: (of.calls, of.counts[REPLAYED]) for key, of in self.figures().items()}
        found: dict[Key, Numbers] = {}
        numbers: dict[Key, int] = {}
        at = self._question.by.index(self._name)
        for edge in self._edges:
            sign = edge.sign
            for key, raw, live, replayed in count_rows(
                self._connection, self._database, self._question, edge
            ):
                known = found.get(key)
                if known is None:
                    found[key] = sign * live, sign * replayed
                else:
                    found[key] = known[0] + sign * live, known[1] + sign * replayed
                numbers[key] = numbers.get(key, 0) + live + replayed
                if raw[at] != key[at]:
                    self._long.setdefault(key, set()).add(raw[at])
        self._numbers = numbers
        return found

    def figures(self, keys: Collection[Key] | None = None) -> Mapping[Key, Figures]:
        """The figures of some groups that `counts` told of, and maybe of others; of all without `keys`."""
        if self._all is None and self._name is not None and keys is not None and self._numbers is not None:
            there = [key for key in keys if key in self._numbers]
            at = self._question.by.index(self._name)
            names = {key[at] for key in there}
            names.update(*(self._long[key] for key in there if key in self._long))
            if len(names) <= _MOST_NAMED:
                return self._of(names, sum(self._numbers[key] for key in there))
        if self._all is None:
            self._all, self._total = {}, Figures()
            for edge in self._edges:
                add_rows(*self._asked(edge, self._all), total=self._total)
        return self._all

    def total(self) -> Figures:
        """The figures of all calls together, each counted once."""
        self.figures()
        assert self._total is not None, "it is counted with the groups"
        return self._total

    @property
    def apart(self) -> bool:
        """Whether all calls together are to be asked for by themselves, as groups are many."""
        return self._name is not None

    def _asked(
        self, edge: Edge, found: dict[Key, Figures]
    ) -> tuple[Connection, Database, Question, Edge, dict[Key, Figures]]:
        return self._connection, self._database, self._question, edge, found

    def _of(self, names: Collection[str | None], number: int) -> dict[Key, Figures]:
        """The figures of calls of some users or sessions, so many at most."""
        found: dict[Key, Figures] = {}
        # An index has a user's calls in the order of time; a session has one for all of them, however many these are.
        by_time = self._name == "user" and None not in names
        shown = named(GROUPS[self._name or ""], names, index=by_time)
        for edge in self._edges if names else ():
            add_rows(*self._asked(edge, found), only=shown, most=number)
        return found
