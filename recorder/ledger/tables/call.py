"""The table of calls, and what is known of calls that are not in it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, SmallInteger, Table, Text, UniqueConstraint

from .conventions import ID, SERIAL, metadata, sparse_index

# An empty `operation_id` says that it is the call's own id.
calls = Table(
    "calls",
    metadata,
    Column("seq", SERIAL, primary_key=True, autoincrement=True),
    Column("id", ID, nullable=False),
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
    sparse_index("operation_id", "operation_id <> ''"),
    sparse_index("trace_id", "trace_id IS NOT NULL"),
    sparse_index("session_id", "session_id IS NOT NULL"),
    sparse_index("user_id", "user_id IS NOT NULL", "started_us"),
    # Has all that calls are ordered by, so that those that failed are ordered without a look at any of them.
    sparse_index(
        *("outcome", "outcome <> 'ok'", "started_us", "duration_us", "first_token_us"),
        *("cost_pico", "input_tokens", "output_tokens"),
        beside=("seq",),
    ),
    UniqueConstraint("id").ddl_if(dialect="sqlite"),
    Index(None, "seq").ddl_if(dialect="postgresql"),
    sqlite_autoincrement=True,
)

losses = Table(
    "losses",
    metadata,
    Column("seq", SERIAL, primary_key=True, autoincrement=True),
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
    Column("seq", SERIAL, primary_key=True, autoincrement=True),
    Column("at_us", BigInteger, nullable=False),
    Column("before_us", BigInteger, nullable=False),
    Column("payloads_only", SmallInteger, nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("payloads", BigInteger, nullable=False),
)
