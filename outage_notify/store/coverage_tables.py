"""How many customers can be reached, by tier, as counted last: one row a tier, all of one count."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from outage_notify.domain.audience import Tier
from outage_notify.store.database import Base, Instant, Word


class Coverage(Base):
    __tablename__ = "coverage"

    tier: Mapped[Tier] = mapped_column(Word(Tier), primary_key=True)
    reachable: Mapped[int] = mapped_column(Integer)
    customers: Mapped[int] = mapped_column(Integer)
    counted_at: Mapped[datetime] = mapped_column(Instant)
    # The state of the people that was counted (`store.people_columns.mark`): with another one it says nothing.
    people: Mapped[str] = mapped_column(String(100))
