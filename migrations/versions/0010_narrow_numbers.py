"""Figures of quarters of hours, the calls of each value of a dimension in an index, and bounds of stretches of calls.

The rollups are counted anew by the next report, or by `recorder db rollup`. SQLite's bounds of the calls that are there
are found at once, in a few seconds of ten million calls.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NARROW = "hours <> 0 AND dimension <> 'kind'"
_BOUNDED = ("started_us", "duration_us", "first_token_us", "cost_pico", "input_tokens", "output_tokens")
_STRETCH = 512


def upgrade() -> None:
    _count_anew()
    op.create_index(
        "ix_rollups_counts",
        "rollups",
        ["dimension", "hours", "begins", "value", "calls", "replayed"],
        sqlite_where=sa.text(_NARROW),
        postgresql_where=sa.text(_NARROW),
    )
    names = [f"{bound}_{name}" for name in _BOUNDED for bound in ("least", "most")]
    op.create_table(
        "stretches",
        sa.Column("stretch", sa.BigInteger(), nullable=False, autoincrement=False),
        *(sa.Column(name, sa.BigInteger()) for name in names),
        sa.PrimaryKeyConstraint("stretch", name="pk_stretches"),
    )
    if op.get_bind().dialect.name == "sqlite":
        bounds = ", ".join(f"min({name}), max({name})" for name in _BOUNDED)
        op.execute(
            f"INSERT INTO stretches (stretch, {', '.join(names)}) SELECT seq / {_STRETCH}, {bounds} FROM calls "
            f"WHERE seq < (SELECT max(seq) / {_STRETCH} * {_STRETCH} FROM calls) GROUP BY seq / {_STRETCH}"
        )


def downgrade() -> None:
    op.drop_table("stretches")
    op.drop_index("ix_rollups_counts", table_name="rollups")
    _count_anew()


def _count_anew() -> None:
    op.execute("DELETE FROM rollups")
    op.execute("UPDATE rollup_state SET after_seq = 0, upto_seq = (SELECT coalesce(max(seq), 0) FROM calls)")
