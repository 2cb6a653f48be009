"""Grid managers edited on a page: their deputies, areas of the network, and the names by which files still know them.

Revision 0035, after 0034.
"""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    # No keys: managers and areas are never deleted.
    op.add_column("grid_managers", sa.Column("deputy_ref", sa.BigInteger(), nullable=True))
    op.add_column("grid_managers", sa.Column("away", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("grid_managers", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("grid_managers", sa.Column("serial", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("service_points", sa.Column("area_ref", sa.BigInteger(), nullable=True))
    op.add_column("service_points", sa.Column("named_manager_ref", sa.BigInteger(), nullable=True))
    op.create_table(
        "manager_names",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("phone", sa.String(40), nullable=False),
        sa.Column("manager_ref", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", "phone", name=op.f("pk_manager_names")),
    )
    op.create_table(
        "manager_areas",
        sa.Column("id", number, nullable=False),
        sa.Column("element", sa.String(200), nullable=False),
        sa.Column("manager_ref", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(100), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(100), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manager_areas")),
    )


def downgrade() -> None:
    op.drop_table("manager_areas")
    op.drop_table("manager_names")
    op.drop_column("service_points", "named_manager_ref")
    op.drop_column("service_points", "area_ref")
    with op.batch_alter_table("grid_managers") as table:
        table.drop_column("serial")
        table.drop_column("ended_at")
        table.drop_column("away")
        table.drop_column("deputy_ref")
