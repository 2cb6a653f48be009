"""What a person must do (tasks), what happened (events), and what customers wrote (inbox)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outage_notify.store.database import Base, Id, Instant, Word
from outage_notify.store.people_tables import Customer, GridManager

# Begins the note of an AUDIENCE task; numbers as JSON follow.
AUDIENCE_NOTE = "audience"


class TaskKind(StrEnum):
    VISIT = "visit"  # go there and have it signed
    CONTACT_MISSING = "contact_missing"  # no usable address at all
    CONTACT_BAD = "contact_bad"  # the provider says that the address is wrong
    DOUBTFUL = "doubtful"  # nobody can say whether a message arrived
    OBJECTION = "objection"
    REPLY = "reply"  # a customer wrote something that the program can't read
    SENDER = "sender"  # our own configuration is refused by the provider
    LETTERS = "letters"  # letters wait to be printed and posted
    AUDIENCE = "audience"  # the network changed, and with it whom an outage hits: revise it


class Task(Base):
    __tablename__ = "tasks"
    __table_args__ = (Index(None, "done_at", "due_at"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[TaskKind] = mapped_column(Word(TaskKind))
    # Says what the task is about, so that the same one is never made twice.
    dedupe: Mapped[str] = mapped_column(String(200), unique=True)
    outage_ref: Mapped[int | None] = mapped_column(ForeignKey("outages.id"))
    customer_ref: Mapped[int | None] = mapped_column(ForeignKey("customers.id"))
    delivery_ref: Mapped[int | None] = mapped_column(ForeignKey("deliveries.id"))
    grid_manager_ref: Mapped[int | None] = mapped_column(ForeignKey("grid_managers.id"))
    note: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime | None] = mapped_column(Instant)
    done_at: Mapped[datetime | None] = mapped_column(Instant)
    done_by: Mapped[str] = mapped_column(String(100), default="")

    customer: Mapped[Customer | None] = relationship()
    grid_manager: Mapped[GridManager | None] = relationship()


class Event(Base):
    """What happened, in order; only ever added. `what` is a constant word, details are fields."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "outage_ref"), Index(None, "customer_ref"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant)
    # A username, or "system".
    actor: Mapped[str] = mapped_column(String(100))
    what: Mapped[str] = mapped_column(String(60))
    outage_ref: Mapped[int | None] = mapped_column(ForeignKey("outages.id"))
    customer_ref: Mapped[int | None] = mapped_column(ForeignKey("customers.id"))
    delivery_ref: Mapped[int | None] = mapped_column(ForeignKey("deliveries.id"))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)


class InboundMessage(Base):
    """A text that a customer sent us, raw; `verdict` says what was made of it."""

    __tablename__ = "inbound_messages"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    received_at: Mapped[datetime] = mapped_column(Instant)
    provider_id: Mapped[str] = mapped_column(String(200), unique=True)
    sender: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    verdict: Mapped[str] = mapped_column(String(60), default="")
