from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import make_url

from recorder.audit import report
from recorder.call import AnswerHalf
from recorder.cassettes import Recorded
from recorder.ledger import schema
from recorder.ledger.cassettes import StoreCassette
from recorder.ledger.database import Database, open_database
from recorder.ledger.store import Store
from recorder.ledger.tables import metadata
from recorder.ledger.views import view_queries

from .databases import columns
from .ledger_calls import START_US, a_call, an_exchange, store_calls
from .test_rollups import kept

CALL_COLUMNS = [
    "id",
    "started_at",
    "duration_s",
    "first_chunk_s",
    "first_token_s",
    "first_reasoning_s",
    "operation",
    "provider",
    "host",
    "request_model",
    "response_model",
    "stream",
    "http_status",
    "outcome",
    "error_type",
    "finish_reasons",
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "usage_source",
    "cost",
    "currency",
    "cost_usd",
    "cost_source",
    "operation_id",
    "attempt",
    "trace_id",
    "span_id",
    "session_id",
    "user_id",
    "tags",
    "replayed",
    "response_id",
    "model_id",
    "cassette",
    "cache_saved",
    "started_us",
]
DAILY_COLUMNS = [
    "day",
    "provider",
    "model",
    "calls",
    "ok",
    "errors",
    "cancelled",
    "incomplete",
    "interrupted",
    "input_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost",
    "currency",
    "cost_usd",
    "unpriced_calls",
]

SQLITE_ONLY = (
    "uq_calls_id",
    "fk_payloads_call_id",
    "fk_former_payloads_call_id",
    "fk_cassette_entries_call_id",
    "fk_cost_changes_call_id",
)
POSTGRES_ONLY = ("ix_calls_seq",)

# A migration that SQLite can only do by building the table anew, which would take the payloads with it
# if foreign keys were on.
NEXT = f"{int(schema.HEAD) + 1:04}"
SECOND = """
import sqlalchemy as sa
from alembic import op

revision = "next"
down_revision = "{head}"


def recreate():
    return "always" if op.get_bind().dialect.name == "sqlite" else "never"


def upgrade() -> None:
    with op.batch_alter_table("calls", recreate=recreate()) as batch:
        batch.add_column(sa.Column("colour", sa.Text()))


def downgrade() -> None:
    with op.batch_alter_table("calls", recreate=recreate()) as batch:
        batch.drop_column("colour")
"""


@pytest.fixture
def database(url: str, absent: None) -> Database:
    return open_database(url)


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recorder of the next release, which has one migration more."""
    scripts = tmp_path / "next" / "migrations"
    shutil.copytree(schema.migrations_path(), scripts)
    (scripts / "versions" / "next_colour.py").write_text(
        SECOND.replace("{head}", schema.HEAD).replace("next", NEXT)
    )
    monkeypatch.setattr(schema, "HEAD", NEXT)
    monkeypatch.setattr(schema, "migrations_path", lambda: scripts)


def belongs_here(database: Database) -> Callable[..., bool]:
    """What is compared: no months of PostgreSQL's, and not what only the other database has."""

    def belongs(item: object, name: str, kind: str, reflected: bool, to: object) -> bool:
        if kind == "table":
            return name in metadata.tables or database.is_sqlite
        return name not in (POSTGRES_ONLY if database.is_sqlite else SQLITE_ONLY)

    return belongs


def test_the_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.migrations_path()))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_upgrading_from_nothing_gives_the_tables(database: Database) -> None:
    assert schema.upgrade(database) == (None, schema.HEAD)
    with database.read() as connection:
        options = {"version_table": schema.VERSION_TABLE, "include_object": belongs_here(database)}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    schema.upgrade(database)
    assert schema.upgrade(database) == (schema.HEAD, schema.HEAD)


def test_down_and_up_again(database: Database, url: str) -> None:
    schema.upgrade(database)
    schema.downgrade(database, "base")
    with database.read() as connection:
        assert schema.state(connection) == "missing"
    assert columns(url, "v_calls") == []
    assert schema.upgrade(database) == (None, schema.HEAD)
    assert columns(url, "v_calls") == CALL_COLUMNS


