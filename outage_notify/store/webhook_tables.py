"""What became public, in order, and who is pushed it: events, webhooks, and what is still to be pushed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outage_notify.store.database import Base, Id, Instant


class PublicEvent(Base):
    """One thing that was said of one outage, as it was pushed; only ever added. `id` is its place in the order."""

    __tablename__ = "public_events"
    __table_args__ = (UniqueConstraint("outage_ref", "number"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    outage_ref: Mapped[int] = mapped_column(ForeignKey("outages.id"))
    number: Mapped[int] = mapped_column(Integer)  # of this outage, from 1
    type: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime] = mapped_column(Instant)
    payload: Mapped[str] = mapped_column(Text)


class PublicEventMark(Base):
    """Up to which version an outage's events stand in `public_events`."""

    __tablename__ = "public_event_marks"

    outage_ref: Mapped[int] = mapped_column(ForeignKey("outages.id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer)


class Webhook(Base):
    """An address that is pushed each event. Its secret is derived from our key, its id and `serial`."""

    __tablename__ = "webhooks"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    url: Mapped[str] = mapped_column(String(500))
    serial: Mapped[int] = mapped_column(Integer, default=1)
    made_at: Mapped[datetime] = mapped_column(Instant)
    made_by: Mapped[str] = mapped_column(String(100))
    stopped_at: Mapped[datetime | None] = mapped_column(Instant)
    stopped_why: Mapped[str] = mapped_column(String(100), default="")
    last_event: Mapped[int] = mapped_column(Id, default=0)  # handed out up to here


class WebhookPush(Base):
    """One event for one webhook. Open until it was taken (`done_at`) or given up (`dead_at`)."""

    __tablename__ = "webhook_pushes"
    __table_args__ = (
        UniqueConstraint("webhook_ref", "event_ref"),
        Index(
            "ix_webhook_pushes_due",
            "due_at",
            postgresql_where=text("done_at IS NULL AND dead_at IS NULL"),
            sqlite_where=text("done_at IS NULL AND dead_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    webhook_ref: Mapped[int] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    event_ref: Mapped[int] = mapped_column(ForeignKey("public_events.id"))
    tries: Mapped[int] = mapped_column(Integer, default=0)
    due_at: Mapped[datetime] = mapped_column(Instant)
    done_at: Mapped[datetime | None] = mapped_column(Instant)
    dead_at: Mapped[datetime | None] = mapped_column(Instant)
    status: Mapped[int] = mapped_column(Integer, default=0)
    detail: Mapped[str] = mapped_column(String(100), default="")

    webhook: Mapped[Webhook] = relationship()
    event: Mapped[PublicEvent] = relationship()
