"""Stretches of 64 calls, of servers too, and an index of the calls that did not go well.

All is found at once, in some seconds of a million calls.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_BOUNDED = ("started_us", "duration_us", "first_token_us", "cost_pico", "input_tokens", "output_tokens")
_FAILED = "outcome <> 'ok'"


def upgrade() -> None:
    _find_bounds(64, servers=True)
    op.create_index(
        "ix_calls_outcome",
        "calls",
        ["outcome", *_BOUNDED],
        sqlite_where=sa.text(_FAILED),
        postgresql_where=sa.text(_FAILED),
        postgresql_include=["seq"],
    )


def downgrade() -> None:
    op.drop_index("ix_calls_outcome", table_name="calls")
    _find_bounds(512, servers=False)


def _find_bounds(length: int, *, servers: bool) -> None:
    op.execute("DELETE FROM stretches")
    sqlite = op.get_bind().dialect.name == "sqlite"
    if not sqlite and not servers:
        return
    names = [f"{bound}_{name}" for name in _BOUNDED for bound in ("least", "most")]
    bounds = ", ".join(f"min({name}), max({name})" for name in _BOUNDED)
    # Of SQLite's stretches the last one may get more calls, and has no bounds until then.
    complete = f"WHERE seq < (SELECT max(seq) / {length} * {length} FROM calls) " if sqlite else ""
    op.execute(
        f"INSERT INTO stretches (stretch, {', '.join(names)}) SELECT seq / {length}, {bounds} FROM calls "
        f"{complete}GROUP BY seq / {length}"
    )
