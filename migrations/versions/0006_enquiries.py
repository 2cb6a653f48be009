"""Enquiries of customers at the hotline.

Revision 0006, after 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "enquiries",
        sa.Column("id", number, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_by", sa.String(100), nullable=False),
        sa.Column("customer_ref", number, nullable=True),
        sa.Column("outage_ref", number, nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_ref"], ["customers.id"], name=op.f("fk_enquiries_customer_ref_customers")
        ),
        sa.ForeignKeyConstraint(["outage_ref"], ["outages.id"], name=op.f("fk_enquiries_outage_ref_outages")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enquiries")),
    )
    op.create_index(op.f("ix_enquiries_customer_ref"), "enquiries", ["customer_ref"])
    op.create_index(op.f("ix_enquiries_outage_ref"), "enquiries", ["outage_ref"])


def downgrade() -> None:
    op.drop_index(op.f("ix_enquiries_outage_ref"), "enquiries")
    op.drop_index(op.f("ix_enquiries_customer_ref"), "enquiries")
    op.drop_table("enquiries")
