"""The table of addresses: which house hangs on which load, for whoever asks about a place. One import is in force."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Boolean, Float, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from outage_notify.store.database import Base, Id, Instant


class AddressImport(Base):
    """A file that was taken over; the one before it is kept so that it can be put in force again."""

    __tablename__ = "address_imports"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    file_name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64))
    rows: Mapped[int] = mapped_column(Integer)
    in_force: Mapped[bool] = mapped_column(Boolean)
    imported_by: Mapped[str] = mapped_column(String(100))
    imported_at: Mapped[datetime] = mapped_column(Instant)


class Address(Base):
    """One house, as keys (`domain.address`); the place also as people write it."""

    __tablename__ = "addresses"
    __table_args__ = (Index(None, "import_ref", "street_key", "number_key"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    import_ref: Mapped[int] = mapped_column(ForeignKey("address_imports.id"))
    street_key: Mapped[str] = mapped_column(String(200))
    number_key: Mapped[str] = mapped_column(String(60))
    place_key: Mapped[str] = mapped_column(String(100), default="")
    postcode_key: Mapped[str] = mapped_column(String(30), default="")
    place: Mapped[str] = mapped_column(String(100), default="")
    # The load of the network that feeds it, such as load:7, or at least its line; else where it is.
    element: Mapped[str] = mapped_column(String(100), default="")
    feeder: Mapped[str] = mapped_column(String(100), default="")
    longitude: Mapped[float | None] = mapped_column(Float)
    latitude: Mapped[float | None] = mapped_column(Float)


class AddressSpot(Base):
    """Where houses of a place or postcode are: one of them in each square of some 200 m."""

    __tablename__ = "address_spots"
    __table_args__ = (Index(None, "import_ref", "area_key"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    import_ref: Mapped[int] = mapped_column(ForeignKey("address_imports.id"))
    # Of a place or a postcode.
    area_key: Mapped[str] = mapped_column(String(100))
    is_postcode: Mapped[bool] = mapped_column(Boolean)
    longitude: Mapped[float] = mapped_column(Float)
    latitude: Mapped[float] = mapped_column(Float)
