"""Where an outage was announced to everybody: which paper, by which medium, when, with the exact words.

Rows are only ever added; one that was entered wrongly is marked void with a reason, and stays.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from channels.model import Language
from channels.papers import Paper
from outage_notify.domain.announcement import Medium
from outage_notify.store.database import Base, Id, Instant, Word


class Announcement(Base):
    __tablename__ = "announcements"
    __table_args__ = (Index(None, "outage_ref"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    outage_ref: Mapped[int] = mapped_column(ForeignKey("outages.id"))
    revision: Mapped[int] = mapped_column(Integer)
    paper: Mapped[Paper] = mapped_column(Word(Paper))
    medium: Mapped[Medium] = mapped_column(Word(Medium))
    # Which paper, station, community or office.
    place: Mapped[str] = mapped_column(String(300))
    language: Mapped[Language] = mapped_column(Word(Language))
    announced_at: Mapped[datetime] = mapped_column(Instant)
    recorded_at: Mapped[datetime] = mapped_column(Instant)
    recorded_by: Mapped[str] = mapped_column(String(100))
    # The words as they were, and their hash, by which the record is named elsewhere.
    text: Mapped[str] = mapped_column(Text)
    text_sha256: Mapped[str] = mapped_column(String(64))
    void_at: Mapped[datetime | None] = mapped_column(Instant)
    void_by: Mapped[str] = mapped_column(String(100), default="")
    void_reason: Mapped[str] = mapped_column(String(500), default="")
