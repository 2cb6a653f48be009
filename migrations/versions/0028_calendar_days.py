"""The utility's own days in the calendar of holidays.

Revision 0028, after 0027.
"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    instant = sa.DateTime(timezone=True)
    op.create_table(
        "calendar_days",
        sa.Column("id", number, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("workday", sa.Boolean(), nullable=False),
        sa.Column("name_zh", sa.String(100), nullable=False),
        sa.Column("name_en", sa.String(100), nullable=False),
        sa.Column("added_at", instant, nullable=False),
        sa.Column("added_by", sa.String(100), nullable=False),
        sa.Column("removed_at", instant, nullable=True),
        sa.Column("removed_by", sa.String(100), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_days")),
    )
    op.create_index(op.f("ix_calendar_days_day"), "calendar_days", ["day"])


def downgrade() -> None:
    op.drop_index(op.f("ix_calendar_days_day"), table_name="calendar_days")
    op.drop_table("calendar_days")
