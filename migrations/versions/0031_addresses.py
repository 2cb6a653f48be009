"""A table of addresses, for whoever asks whether a place is affected.

Revision 0031, after 0030.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "address_imports",
        sa.Column("id", _ID, nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("in_force", sa.Boolean(), nullable=False),
        sa.Column("imported_by", sa.String(100), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_address_imports"),
    )
    op.create_table(
        "addresses",
        sa.Column("id", _ID, nullable=False),
        sa.Column("import_ref", _ID, nullable=False),
        sa.Column("street_key", sa.String(200), nullable=False),
        sa.Column("number_key", sa.String(60), nullable=False),
        sa.Column("place_key", sa.String(100), nullable=False),
        sa.Column("postcode_key", sa.String(30), nullable=False),
        sa.Column("place", sa.String(100), nullable=False),
        sa.Column("element", sa.String(100), nullable=False),
        sa.Column("feeder", sa.String(100), nullable=False),
        sa.Column("longitude", sa.Float()),
        sa.Column("latitude", sa.Float()),
        sa.ForeignKeyConstraint(
            ["import_ref"], ["address_imports.id"], name="fk_addresses_import_ref_address_imports"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_addresses"),
    )
    op.create_index(
        "ix_addresses_import_ref_street_key_number_key",
        "addresses",
        ["import_ref", "street_key", "number_key"],
    )
    op.create_table(
        "address_spots",
        sa.Column("id", _ID, nullable=False),
        sa.Column("import_ref", _ID, nullable=False),
        sa.Column("area_key", sa.String(100), nullable=False),
        sa.Column("is_postcode", sa.Boolean(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_ref"], ["address_imports.id"], name="fk_address_spots_import_ref_address_imports"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_address_spots"),
    )
    op.create_index("ix_address_spots_import_ref_area_key", "address_spots", ["import_ref", "area_key"])


def downgrade() -> None:
    op.drop_table("address_spots")
    op.drop_table("addresses")
    op.drop_table("address_imports")
