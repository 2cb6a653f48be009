"""Heads of the chain of receipts: the end of each day, its time-stamp, and to whom it was mailed.

Revision 0010, after 0009.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chain_heads",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("receipts", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stamp", sa.LargeBinary(), nullable=True),
        sa.Column("stamped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mailed_to", sa.String(320), nullable=False),
        sa.PrimaryKeyConstraint("day", name="pk_chain_heads"),
    )


def downgrade() -> None:
    op.drop_table("chain_heads")
