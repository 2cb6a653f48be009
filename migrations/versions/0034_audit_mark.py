"""What the last audit found, for whoever watches from outside.

Revision 0034, after 0033.
"""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "audit_mark",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("made_at", instant, nullable=False),
        sa.Column("held_at", instant, nullable=True),
        sa.Column("untold", sa.Integer(), nullable=False),
        sa.Column("twice", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_mark_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_mark")),
    )


def downgrade() -> None:
    op.drop_table("audit_mark")
