"""One customer, one plan (一户一策): what stands, and what the customer proposes instead."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outage_notify.store.database import Base, Instant
from outage_notify.store.people_tables import Customer


class CustomerPlanRow(Base):
    """`plan` and `proposal` hold what `domain.customer_plan` reads; a proposal counts for nothing until the desk
    takes it."""

    __tablename__ = "customer_plans"

    customer_ref: Mapped[int] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    plan: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    changed_at: Mapped[datetime | None] = mapped_column(Instant)
    changed_by: Mapped[str] = mapped_column(String(100), default="")
    proposal: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    proposed_at: Mapped[datetime | None] = mapped_column(Instant)
    proposed_by: Mapped[str] = mapped_column(String(200), default="")
    # The emergency plan, a PDF.
    file: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    file_name: Mapped[str] = mapped_column(String(200), default="")

    customer: Mapped[Customer] = relationship()
