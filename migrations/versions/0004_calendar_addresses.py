"""Calendar addresses that end or belong to one person; the version of all that is published.

Revision 0004, after 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "feed_addresses",
        sa.Column("id", _ID, nullable=False),
        sa.Column("customer_ref", _ID, nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_ref"], ["customers.id"], name="fk_feed_addresses_customer_ref_customers"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_feed_addresses"),
        sa.UniqueConstraint("secret_sha256", name="uq_feed_addresses_secret_sha256"),
    )
    op.create_index("ix_feed_addresses_customer_ref", "feed_addresses", ["customer_ref"])
    published = op.create_table(
        "publication",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_publication"),
        sa.CheckConstraint("id = 1", name="one_row"),
    )
    op.bulk_insert(published, [{"id": 1, "version": 0}])


def downgrade() -> None:
    op.drop_table("publication")
    op.drop_index("ix_feed_addresses_customer_ref", "feed_addresses")
    op.drop_table("feed_addresses")
