"""Links to answer that a customer's person passed on to a colleague."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from outage_notify.store.database import Base, Id, Instant


class Delegation(Base):
    """One link for one notice, from one person to another, both by name. Never deleted."""

    __tablename__ = "delegations"
    __table_args__ = (Index(None, "acknowledgement_ref"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    acknowledgement_ref: Mapped[int] = mapped_column(ForeignKey("acknowledgements.id"))
    given_by: Mapped[str] = mapped_column(String(200))
    given_to: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
