"""Replays that are told of later: their rows say what those say that were read at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

import recorder
from recorder.cassettes import Mode
from recorder.ledger.store import Store
from recorder.played import Played

from .test_replay import ask

URL = "https://llm.test/chat/completions"
ANSWER = json.dumps(
    {
        "id": "c-1",
        "model": "m-1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "2"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
    }
)


@contextmanager
def client_of(rec: recorder.Recorder, mode: Mode) -> Iterator[httpx2.Client]:
    """A client whose upstream always answers the same, and a cassette around it."""
    mock = httpx2.MockTransport(lambda request: httpx2.Response(200, content=ANSWER))
    with rec.cassette("x", mode=mode), rec.wrap(httpx2.Client(transport=mock)) as client:
        yield client


def rows_of(folder: Path, *, strict: bool) -> list[dict[str, Any]]:
    """What a Recorder's store says of two recorded calls and their replays."""
    seen: list[type] = []
    with recorder.Recorder(f"sqlite:///{folder}/{strict}.db", strict=strict) as rec:
        put = rec._recording._observers[0]
        rec._recording._observers = (lambda ended: seen.append(type(ended)), put)
        modes: tuple[Mode, ...] = ("once", "none")
        for mode in modes:
            with client_of(rec, mode) as client:
                for number in range(2):
                    with recorder.tags(session_id=f"s{number}"):
                        client.post(URL, content=ask(str(number)), headers={"authorization": "Bearer s"})
        assert rec.flush()
        store = Store(rec.store)
        rows = [dict(row) | {"body": store.exchange(row["id"]).body} for row in store.calls()]
    rows.sort(key=lambda row: (row["replayed"], row["session_id"]))
    assert (seen.count(Played), len(rows)) == (0 if strict else 2, 4)
    return rows


def test_row_of_a_replay_says_the_same_whenever_it_is_read(tmp_path: Path) -> None:
    later, at_once = (rows_of(tmp_path, strict=strict) for strict in (False, True))
    for one, other in zip(later, at_once, strict=True):
        differing = {name for name in one if one[name] != other[name]}
        assert differing <= {
            *("id", "operation_id", "started_at", "duration_s", "first_chunk_s", "first_token_s"),
            *("trace_id", "span_id", "seq", "started_us"),
        }
        assert {name for name in one if one[name] is None} == {name for name in other if other[name] is None}


def test_replay_that_was_left_early_says_so(tmp_path: Path) -> None:
    with recorder.Recorder(f"sqlite:///{tmp_path}/x.db", strict=False) as rec:
        with client_of(rec, "once") as client:
            client.post(URL, content=ask("0"))
        with client_of(rec, "none") as client, client.stream("POST", URL, content=ask("0")):
            pass
        assert rec.flush()
        replayed = [row["outcome"] for row in Store(rec.store).calls() if row["replayed"]]
    assert replayed == ["incomplete"]


@pytest.mark.parametrize("journal", [False, None])
def test_replays_are_stored_at_the_latest_when_the_recorder_closes(
    tmp_path: Path, journal: bool | None
) -> None:
    with recorder.Recorder(f"sqlite:///{tmp_path}/x.db", strict=False, journal=journal) as rec:
        modes: tuple[Mode, ...] = ("once", "none")
        for mode in modes:
            with client_of(rec, mode) as client:
                client.post(URL, content=ask("0"))
    stored = Store(f"sqlite:///{tmp_path}/x.db").calls()
    assert sorted(row["replayed"] for row in stored) == [0, 1]
