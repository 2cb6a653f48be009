"""The cells of public areas: which hexagon belongs to which cell. Rows are added and never changed."""

from __future__ import annotations

from sqlalchemy import Integer
from sqlalchemy.orm import Mapped, mapped_column

from outage_notify.store.database import Base


class PublicCell(Base):
    """A hexagon (axial coordinates in the metre system `epsg`, see `geo.cells`) and the number of its cell."""

    __tablename__ = "public_cells"

    epsg: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    q: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    r: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    cell: Mapped[int] = mapped_column(Integer)
