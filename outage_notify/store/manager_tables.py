"""Areas of the network that a grid manager was given by hand, and names by which files still know a manager."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from outage_notify.store.database import Base, Id, Instant


class ManagerArea(Base):
    """All that is supplied by way of one element. Taken from a manager it ends; none is deleted."""

    __tablename__ = "manager_areas"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    element: Mapped[str] = mapped_column(String(200))  # such as feeder:F1 or trafo:12
    manager_ref: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(300))
    made_at: Mapped[datetime] = mapped_column(Instant)
    made_by: Mapped[str] = mapped_column(String(100))
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
    ended_by: Mapped[str] = mapped_column(String(100), default="", server_default="")


class ManagerName(Base):
    """Who is meant where a customers' file still has an earlier name or number, or somebody who has left.
    None: nobody."""

    __tablename__ = "manager_names"

    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    phone: Mapped[str] = mapped_column(String(40), primary_key=True)
    manager_ref: Mapped[int | None] = mapped_column(BigInteger)
