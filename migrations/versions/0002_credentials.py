"""Which credential of a cassette each of its recordings was asked with; 0 where that is not known."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "cassette_entries", sa.Column("credential", sa.Integer(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    with op.batch_alter_table("cassette_entries") as batch:
        batch.drop_column("credential")
