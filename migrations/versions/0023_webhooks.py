"""What became public in order, and webhooks that are pushed it.

Revision 0023, after 0022.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "public_events",
        sa.Column("id", number, nullable=False),
        sa.Column("outage_ref", number, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("at", instant, nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["outage_ref"], ["outages.id"], name="fk_public_events_outage_ref_outages"),
        sa.PrimaryKeyConstraint("id", name="pk_public_events"),
        sa.UniqueConstraint("outage_ref", "number", name="uq_public_events_outage_ref_number"),
    )
    op.create_table(
        "public_event_marks",
        sa.Column("outage_ref", number, nullable=False, autoincrement=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["outage_ref"], ["outages.id"], name="fk_public_event_marks_outage_ref_outages"
        ),
        sa.PrimaryKeyConstraint("outage_ref", name="pk_public_event_marks"),
    )
    op.create_table(
        "webhooks",
        sa.Column("id", number, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("made_at", instant, nullable=False),
        sa.Column("made_by", sa.String(100), nullable=False),
        sa.Column("stopped_at", instant),
        sa.Column("stopped_why", sa.String(100), nullable=False),
        sa.Column("last_event", number, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_webhooks"),
    )
    op.create_table(
        "webhook_pushes",
        sa.Column("id", number, nullable=False),
        sa.Column("webhook_ref", number, nullable=False),
        sa.Column("event_ref", number, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("due_at", instant, nullable=False),
        sa.Column("done_at", instant),
        sa.Column("dead_at", instant),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("detail", sa.String(100), nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_ref"],
            ["webhooks.id"],
            name="fk_webhook_pushes_webhook_ref_webhooks",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["event_ref"], ["public_events.id"], name="fk_webhook_pushes_event_ref_public_events"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_webhook_pushes"),
        sa.UniqueConstraint("webhook_ref", "event_ref", name="uq_webhook_pushes_webhook_ref_event_ref"),
    )
    open_ones = sa.text("done_at IS NULL AND dead_at IS NULL")
    op.create_index(
        "ix_webhook_pushes_due",
        "webhook_pushes",
        ["due_at"],
        postgresql_where=open_ones,
        sqlite_where=open_ones,
    )


def downgrade() -> None:
    op.drop_table("webhook_pushes")
    op.drop_table("webhooks")
    op.drop_table("public_event_marks")
    op.drop_table("public_events")
