"""Tokens by their hash, and replies by their key."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from outage_notify.store.api_tables import ApiReply, ApiToken


def token_by_hash(session: Session, sha256: str) -> ApiToken | None:
    statement = select(ApiToken).where(ApiToken.sha256 == sha256, ApiToken.revoked_at.is_(None))
    return session.scalar(statement.options(joinedload(ApiToken.user)))


def all_tokens(session: Session) -> list[ApiToken]:
    """Every token that was made, oldest first, each with its user."""
    return list(session.scalars(select(ApiToken).options(joinedload(ApiToken.user)).order_by(ApiToken.id)))


def reply_of(session: Session, token: int, key: str) -> ApiReply | None:
    return session.scalar(select(ApiReply).where(ApiReply.token_ref == token, ApiReply.key == key))


def begin(session: Session, reply: ApiReply) -> bool:
    """Insert a reply that is under way; False if another request holds the key."""
    try:
        with session.begin_nested():
            session.add(reply)
    except IntegrityError:
        return False
    return True


def forget(session: Session, token: int, key: str) -> None:
    session.execute(delete(ApiReply).where(ApiReply.token_ref == token, ApiReply.key == key))


def oldest_reply(session: Session) -> datetime | None:
    """When the first of the kept replies was given; numbers rise with time, so that one row is read."""
    return session.scalar(select(ApiReply.at).order_by(ApiReply.id).limit(1))


def drop_replies(session: Session, before: datetime, limit: int) -> int:
    """Forget the oldest `limit` replies as far as they are from `before`; how many."""
    first = list(session.execute(select(ApiReply.id, ApiReply.at).order_by(ApiReply.id).limit(limit)))
    old = [number for number, at in first if at < before]
    session.execute(delete(ApiReply).where(ApiReply.id.in_(old)))
    return len(old)
