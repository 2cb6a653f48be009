"""Heads of the chain of receipts that were put into other hands; rows are only ever added."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from outage_notify.store.database import Base, Instant


class ChainHeadRow(Base):
    """The end of the chain on one day (local to the network), and whom it was shown."""

    __tablename__ = "chain_heads"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    receipts: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(String(64))
    taken_at: Mapped[datetime] = mapped_column(Instant)
    # Whoever tries to have it stamped or mailed writes this first, so that one does.
    tried_at: Mapped[datetime | None] = mapped_column(Instant)
    stamp: Mapped[bytes | None] = mapped_column(LargeBinary)
    stamped_at: Mapped[datetime | None] = mapped_column(Instant)
    mailed_at: Mapped[datetime | None] = mapped_column(Instant)
    mailed_to: Mapped[str] = mapped_column(String(320), default="")
