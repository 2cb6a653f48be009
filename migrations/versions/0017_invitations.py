"""Mailboxes that wish calendar invitations.

Revision 0017, after 0016.
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("contact_points") as batch:
        # Imports write the other columns alone.
        batch.add_column(sa.Column("invitations", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    with op.batch_alter_table("contact_points") as batch:
        batch.drop_column("invitations")
