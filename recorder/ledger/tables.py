"""The tables of a store.

On PostgreSQL `calls` and `payloads` are cut into months by id: there `id` is the key of calls, and no row refers to
a call by a foreign key, which would tie old months to the store.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

# SQLite numbers rows by itself only where the type is spelled INTEGER.
_SERIAL = BigInteger().with_variant(Integer, "sqlite")
# By its bytes, as SQLite does it: ids sort by time.
_ID = Text().with_variant(Text(collation="C"), "postgresql")


def _sparse(column: str, condition: str, *more: str) -> Index:
    """An index of the rows alone that have something to be found by."""
    return Index(None, column, *more, sqlite_where=text(condition), postgresql_where=text(condition))


# An empty `operation_id` says that it is the call's own id.
calls = Table(
    "calls",
    metadata,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("id", _ID, nullable=False),
    Column("operation_id", Text, nullable=False),
    Column("started_us", BigInteger, nullable=False),
    Column("duration_us", BigInteger, nullable=False),
    Column("first_byte_us", BigInteger),
    Column("first_chunk_us", BigInteger),
    Column("first_reasoning_us", BigInteger),
    Column("first_token_us", BigInteger),
    Column("dialect", Text, nullable=False),
    Column("operation", Text),
    Column("provider", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("request_model", Text),
    Column("response_model", Text),
    Column("stream", SmallInteger, nullable=False),
    Column("http_status", Integer),
    Column("outcome", Text, nullable=False),
    Column("ending", Text, nullable=False),
    Column("error_type", Text),
    Column("error_message", Text),
    Column("finish_reasons", Text, nullable=False),
    Column("input_tokens", BigInteger),
    Column("cached_tokens", BigInteger),
    Column("cache_write_tokens", BigInteger),
    Column("output_tokens", BigInteger),
    Column("reasoning_tokens", BigInteger),
    Column("usage_source", Text, nullable=False),
    Column("cost_pico", BigInteger),
    Column("currency", Text),
    Column("cost_source", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("trace_id", Text),
    Column("span_id", Text),
    Column("session_id", Text),
    Column("user_id", Text),
    Column("tags", Text, nullable=False),
    Column("replayed", SmallInteger, nullable=False),
    Column("response_id", Text),
    Column("model_id", Text),
    Column("cassette", Text),
    Column("notes", Text, nullable=False),
    Column("redacted", SmallInteger, nullable=False),
    Column("total_tokens", BigInteger),
    Column("service_tier", Text),
    Column("price_id", Text),
    Column("cost_note", Text),
    Column("content", Text, nullable=False, server_default="kept"),
    Column("cache_saved_pico", BigInteger),
    Index(None, "started_us"),
    _sparse("operation_id", "operation_id <> ''"),
    _sparse("trace_id", "trace_id IS NOT NULL"),
    _sparse("session_id", "session_id IS NOT NULL"),
    _sparse("user_id", "user_id IS NOT NULL", "started_us"),
    UniqueConstraint("id").ddl_if(dialect="sqlite"),
    Index(None, "seq").ddl_if(dialect="postgresql"),
    sqlite_autoincrement=True,
)

# What went over the wire, without what is kept once for many calls: `node` is the conversation that was sent, `pieces`
# are blobs, packed. On SQLite rows are in the order of their key, without an index beside: they are short, since a
# record that is long is a blob too, the last of the pieces.
payloads = Table(
    "payloads",
    metadata,
    Column("call_id", _ID, primary_key=True),
    Column("started_us", BigInteger, nullable=False),
    Column("request_size", Integer, nullable=False),
    Column("response_size", Integer, nullable=False),
    Column("node", BigInteger),
    Column("pieces", LargeBinary, nullable=False),
    Column("form", SmallInteger),
    Column("record", LargeBinary),
    ForeignKeyConstraint(["call_id"], ["calls.id"], ondelete="CASCADE").ddl_if(dialect="sqlite"),
    sqlite_with_rowid=False,
)

# Messages, tool lists and other long parts of bodies: each once, by the hash of its bytes. Nothing refers to these by
# foreign keys, which would make deleting them slow: who deletes them looks for references first.
blobs = Table(
    "blobs",
    metadata,
    Column("id", _SERIAL, primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Column("form", SmallInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
    UniqueConstraint("hash"),
)

# The tree of conversations. Its hash is that of all messages from the root on; `messages` are those after its parent's,
# with the texts in them that are blobs.
nodes = Table(
    "nodes",
    metadata,
    Column("id", _SERIAL, primary_key=True),
    Column("hash", LargeBinary, nullable=False),
    Column("parent", BigInteger),
    Column("pieces", LargeBinary, nullable=False),
    Column("form", SmallInteger, nullable=False),
    Column("messages", LargeBinary, nullable=False),
    UniqueConstraint("hash"),
)

# What blobs, nodes and records were pressed with: kept as long as the store.
dictionaries = Table(
    "dictionaries",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("made_us", BigInteger, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

# One row: the key of all hashes, how often something was collected, and by whom it is being collected now.
collection = Table(
    "collection",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key", LargeBinary, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("collector", Text),
)

# What writers refer to while something is being collected.
used = Table(
    "used",
    metadata,
    Column("seq", _SERIAL, primary_key=True),
    Column("node", BigInteger),
    Column("pieces", LargeBinary, nullable=False),
)

# Payloads as they were kept before, until they are carried over (`recorder db upgrade`).
former_payloads = Table(
    "former_payloads",
    metadata,
    Column("call_id", _ID, primary_key=True),
    Column("started_us", BigInteger, nullable=False),
    Column("method", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("request_headers", LargeBinary, nullable=False),
    Column("request_encoding", Text, nullable=False),
    Column("request_body", LargeBinary),
    Column("status", Integer),
    Column("http_version", LargeBinary),
    Column("reason", LargeBinary),
    Column("response_headers", LargeBinary),
    Column("head_at_ns", BigInteger),
    Column("response_encoding", Text, nullable=False),
    Column("response_body", LargeBinary),
    Column("chunks", LargeBinary),
    Column("ending", Text, nullable=False),
    Column("ended_at_ns", BigInteger, nullable=False),
    Column("phase", Text),
    Column("exception", Text),
    Column("message", Text),
    Column("redacted", SmallInteger, nullable=False),
    Column("usage_asked", SmallInteger, nullable=False),
    ForeignKeyConstraint(["call_id"], ["calls.id"], ondelete="CASCADE").ddl_if(dialect="sqlite"),
)

cassettes = Table(
    "cassettes",
    metadata,
    Column("name", Text, primary_key=True),
    Column("created_us", BigInteger, nullable=False),
)

# No cascade from calls: what a cassette refers to must not be pruned.
cassette_entries = Table(
    "cassette_entries",
    metadata,
    Column("cassette", Text, ForeignKey("cassettes.name", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("lane", Integer, nullable=False),
    Column("call_id", _ID, nullable=False, index=True),
    Column("credential", Integer, nullable=False, server_default="0"),
    ForeignKeyConstraint(["call_id"], ["calls.id"]).ddl_if(dialect="sqlite"),
)

losses = Table(
    "losses",
    metadata,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("at_us", BigInteger, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("reason", Text, nullable=False),
)

# What was pruned, and when: a payload that is not there and began before one of them was pruned.
prunings = Table(
    "prunings",
    metadata,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("at_us", BigInteger, nullable=False),
    Column("before_us", BigInteger, nullable=False),
    Column("payloads_only", SmallInteger, nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("payloads", BigInteger, nullable=False),
)

# Rates are decimal numbers as text: SQLite would make floating-point numbers of them.
prices = Table(
    "prices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("model", Text, nullable=False),
    Column("provider", Text),
    Column("host", Text),
    Column("currency", Text, nullable=False),
    Column("valid_from_us", BigInteger),
    Column("valid_to_us", BigInteger),
    Column("hours", Text),
    Column("input", Text),
    Column("cached", Text),
    Column("cache_write", Text),
    Column("output", Text),
    Column("reasoning", Text),
    Column("request", Text),
    Column("source", Text, nullable=False),
    Column("looked_up", Text),
    Column("note", Text, nullable=False),
    Column("own", SmallInteger, nullable=False),
    Column("enabled", SmallInteger, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)

holidays = Table(
    "holidays",
    metadata,
    Column("country", Text, primary_key=True),
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("days", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("looked_up", Text),
    Column("own", SmallInteger, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)

cost_changes = Table(
    "cost_changes",
    metadata,
    Column("seq", _SERIAL, primary_key=True, autoincrement=True),
    Column("call_id", _ID, nullable=False, index=True),
    Column("at_us", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("former_cost_pico", BigInteger),
    Column("former_currency", Text),
    Column("former_cost_source", Text, nullable=False),
    Column("former_price_id", Text),
    Column("former_cost_note", Text),
    Column("cost_pico", BigInteger),
    Column("currency", Text),
    Column("cost_source", Text, nullable=False),
    Column("price_id", Text),
    Column("cost_note", Text),
    ForeignKeyConstraint(["call_id"], ["calls.id"], ondelete="CASCADE").ddl_if(dialect="sqlite"),
)

# What `figures` has in it says `recorder.ledger.figures`, and `cuts` `recorder.ledger.kept_cells`; `calls` counts those
# that were not replayed. The cells of all time, which have no hours, are found by who has the most calls.
rollups = Table(
    "rollups",
    metadata,
    Column("dimension", _ID, primary_key=True),
    Column("hours", SmallInteger, primary_key=True, autoincrement=False),
    Column("begins", BigInteger, primary_key=True, autoincrement=False),
    Column("value", _ID, primary_key=True),
    Column("calls", BigInteger, nullable=False),
    Column("replayed", BigInteger, nullable=False),
    Column("figures", LargeBinary, nullable=False),
    Column("cuts", LargeBinary, nullable=False),
)
Index(
    "ix_rollups_calls",
    rollups.c.dimension,
    rollups.c.calls.desc(),
    rollups.c.value,
    sqlite_where=text("hours = 0"),
    postgresql_where=text("hours = 0"),
)

# Its one row names the calls that are not in the rollups yet: those numbered after one, up to another.
rollup_state = Table(
    "rollup_state",
    metadata,
    Column("after_seq", BigInteger, nullable=False),
    Column("upto_seq", BigInteger, nullable=False),
)

budgets = Table(
    "budgets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("limit_pico", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("filters", Text, nullable=False),
    Column("changed_us", BigInteger, nullable=False),
)
