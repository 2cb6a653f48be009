"""What the last audit found, in one row: for whoever watches from outside whether it is made and whether it holds."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Integer
from sqlalchemy.orm import Mapped, mapped_column

from outage_notify.store.database import Base, Instant


class AuditMark(Base):
    __tablename__ = "audit_mark"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    made_at: Mapped[datetime] = mapped_column(Instant)
    # The last one that held: the heartbeat.
    held_at: Mapped[datetime | None] = mapped_column(Instant)
    untold: Mapped[int] = mapped_column(Integer)
    twice: Mapped[int] = mapped_column(Integer)
