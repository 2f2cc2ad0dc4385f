"""Figures by outcome, error, status and operation by themselves, and of quarters of hours, of tags too.

All calls that are in the rollups are read for it, in some minutes of ten million.
"""

from alembic import op

from recorder.ledger.rollups import fill_finer

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_SINGLE = "('operation', 'http_status', 'outcome', 'error_type')"


def upgrade() -> None:
    fill_finer(op.get_bind())


def downgrade() -> None:
    # Of quarters of hours those of all calls are left, with the rows of their cuts.
    op.execute(f"DELETE FROM rollups WHERE dimension IN {_SINGLE} OR (hours IN (-4, 3) AND dimension <> '')")
