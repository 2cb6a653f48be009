"""Heads of the chain: the one of today, those still to be shown to somebody, all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from outage_notify.store.chain_tables import ChainHeadRow


def newest_head(session: Session) -> ChainHeadRow | None:
    return session.scalar(select(ChainHeadRow).order_by(ChainHeadRow.day.desc()).limit(1))


def all_heads(session: Session, upto: int | None = None) -> list[ChainHeadRow]:
    """In order of days; `upto`: only those of a chain of so many receipts."""
    statement = select(ChainHeadRow).order_by(ChainHeadRow.day)
    if upto is not None:
        statement = statement.where(ChainHeadRow.receipts <= upto)
    return list(session.scalars(statement))


def take_head(session: Session, day: date, receipts: int, sha256: str, now: datetime) -> bool:
    """Write down the head of a day. Says whether it was the first to."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    values = {"day": day, "receipts": receipts, "sha256": sha256, "taken_at": now, "mailed_to": ""}
    statement = insert(ChainHeadRow).values(**values).on_conflict_do_nothing()
    return len(session.execute(statement.returning(ChainHeadRow.day)).all()) == 1


def claim_heads(
    session: Session, now: datetime, last_try: datetime, *, stamps: bool, mails: bool, limit: int = 10
) -> Sequence[date]:
    """Days whose head still lacks a stamp (if `stamps`) or a mail (if `mails`) and was not tried since
    `last_try`, the newest first: it vouches for all before it. They are marked as tried now, so that one gets them."""
    lacking = []
    if stamps:
        lacking.append(ChainHeadRow.stamp.is_(None))
    if mails:
        lacking.append(ChainHeadRow.mailed_at.is_(None))
    if not lacking:
        return []
    rested = or_(ChainHeadRow.tried_at.is_(None), ChainHeadRow.tried_at <= last_try)
    chosen = (
        select(ChainHeadRow.day).where(or_(*lacking), rested).order_by(ChainHeadRow.day.desc()).limit(limit)
    )
    statement = (
        update(ChainHeadRow)
        .where(ChainHeadRow.day.in_(chosen.scalar_subquery()), rested)
        .values(tried_at=now)
        .execution_options(synchronize_session=False)
        .returning(ChainHeadRow.day)
    )
    return sorted(session.scalars(statement), reverse=True)


def stamped(session: Session, day: date, stamp: bytes, at: datetime) -> None:
    """Keep a stamp; the first one stays."""
    session.execute(
        update(ChainHeadRow)
        .where(ChainHeadRow.day == day, ChainHeadRow.stamp.is_(None))
        .values(stamp=stamp, stamped_at=at)
    )


def mailed(session: Session, day: date, to: str, at: datetime) -> None:
    """Note to whom the head was mailed; the first mail stays."""
    session.execute(
        update(ChainHeadRow)
        .where(ChainHeadRow.day == day, ChainHeadRow.mailed_at.is_(None))
        .values(mailed_at=at, mailed_to=to)
    )
