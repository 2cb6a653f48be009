"""Links to answer that were passed on to a colleague.

Revision 0014, after 0013.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "delegations",
        sa.Column("id", number, nullable=False),
        sa.Column("acknowledgement_ref", number, nullable=False),
        sa.Column("given_by", sa.String(200), nullable=False),
        sa.Column("given_to", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["acknowledgement_ref"],
            ["acknowledgements.id"],
            name=op.f("fk_delegations_acknowledgement_ref_acknowledgements"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegations")),
    )
    op.create_index(op.f("ix_delegations_acknowledgement_ref"), "delegations", ["acknowledgement_ref"])


def downgrade() -> None:
    op.drop_index(op.f("ix_delegations_acknowledgement_ref"), "delegations")
    op.drop_table("delegations")
