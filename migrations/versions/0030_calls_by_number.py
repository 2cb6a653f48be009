"""Calls are found by the number that was called.

Revision 0030, after 0029.
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    calls = sa.text("channel = 'voice'")
    op.create_index(
        "ix_deliveries_calls", "deliveries", ["address"], postgresql_where=calls, sqlite_where=calls
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_calls", table_name="deliveries")
