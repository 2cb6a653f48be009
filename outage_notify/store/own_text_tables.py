"""The utility's own words in notices: each change of a text is a version, none is ever changed or deleted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, BigInteger, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from channels.model import Channel, Language
from outage_notify.domain.notice import NoticeKind
from outage_notify.store.database import Base, Id, Instant, Word


class OwnText(Base):
    """One version of one text. What all texts say at a moment is named by the newest id there was then."""

    __tablename__ = "own_texts"
    __table_args__ = (UniqueConstraint("channel", "kind", "language", "number"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    # The newest row before, of any text, 0 for the first: no two follow the same, so that ids are committed in order.
    follows: Mapped[int] = mapped_column(BigInteger, unique=True)
    channel: Mapped[Channel] = mapped_column(Word(Channel))
    kind: Mapped[NoticeKind] = mapped_column(Word(NoticeKind))
    language: Mapped[Language] = mapped_column(Word(Language))
    number: Mapped[int] = mapped_column(Integer)  # of this text, from 1 on
    # By delivered sentence (the catalogue's id), those alone that differ from it; empty: all as delivered.
    words: Mapped[dict[str, str]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(String(300))
    made_at: Mapped[datetime] = mapped_column(Instant)
    made_by: Mapped[str] = mapped_column(String(100))
