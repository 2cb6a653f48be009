"""Addresses of calendar feeds beside the current one of a customer, and the version of all that feeds show."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from outage_notify.store.database import Base, Id, Instant


class FeedAddress(Base):
    """A secret that opens a customer's feed: one that was rotated out and still holds for a while, or one that
    was handed to a single person. Only its hash is kept; revoked, it is marked and opens nothing."""

    __tablename__ = "feed_addresses"
    __table_args__ = (Index(None, "customer_ref"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    customer_ref: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    # Whose it is, in words of the desk; empty for the customer's own earlier address.
    label: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(Instant)
    # From then on it opens nothing; null: until it is revoked.
    ends_at: Mapped[datetime | None] = mapped_column(Instant)


class Publication(Base):
    """One row: `version` is raised by every transaction that changed something that a feed may show; `people`
    is drawn anew at random by every transaction that changed who hangs on which load, or with what tier."""

    __tablename__ = "publication"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, default=0)
    people: Mapped[str] = mapped_column(String(32), default="")