def test_views_have_the_promised_columns_in_order(database: Database, url: str) -> None:
    schema.upgrade(database)
    assert columns(url, "v_calls") == CALL_COLUMNS
    assert columns(url, "v_calls_daily") == DAILY_COLUMNS


def test_views_can_be_written_for_both_databases() -> None:
    for url, date in (("sqlite://", "date("), ("postgresql+psycopg://", "to_char(")):
        queries = view_queries(make_url(url).get_dialect()())
        assert list(queries) == ["v_calls", "v_calls_daily"]
        assert date in queries["v_calls_daily"]


def test_a_later_migration_keeps_what_refers_to_a_table(url: str, request: pytest.FixtureRequest) -> None:
    call = a_call()
    store_calls(url, call)
    request.getfixturevalue("next_version")
    store = Store(url)
    if not url.startswith("sqlite:"):
        assert store.upgrade() == (f"{int(NEXT) - 1:04}", NEXT)
    assert store.exchange(call.id) == an_exchange()
    assert columns(url, "calls")[-1] == "colour"
    assert store.upgrade() == (NEXT, NEXT)
    assert columns(url, "v_calls") == CALL_COLUMNS
    schema.downgrade(open_database(url), f"{int(NEXT) - 1:04}")
    assert columns(url, "v_calls") == []


@pytest.mark.usefixtures("absent")
def test_alembic_itself_can_run_the_migrations(url: str, tmp_path: Path) -> None:
    (tmp_path / "alembic.ini").write_text(f"[alembic]\nscript_location = {schema.migrations_path()}\n")
    subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=tmp_path,
        env={"RECORDER_STORE": url, "PYTHONPATH": str(Path(__file__).parents[1])},
        check=True,
        timeout=60,
        capture_output=True,
    )
    assert columns(url, "v_calls") == CALL_COLUMNS
    assert Store(url).check() == []


def test_recordings_of_an_older_store_have_no_credential(url: str, database: Database) -> None:
    call = a_call()
    store_calls(url, call)
    StoreCassette(url, "old").save([Recorded(an_exchange(), call.id, 2, 3)])
    schema.downgrade(database, "0001")
    assert columns(url, "cassette_entries")[-1] != "credential"
    schema.upgrade(database)
    assert StoreCassette(url, "old").load() == (Recorded(an_exchange(), call.id, 2, 0),)


@pytest.mark.parametrize("former", ["0008", "0009"])
def test_calls_that_former_rollups_counted_are_counted_anew(
    url: str, database: Database, former: str
) -> None:
    store_calls(url, *[a_call(user_id=f"u-{number % 2}") for number in range(5)])
    store = Store(url)
    before = report(store, ("user",))
    for target in (former, "head"):
        (schema.downgrade if target == former else schema.upgrade)(database, target)
    assert not store.rolled_up()
    assert report(store, ("user",)) == before
    store_calls(url, a_call(user_id="u-0"))
    assert store.roll_up() == 5
    assert {row.key: row.calls for row in report(store, ("user",)).rows} == {("u-0",): 4, ("u-1",): 2}


@pytest.mark.parametrize("former", ["0010", "0011"])
def test_what_rollups_of_an_older_store_lack_is_added_to_them(
    url: str, database: Database, former: str
) -> None:
    starts = [START_US + number * 7_200_000_000 for number in range(30)]
    answers = [AnswerHalf(model=f"m-{number % 80}") for number in range(160)]
    store_calls(
        url,
        *[
            a_call(
                user_id=f"u-{place % 4}",
                session_id=f"s-{place}",
                tags={"team": f"t-{place % 3}"},
                outcome="error" if place % 4 else "ok",
                replayed=place % 5 == 0,
                started_us=start_us,
            )
            for place, start_us in enumerate(starts)
        ],
        *[a_call(user_id="many models", answer=answer) for answer in answers],
    )
    before = kept(database)
    schema.downgrade(database, former)
    with database.read() as connection:
        finer = "SELECT count(*) FROM rollups WHERE dimension = 'outcome' OR (hours = -4 AND dimension <> '')"
        assert connection.exec_driver_sql(finer).scalar() == 0
    schema.upgrade(database)
    assert Store(url).rolled_up()
    assert kept(database) == before
