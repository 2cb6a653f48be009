"""Protected dates, what was let through and by whom, and the decision to start unsigned.

Revision 0005, after 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "protected_days",
        sa.Column("id", number, nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.String(100), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_by", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_protected_days")),
    )
    op.create_index(op.f("ix_protected_days_last"), "protected_days", ["last"])
    with op.batch_alter_table("outage_revisions") as table:
        table.add_column(sa.Column("overrides", sa.JSON(), nullable=False, server_default="[]"))
        table.create_index(op.f("ix_outage_revisions_start"), ["start"])
    with op.batch_alter_table("outages") as table:
        table.add_column(sa.Column("go_revision", sa.Integer(), nullable=True))
        table.add_column(sa.Column("go_by", sa.String(100), nullable=False, server_default=""))
        table.add_column(sa.Column("go_reason", sa.String(500), nullable=False, server_default=""))
        table.add_column(sa.Column("go_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    # Dropped in place: other tables point at these two, so they can't be made anew with rows in them.
    for name in ("go_at", "go_reason", "go_by", "go_revision"):
        op.drop_column("outages", name)
    op.drop_index(op.f("ix_outage_revisions_start"), "outage_revisions")
    op.drop_column("outage_revisions", "overrides")
    op.drop_index(op.f("ix_protected_days_last"), "protected_days")
    op.drop_table("protected_days")
