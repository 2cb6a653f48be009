"""Machines that work through the JSON interface: their tokens, and the answers they were given."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from outage_notify.store.database import Base, Id, Instant
from outage_notify.store.user_tables import User


class ApiToken(Base):
    """Acts as a user, with that user's roles. Only the hash of the secret is kept."""

    __tablename__ = "api_tokens"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    user_ref: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    created_by: Mapped[str] = mapped_column(String(100))
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    # From then on it opens nothing; null: until it is revoked.
    expires_at: Mapped[datetime | None] = mapped_column(Instant)

    user: Mapped[User] = relationship()


class ApiReply(Base):
    """One request under an Idempotency-Key. `status` 0: it began, and nobody knows how it ended."""

    __tablename__ = "api_replies"
    __table_args__ = (UniqueConstraint("token_ref", "key"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    token_ref: Mapped[int] = mapped_column(ForeignKey("api_tokens.id"))
    key: Mapped[str] = mapped_column(String(200))
    request_sha256: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(Instant)
    status: Mapped[int] = mapped_column(Integer, default=0)
    body: Mapped[str] = mapped_column(Text, default="")
