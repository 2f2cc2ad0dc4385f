"""Writers of a server, who stand in line for the rollups: whatever becomes of one, the others get their turn."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

import recorder
from recorder.ledger import Store, rollups
from recorder.ledger.database import open_database
from recorder.ledger.upgrading import make_current
from recorder.ledger.writer import Writer

from .accounting import call, client_of, settle_account
from .databases import execute
from .ledger_calls import a_call, put_calls, store_calls
from .test_rollups import assert_kept_is_rebuilt


@contextmanager
def before_all_others(url: str) -> Iterator[None]:
    """Be the first in line, and do nothing."""
    with open_database(url).write() as connection:
        rollups._take_turn(connection)
        yield


def wait_for_one_in_line(url: str) -> int:
    """Wait until somebody stands in line; the process of the server that serves them."""
    until = time.monotonic() + 60
    query = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'advisory' AND datname = current_database()"
    while not (found := execute(url, query)):
        assert time.monotonic() < until
    return int(found[0][0])


def number_of_calls(url: str) -> int:
    return Store(url).number_of_calls()


def test_one_who_falls_silent_loses_the_turn(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    store_calls(postgres_url, a_call())
    quick = "SET LOCAL idle_in_transaction_session_timeout = '20ms'"
    with suppress(DBAPIError), ExitStack() as stack:
        with monkeypatch.context() as patch:
            patch.setattr("recorder.ledger.database._SILENCE_TIMEOUT", quick)
            stack.enter_context(before_all_others(postgres_url))
        store_calls(postgres_url, a_call())
    assert number_of_calls(postgres_url) == 2


def test_one_whose_connection_ends_in_line_stores_all_once(postgres_url: str) -> None:
    store_calls(postgres_url, a_call())
    writer = Writer(postgres_url, 64 << 20, pause=lambda failures: 0.01)
    with before_all_others(postgres_url):
        put = put_calls(writer, 5)
        execute(postgres_url, "SELECT pg_terminate_backend(?)", wait_for_one_in_line(postgres_url))
    assert writer.close(60.0)
    assert number_of_calls(postgres_url) == len(put) + 1
    assert_kept_is_rebuilt(open_database(postgres_url))


def test_one_that_is_closed_in_line_leaves_the_rest_to_others(
    postgres_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_current(postgres_url)
    rec = recorder.Recorder(postgres_url, journal=tmp_path)
    client = client_of(rec)
    with before_all_others(postgres_url):
        call(client, "c-0")
        wait_for_one_in_line(postgres_url)
        call(client, "c-1")
        thread = rec._writer._thread
        assert not rec.close(0.01)
    assert thread is not None
    thread.join(60)
    assert "in the journal" in caplog.text
    with recorder.Recorder(postgres_url, journal=tmp_path) as other:
        assert other.flush(60)
    settle_account(postgres_url, ["c-0", "c-1"])
    assert_kept_is_rebuilt(open_database(postgres_url))
