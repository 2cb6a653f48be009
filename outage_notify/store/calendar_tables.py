"""Days that the utility adds to the calendar of holidays: days off, and weekends that are worked. Never deleted."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Boolean, Date, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from outage_notify.store.database import Base, Id, Instant


class CalendarDay(Base):
    __tablename__ = "calendar_days"
    __table_args__ = (Index(None, "day"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    # True: a weekend or holiday that is worked (调休); False: a day off.
    workday: Mapped[bool] = mapped_column(Boolean)
    name_zh: Mapped[str] = mapped_column(String(100))
    name_en: Mapped[str] = mapped_column(String(100))
    added_at: Mapped[datetime] = mapped_column(Instant)
    added_by: Mapped[str] = mapped_column(String(100))
    removed_at: Mapped[datetime | None] = mapped_column(Instant)
    removed_by: Mapped[str] = mapped_column(String(100), default="")
