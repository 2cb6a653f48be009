"""What customers asked at the hotline, as it was noted down. Rows are only ever added."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from outage_notify.store.database import Base, Id, Instant


class Enquiry(Base):
    __tablename__ = "enquiries"
    __table_args__ = (Index(None, "customer_ref"), Index(None, "outage_ref"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    taken_by: Mapped[str] = mapped_column(String(100))
    customer_ref: Mapped[int | None] = mapped_column(ForeignKey("customers.id"))
    outage_ref: Mapped[int | None] = mapped_column(ForeignKey("outages.id"))
    note: Mapped[str] = mapped_column(Text)
