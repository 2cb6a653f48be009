"""The hand-turned clock's offset: one row, only ever written in simulator mode."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Float, Integer
from sqlalchemy.orm import Mapped, mapped_column

from outage_notify.store.database import Base


class ClockOffset(Base):
    __tablename__ = "clock_offset"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    seconds: Mapped[float] = mapped_column(Float)
