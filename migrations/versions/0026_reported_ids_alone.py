"""The index of providers' ids holds the rows that have one.

Every change of a row's state writes into every index that holds the row; until the provider has answered there is
nothing in this one to be found by.

Revision 0026, after 0025.
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_NAME, _TABLE, _COLUMNS = "ix_deliveries_provider_id", "deliveries", ["provider_id"]
_KNOWN = sa.text("provider_id IS NOT NULL")


def upgrade() -> None:
    op.drop_index(_NAME, _TABLE)
    op.create_index(_NAME, _TABLE, _COLUMNS, postgresql_where=_KNOWN, sqlite_where=_KNOWN)


def downgrade() -> None:
    op.drop_index(_NAME, _TABLE)
    op.create_index(_NAME, _TABLE, _COLUMNS)
