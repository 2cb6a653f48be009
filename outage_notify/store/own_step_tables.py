"""The utility's own stricter steps: each change is a whole new set, none is ever changed or deleted."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from outage_notify.store.database import Base, Id, Instant


class OwnStepSet(Base):
    __tablename__ = "own_step_sets"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    # The set before, 0 for the first: no two follow the same.
    follows: Mapped[int] = mapped_column(BigInteger, unique=True)
    # [{"applies_to": "all", "work": ["planned"], "value": 12, "unit": "calendar_day"}], the number is the position.
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(String(300))
    made_at: Mapped[datetime] = mapped_column(Instant)
    made_by: Mapped[str] = mapped_column(String(100))
