"""Scans of paper slips, each beside the receipt that names its hash.

Revision 0009, after 0008.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "answer_scans",
        sa.Column("sequence", _ID, nullable=False, autoincrement=False),
        sa.Column("mimetype", sa.String(40), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("added_by", sa.String(100), nullable=False),
        sa.ForeignKeyConstraint(
            ["sequence"], ["signed_receipts.sequence"], name="fk_answer_scans_sequence_signed_receipts"
        ),
        sa.PrimaryKeyConstraint("sequence", name="pk_answer_scans"),
    )


def downgrade() -> None:
    op.drop_table("answer_scans")
