"""An index that has the calls of each value of a dimension in it, besides those of the index by most calls."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NARROW = "hours <> 0 AND dimension <> 'kind'"


def upgrade() -> None:
    op.create_index(
        "ix_rollups_counts",
        "rollups",
        ["dimension", "hours", "begins", "value", "calls", "replayed"],
        sqlite_where=sa.text(_NARROW),
        postgresql_where=sa.text(_NARROW),
    )


def downgrade() -> None:
    op.drop_index("ix_rollups_counts", table_name="rollups")
