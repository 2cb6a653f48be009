"""Strangers who asked to be kept told of one outage, or of whatever comes to a place."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from channels.model import Channel, Language
from outage_notify.store.database import Base, Id, Instant, Word


class Follower(Base):
    """One address that follows one outage or one place; of no customer, and gone some time after the outage.

    A place that an outage hits gets a row of its own for that outage (`parent_ref`), so that
    news is told to rows with an outage alone.
    """

    __tablename__ = "followers"
    __table_args__ = (
        Index(None, "address", "channel"),
        Index(None, "outage_ref"),
        Index(None, "parent_ref"),
        Index(None, "made_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    channel: Mapped[Channel] = mapped_column(Word(Channel))
    address: Mapped[str] = mapped_column(String(320))
    language: Mapped[Language] = mapped_column(Word(Language))
    outage_ref: Mapped[int | None] = mapped_column(ForeignKey("outages.id"))
    place: Mapped[str] = mapped_column(String(200), default="")
    # What the place stands for, found out when it was asked for: service points, or positions and words.
    means: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    parent_ref: Mapped[int | None] = mapped_column(ForeignKey("followers.id", ondelete="CASCADE"))
    made_at: Mapped[datetime] = mapped_column(Instant)
    code_sent_at: Mapped[datetime | None] = mapped_column(Instant)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    # Nothing is told before the code was typed, and nothing that was said before that.
    confirmed_at: Mapped[datetime | None] = mapped_column(Instant)
    # The version of the outage that was looked at last; of a place, when outages were looked at last.
    told_version: Mapped[int] = mapped_column(Integer, default=0)
    looked_at: Mapped[datetime | None] = mapped_column(Instant)
