"""What caching saved and the start in microseconds, in the view `v_calls`.

The views are made anew after every migration; nothing else changes.
"""

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
