"""The office of a grid manager, which the public is told to call.

Revision 0032, after 0031.
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("grid_managers", sa.Column("office", sa.String(200), nullable=False, server_default=""))
    op.add_column(
        "grid_managers", sa.Column("office_phone", sa.String(40), nullable=False, server_default="")
    )
    op.add_column(
        "grid_managers", sa.Column("office_serial", sa.Integer(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    with op.batch_alter_table("grid_managers") as table:
        table.drop_column("office_serial")
        table.drop_column("office_phone")
        table.drop_column("office")
