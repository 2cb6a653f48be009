"""Calls are found by the number that was called.

Revision 0028, after 0027.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    calls = sa.text("channel = 'voice'")
    op.create_index(
        "ix_deliveries_calls", "deliveries", ["address"], postgresql_where=calls, sqlite_where=calls
    )


def downgrade() -> None:
    op.drop_index("ix_deliveries_calls", table_name="deliveries")
