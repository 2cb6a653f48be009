"""How many customers can be reached, as counted last.

Revision 0027, after 0026.
"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "coverage",
        sa.Column("tier", sa.String(32), nullable=False),
        sa.Column("reachable", sa.Integer(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("people", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("tier", name="pk_coverage"),
    )


def downgrade() -> None:
    op.drop_table("coverage")
