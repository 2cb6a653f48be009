"""The chain over the events: one link per event, in the order in which they were sealed. Only ever added to."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from outage_notify.store.database import Base, Id


class AuditLink(Base):
    __tablename__ = "audit_links"

    # Counted from 1 without gaps.
    sequence: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    event_ref: Mapped[int] = mapped_column(ForeignKey("events.id"), unique=True)
    # Of the event's canonical form and of the link before.
    sha256: Mapped[str] = mapped_column(String(64))
    previous_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    # Over the hash, with a key that is not in the database: whoever can write there can't build it anew.
    mac: Mapped[str] = mapped_column(String(64))
