"""Records of where an outage was announced.

Revision 0012, after 0011.
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "announcements",
        sa.Column("id", number, nullable=False),
        sa.Column("outage_ref", number, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("paper", sa.String(32), nullable=False),
        sa.Column("medium", sa.String(32), nullable=False),
        sa.Column("place", sa.String(300), nullable=False),
        sa.Column("language", sa.String(32), nullable=False),
        sa.Column("announced_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(100), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_sha256", sa.String(64), nullable=False),
        sa.Column("void_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_by", sa.String(100), nullable=False),
        sa.Column("void_reason", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(
            ["outage_ref"], ["outages.id"], name=op.f("fk_announcements_outage_ref_outages")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcements")),
    )
    op.create_index(op.f("ix_announcements_outage_ref"), "announcements", ["outage_ref"])


def downgrade() -> None:
    op.drop_index(op.f("ix_announcements_outage_ref"), "announcements")
    op.drop_table("announcements")
