"""A mark that changes whenever somebody comes, leaves, moves to another load or gets another tier.

Revision 0011, after 0010.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("publication") as batch:
        batch.add_column(sa.Column("people", sa.String(32), nullable=False, server_default=""))
    # Two databases must never have the same mark for different people.
    op.execute(sa.text("UPDATE publication SET people = :mark").bindparams(mark=secrets.token_hex(16)))


def downgrade() -> None:
    with op.batch_alter_table("publication") as batch:
        batch.drop_column("people")
