"""The tables of what calls said: their payloads, and the texts in them that are kept once for all calls."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)

from .conventions import ID, SERIAL, metadata

# What went over the wire, without what is kept once for many calls: `node` is the conversation that was sent, `pieces`
# are blobs, packed. On SQLite rows are in the order of their key, without an index beside: they are short, since a
# record that is long is a blob too, the last of the pieces.
payloads = Table(
    "payloads",
    metadata,
    Column("call_id", ID, primary_key=True),
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
    Column("id", SERIAL, primary_key=True),
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
    Column("id", SERIAL, primary_key=True),
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
    Column("seq", SERIAL, primary_key=True),
    Column("node", BigInteger),
    Column("pieces", LargeBinary, nullable=False),
)

# Payloads as they were kept before, until they are carried over (`recorder db upgrade`).
former_payloads = Table(
    "former_payloads",
    metadata,
    Column("call_id", ID, primary_key=True),
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
