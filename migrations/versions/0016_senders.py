"""How each sender fares, and which one a delivery was handed to.

Revision 0016, after 0015. Expands only: `sender_budgets` stays for workers of the release before.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sender_states",
        sa.Column("sender", sa.String(60), nullable=False),
        sa.Column("channel", sa.String(32)),
        sa.Column("per_second", sa.Float(), nullable=False),
        sa.Column("burst", sa.Float(), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("refilled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rest_owed", sa.Float(), nullable=False),
        sa.Column("held_until", sa.DateTime(timezone=True)),
        sa.Column("held_reason", sa.Text(), nullable=False),
        sa.Column("troubles", sa.Integer(), nullable=False),
        sa.Column("down_since", sa.DateTime(timezone=True)),
        sa.Column("down_reason", sa.Text(), nullable=False),
        sa.Column("probe_at", sa.DateTime(timezone=True)),
        sa.Column("trial", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("sender", name="pk_sender_states"),
    )
    # With a default of the database's own: workers of the release before don't know the column.
    with op.batch_alter_table("deliveries", recreate="never") as table:
        table.add_column(sa.Column("sender", sa.String(60), nullable=False, server_default=""))


def downgrade() -> None:
    with op.batch_alter_table("deliveries", recreate="never") as table:
        table.drop_column("sender")
    op.drop_table("sender_states")
