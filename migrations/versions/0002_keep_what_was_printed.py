"""Keep what was printed; find the receipts of an acknowledgement.

Revision 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Not in batch mode, which on SQLite would make the table anew under the letters that refer to it.
    op.add_column("letter_batches", sa.Column("pdf", sa.LargeBinary(), nullable=True))
    with op.batch_alter_table("signed_receipts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_signed_receipts_acknowledgement_ref"), ["acknowledgement_ref"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("signed_receipts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_signed_receipts_acknowledgement_ref"))
    op.drop_column("letter_batches", "pdf")
