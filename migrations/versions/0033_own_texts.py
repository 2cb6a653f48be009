"""The utility's own words in notices, version by version, and which of them a delivery was made with.

Revision 0033, after 0032.
"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "own_texts",
        sa.Column("id", number, nullable=False),
        sa.Column("follows", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("language", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("words", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_own_texts")),
        sa.UniqueConstraint("follows", name=op.f("uq_own_texts_follows")),
        sa.UniqueConstraint(
            "channel", "kind", "language", "number", name=op.f("uq_own_texts_channel_kind_language_number")
        ),
    )
    # Versions are never deleted, so that no key has to hold them.
    op.add_column("deliveries", sa.Column("words", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("deliveries", "words")
    op.drop_table("own_texts")
