"""Recorded calls of a store, cut out as the recordings of a cassette."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from ..cassettes import Recorded
from ..errors import CassetteError, StoreError
from ..ledger import Store

_FEW = 3


class Excerpt(Struct, frozen=True):
    """The calls in the order in which they began, and their recordings."""

    rows: tuple[Mapping[str, Any], ...]
    recordings: tuple[Recorded, ...]


def cut_calls(store: Store, rows: Sequence[Mapping[str, Any]], *, replayed: bool = False) -> Excerpt:
    """Fetch what these calls (rows of `v_calls`) sent and got.

    Raises CassetteError where a payload is missing, or where a call is itself a replay and `replayed`
    does not allow that.
    """
    rows = sorted(rows, key=lambda row: (row["started_at"], row["seq"]))
    replays = [row["id"] for row in rows if row["replayed"]]
    if replays and not replayed:
        raise CassetteError(
            f"{_calls(replays)} replayed, so a cassette holds that already; to take replays too, "
            "add --include-replayed"
        )
    recordings, missing = [], []
    for row in rows:
        try:
            recordings.append(Recorded(store.exchange(row["id"]), row["id"]))
        except StoreError as error:
            missing.append((row["id"], error))
    if missing:
        raise CassetteError(
            f"{_calls([id for id, _ in missing])} without a payload, so nothing can be cut: {missing[0][1]}"
        )
    return Excerpt(tuple(rows), tuple(recordings))


def _calls(ids: Sequence[str]) -> str:
    if len(ids) == 1:
        return f"call {ids[0]} is"
    shown = ", ".join(id[-8:] for id in ids[:_FEW])
    return f"{len(ids)} calls ({shown}{', …' if len(ids) > _FEW else ''}) are"
