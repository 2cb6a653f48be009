"""The cells of public areas, which never change once an area was drawn with them.

Revision 0015, after 0014.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns = [sa.Column(name, sa.Integer(), nullable=False) for name in ("epsg", "q", "r", "cell")]
    op.create_table(
        "public_cells", *columns, sa.PrimaryKeyConstraint("epsg", "q", "r", name=op.f("pk_public_cells"))
    )


def downgrade() -> None:
    op.drop_table("public_cells")
