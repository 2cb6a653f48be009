"""One customer, one plan: what stands and what is proposed.

Revision 0007, after 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "customer_plans",
        sa.Column("customer_ref", _ID, nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_by", sa.String(100), nullable=False),
        sa.Column("proposal", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proposed_by", sa.String(200), nullable=False),
        sa.Column("file", sa.LargeBinary(), nullable=True),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_ref"], ["customers.id"], name="fk_customer_plans_customer_ref_customers"
        ),
        sa.PrimaryKeyConstraint("customer_ref", name="pk_customer_plans"),
    )


def downgrade() -> None:
    op.drop_table("customer_plans")
