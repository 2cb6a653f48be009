"""Who a user is at the OpenID provider.

Revision 0025, after 0024.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("identity", sa.String(600), nullable=True))
        users.create_unique_constraint(op.f("uq_users_identity"), ["identity"])


def downgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.drop_constraint(op.f("uq_users_identity"), type_="unique")
        users.drop_column("identity")
