"""The utility's own stricter steps, and which of them a revision was approved with.

Revision 0029, after 0028.
"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "own_step_sets",
        sa.Column("id", number, nullable=False),
        sa.Column("follows", sa.BigInteger(), nullable=False),
        sa.Column("steps", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_own_step_sets")),
        sa.UniqueConstraint("follows", name=op.f("uq_own_step_sets_follows")),
    )
    # Sets are never deleted, so that no key has to hold them.
    op.add_column("outage_revisions", sa.Column("own_steps_ref", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("outage_revisions", "own_steps_ref")
    op.drop_table("own_step_sets")
