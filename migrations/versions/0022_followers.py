"""Strangers who asked to be kept told of an outage or a place.

Revision 0022, after 0021.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "followers",
        sa.Column("id", number, nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("language", sa.String(32), nullable=False),
        sa.Column("outage_ref", number),
        sa.Column("place", sa.String(200), nullable=False),
        sa.Column("means", sa.JSON(), nullable=False),
        sa.Column("parent_ref", number),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("code_sent_at", sa.DateTime(timezone=True)),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True)),
        sa.Column("told_version", sa.Integer(), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True)),
        sa.ForeignKeyConstraint(["outage_ref"], ["outages.id"], name="fk_followers_outage_ref_outages"),
        sa.ForeignKeyConstraint(
            ["parent_ref"], ["followers.id"], name="fk_followers_parent_ref_followers", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_followers"),
    )
    op.create_index("ix_followers_address_channel", "followers", ["address", "channel"])
    op.create_index("ix_followers_outage_ref", "followers", ["outage_ref"])
    op.create_index("ix_followers_parent_ref", "followers", ["parent_ref"])
    op.create_index("ix_followers_made_at", "followers", ["made_at"])


def downgrade() -> None:
    op.drop_table("followers")
