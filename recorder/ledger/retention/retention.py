"""What can be asked of a store to keep less, and to be copied: the door to this room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..access import check_exists, explaining, reading
from ..database import Database, open_database
from ..url import resolved
from .erasing import Erased, Holdings, Person, erase, holdings
from .journals import holding, store_all
from .plan import Plan, make_plan
from .pruning import Pruned, prune
from .snapshot import take_snapshot
from .space import patient, vacuum

Progress = Callable[[int, int], None]


def _nobody(done: int, total: int) -> None:
    """Gets no progress, since nobody looks."""


class Retention:
    """Pruning, erasing and copying of one store, while others read and write it.

    Raises StoreNotFound where there is no store yet.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._database = open_database(resolved(url))
        check_exists(self._database)

    def plan(self, before_us: int, *, payloads_only: bool = False, with_content: bool = False) -> Plan:
        """What pruning would remove now; with `with_content`, also what nothing would refer to then."""
        with reading(self._database) as connection:
            return make_plan(connection, before_us, payloads_only=payloads_only, with_content=with_content)

    def prune(self, plan: Plan, progress: Progress = _nobody) -> Pruned:
        """Remove what began before the moment that a plan is about."""
        with self._patient() as database:
            return prune(
                database,
                plan.before_us,
                payloads_only=plan.payloads_only,
                total=plan.total,
                progress=progress,
            )

    def vacuum(self) -> None:
        """Write a SQLite file anew, without free pages; writers wait meanwhile."""
        with self._patient() as database:
            vacuum(database)

    def store_waiting(self, journal: Path | None) -> None:
        """Store what waits in a journal. Raises StoreError where that cannot be."""
        if journal is not None:
            store_all(self.url, journal)

    def holdings(self, person: Person) -> Holdings:
        """What the store has of a person."""
        with reading(self._database) as connection:
            return holdings(connection, person)

    def erase(
        self,
        person: Person,
        *,
        keep_numbers: bool = False,
        rewrite: bool = True,
        journal: Path | None = None,
        progress: Progress = _nobody,
    ) -> Erased:
        """Remove all that there is of a person; what waits in the `journal` is stored first.

        Raises StoreError where something waits there that cannot be stored.
        """
        self.store_waiting(journal)
        with self._patient() as database:
            done = erase(database, person, keep_numbers=keep_numbers, rewrite=rewrite, progress=progress)
        done.journal = [str(path) for path in holding(journal)]
        return done

    def snapshot(self, target: Path, progress: Progress = _nobody, *, overwrite: bool = False) -> int:
        """Copy the store as it is now into a SQLite file; its size in bytes."""
        return take_snapshot(self._database, target, progress, overwrite=overwrite)

    @contextmanager
    def _patient(self) -> Iterator[Database]:
        """The database for long work: current, and in no hurry where others hold its lock."""
        with reading(self._database):
            pass
        database = patient(self.url)
        try:
            with explaining(self.url):
                yield database
        finally:
            database.close()
