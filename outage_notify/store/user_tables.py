"""People who work with the system."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, Boolean, ForeignKey, Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from outage_notify.store.database import Base, Id, Instant


class Role(StrEnum):
    PLANNER = "planner"
    APPROVER = "approver"
    DESK = "desk"  # the hotline
    FIELD = "field"  # grid managers: visits and what belongs to them
    ADMIN = "admin"  # users, imports, what is set; decides nothing about an outage
    READONLY = "readonly"  # sees everything, changes nothing


# Who may file and decide, also as a machine.
WORKING = (Role.PLANNER, Role.APPROVER, Role.DESK)


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    username: Mapped[str] = mapped_column(String(100), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str] = mapped_column(String(300))
    roles: Mapped[list[str]] = mapped_column(JSON, default=list)
    active: Mapped[bool] = mapped_column(Boolean, default=True)
    failed_logins: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None] = mapped_column(Instant)
    # Somebody else chose the password: the next thing to do is to choose another one.
    must_change_password: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
    # Encrypted; empty: the password alone. The step is the last one that was used, so that none is used twice.
    totp_secret: Mapped[str] = mapped_column(String(400), default="", server_default="")
    totp_step: Mapped[int] = mapped_column(BigInteger, default=0, server_default=text("0"))
    # Of codes that stand in for a lost phone, each once.
    recovery_hashes: Mapped[list[str]] = mapped_column(JSON, default=list, server_default=text("'[]'"))

    # Who this is at the OpenID provider, bound at the first sign-in there: issuer, blank, subject.
    identity: Mapped[str | None] = mapped_column(String(600), unique=True)

    def may(self, role: Role) -> bool:
        return self.active and role.value in self.roles


class UserSession(Base):
    """Somebody signed in somewhere. The browser holds the secret; a row that has ended lets nobody in."""

    __tablename__ = "user_sessions"
    __table_args__ = (Index(None, "user_ref"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_ref: Mapped[int] = mapped_column(ForeignKey("users.id"))
    secret_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    # What the browser says it is, so that a person knows one of her own from a stranger's.
    device: Mapped[str] = mapped_column(String(200), default="")
    started_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)
