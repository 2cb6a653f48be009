"""Keys of customers' own, with which they sign answers.

Revision 0013, after 0012.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "own_keys",
        sa.Column("id", number, nullable=False),
        sa.Column("customer_ref", number, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.Column("confirmed_at", moment, nullable=True),
        sa.Column("confirmed_by", sa.String(100), nullable=False),
        sa.Column("revoked_at", moment, nullable=True),
        sa.Column("revoked_by", sa.String(100), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_ref"], ["customers.id"], name=op.f("fk_own_keys_customer_ref_customers")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_own_keys")),
        sa.UniqueConstraint("name", name=op.f("uq_own_keys_name")),
    )
    op.create_index(op.f("ix_own_keys_customer_ref"), "own_keys", ["customer_ref"])


def downgrade() -> None:
    op.drop_index(op.f("ix_own_keys_customer_ref"), "own_keys")
    op.drop_table("own_keys")
