"""Calls, their payloads, cassettes, and what was lost."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "calls",
        sa.Column("seq", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("operation_id", sa.Text(), nullable=False),
        sa.Column("started_us", sa.BigInteger(), nullable=False),
        sa.Column("duration_us", sa.BigInteger(), nullable=False),
        sa.Column("first_byte_us", sa.BigInteger()),
        sa.Column("first_chunk_us", sa.BigInteger()),
        sa.Column("first_reasoning_us", sa.BigInteger()),
        sa.Column("first_token_us", sa.BigInteger()),
        sa.Column("dialect", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text()),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("request_model", sa.Text()),
        sa.Column("response_model", sa.Text()),
        sa.Column("stream", sa.SmallInteger(), nullable=False),
        sa.Column("http_status", sa.Integer()),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("ending", sa.Text(), nullable=False),
        sa.Column("error_type", sa.Text()),
        sa.Column("error_message", sa.Text()),
        sa.Column("finish_reasons", sa.Text(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger()),
        sa.Column("cached_tokens", sa.BigInteger()),
        sa.Column("cache_write_tokens", sa.BigInteger()),
        sa.Column("output_tokens", sa.BigInteger()),
        sa.Column("reasoning_tokens", sa.BigInteger()),
        sa.Column("usage_source", sa.Text(), nullable=False),
        sa.Column("cost_pico", sa.BigInteger()),
        sa.Column("currency", sa.Text()),
        sa.Column("cost_source", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("trace_id", sa.Text()),
        sa.Column("span_id", sa.Text()),
        sa.Column("session_id", sa.Text()),
        sa.Column("user_id", sa.Text()),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("replayed", sa.SmallInteger(), nullable=False),
        sa.Column("response_id", sa.Text()),
        sa.Column("model_id", sa.Text()),
        sa.Column("cassette", sa.Text()),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("redacted", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_calls"),
        sa.UniqueConstraint("id", name="uq_calls_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_calls_started_us", "calls", ["started_us"])
    op.create_index("ix_calls_operation_id", "calls", ["operation_id"])
    op.create_index("ix_calls_trace_id", "calls", ["trace_id"])
    op.create_index("ix_calls_session_id", "calls", ["session_id"])
    op.create_table(
        "payloads",
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("started_us", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("request_headers", sa.LargeBinary(), nullable=False),
        sa.Column("request_encoding", sa.Text(), nullable=False),
        sa.Column("request_body", sa.LargeBinary()),
        sa.Column("status", sa.Integer()),
        sa.Column("http_version", sa.LargeBinary()),
        sa.Column("reason", sa.LargeBinary()),
        sa.Column("response_headers", sa.LargeBinary()),
        sa.Column("head_at_ns", sa.BigInteger()),
        sa.Column("response_encoding", sa.Text(), nullable=False),
        sa.Column("response_body", sa.LargeBinary()),
        sa.Column("chunks", sa.LargeBinary()),
        sa.Column("ending", sa.Text(), nullable=False),
        sa.Column("ended_at_ns", sa.BigInteger(), nullable=False),
        sa.Column("phase", sa.Text()),
        sa.Column("exception", sa.Text()),
        sa.Column("message", sa.Text()),
        sa.Column("redacted", sa.SmallInteger(), nullable=False),
        sa.Column("usage_asked", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", name="pk_payloads"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_payloads_call_id", ondelete="CASCADE"),
    )
    op.create_table(
        "cassettes",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_cassettes"),
    )
    op.create_table(
        "cassette_entries",
        sa.Column("cassette", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("cassette", "position", name="pk_cassette_entries"),
        sa.ForeignKeyConstraint(
            ["cassette"], ["cassettes.name"], name="fk_cassette_entries_cassette", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["call_id"], ["calls.id"], name="fk_cassette_entries_call_id"),
    )
    op.create_index("ix_cassette_entries_call_id", "cassette_entries", ["call_id"])
    op.create_table(
        "losses",
        sa.Column("seq", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_losses"),
    )


def downgrade() -> None:
    for name in ("losses", "cassette_entries", "cassettes", "payloads", "calls"):
        op.drop_table(name)
